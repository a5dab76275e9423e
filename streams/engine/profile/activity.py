"""What a person did so far, in some hundred bytes: the summary churn features are made from.

Decayed counts use forward decay: an event adds 2**((time - landmark) / half-life), so a late event
adds exactly what it would have added in time and the order of events does not matter, up to
rounding. The landmark moves on by whole multiples of 28 days, which every half-life divides:
scaling by powers of two loses nothing. Days are those of China Standard Time, which has no summer
time.
Source: Cormode et al., Forward decay: a practical time decay model for streaming systems (ICDE
2009).
"""

from math import ldexp

from msgspec import Struct

from streams.contract.events import ACTIVITY

DAY_MS = 86_400_000
ZONE_MS = 8 * 3_600_000
WEEK_MS = 7 * DAY_MS
PERIOD_MS = 4 * WEEK_MS
PERIODS = 9  # 252 days: 2**252 is far from the largest float, and so is its sum over many events
BITMAP_DAYS = 28
BITMAP = (1 << BITMAP_DAYS) - 1

ORDERS = frozenset({"order.paid"})
RESPONSES = frozenset({"push.opened", "push.clicked", "coupon.claimed", "coupon.used"})
APPROACHES = frozenset({"push.delivered", "coupon.sent"})
REFUSALS = frozenset(
    {
        "feedback.not_interested",
        "subscription.credit_refused",
        "subscription.revoked",
        "consent.withdrawn",
        "order.cancelled",
        "order.refunded",
        "group.member_left",
    }
)


class Activity(Struct, array_like=True, gc=False):
    """Times are event times in milliseconds; 0 means never. Floats are sums at the landmark."""

    first_ms: int = 0
    last_ms: int = 0
    landmark_ms: int = 0
    count_1: float = 0.0  # activity events, half-lives in days
    count_7: float = 0.0
    count_28: float = 0.0
    last_day: int = 0  # days since the epoch of the latest active day
    days: int = 0  # active days; one 28 or more days before the latest is not counted
    bitmap: int = 0  # bit i: active i days before last_day
    orders: int = 0
    spend_fen: int = 0
    last_order_ms: int = 0
    ratings: int = 0
    stars: int = 0  # their sum
    rating_28: float = 0.0  # decayed number of ratings, and sum of their stars
    stars_28: float = 0.0
    displeasure_7: float = 0.0  # decayed number of refusals and bad ratings
    approaches_7: float = 0.0  # decayed number of messages and coupons the person got
    approaches: int = 0  # of them ever
    responses: int = 0  # opened, clicked, claimed, used

    def record(self, type: str, time_ms: int, spend_fen: int = 0, stars: int = 0) -> None:
        """Add one event. `spend_fen` counts whatever the type, negative for a refund."""
        if time_ms - self.landmark_ms > PERIODS * PERIOD_MS:
            self._rebase(time_ms)
        if type in ACTIVITY:
            self._act(time_ms)
            if type in ORDERS:
                self.orders += 1
                self.last_order_ms = max(self.last_order_ms, time_ms)
            elif type in RESPONSES:
                self.responses += 1
        elif type in APPROACHES:
            self.approaches += 1
            self.approaches_7 += 2.0 ** ((time_ms - self.landmark_ms) / WEEK_MS)
        elif type in REFUSALS:
            self.displeasure_7 += 2.0 ** ((time_ms - self.landmark_ms) / WEEK_MS)
        if spend_fen:
            self.spend_fen += spend_fen
        if stars:
            weight = 2.0 ** ((time_ms - self.landmark_ms) / PERIOD_MS)
            self.ratings += 1
            self.stars += stars
            self.rating_28 += weight
            self.stars_28 += weight * stars
            if stars <= 3:
                self.displeasure_7 += weight**4 * (1.0 if stars < 3 else 0.5)

    def _act(self, time_ms: int) -> None:
        weight_28 = 2.0 ** ((time_ms - self.landmark_ms) / PERIOD_MS)
        weight_14 = weight_28 * weight_28
        weight_7 = weight_14 * weight_14
        self.count_28 += weight_28
        self.count_7 += weight_7
        self.count_1 += weight_7**7
        self.last_ms = max(self.last_ms, time_ms)
        if not self.first_ms or time_ms < self.first_ms:
            self.first_ms = time_ms
        day = day_of(time_ms)
        ago = self.last_day - day
        if ago == 0:
            return
        if ago < 0:
            self.bitmap = (self.bitmap << -ago) & BITMAP | 1 if ago > -BITMAP_DAYS else 1
            self.last_day = day
            self.days += 1
        elif ago < BITMAP_DAYS and not self.bitmap >> ago & 1:
            self.bitmap |= 1 << ago
            self.days += 1

    def _rebase(self, time_ms: int) -> None:
        periods = (time_ms - self.landmark_ms) // PERIOD_MS
        if self.landmark_ms:
            self.count_1 = ldexp(self.count_1, -28 * periods)
            self.count_7 = ldexp(self.count_7, -4 * periods)
            self.count_28 = ldexp(self.count_28, -periods)
            self.rating_28 = ldexp(self.rating_28, -periods)
            self.stars_28 = ldexp(self.stars_28, -periods)
            self.displeasure_7 = ldexp(self.displeasure_7, -4 * periods)
            self.approaches_7 = ldexp(self.approaches_7, -4 * periods)
        self.landmark_ms += periods * PERIOD_MS

    def decayed(self, now_ms: int) -> tuple[float, float, float]:
        """Activity events decayed to `now_ms` with half-lives of 1, 7 and 28 days."""
        scale = 2.0 ** ((self.landmark_ms - now_ms) / PERIOD_MS)
        scale_7 = scale**4
        return self.count_1 * scale_7**7, self.count_7 * scale_7, self.count_28 * scale


def day_of(time_ms: int) -> int:
    """The day since the epoch, of China Standard Time."""
    return (time_ms + ZONE_MS) // DAY_MS
