"""What a story consists of: who the people are, what they look at, and what they can do."""

from typing import Literal, NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from streams.contract.journeys import JourneySpec
from streams.contract.policy import Policy
from streams.engine.config import Config
from streams.journey_files.load import shipped_content, shipped_journey


class Category(NamedTuple):
    """`share` is its popularity among all people; items are (name, price in fen)."""

    name: str
    share: float
    items: tuple[tuple[str, int], ...]
    tags: tuple[str, ...] = ()


class Segment(NamedTuple):
    """People of one kind: `likes` raises interest in those categories, `pace` scales visits."""

    name: str
    share: float
    likes: tuple[str, ...]
    ages: tuple[str, ...] = ("18-24", "25-34", "35-44", "45-54")
    female: float = 0.5
    pace: float = 1.0


class Rhythm(NamedTuple):
    """How often people of this kind come, before the lognormal spread."""

    name: str
    share: float
    visits_per_day: float


# Relative frequency of visits by local hour, 0 to 23.
SHOPPING_HOURS = (
    4,
    2,
    1,
    1,
    1,
    2,
    4,
    7,
    9,
    10,
    11,
    12,
    15,
    13,
    10,
    9,
    9,
    10,
    12,
    16,
    20,
    22,
    18,
    10,
)
MEAL_HOURS = (1, 1, 0, 0, 0, 1, 4, 9, 6, 4, 10, 30, 26, 8, 4, 5, 8, 22, 28, 16, 8, 6, 4, 2)
OFFICE_HOURS = (1, 1, 0, 0, 0, 1, 3, 7, 14, 20, 20, 16, 12, 13, 17, 18, 15, 11, 8, 8, 9, 8, 5, 2)
EVENING_HOURS = (3, 1, 1, 0, 0, 1, 4, 7, 7, 7, 8, 9, 14, 10, 8, 8, 9, 11, 14, 19, 24, 24, 16, 8)

# Monday to Sunday, mean 1.
WEEKEND = (0.92, 0.90, 0.91, 0.94, 1.06, 1.17, 1.10)
WORKDAYS = (1.16, 1.14, 1.12, 1.12, 1.08, 0.73, 0.65)

# These are people for whom silence of a week is a sensible definition of churn: nearly all come
# several times in one. With many weekly and monthly visitors every forecast guesses at rates that
# two weeks of history cannot show (hazard.py has the figures).
RHYTHMS = (
    Rhythm("daily", 0.50, 1.30),
    Rhythm("several_a_week", 0.44, 0.90),
    Rhythm("weekly", 0.06, 0.45),
)

SHOP_STEPS = {
    "page.viewed": 14,
    "product.viewed": 52,
    "search.performed": 8,
    "item.favourited": 4,
    "item.liked": 4,
    "share.initiated": 2,
    "share.opened": 1,
    "feedback.not_interested": 1,
    "article.read": 3,
    "subscription.credit_granted": 2,
}
ACCOUNT_STEPS = {
    "article.read": 46,
    "menu.clicked": 18,
    "message.received": 10,
    "product.viewed": 10,
    "item.liked": 5,
    "ad.clicked": 3,
    "qr.scanned": 2,
    "item.commented": 2,
    "location.reported": 1,
}


class Scenario(Struct, frozen=True, kw_only=True):
    """Steps are weights of what happens in a visit; the other numbers are probabilities mostly."""

    name: str
    title: str
    brand: str
    categories: tuple[Category, ...]
    segments: tuple[Segment, ...]
    config: Config
    rhythms: tuple[Rhythm, ...] = RHYTHMS
    mini_steps: dict[str, int] = field(default_factory=lambda: SHOP_STEPS)
    account_steps: dict[str, int] = field(default_factory=lambda: ACCOUNT_STEPS)
    account_share: float = 0.2  # of visits go to the official account instead of the mini-programme
    steps_per_visit: float = 3.2
    hours: tuple[int, ...] = SHOPPING_HOURS
    weekdays: tuple[float, ...] = WEEKEND
    cart: float = 0.2  # a viewed product goes into the cart
    order: float = 0.50  # a cart is ordered at once; the others are left behind
    fulfilment: Literal["parcel", "meal", "none"] = "parcel"
    slow: float = 0.25  # of orders arrive late
    rated: float = 0.45  # of fulfilled orders and service sessions get stars
    form_sent: float = 0.4  # of opened forms are sent
    bad_service: float = 0.15  # of service sessions disappoint
    marketing_consent: float = 0.85  # given when following
    invited: float = 0.1  # follow by invitation of another person


def journeys(
    *,
    brand: str,
    scenario: str,
    sku: str,
    template_id: str = "cart_remind_v1",
    risk: float = 0.5,  # nearly all come weekly: even odds mean a silence of some days
    interest: float = 0.35,
    cart_enabled: bool = True,
    cart_wait: str = "30m",
    cart_sku: str = "",
    least_orders: int = 0,
    also: tuple[str, ...] = (),
    policy: Policy | None = None,
) -> Config:
    """The engine's configuration that goes with a story: the shipped journeys with its own coupons,
    texts and thresholds. `cart_sku`: the coupon of the cart's journey, empty for none. `also`: the
    shipped journeys that are taken as they are."""
    told = [churn_coupon(sku, risk, least_orders), interest_content(interest)]
    if cart_enabled:
        told.append(cart_rescue(template_id, cart_wait, cart_sku))
    told += [shipped_journey(name) for name in ("welcome", "credit_request", *also)]
    return Config(
        brand=brand,
        scenario=scenario,
        policy=Policy() if policy is None else policy,
        journeys=tuple(told),
        content=shipped_content(),
    )


def churn_coupon(sku: str, risk: float, least_orders: int) -> JourneySpec:
    spec = shipped_journey("churn_coupon")
    where = f"score('churn') >= {risk}"
    if least_orders:
        where += f" and profile.orders >= {least_orders}"
    (offer,) = spec.steps
    assert offer.send is not None, "it is a single coupon"
    offer = replace(offer, send=replace(offer.send, coupon=sku))
    return replace(spec, entry=replace(spec.entry, where=where), steps=[offer])


def interest_content(interest: float) -> JourneySpec:
    spec = shipped_journey("interest_content")
    where = f"data.interest >= {interest} and not entered('3d')"
    return replace(spec, entry=replace(spec.entry, where=where))


def cart_rescue(template_id: str, wait: str, sku: str) -> JourneySpec:
    spec = shipped_journey("cart_rescue")
    cool, offer = spec.steps
    arms = []
    for arm in offer.arms:
        if arm.id == "remind":
            arms.append(replace(arm, template=template_id))
        elif arm.coupon and sku:
            coupon = next(one for one in shipped_content().coupons if one.sku == sku)
            when = f"entry.value_fen >= {coupon.least_order_fen}"
            arms.append(replace(arm, coupon=sku, when=when))
        elif not arm.coupon:
            arms.append(arm)
    return replace(spec, steps=[replace(cool, wait=wait), replace(offer, arms=arms)])
