"""The features of "will the person be active in the coming day", and how silence moves them.

All are fixed transforms of bounded things, so an example stored yesterday means the same today.
The first is the log-odds that the presence model gives: all that visiting days, tenure and recency
say of the person, weighed against the others. The rest corrects it. `absence` is how much those
odds fall per unit of log-hazard (their derivative, by Bayes' rule), so absence times a circumstance
is what the circumstance does to the hazard of leaving. `trend` sees a rate that changes. More
features of recency and frequency were tried: they add noise and no knowledge.
"""

from collections.abc import Iterator
from math import cos, exp, log, log1p, pi, sin

from streams.engine.profile.activity import DAY_MS, PERIOD_MS, WEEK_MS, ZONE_MS, Activity
from streams.learning.hazard import Ahead, Hazard
from streams.learning.presence import Posterior, Presence

MOVING = (  # with every day of silence
    "presence",
    "absence",
    "absence_displeased",
    "absence_never_ordered",
    "absence_newcomer",
    "absence_approached",
    "trend",
    "activity_7d",
    "weekday_sin",
    "weekday_cos",
)
NAMES = (*MOVING, "orders", "rating", "rating_missing", "responses")
START = (1.0, *[0.0] * (len(NAMES) - 1))  # before anything is learned, the presence model decides

WEEK = (1 << 7) - 1  # of the bitmap of active days
DECAY_7 = 0.5 ** (1 / 7)
NEWCOMER_DAYS = 3.0
SETTLING_MS = 2 * DAY_MS
SETTLED_DAYS = 5.0  # who has not ordered by then may be a visitor only
SURELY_GONE = 1e-9
RARELY, OFTEN = 1e-3, 1.0 - 1e-3  # bounds of a day's probability, and with it of absence
NEWCOMER_FADES = exp(-1.0 / NEWCOMER_DAYS)
TURN = (sin(2.0 * pi / 7.0), cos(2.0 * pi / 7.0))
MOST = 200.0  # of what is counted and decayed: more says nothing more


class Outlook:
    """A person at a moment: the features of the coming day and of the silent days after it."""

    __slots__ = ("_activity", "_now_ms", "posterior")

    def __init__(self, activity: Activity, presence: Presence, now_ms: int) -> None:
        first_ms, last_ms = activity.first_ms, activity.last_ms
        self._activity = activity
        self._now_ms = now_ms
        self.posterior: Posterior = presence.posterior(
            active=activity.days - 1.0,
            span=max(last_ms - first_ms, 0) / DAY_MS,
            silence=max(now_ms - last_ms, 0) / DAY_MS,
        )

    def features(self) -> list[float]:
        """Those of the coming day, in the order of NAMES."""
        return [*next(self._moving(1)), *self._steady()]

    def settled(self) -> bool:
        """Whether there is a habit to learn from: the first days tell of the joining."""
        return self._now_ms - self._activity.first_ms >= SETTLING_MS

    def ahead(self, hazard: Hazard, days: int) -> Ahead:
        """The coming day's features, and the log-odds of no activity in `days` days."""
        return hazard.ahead(self._moving(days), self._steady())

    def _moving(self, days: int) -> Iterator[tuple[float, ...]]:
        activity, now_ms = self._activity, self._now_ms
        tenure = max(now_ms - activity.first_ms, 0) / DAY_MS
        decay = 0.5 ** ((now_ms - activity.landmark_ms) / WEEK_MS)
        count_7 = _count(activity.count_7 * decay)
        displeased = _count(activity.displeasure_7 * decay)
        approached = _count(activity.approaches_7 * decay)
        newcomer = exp(-tenure / NEWCOMER_DAYS)
        ago = max((now_ms + ZONE_MS) // DAY_MS - activity.last_day, 0)
        bitmap = activity.bitmap << ago if ago < 7 else 0
        angle = ((now_ms + ZONE_MS) % WEEK_MS / DAY_MS + 0.5) * (2.0 * pi / 7.0)
        wave, cowave = sin(angle), cos(angle)
        ordered = activity.orders > 0
        turn_sin, turn_cos = TURN
        # Written without min and max: this runs for each day ahead of everybody, every day.
        for visit, gone in self.posterior.days(days):
            comes = visit if RARELY < visit < OFTEN else RARELY if visit < OFTEN else OFTEN
            absence = gone / (1.0 - comes)
            week = tenure + 1.0 if tenure < 6.0 else 7.0
            active = (bitmap & WEEK).bit_count()
            stays = 1.0 - gone
            expected = visit / stays * week if stays > SURELY_GONE else 0.0  # days, if there still
            trend = log((active + 1.0) / (expected + 1.0))
            yield (
                log(comes / (1.0 - comes)),
                absence,
                absence * displeased,
                0.0 if ordered or tenure <= SETTLED_DAYS else absence,
                absence * newcomer,
                absence * approached,
                trend,
                log1p(count_7) - 2.0,
                wave,
                cowave,
            )
            tenure += 1.0
            count_7 *= DECAY_7
            displeased *= DECAY_7
            approached *= DECAY_7
            newcomer *= NEWCOMER_FADES
            bitmap <<= 1
            wave, cowave = wave * turn_cos + cowave * turn_sin, cowave * turn_cos - wave * turn_sin

    def _steady(self) -> list[float]:
        """What days of silence leave as it is."""
        activity = self._activity
        decay = 0.5 ** ((self._now_ms - activity.landmark_ms) / PERIOD_MS)
        ratings, stars = _count(activity.rating_28 * decay), _count(activity.stars_28 * decay)
        return [
            min(log1p(max(activity.orders, 0)), 5.0) - 0.5,
            (stars + 4.0) / (ratings + 1.0) - 4.0,  # as if one rating of 4 had been given before
            0.0 if activity.ratings else 1.0,
            log((activity.responses + 1.0) / (activity.approaches + 2.0)) + 0.7,
        ]


def _count(value: float) -> float:
    """A decayed count within 0 and MOST; NaN is none."""
    return value if 0.0 <= value <= MOST else MOST if value > MOST else 0.0
