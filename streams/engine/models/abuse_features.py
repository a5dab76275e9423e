"""What an unusual claim is told by: ten numbers in [0, 1] of the person at that moment."""

from math import log1p
from typing import Final

from streams.engine.models.abuse_state import Watched
from streams.engine.state import UserState
from streams.learning.abuse.pace import claims, pace

NAMES: Final = (
    "claims_minute",
    "claims_hour",
    "claims_day",
    "claims_month",
    "events_minute",
    "events_hour",
    "beat",
    "claims_share",
    "bought",
    "age",
)
HOUR_MS: Final = 3_600_000


def features(watched: Watched, state: UserState, now_ms: int) -> list[float]:
    """Counts on a logarithmic scale that ends where no person comes."""
    took, beat = claims(watched.claims, now_ms), pace(watched.pace, now_ms)
    acts = state.activity.decayed(now_ms)[2]
    age_h = max(now_ms - state.first_seen_ms, 0) / HOUR_MS
    return [
        _scaled(took.counts[0], 4.0),
        _scaled(took.counts[2], 4.0),
        _scaled(took.counts[3], 4.0),
        _scaled(took.total, 5.0),
        _scaled(beat.counts[0], 5.0),
        _scaled(beat.counts[2], 7.0),
        min(beat.deviation / 3.0, 1.0) if beat.gaps else 0.5,
        min(took.total / max(acts, took.total, 1.0), 1.0),
        _scaled(float(max(state.activity.orders - took.used, 0)), 4.0),
        _scaled(age_h, 9.0),
    ]


def _scaled(value: float, most: float) -> float:
    return min(log1p(max(value, 0.0)) / most, 1.0)
