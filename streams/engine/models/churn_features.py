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
NEWCOMER_FADES = exp(-1.0 / NEWCOMER_DAYS)
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

    def _moving(self, days: int) -> list[list[float]]:
        activity, now_ms = self._activity, self._now_ms
        silence = max(now_ms - activity.last_ms, 0) / DAY_MS
        tenure = max(now_ms - activity.first_ms, 0) / DAY_MS
        count_1, count_7, _ = activity.decayed(now_ms)
        decay = 2.0 ** ((activity.landmark_ms - now_ms) / PERIOD_MS * 4.0)
        displeased = min(activity.displeasure_7 * decay, MOST)
        approached = min(activity.approaches_7 * decay, MOST)
        newcomer = exp(-tenure / NEWCOMER_DAYS)
        ago = (now_ms + ZONE_MS) // DAY_MS - activity.last_day
        bitmap = activity.bitmap << max(ago, 0) & WEEK if ago < 7 else 0
        angle = 2.0 * pi * ((now_ms + ZONE_MS) % (7 * DAY_MS) / DAY_MS + 0.5) / 7.0
        wave, cowave = sin(angle), cos(angle)
        expected, ordered = self.posterior.active_days(), activity.orders > 0
        found = []
        for comes, gone in self.posterior.days(days):
            comes = min(max(comes, RARELY), OFTEN)
            absence = gone / (1.0 - comes)
            week = min(tenure + 1.0, 7.0)
            active = (bitmap & WEEK).bit_count()
            trend = log((active + 1.0) / (expected * week + 1.0))
            found.append(
                [
                    log(comes / (1.0 - comes)),
                    absence,
                    absence * displeased,
                    absence if not ordered and tenure > SETTLED_DAYS else 0.0,
                    absence * newcomer,
                    absence * approached,
                    absence * trend,
                    trend,
                    log1p(silence) - 1.0,
                    log1p(count_1) - 1.0,
                    log1p(count_7) - 2.0,
                    (active + 0.5) / (week + 1.0) - 0.5,
                    wave,
                    cowave,
                ]
            )
            silence += 1.0
            tenure += 1.0
            count_1 *= 0.5
            count_7 *= DECAY_7
            displeased *= DECAY_7
            approached *= DECAY_7
            newcomer *= NEWCOMER_FADES
            bitmap <<= 1
            wave, cowave = wave * TURN[1] + cowave * TURN[0], cowave * TURN[1] - wave * TURN[0]
        return found


def _steady(activity: Activity, now_ms: int) -> list[float]:
    """What days of silence leave as it is."""
    decay = 2.0 ** ((activity.landmark_ms - now_ms) / PERIOD_MS)
    ratings, stars = activity.rating_28 * decay, activity.stars_28 * decay
    return [
        min(log1p(max(activity.orders, 0)), 5.0) - 0.5,
        (stars + 4.0) / (ratings + 1.0) - 4.0,  # as if one rating of 4 had been given before
        0.0 if activity.ratings else 1.0,
        log((activity.responses + 1.0) / (activity.approaches + 2.0)) + 0.7,
    ]
