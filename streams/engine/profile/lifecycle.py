"""The stage of a person's life with us, from few and plain rules that a marketer can check."""

from typing import Final

from streams.contract.policy import DAY_MS
from streams.engine.config import Config
from streams.engine.state import NO, UserState

LIFECYCLES: Final = ("new", "active", "loyal", "at_risk", "lost", "unfollowed")
NEW_MS: Final = 7 * DAY_MS
LOYAL_ORDERS: Final = 3
LOYAL_DAYS: Final = 10  # active days


def lifecycle(state: UserState, config: Config, now_ms: int, churn: float) -> int:
    """The index of the stage in LIFECYCLES; `churn` is the person's score now."""
    activity = state.activity
    silent_ms = now_ms - max(activity.last_ms, state.first_seen_ms)
    if state.followed == NO and activity.last_ms <= state.followed_ms:
        return 5
    if silent_ms > config.churn.watch_days * DAY_MS:
        return 4
    at_risk = state.churn.checked_ms and churn >= config.churn.at_risk
    if at_risk or silent_ms > config.churn.horizon_days * DAY_MS:
        return 3
    if activity.orders >= LOYAL_ORDERS or activity.days >= LOYAL_DAYS:
        return 2
    return 0 if now_ms - state.first_seen_ms < NEW_MS else 1
