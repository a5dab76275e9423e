"""The features of "will the person be active in the coming day", and how silence moves them.

All are fixed transforms of bounded things, so an example stored yesterday means the same today. The first
is the log-odds that the presence model gives; the others correct it. `absence` is how much those odds fall
per unit of log-hazard (their derivative, by Bayes' rule), so absence times a circumstance is what the
circumstance does to the hazard of leaving. `trend` and `days_in_7` see a rate that changes.
"""

from collections.abc import Sequence
from math import cos, exp, log, log1p, pi, sin
from operator import mul

from streams.engine.models.presence import Posterior, Presence
from streams.engine.profile.activity import DAY_MS, PERIOD_MS, ZONE_MS, Activity

MOVING = (  # with every day of silence
    "presence",
    "absence",
    "absence_displeased",
    "absence_never_ordered",
    "absence_newcomer",
    "absence_approached",
    "absence_trend",
    "trend",
    "recency",
    "activity_1d",
    "activity_7d",
    "days_in_7",
    "weekday_sin",
    "weekday_cos",
)
NAMES = (*MOVING, "orders", "rating", "rating_missing", "responses")
START = (1.0, *[0.0] * (len(NAMES) - 1))  # before anything is learned, the presence model decides

WEEK = (1 << 7) - 1
DECAY_7 = 0.5 ** (1 / 7)
NEWCOMER_DAYS = 3.0
SETTLED_DAYS = 5.0  # who has not ordered by then may be a visitor only
RARELY, OFTEN = 1e-3, 1.0 - 1e-3  # bounds of a day's probability, and with it of absence
TURN = (sin(2.0 * pi / 7.0), cos(2.0 * pi / 7.0))
MOST = 50.0  # of what is counted: more says nothing more


class Outlook:
    """A person's features at a moment, and the log-odds of activity for the days to come."""

    __slots__ = ("_activity", "_now_ms", "posterior", "steady")

    def __init__(self, activity: Activity, presence: Presence, now_ms: int) -> None:
        first_ms, last_ms = activity.first_ms, activity.last_ms
        self._activity = activity
        self._now_ms = now_ms
        self.posterior: Posterior = presence.posterior(
            active=activity.days - 1.0,
            span=max(last_ms - first_ms, 0) / DAY_MS,
            silence=max(now_ms - last_ms, 0) / DAY_MS,
        )
        self.steady = _steady(activity, now_ms)

    def features(self) -> list[float]:
        """Those of the coming day, in the order of NAMES."""
        return self._moving(1)[0] + self.steady

    def logits(self, weights: Sequence[float], intercept: float, days: int) -> list[float]:
        """Log-odds of activity on each coming day, were all before it silent."""
        size = len(MOVING)
        still = intercept + sum(map(mul, weights[size:], self.steady))
        moving = weights[:size]
        return [still + sum(map(mul, moving, features)) for features in self._moving(days)]
