"""The published 用户画像: a row per user on the compacted `wechat.profiles`; a tombstone erases."""

from msgspec import Struct


class Interest(Struct, array_like=True):
    """`score` in [0, 1]; the scores of one user sum to at most 1."""

    category: str
    score: float


class Profile(Struct, kw_only=True, omit_defaults=True):
    user_id: str
    updated_at_ms: int
    first_seen_ms: int
    last_active_ms: int
    lifecycle: str  # new | active | loyal | at_risk | lost | unfollowed
    events: int = 0
    active_days: int = 0
    activity: float = 0.0  # decayed events, half-life 7 days
    recency_days: float = 0.0
    orders: int = 0
    spend_fen: int = 0
    mean_rating: float = 0.0
    interests: list[Interest] = []
    tags: list[Interest] = []
    attributes: dict[str, str] = {}
    channels: list[Interest] = []  # share of activity by channel
    active_hours: list[int] = []  # the person's most active local hours, best first
    churn_score: float = 0.0  # P(no activity within horizon_days), calibrated
    horizon_days: int = 0
    churn_scored_at_ms: int = 0
    consent: list[str] = []
    followed: bool = True
    holdout: bool = False
    tenant: str = "default"
    purchase_score: float = 0.0  # P(an order within seven days)
    next_action: str = ""  # what the person most probably does next
    segment: str = ""  # by recency, frequency and money
    cluster: str = ""  # the discovered group, by what sets it apart
    mood: float = 0.0  # how the person spoke of late, -1 to 1
    suspected: list[str] = []  # of abuse: why coupons are kept back
    invited: int = 0  # people who came by this one
