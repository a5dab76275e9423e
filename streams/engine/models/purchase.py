"""P(the person orders within the coming days), from days on record whose labels came late.

A person has one prediction on record: made at a daily check, learned stage by stage
(`learning/delayed.py`), and followed by the next one a week later whatever happened: were that made
when an order comes, the days after orders would be learned alone.
Between checks the same weights score the person as they are at that moment.
"""

from math import log1p
from typing import Final

import msgspec
from msgspec import Struct

from streams.contract.events import HARD_CHURN
from streams.contract.policy import DAY_MS
from streams.contract.triggers import Contribution
from streams.engine.models.doing import NAMES as ACTIONS
from streams.engine.models.doing import Doing
from streams.engine.models.letters import check_weights
from streams.engine.models.model import Body, Model, Surroundings, gate_moved
from streams.engine.moment import Moment
from streams.engine.outcome import Effect
from streams.engine.profile.activity import ORDERS
from streams.engine.state import UserState
from streams.engine.store import Person
from streams.learning.delayed import GRACE_MS, NOT_YET, DelayedOutcome, Progress
from streams.learning.guard import Guard
from streams.learning.logistic import LogisticDelta

HOUR_MS: Final = 3_600_000
# With the grace for labels on their way a stage is over at a daily check, and not just after it.
ENDS_MS: Final = (HOUR_MS, *(day * DAY_MS - GRACE_MS for day in range(1, 8)))
PREFIX: Final = b"m:purchase/"
GATE: Final = PREFIX + b"gate/"
BUCKETS: Final = 7
CART, VIEW, SEARCH = (ACTIONS.index(name) for name in ("cart", "view", "search"))
NAMES: Final = (
    "recency",  # hours since the person was last active, logarithmic
    "activity_1d",
    "activity_7d",
    "activity_28d",
    "orders",
    "order_recency",  # days since the last order, logarithmic; a month and more, or none: 1
    "ordered",
    "cart",  # something is in the cart, fading over two days
    "viewing",  # the last action was to look at or for something
    "churn",
    "approached",
    "responsive",
)


class Learned(Struct):
    learned: LogisticDelta

    def __post_init__(self) -> None:
        check_weights(self.learned, 2 * len(NAMES) + len(ENDS_MS))


class PurchaseModel(Model):
    NAME = "purchase"
    LISTENS = ORDERS | HARD_CHURN
    CHECKS = True

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._outcome = DelayedOutcome(NAMES, ENDS_MS)
        self._guard = Guard(BUCKETS)
        if around.partitions > 1:
            self._outcome.logistic.begin_sharing()

    def learn(self, moment: Moment) -> list[Effect]:
        """An order answers the prediction on record; the end of the relation censors it."""
        state = moment.person.state
        if state.purchase is None:
            return []
        if moment.type in HARD_CHURN:
            self._censor(state)
        else:
            self._outcome.happened(state.purchase, moment.time_ms, moment.now_ms)
        return []

    def check(self, person: Person, now_ms: int) -> list[Effect]:
        state = person.state
        awaited = state.purchase
        if awaited is not None:
            self._outcome.passed(awaited, now_ms)
        if awaited is None or self._outcome.is_past(awaited, now_ms):
            x = features(state, now_ms)
            awaited = self._outcome.await_(x, now_ms, bucket=bucket(x), before=awaited)
        state.purchase = awaited
        return self._judge(now_ms)

    def share(self) -> Body | None:
        delta = self._outcome.share()
        return None if delta is None else {"learned": msgspec.to_builtins(delta)}

    def read_delta(self, delta: Body) -> Learned:
        return msgspec.convert(delta, Learned)

    def absorb(self, delta: Learned, now_ms: int) -> None:
        self._outcome.absorb(delta.learned)

    def forget(self, person: Person, now_ms: int) -> list[Effect]:
        self._censor(person.state)
        return []

    def probability(self, state: UserState, now_ms: int) -> float:
        """P(an order within seven days): the model's, or the rule's while the gate is closed."""
        x = features(state, now_ms)
        return self._guard.answer(self._outcome.probability(x), bucket(x))

    def why(self, state: UserState, now_ms: int) -> list[Contribution]:
        """What speaks for an order soon: log-odds of the coming hour, which add up."""
        return [
            Contribution(*part) for part in self._outcome.contributions(features(state, now_ms))
        ]

    @property
    def progress(self) -> Progress:
        """The counts behind the metrics."""
        return self._outcome.progress

    def changed_rows(self) -> list[tuple[bytes, bytes | None]]:
        return self._outcome.changed_rows(PREFIX) + self._guard.changed_rows(GATE)

    def load_row(self, key: bytes, row: bytes) -> None:
        if key.startswith(GATE):
            self._guard.load_row(key[len(GATE) :], row)
        else:
            self._outcome.load_row(key[len(PREFIX) :], row)

    def metrics(self) -> dict[str, float]:
        return {**self._outcome.metrics(), **self._guard.metrics()}

    def _censor(self, state: UserState) -> None:
        if state.purchase is not None and state.purchase.happened_in == NOT_YET:
            self._outcome.censor()
        state.purchase = None

    def _judge(self, now_ms: int) -> list[Effect]:
        """Labels that came tell whether the model still holds; one that does not is set back."""
        effects: list[Effect] = []
        for answer in self._outcome.answers():
            moved = self._guard.judge(*answer)
            if moved is None or moved.before == "warming":
                continue
            gate = self._guard.gate
            if moved.after == "suspended" and gate.last_good is not None:
                self._outcome.restore(gate.last_good)
            effects.append(
                gate_moved(self.around, self.NAME, moved, gate.metrics()["skill"], now_ms)
            )
        self._guard.keep(self._outcome.logistic.to_row)
        return effects


def bucket(x: list[float]) -> int:
    """What the plain rule goes by: something in the cart, or when the last order was."""
    if x[NAMES.index("cart")] >= 0.5:
        return 0
    return 1 + min(int(x[NAMES.index("order_recency")] * (BUCKETS - 1)), BUCKETS - 2)


def features(state: UserState, now_ms: int) -> list[float]:
    """The person at this moment, in the order of NAMES."""
    activity, doing = state.activity, state.doing or Doing()
    hours = max(now_ms - activity.last_ms, 0) / HOUR_MS if activity.last_ms else 720.0
    day, week, month = activity.decayed(now_ms)
    ordered_days = max(now_ms - activity.last_order_ms, 0) / DAY_MS
    carted_days = (now_ms / 1000 - doing.cart_s) / 86_400 if doing.cart_s else 99.0
    return [
        0.5 * log1p(hours),
        0.5 * log1p(day),
        0.5 * log1p(week),
        0.5 * log1p(month),
        log1p(activity.orders),
        min(log1p(ordered_days) / 3.4, 1.0) if activity.orders else 1.0,
        1.0 if activity.orders else 0.0,
        0.5 ** (max(carted_days, 0.0) / 2.0),
        1.0 if doing.last in (VIEW, SEARCH, CART) else 0.0,
        2.0 * state.churn.probability - 1.0,
        log1p(activity.approaches_7 * 2.0 ** ((activity.landmark_ms - now_ms) / (7 * DAY_MS))),
        (activity.responses + 1.0) / (activity.approaches + 2.0),
    ]
