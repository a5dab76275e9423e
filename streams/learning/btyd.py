"""Buy till you die, for any unit of time: does the customer come back, and how often?

A customer comes at a rate of their own and leaves for good at a constant rate; nobody sees them
leave. Rates of coming are a mixture over a grid, so the posterior from (repeats, span, silence) is
a sum over it, and exact; how common each is among the customers is learned online by EM.
`presence.py` is this for daily visits, with fixed grid and written out for speed: it runs for every
person every day. Here grid and leaving are given, for things as seldom as purchases.
Source: Schmittlein, Morrison, Colombo, Counting your customers (1987), with a free mixture where
they have a Gamma distribution.
"""

from collections.abc import Iterator, Sequence
from math import exp, isfinite, log
from operator import mul

from msgspec import Struct

from streams.learning import rows

FIRST_STEP = 1.0 / 100  # of EM: long steps first ...
LAST_STEP = 1.0 / 20_000  # ... then the mean of all, for as long as it is the last 20 000
LEAST = 1e-4  # no rate ever becomes impossible
MOST = 1e4  # of repeats and units of time


class CustomersRow(Struct, array_like=True):
    rates: list[float]
    leaving: float
    shares: list[float]
    step: float


class Standing(Struct, frozen=True, gc=False):
    """Weights per rate of being a customer still, and of having left since the last time."""

    there: list[float]
    left: list[float]


class Customers:
    """How common each rate is among the customers.

    Args:
        rates: of coming, per unit of time; above 0.
        leaving: the rate of leaving per unit of time; above 0.

    Raises ValueError for rates that are none.
    """

    def __init__(self, rates: Sequence[float], leaving: float) -> None:
        if not rates or not all(0.0 < rate < MOST for rate in (*rates, leaving)):
            raise ValueError(
                f"rates {rates} and leaving {leaving} must be above 0 and below {MOST}"
            )
        self.rates, self.leaving = list(rates), leaving
        self.shares = [1.0 / len(rates)] * len(rates)
        self.step = FIRST_STEP
        self._log_rates = [log(rate) for rate in rates]
        self._ends = [rate + leaving for rate in rates]  # whichever comes first
        self._leaves = [leaving / end for end in self._ends]
        self._stays = [exp(-end) for end in self._ends]
        self._comes = [
            rate / end * (1.0 - exp(-end)) for rate, end in zip(rates, self._ends, strict=True)
        ]

    def standing(self, *, repeats: float, span: float, silence: float) -> Standing:
        """After coming `repeats` more times within `span` units of the first, then `silence`."""
        repeats, span, silence = _count(repeats), _count(span), _count(silence)
        logs = [
            repeats * log_rate - end * span
            for log_rate, end in zip(self._log_rates, self._ends, strict=True)
        ]
        most = max(logs)
        there, left = [], []
        for share, part, end, leaves in zip(
            self.shares, logs, self._ends, self._leaves, strict=True
        ):
            weight = share * exp(part - most)
            stays = exp(-end * silence)
            there.append(weight * stays)
            left.append(weight * leaves * (1.0 - stays))
        return Standing(there, left)

    def learn(self, standing: Standing) -> None:
        """One step of online EM; what every rate is given on top keeps each of them possible."""
        total = sum(standing.there) + sum(standing.left)
        step, least = self.step, self.step * LEAST
        kept = 1.0 - step - least * len(self.rates)
        self.shares = [
            kept * share + step * (there + left) / total + least
            for share, there, left in zip(self.shares, standing.there, standing.left, strict=True)
        ]
        self.step = max(step / (1.0 + step), LAST_STEP)

    def ahead(self, standing: Standing, units: int) -> Iterator[tuple[float, float]]:
        """For each unit to come, were all before it silent: P(comes in it), P(left before it)."""
        there, gone = standing.there, sum(standing.left)
        here = sum(there)
        for _ in range(units):
            total = here + gone
            yield sum(map(mul, there, self._comes)) / total, gone / total
            gone += sum(
                leaves * weight * (1.0 - stays)
                for leaves, weight, stays in zip(self._leaves, there, self._stays, strict=True)
            )
            there = list(map(mul, there, self._stays))
            here = sum(there)

    def to_row(self) -> bytes:
        return rows.pack(CustomersRow(self.rates, self.leaving, self.shares, self.step))

    def from_row(self, row: bytes) -> None:
        """Take over an earlier state. Raises ValueError for a newer schema or another grid."""
        state = rows.unpack(row, CustomersRow)
        if state.rates != self.rates or state.leaving != self.leaving:
            raise ValueError(f"shares are of rates {state.rates}, not {self.rates}")
        self.shares, self.step = state.shares, state.step


def _count(value: float) -> float:
    if not isfinite(value):
        return MOST if value > 0.0 else 0.0
    return min(max(value, 0.0), MOST)
