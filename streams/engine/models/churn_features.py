"""The features of "will the person be active in the coming day", and how they move while nothing happens."""

from math import cos, exp, log, log1p, pi, sin

from streams.engine.models.presence import Presence, days_ahead
from streams.engine.profile.activity import DAY_MS, PERIOD_MS, ZONE_MS, Activity

NAMES = (
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
    "orders",
    "rating",
    "rating_missing",
    "displeasure",
    "responses",
    "tenure",
    "weekday_sin",
    "weekday_cos",
)
START = (1.0,) + (0.0,) * (len(NAMES) - 1)
CLIP = 8.0
WEEK_7 = (1 << 7) - 1
DECAY_7 = 0.5 ** (1 / 7)


def vectors(activity: Activity, presence: Presence, now_ms: int, days: int) -> tuple[list[list[float]], list[float]]:
    """Features at `now_ms` and at each of the following days - 1 days without activity."""
    recency = max(now_ms - activity.last_ms, 0) / DAY_MS
    tenure = max(now_ms - activity.first_ms, 0) / DAY_MS
    count_1, count_7, count_28 = activity.decayed(now_ms)
    today = (now_ms + ZONE_MS) // DAY_MS
    ago = today - activity.last_day
    bitmap = activity.bitmap << ago if ago < 7 else 0
    decay = 2.0 ** ((activity.landmark_ms - now_ms) / PERIOD_MS)
    ratings, stars = activity.rating_28 * decay, activity.stars_28 * decay
    rating = (stars + 4.0) / (ratings + 1.0) - 4.0
    orders = log1p(activity.orders) - 0.5
    missing = 0.0 if activity.ratings else 1.0
    displeasure = activity.displeasure_7 * decay**4
    approached = activity.approaches_7 * decay**4
    responses = log((activity.responses + 1.0) / (activity.approaches + 2.0))
    angle = 2.0 * pi * ((now_ms + ZONE_MS) / DAY_MS + 0.5) / 7.0
    there, left = presence.weights(activity.days - 1.0, tenure - recency, recency)
    total = sum(there) + sum(left)
    posterior = [(a + b) / total for a, b in zip(there, left, strict=True)]
    mean_rate = sum(a * b for a, b in zip(there, ACTIVE)) / sum(there)
    found = []
    for comes, here in days_ahead(there, sum(left), days):
        comes = min(max(comes, 1e-3), 0.999)
        absence = (1.0 - here) / (1.0 - comes)
        trend = log(((bitmap & WEEK_7).bit_count() + 1.) / (mean_rate * min(7.0, tenure + 1) + 1.))
        found.append(
            [
                log(comes / (1.0 - comes)),
                absence,
                absence * displeasure,
                absence if not activity.orders and tenure > 5 else 0.0,
                absence * exp(-tenure / 3.0),
                absence * approached,
                absence * trend,
                trend,
                log1p(recency) - 1.0,
                log1p(count_1) - 1.0,
                log1p(count_7) - 2.0,
                ((bitmap & WEEK_7).bit_count() + 0.25) / (min(7.0, tenure + 1) + 1.0) - 0.4,
                orders,
                rating,
                missing,
                displeasure,
                responses + 0.7,
                log1p(tenure) - 2.5,
                sin(angle),
                cos(angle),
            ]
        )
        recency += 1.0
        tenure += 1.0
        count_1 *= 0.5
        count_7 *= DECAY_7
        displeasure *= DECAY_7
        approached *= DECAY_7
        bitmap <<= 1
        angle += 2.0 * pi / 7.0
    return found, posterior
from streams.engine.models.presence import ACTIVE
