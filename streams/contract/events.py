"""What events say: one data structure per kind of event, inside the envelope of envelope.py.

`TYPES` maps every canonical type to the structure of its `data`. A type not in it is accepted and
counted, as are unknown fields: a producer may be newer than we are. How native WeChat callbacks
map to these types says docs/contract.md. New fields go to the end of a structure, with a default.
"""

from typing import Annotated

from msgspec import Meta, Struct

from streams.contract.bounds import (
    Count,
    DurationMs,
    Fen,
    Grams,
    Id,
    Label,
    Name,
    Quantity,
    Said,
    Stars,
    Tags,
    Text,
    Url,
)


class Followed(Struct, omit_defaults=True):
    scene_id: Label = ""
    via_qr: bool = False
    invited_by: Label = ""
    device: Text = ""


class Unfollowed(Struct, omit_defaults=True):
    reason: Label = ""


class QrScanned(Struct, omit_defaults=True):
    scene_id: Label = ""


class MenuClicked(Struct, omit_defaults=True):
    key: Label = ""
    url_no_query: Url = ""


class LocationReported(Struct, omit_defaults=True):
    """Whereabouts are sensitive (PIPL art. 28): at most five characters of geohash, by consent."""

    geohash: Annotated[str, Meta(max_length=5)] = ""


class MessageReceived(Struct, omit_defaults=True):
    """The text stays with the gateway, or comes as `text` and ends at the intake as `grams`."""

    msg_kind: Label = "text"
    length: Count = 0
    lang: Label = ""
    text: Said = ""
    grams: Grams = []


class Credit(Struct, omit_defaults=True):
    """A one-time subscription: one accept is one send, kept until used."""

    template_id: Label = ""
    scene: Label = ""


class PageViewed(Struct, omit_defaults=True):
    page: Label = ""
    category: Label = ""
    dwell_ms: DurationMs = 0
    ref: Label = ""


class Item(Struct, omit_defaults=True):
    """An item met in any way: viewed, liked, favourited, commented, clicked in an ad."""

    item_id: Id
    category: Label = ""
    tags: Tags = []
    price_fen: Fen = 0
    dwell_ms: DurationMs = 0
    position: Count = 0
    exposure_id: Label = ""


class Commented(Item, omit_defaults=True):
    """The comment stays with the producer, or comes as `text` and ends at the intake as `grams`."""

    text: Said = ""
    grams: Grams = []


class Cart(Struct, omit_defaults=True):
    item_id: Id
    cart_id: Label = ""
    category: Label = ""
    quantity: Quantity = 1
    price_fen: Fen = 0


class Searched(Struct, omit_defaults=True):
    query: Label = ""
    category: Label = ""
    results: Count = 0


class Shared(Struct, omit_defaults=True):
    item_id: Label = ""
    category: Label = ""
    ref: Label = ""


class Group(Struct, omit_defaults=True):
    group_id: Label = ""
    scene: Label = ""
    invited_by: Label = ""


class ArticleRead(Struct, omit_defaults=True):
    article_id: Id
    category: Label = ""
    tags: Tags = []
    dwell_ms: DurationMs = 0
    read_share: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0


class Rated(Struct, omit_defaults=True):
    """A rating or a review; its text as in `Commented`."""

    stars: Stars
    order_id: Label = ""
    item_id: Label = ""
    category: Label = ""
    length: Count = 0
    text: Said = ""
    grams: Grams = []


class NotInterested(Struct, omit_defaults=True):
    """The person said no: to a category, an item, or a whole kind of message."""

    category: Label = ""
    item_id: Label = ""
    campaign: Label = ""


class Ad(Struct, omit_defaults=True):
    ad_id: Id
    campaign: Label = ""
    category: Label = ""
    cost_fen: Fen = 0


class AdCommented(Ad, omit_defaults=True):
    """As `Commented`."""

    text: Said = ""
    grams: Grams = []


class OrderItem(Struct, omit_defaults=True):
    item_id: Id
    category: Label = ""
    quantity: Quantity = 1
    price_fen: Fen = 0


class Order(Struct, omit_defaults=True):
    order_id: Id
    amount_fen: Fen = 0
    items: Annotated[list[OrderItem], Meta(max_length=64)] = []
    coupon_id: Label = ""
    discount_fen: Fen = 0
    device: Text = ""
    address: Text = ""


class Promotion(Struct, omit_defaults=True):
    """A coupon that lowered a payment: the only sign in real time that it was redeemed."""

    coupon_id: Id
    stock_id: Label = ""
    amount_fen: Fen = 0


class Payment(Struct, omit_defaults=True):
    transaction_id: Id
    order_id: Label = ""
    total_fen: Fen = 0
    payer_total_fen: Fen = 0
    promotions: Annotated[list[Promotion], Meta(max_length=16)] = []
    device: Text = ""


class Coupon(Struct, omit_defaults=True):
    """`kind`: favor 代金券, busifavor 商家券, product 商品券, shop, card. Codes are never sent."""

    coupon_id: Id
    stock_id: Label = ""
    sku: Label = ""
    trigger_id: Label = ""
    order_id: Label = ""
    face_value_fen: Fen = 0
    kind: Label = ""
    device: Text = ""


class Contact(Struct, omit_defaults=True):
    """A WeCom contact; `staff` is the member of staff, already pseudonymous at the producer."""

    staff: Label = ""
    state: Label = ""
    reason: Label = ""


class Service(Struct, omit_defaults=True):
    """A session with customer service; `agent` is already pseudonymous at the producer."""

    agent: Label = ""
    topic: Label = ""


class PushResult(Struct, omit_defaults=True):
    """What became of a trigger, said by the push service; `subject` is `user:<user_id>`."""

    trigger_id: Id
    channel: Label = ""
    state: Label = ""
    code: Label = ""
    cost_fen: Fen = 0
    provider_message_id: Label = ""


class Form(Struct, omit_defaults=True):
    """An enquiry, enrolment or application form was opened or sent."""

    form_id: Id
    category: Label = ""
    step: Label = ""


class Identity(Struct, omit_defaults=True):
    """Two ids are one person. `other` is a native id on the wire, an alias after the intake.

    `other_source` is the source in whose namespace `other` lies, where it is not the event's own.
    """

    other: Id
    method: Label = ""
    other_source: Annotated[str, Meta(max_length=128)] = ""


class Consent(Struct, omit_defaults=True):
    """`purpose` and `channel` may be `*`. The latest by event time wins, ties the stricter one."""

    purpose: Name = "marketing"
    channel: Name = "*"
    version: Label = ""
    basis: Label = "consent"


class ProfileStale(Struct, omit_defaults=True):
    """The person changed the profile at WeChat; what was copied from it may be wrong now."""

    reason: Label = ""


class Erasure(Struct, omit_defaults=True):
    reason: Label = ""


class AbuseVerdict(Struct, omit_defaults=True):
    """What a member of staff found out about a person suspected of abuse, of their own accord or on
    an appeal. `by` is already pseudonymous at the producer; `exempt_days`: of one who was cleared.
    """

    reason: Label = ""
    by: Label = ""
    exempt_days: Annotated[int, Meta(ge=0, le=3_650)] = 90


class Attributes(Struct, omit_defaults=True):
    """What the person told us with consent: sex, age_band, region, city, birthday (MM-DD), zone.

    Names are lower snake case, others are dropped and counted. `provenance`: where it was told.
    """

    attributes: Annotated[dict[Name, Label], Meta(max_length=24)] = {}
    provenance: Label = ""
    consent_version: Label = ""


TYPES: dict[str, type[Struct]] = {
    # official account 公众号
    "user.followed": Followed,
    "user.unfollowed": Unfollowed,
    "user.profile_stale": ProfileStale,
    "qr.scanned": QrScanned,
    "menu.clicked": MenuClicked,
    "location.reported": LocationReported,
    "message.received": MessageReceived,
    "article.read": ArticleRead,
    "subscription.credit_granted": Credit,
    "subscription.credit_refused": Credit,
    "subscription.revoked": Credit,
    # mini-programme 小程序
    "page.viewed": PageViewed,
    "product.viewed": Item,
    "item.liked": Item,
    "item.favourited": Item,
    "item.commented": Commented,
    "cart.added": Cart,
    "cart.removed": Cart,
    "search.performed": Searched,
    "share.initiated": Shared,
    "share.opened": Shared,
    "form.opened": Form,
    "form.submitted": Form,
    "order.created": Order,
    "order.paid": Order,
    "order.cancelled": Order,
    "order.ship_wait": Order,
    "order.ship_overdue": Order,
    "order.shipped": Order,
    "order.confirmed": Order,
    "order.settled": Order,
    "order.refunded": Order,
    "order.rated": Rated,
    "item.reviewed": Rated,
    "feedback.not_interested": NotInterested,
    # group 群
    "group.entered": Group,
    "group.member_joined": Group,
    "group.member_left": Group,
    # moments and ads 朋友圈广告
    "ad.shown": Ad,
    "ad.clicked": Ad,
    "ad.liked": Ad,
    "ad.commented": AdCommented,
    "ad.converted": Ad,
    # WeCom 企业微信
    "contact.added": Contact,
    "contact.added_half": Contact,
    "contact.edited": Contact,
    "contact.transfer_failed": Contact,
    "contact.removed_by_customer": Contact,
    "contact.removed_by_staff": Contact,
    "service.session_started": Service,
    "service.session_ended": Service,
    "service.session_switched": Service,
    # payment and coupons 支付与卡券
    "payment.succeeded": Payment,
    "coupon.sent": Coupon,
    "coupon.claimed": Coupon,
    "coupon.used": Coupon,
    "coupon.returned": Coupon,
    "coupon.expired": Coupon,
    "coupon.gifted": Coupon,
    "coupon.deleted": Coupon,
    "coupon.deactivated": Coupon,
    # push results 触达回执
    "push.requested": PushResult,
    "push.accepted": PushResult,
    "push.delivered": PushResult,
    "push.opened": PushResult,
    "push.clicked": PushResult,
    "push.failed": PushResult,
    "push.suppressed": PushResult,
    "push.expired": PushResult,
    "push.unknown": PushResult,
    # person, consent, privacy
    "identity.linked": Identity,
    "identity.unlinked": Identity,
    "consent.granted": Consent,
    "consent.withdrawn": Consent,
    "user.erasure_requested": Erasure,
    "user.attributes_given": Attributes,
    "abuse.confirmed": AbuseVerdict,
    "abuse.cleared": AbuseVerdict,
}

# What counts as the person being active; deliveries, refunds and our own results do not.
ACTIVITY = frozenset(
    name
    for name, data in TYPES.items()
    if data
    in (Followed, QrScanned, MenuClicked, MessageReceived, ArticleRead, PageViewed, Item, Cart)
    or data in (Searched, Shared, Form, Rated, Ad, Payment, Commented, AdCommented)
    or name in ("group.entered", "group.member_joined", "order.created", "order.paid")
    or name in ("order.confirmed", "contact.added", "service.session_started", "coupon.claimed")
    or name in ("coupon.used", "push.opened", "push.clicked", "subscription.credit_granted")
) - {"ad.shown"}

# The person has ended the relation: churn at once.
HARD_CHURN = frozenset({"user.unfollowed", "contact.removed_by_customer"})
