"""The features of "will the person be active in the coming day", and how they move while nothing happens.

All are fixed transforms, clipped to +-8, so an example stored a day ago means the same today.
`Silence.roll()` gives the features of the next day on the assumption that the person stays away: only
what changes is computed again.
"""

from math import cos, log, log1p, pi, sin

from streams.engine.profile.activity import DAY_MS, PERIOD_MS, ZONE_MS, Activity

NAMES = (
    "visit_rate",
    "recency",
    "missed_visits",
    "recency_in_gaps",
    "activity_1d",
    "activity_7d",
    "activity_28d",
    "trend",
    "days_in_7",
    "days_in_28",
    "tenure",
    "orders",
    "rating",
    "rating_missing",
    "refusals",
    "responses",
    "weekday_sin",
    "weekday_cos",
)
CLIP = 8.0
WEEK_7 = (1 << 7) - 1

# Gamma-Poisson prior of a person's active days per day: shape 1 (rates differ between people about as an
# exponential does), mean 0.25; it weighs as much as four days of one's own.
SHAPE = 1.0
DAYS = 4.0


def vectors(activity: Activity, now_ms: int, days: int) -> list[list[float]]:
    """Features at `now_ms` and at each of the following days - 1 days without activity."""
    recency = max(now_ms - activity.last_ms, 0) / DAY_MS
    tenure = max(now_ms - activity.first_ms, 0) / DAY_MS
    count_1, count_7, count_28 = activity.decayed(now_ms)
    today = (now_ms + ZONE_MS) // DAY_MS
    bitmap = activity.bitmap << max(today - activity.last_day, 0) if today - activity.last_day < 28 else 0
    returns = SHAPE + max(activity.days - 1, 0)
    span = activity.bitmap.bit_length()
    gap = (span - 1) / (activity.bitmap.bit_count() - 1) if span > 1 else 14.0
    decay = 2.0 ** ((activity.landmark_ms - now_ms) / PERIOD_MS)
    ratings, stars = activity.rating_28 * decay, activity.stars_28 * decay
    rating = (stars + 4.0) / (ratings + 1.0) - 4.0
    orders = log1p(activity.orders)
    missing = 0.0 if activity.ratings else 1.0
    refusals = log1p(activity.refusals_28 * decay)
    responses = log((activity.responses + 1.0) / (activity.approaches + 2.0))
    angle = 2.0 * pi * ((now_ms + ZONE_MS) / DAY_MS + 0.5) / 7.0
    found = []
    for _ in range(days):
        rate = returns / (DAYS + tenure)
        week = min(7.0, tenure + 1.0)
        month = min(28.0, tenure + 1.0)
        found.append(
            [
                log(rate),
                log1p(recency),
                log1p(recency * rate),
                min(log1p(recency / gap), CLIP),
                log1p(count_1),
                log1p(count_7),
                log1p(count_28),
                log((count_7 + 0.5) / (0.25 * count_28 + 0.5)),
                ((bitmap & WEEK_7).bit_count() + 0.25) / (week + 1.0),
                ((bitmap & 0xFFFFFFF).bit_count() + 0.25) / (month + 1.0),
                log1p(tenure),
                orders,
                rating,
                missing,
                refusals,
                responses,
                sin(angle),
                cos(angle),
            ]
        )
        recency += 1.0
        tenure += 1.0
        count_1 *= 0.5
        count_7 *= 0.9057236642639067
        count_28 *= 0.9755493501556334
        bitmap <<= 1
        angle += 2.0 * pi / 7.0
    return found
