"""What a deployment decides, as one value that stands in each log's genesis record."""

from msgspec import Struct

DAY_MS = 86_400_000
MOST_SENDS = 64  # of one person that are remembered, hence the greatest cap


class Cap(Struct, frozen=True):
    """At most `most` triggers of `purpose` in any rolling window; channel `*` counts over all
    channels."""

    purpose: str = "marketing"
    channel: str = "*"
    most: int = 3
    window_ms: int = 7 * DAY_MS

    def __post_init__(self) -> None:
        if not 0 <= self.most <= MOST_SENDS:
            raise ValueError(
                f"a cap of {self.most}: 0 to {MOST_SENDS} is possible, for so many sends "
                "of a person are remembered"
            )


class QuietHours(Struct, frozen=True):
    """Local minutes of the day, in the user's zone; `jitter_ms` spreads the release after the
    end."""

    from_minute: int = 22 * 60
    to_minute: int = 8 * 60
    zone: str = "Asia/Shanghai"
    jitter_ms: int = 900_000


class Policy(Struct, frozen=True):
    caps: tuple[Cap, ...] = (Cap(most=1, window_ms=DAY_MS), Cap(most=3, window_ms=7 * DAY_MS))
    gap_ms: int = 4 * 3_600_000  # least time between two marketing triggers of one person
    quiet: QuietHours = QuietHours()
    global_holdout: float = 0.05
    daily_budget_fen: int = 2_000_000  # of the whole deployment; a partition has its share
    default_consent: bool = False  # whether marketing may be sent before a consent event was seen


class Churn(Struct, frozen=True):
    """Soft churn: no activity within `horizon_days`; hard: unfollow. People silent for longer than
    `watch_days` are lost and no longer scored."""

    horizon_days: int = 7
    watch_days: int = 21


class ChurnCoupon(Struct, frozen=True):
    enabled: bool = True
    threshold: float = 0.6
    least_orders: int = 0
    holdout: float = 0.1
    sku: str = "WINBACK10"
    face_value_fen: int = 1_000
    cost_fen: int = 1_000
    cooldown_ms: int = 14 * DAY_MS
    expires_ms: int = 2 * DAY_MS
    priority: int = 20


class CartRescue(Struct, frozen=True):
    enabled: bool = True
    wait_ms: int = 1_800_000
    least_value_fen: int = 0
    holdout: float = 0.1
    template_id: str = "cart_remind_v1"
    cooldown_ms: int = DAY_MS
    expires_ms: int = 12 * 3_600_000
    priority: int = 10


class InterestContent(Struct, frozen=True):
    enabled: bool = True
    threshold: float = 0.35
    holdout: float = 0.1
    cooldown_ms: int = 3 * DAY_MS
    expires_ms: int = DAY_MS
    priority: int = 30


class Config(Struct, frozen=True):
    tenant: str = "default"
    brand: str = ""
    partitions: int = 4
    seed: str = "wechat"
    scenario: str = "ecommerce"
    policy: Policy = Policy()
    churn: Churn = Churn()
    churn_coupon: ChurnCoupon = ChurnCoupon()
    cart_rescue: CartRescue = CartRescue()
    interest_content: InterestContent = InterestContent()
    late_ms: int = 7 * DAY_MS
    timers_per_record: int = 64
    users_in_memory: int = 8_000  # decoded (5.5 KB each) in each partition; the rest stays encoded
