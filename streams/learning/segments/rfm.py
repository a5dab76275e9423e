"""The value segments a marketer knows: recency, frequency and money, each high or low.

The rule. Among the people who have bought, each of recency, frequency and money has a rank in
[0, 1], ties in the middle, 1 the best; its quintile is the score 1 to 5. It becomes high at rank
0.6 (score 4 or 5) and stays high down to its rank in `LEAVE`, so nobody flaps at the border: a
recency that was high until it is among the last fifth, for it falls with every day without an order
and rises at the next. Eight combinations are eight segments. Before them stand those who are not to
be judged by ranks yet or any more: lost, newcomers, and people who have never bought.
Source: Hughes, Strategic Database Marketing (1994), for the quintiles; the eight combinations are
common in Chinese retail.
"""

from math import inf
from typing import Final, NamedTuple

from streams.learning.segments.quantiles import Bins, Quantiles

QUINTILES: Final = 5
ENTER: Final = 0.6
LEAVE: Final = (0.2, 0.3, 0.3)  # of recency, frequency, money
RECENT, FREQUENT, RICH = 4, 2, 1  # bits of what is high


class Segment(NamedTuple):
    code: str  # what conditions of journeys compare with
    chinese: str
    english: str


# By their bits: recency, frequency, money. The numbers stand in people's rows: never reorder.
VALUES: Final = (
    Segment("dormant", "一般挽留客户", "dormant, low value"),
    Segment("at_risk", "重要挽留客户", "at risk, high value"),
    Segment("fading", "一般保持客户", "frequent once, fading"),
    Segment("loyal_lapsing", "重要保持客户", "loyal and valuable, lapsing"),
    Segment("casual", "一般发展客户", "casual"),
    Segment("promising", "重要发展客户", "promising, high value"),
    Segment("regulars", "一般价值客户", "regulars"),
    Segment("champions", "重要价值客户", "champions"),
)
SEGMENTS: Final = (
    *VALUES,
    Segment("newcomer", "新客户", "newcomer"),
    Segment("prospect", "潜在客户", "has not bought yet"),
    Segment("lost", "流失客户", "lost"),
)
CODES: Final = tuple(segment.code for segment in SEGMENTS)
NEWCOMER, PROSPECT, LOST = range(len(VALUES), len(SEGMENTS))


class Ranks(NamedTuple):
    """Each in [0, 1], 1 the best."""

    recency: float
    frequency: float
    money: float

    @property
    def scores(self) -> tuple[int, int, int]:
        """The quintiles, 1 to 5."""
        return quintile(self.recency), quintile(self.frequency), quintile(self.money)


class History(NamedTuple):
    """What somebody bought until now; `known_days` since they were first seen."""

    recency_days: float  # since the last order; anything without one
    orders: int
    spend_yuan: float
    known_days: float
    silent_days: float  # without any activity; infinite: they ended the relation


class Rules(NamedTuple):
    """A newcomer is known for less than `newcomer_days` and has ordered once at most; lost is who
    was silent for `lost_days`."""

    newcomer_days: float = 14.0
    lost_days: float = inf


class ValueSegments:
    """Ranks among the buyers of a population, and the segments that follow from them."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.recency, self.frequency, self.money = Quantiles(), Quantiles(), Quantiles()

    @property
    def sketches(self) -> tuple[Quantiles, Quantiles, Quantiles]:
        return self.recency, self.frequency, self.money

    def observe(self, history: History) -> None:
        """Count somebody, once a period. Who has not bought is not ranked."""
        if history.orders > 0:
            self.recency.observe(history.recency_days)
            self.frequency.observe(history.orders)
            self.money.observe(history.spend_yuan)

    def close(self, *, halve: bool = True) -> None:
        """End the period: ranks are among those observed in it, and before it, fading."""
        for sketch in self.sketches:
            sketch.close(halve=halve)

    def ranks(self, history: History) -> Ranks:
        return Ranks(
            1.0 - self.recency.rank(history.recency_days),
            self.frequency.rank(history.orders),
            self.money.rank(history.spend_yuan),
        )

    def segment(self, history: History, ranks: Ranks, before: int) -> tuple[int, int]:
        """The segment's place in SEGMENTS, and the bits of what is high; `before`: the bits so
        far. -1 for a buyer while nobody was ranked yet."""
        rules, bits = self.rules, high(ranks, before)
        if history.silent_days >= rules.lost_days or history.silent_days == inf:
            return LOST, bits
        if history.known_days < rules.newcomer_days and history.orders < 2:
            return NEWCOMER, bits
        if history.orders <= 0:
            return PROSPECT, 0
        return (bits if self.money.settled else -1), bits

    def share(self) -> list[Bins]:
        return [sketch.share() for sketch in self.sketches]

    def absorb(self, delta: list[Bins]) -> None:
        for sketch, bins in zip(self.sketches, delta, strict=True):
            sketch.absorb(bins)


def quintile(rank: float) -> int:
    return min(1 + int(QUINTILES * rank), QUINTILES)


def high(ranks: Ranks, before: int) -> int:
    """The bits of what is high now; `before`: those that were high until now."""
    bits = 0
    for bit, rank, leave in zip((RECENT, FREQUENT, RICH), ranks, LEAVE, strict=True):
        if rank >= (leave if before & bit else ENTER):
            bits |= bit
    return bits
