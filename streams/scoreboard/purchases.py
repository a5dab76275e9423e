"""Purchases of customers in one pass, three weeks by three weeks: will they buy within a horizon?

The learner of the engine's churn model (streams/learning/hazard.py) with three weeks for a day: one
example per customer and period, "buys in the coming one?", learned when it is over. Purchases are
seldom, so the first feature comes from a mixture of rates of any size (streams/learning/btyd.py)
and steps are of second order. The level over a long horizon is corrected by scores over half of it,
which mature in time.
"""

from collections.abc import Callable, Iterator, Sequence
from math import log, log1p
from typing import Final, NamedTuple

from streams.learning.btyd import Customers, Standing
from streams.learning.hazard import Level, SeldomHazard

PERIOD_DAYS = 21
RATES = tuple(0.01 * 2.2**place for place in range(9))  # a period, up to 5
LEAVING = 0.06  # a period
HALF_LIVES = (28.0, 56.0)  # days
MOVING: Final[tuple[str, ...]] = (  # with every silent period
    "presence",
    "absence",
    "recency",
    "tenure",
    *(f"purchases_{half_life:.0f}d" for half_life in HALF_LIVES),
)
NAMES = (*MOVING, "purchases", "dollars", "things", "last_dollars", "dollars_per_purchase")
START = (1.0, *[0.0] * (len(NAMES) - 1))  # before anything is learned, the mixture decides
LEAST = 1e-6  # a period's probability of a purchase is taken no closer to 0 or 1
RECORDED_FROM = 2  # periods after which scores go on record to learn the level by


class Purchase(NamedTuple):
    customer: int
    day: int  # since the first day of the data
    things: int
    dollars: float


class Customer:
    """What is known of one customer, and the predictions that wait for their answers."""

    __slots__ = (
        "days",
        "decayed",
        "dollars",
        "features",
        "first_day",
        "last_day",
        "last_dollars",
        "pending",
        "things",
    )

    def __init__(self, day: int) -> None:
        self.first_day = self.last_day = day
        self.days = 1  # with a purchase
        self.decayed = [1.0] * len(HALF_LIVES)  # days with a purchase, decayed to the last one
        self.things = 0
        self.dollars = self.last_dollars = 0.0
        self.features: list[float] = []  # of the last check
        self.pending: dict[int, float] = {}  # period -> log-odds given at its end

    def buy(self, purchase: Purchase) -> None:
        silence = purchase.day - self.last_day
        if silence > 0:
            self.days += 1
            self.decayed = [
                1.0 + count * 0.5 ** (silence / half_life)
                for count, half_life in zip(self.decayed, HALF_LIVES, strict=True)
            ]
            self.last_day, self.last_dollars = purchase.day, 0.0
        self.things += purchase.things
        self.dollars += purchase.dollars
        self.last_dollars += purchase.dollars


class PurchaseModel:
    """Feed it whole periods in order.

    Args:
        half: periods of the horizon the level is learned by.
        watch: is told each example as it is learned, for peers that learn the same.
    """

    def __init__(self, half: int, watch: Callable[[list[float], bool], None] | None = None) -> None:
        self.hazard = SeldomHazard()
        self.hazard.begin(NAMES, START)
        self.level = Level()
        self.mixture = Customers(RATES, LEAVING)
        self.customers: dict[int, Customer] = {}
        self._half = half
        self._watch = watch

    def take(self, period: int, purchases: Sequence[Purchase]) -> None:
        """All purchases of a period, counted from 0, by day: they answer, then they teach."""
        from_day, now_day = period * PERIOD_DAYS, (period + 1) * PERIOD_DAYS
        for purchase in purchases:
            customer = self.customers.get(purchase.customer)
            if customer is None:
                customer = self.customers[purchase.customer] = Customer(purchase.day)
            customer.buy(purchase)
        for customer in self.customers.values():
            if customer.features:
                bought = customer.last_day >= from_day
                self.hazard.learn(customer.features, bought)
                if self._watch is not None:
                    self._watch(customer.features, bought)
            given = customer.pending.pop(period - self._half, None)
            if given is not None:
                since_day = now_day - self._half * PERIOD_DAYS
                self.level.learn(given, happened=customer.last_day >= since_day)
            standing = self._standing(customer, now_day)
            self.mixture.learn(standing)
            customer.features = [
                *next(self._moving(customer, standing, now_day, 1)),
                *_steady(customer),
            ]
            if period >= RECORDED_FROM:
                customer.pending[period] = self._logit(customer, now_day, self._half)

    def score(self, customer: int, now_day: int, periods: int) -> float:
        """P(a purchase in the coming `periods`). Raises KeyError for who never bought."""
        return self.level.apply(self._logit(self.customers[customer], now_day, periods))

    def ahead(self, customer: int, now_day: int, periods: int) -> Iterator[list[float]]:
        """The features of each coming period, in the order of NAMES, were all before it silent."""
        known = self.customers[customer]
        steady = _steady(known)
        for moving in self._moving(known, self._standing(known, now_day), now_day, periods):
            yield [*moving, *steady]

    def _logit(self, customer: Customer, now_day: int, periods: int) -> float:
        """Log-odds of a purchase, before the correction of the level."""
        standing = self._standing(customer, now_day)
        moving = self._moving(customer, standing, now_day, periods)
        return -self.hazard.ahead(moving, _steady(customer)).silence

    def _standing(self, customer: Customer, now_day: int) -> Standing:
        return self.mixture.standing(
            repeats=customer.days - 1,
            span=(customer.last_day - customer.first_day) / PERIOD_DAYS,
            silence=(now_day - customer.last_day) / PERIOD_DAYS,
        )

    def _moving(
        self, customer: Customer, standing: Standing, now_day: int, periods: int
    ) -> Iterator[list[float]]:
        silence, tenure = now_day - customer.last_day, now_day - customer.first_day
        for comes, gone in self.mixture.ahead(standing, periods):
            bounded = min(max(comes, LEAST), 1.0 - LEAST)
            yield [
                log(bounded / (1.0 - bounded)),
                gone,
                log1p(silence / 7.0) - 2.5,
                log1p(tenure / 7.0) - 3.0,
                *(
                    log1p(count * 0.5 ** (silence / half_life))
                    for count, half_life in zip(customer.decayed, HALF_LIVES, strict=True)
                ),
            ]
            silence += PERIOD_DAYS
            tenure += PERIOD_DAYS


def _steady(customer: Customer) -> list[float]:
    """What silence leaves as it is, roughly centred."""
    return [
        log1p(customer.days - 1) - 0.5,
        log1p(customer.dollars) - 3.5,
        log1p(customer.things) - 1.3,
        log1p(customer.last_dollars) - 3.2,
        log1p(customer.dollars / customer.days) - 3.3,
    ]
