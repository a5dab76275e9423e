"""What choosers see of a person at a decision: few numbers, each about in [-3, 3]."""

from math import log1p
from typing import Final, Protocol

from streams.contract.policy import DAY_MS
from streams.engine.state import UserState

NAMES: Final = (
    "recency",  # days since the person was last active, logarithmic
    "frequency",  # decayed activity of the last four weeks, logarithmic
    "orders",
    "spend",
    "churn",  # probability, centred
    "interest",  # in the category of the journey's entry
    "fatigue",  # messages got lately
    "response",  # share of messages answered
)
WIDTH: Final = len(NAMES)


class Scores(Protocol):
    """What is asked of the models."""

    def churn(self, state: UserState, now_ms: int) -> float: ...
    def interest(self, state: UserState, category: str, now_ms: int) -> float: ...


def features(state: UserState, insight: Scores, category: str, now_ms: int) -> tuple[float, ...]:
    activity = state.activity
    silent_days = (now_ms - activity.last_ms) / DAY_MS if activity.last_ms else 30.0
    interest = insight.interest(state, category, now_ms) if category else 0.0
    found = (
        log1p(max(silent_days, 0.0)) - 1.0,
        log1p(activity.decayed(now_ms)[2]) - 2.0,
        log1p(activity.orders) - 1.0,
        log1p(max(activity.spend_fen, 0) / 10_000) - 1.0,
        4.0 * (insight.churn(state, now_ms) - 0.5),
        4.0 * (interest - 0.25),
        log1p(activity.approaches_7 * 2.0 ** ((activity.landmark_ms - now_ms) / (7 * DAY_MS)))
        - 0.5,
        4.0 * ((activity.responses + 1.0) / (activity.approaches + 2.0) - 0.5),
    )
    return tuple(round(min(max(value, -3.0), 3.0), 4) for value in found)
