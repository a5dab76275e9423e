"""What push services subscribe to: one record per trigger on `wechat.triggers.<kind>`.

Delivery is exactly once for a reader with `isolation.level=read_committed` (Java's default is not).
`trigger_id` is deterministic: use it as idempotency key. Drop a trigger after `expires_at_ms`.
"""

from typing import Literal

from msgspec import Struct

Kind = Literal["coupon", "message", "content", "ad"]
Channel = Literal["official_account", "mini_programme", "customer_service", "group", "wecom", "ads"]
Purpose = Literal["marketing", "service"]
KINDS: tuple[Kind, ...] = ("coupon", "message", "content", "ad")


class Coupon(Struct):
    sku: str
    face_value_fen: int
    cost_fen: int


class Message(Struct):
    template_id: str
    params: dict[str, str]


class Content(Struct):
    """An article or item to show: its category and, where known, the item itself."""

    category: str
    item_id: str = ""


class Experiment(Struct):
    """`propensity`: the probability with which this arm was drawn, in (0, 1]."""

    arm: str
    propensity: float
    holdout: bool


class Contribution(Struct, array_like=True):
    """A feature, its value, and what it added to the score (log-odds)."""

    feature: str
    value: float
    contribution: float


class Explanation(Struct):
    reason: str
    score: float
    top: list[Contribution]


class Trigger(Struct, kw_only=True, omit_defaults=True):
    trigger_id: str
    kind: Kind
    user_id: str
    channel: Channel
    purpose: Purpose
    created_at_ms: int
    not_before_ms: int
    expires_at_ms: int
    campaign: str
    campaign_version: int
    decision_id: str
    cause_event_id: str
    experiment: Experiment
    explanation: Explanation
    tenant: str = "default"
    brand: str = ""
    personalised: bool = True
    consent_version: str = ""
    coupon: Coupon | None = None
    message: Message | None = None
    content: Content | None = None
    ad_id: str = ""
    awaits_staff: bool = False  # a member of staff has to confirm it first: it may never go out
