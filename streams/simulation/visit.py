"""What happens in a visit: a walk through the scenario's steps, from the first page to the payment.

A visit writes drafts (time, type, data, in the account or not) in time order and notes what follows
later: a parcel sent, stars for a meal, an order that expires unpaid.
"""

from collections.abc import Callable
from math import log
from random import Random
from typing import Any, NamedTuple

from streams.simulation.hazard import DAY_MS, Blow
from streams.simulation.hours import HOUR_MS
from streams.simulation.person import DRIFT, Cart, Parcel, Person
from streams.simulation.scenarios.scenario import Scenario

MINUTE_MS = 60_000
CATEGORY_PERSISTENCE = 0.75  # the next step stays in the category
STEPS_MOST = 40
UNPAID = 0.05  # of orders are never paid and expire after half an hour
MISSING_PRICE = 0.03  # of views come without a price: the producer does not always know it
TEXT_PRICE = 0.002  # of prices are sent as text, a producer's slip that the intake mends
LONG_DWELL = 0.002  # of pages stay open for hours, unattended
SLOW_WEIGHT = 0.6  # of a late delivery, as a disappointment
BAD_WEIGHT = 1.0  # of a bad experience that the person also complains about
COMPLAINT = 0.85  # the disappointed rate so often; the content by the scenario's share


class Draft(NamedTuple):
    at_ms: int
    type: str
    data: dict[str, Any]
    account: bool


class FollowUp(NamedTuple):
    """Something that will happen by itself."""

    at_ms: int
    kind: str  # "event": drafts of `data` | "rating": the person may give stars
    type: str
    data: dict[str, Any]
    slow: bool = False


class Visit:
    """One person, one time; `account`: the steps are those of the official account."""

    def __init__(
        self, scenario: Scenario, person: Person, rng: Random, at_ms: int, name: str
    ) -> None:
        self.scenario = scenario
        self.person = person
        self.rng = rng
        self.now_ms = at_ms
        self.name = name  # unique: ids of carts and orders begin with it
        self.account = False
        self.index = person.category(rng)
        self.first_category = ""
        self.drafts: list[Draft] = []
        self.follow_ups: list[FollowUp] = []
        self.steps = 0

    @property
    def category(self) -> str:
        return self.scenario.categories[self.index].name

    def browse(self, tables: "Tables", steps: int | None = None) -> None:
        """Walk through the scenario. `steps` is drawn unless given."""
        rng, person = self.rng, self.person
        if rng.random() < DRIFT:
            person.drift(rng)
        if person.parcels:
            self._confirm_parcels()
        self.account = rng.random() < self.scenario.account_share
        table = tables.account if self.account else tables.mini
        if steps is None:
            steps = 1 + int(rng.expovariate(1.0 / (self.scenario.steps_per_visit - 1.0)))
        for step in range(min(steps, STEPS_MOST)):
            if step and rng.random() > CATEGORY_PERSISTENCE:
                self.index = person.category(rng)
            table[int(rng.random() * len(table))](self)
            self.now_ms += 3_000 - int(35_000 * log(1.0 - rng.random()))

    def emit(self, type: str, data: dict[str, Any]) -> None:
        if not self.first_category:
            self.first_category = data.get("category", "")
        self.drafts.append(Draft(self.now_ms, type, data, self.account))

    def item(self) -> tuple[str, int]:
        items = self.scenario.categories[self.index].items
        return items[int(self.rng.random() ** 1.5 * len(items))]

    def dwell_ms(self, typical_ms: int) -> int:
        """Longer where the interest is greater; now and then a page is left open for hours."""
        rng = self.rng
        if rng.random() < LONG_DWELL:
            return int(rng.uniform(2, 20) * HOUR_MS)
        interest = self.person.interests[self.index]
        return 800 - int(typical_ms * (0.5 + 1.5 * interest) * log(1.0 - rng.random()))

    def add_to_cart(self, item: str, price_fen: int) -> None:
        rng = self.rng
        self.steps += 1
        self.now_ms += 4_000 + int(rng.expovariate(1 / 12_000))
        data: dict[str, Any] = {
            "item_id": item,
            "cart_id": f"{self.name}-c{self.steps}",
            "category": self.category,
            "quantity": 1 + (rng.random() < 0.15),
            "price_fen": price_fen,
        }
        self.emit("cart.added", data)
        lot = rng.random()
        if lot < self.scenario.order:
            self.check_out(item, price_fen, data["quantity"])
        elif lot < self.scenario.order + 0.08:
            self.now_ms += 20_000
            self.emit("cart.removed", data)
        else:
            self.person.cart = Cart(item, self.category, price_fen)

    def check_out(self, item: str, price_fen: int, quantity: int = 1) -> None:
        """Order and, nearly always, pay; a coupon in hand is used."""
        rng, person = self.rng, self.person
        self.steps += 1
        self.account = False
        order_id = f"{self.name}-o{self.steps}"
        full_fen = price_fen * quantity
        coupon = person.coupon
        discount_fen = min(coupon.face_value_fen, full_fen) if coupon is not None else 0
        order: dict[str, Any] = {
            "order_id": order_id,
            "amount_fen": full_fen - discount_fen,
            "items": [
                {
                    "item_id": item,
                    "category": self.category,
                    "quantity": quantity,
                    "price_fen": price_fen,
                }
            ],
        }
        if coupon is not None:
            order |= {"coupon_id": coupon.coupon_id, "discount_fen": discount_fen}
        self.now_ms += 15_000 + int(rng.expovariate(1 / 40_000))
        self.emit("order.created", order)
        if rng.random() < UNPAID:
            at_ms = self.now_ms + 30 * MINUTE_MS
            self.follow_ups.append(FollowUp(at_ms, "event", "order.cancelled", order))
            return
        self.now_ms += 6_000 + int(rng.expovariate(1 / 15_000))
        if coupon is not None:
            used = {"coupon_id": coupon.coupon_id, "trigger_id": coupon.trigger_id}
            used |= {"sku": coupon.sku, "order_id": order_id}
            self.emit("coupon.used", used | {"face_value_fen": coupon.face_value_fen})
            person.coupon = None
        paid_fen = full_fen - discount_fen
        payment = {"transaction_id": f"{order_id}-p", "order_id": order_id, "total_fen": full_fen}
        self.emit("payment.succeeded", payment | {"payer_total_fen": paid_fen})
        self.emit("order.paid", order)
        person.cart = None
        person.orders += 1
        person.spend_fen += paid_fen
        person.converted_ms = person.converted_ms or self.now_ms
        self._fulfil(order_id, item)

    def rate(self, order_id: str, item: str, *, slow: bool, type: str = "order.rated") -> None:
        """Stars, perhaps; what disappointed counts whether it is said or not."""
        rng = self.rng
        stars = (
            rng.choice((1, 1, 2, 2, 3)) if slow else rng.choices((2, 3, 4, 5), (2, 8, 30, 60))[0]
        )
        complains = slow or stars == 2
        if rng.random() < (COMPLAINT if complains else self.scenario.rated):
            data = {"stars": stars, "item_id": item, "category": self.category}
            self.emit(type, data | {"order_id": order_id} if order_id else data)
            if complains:
                self.person.disappointments.append(Blow(self.now_ms, BAD_WEIGHT))
        elif slow:
            self.person.disappointments.append(Blow(self.now_ms, SLOW_WEIGHT))

    def _fulfil(self, order_id: str, item: str) -> None:
        rng, kind = self.rng, self.scenario.fulfilment
        slow = rng.random() < self.scenario.slow
        if kind == "parcel":
            sent_ms = self.now_ms + int(
                (rng.uniform(2.0, 4.0) if slow else rng.uniform(0.3, 1.1)) * DAY_MS
            )
            ready_ms = sent_ms + int(
                (rng.uniform(2.5, 4.5) if slow else rng.uniform(0.9, 2.2)) * DAY_MS
            )
            shipped = {"order_id": order_id}
            self.follow_ups.append(FollowUp(sent_ms, "event", "order.shipped", shipped))
            self.person.parcels.append(Parcel(order_id, item, self.category, ready_ms, slow))
        elif kind == "meal":
            at_ms = self.now_ms + int(
                (rng.uniform(80, 120) if slow else rng.uniform(40, 70)) * MINUTE_MS
            )
            data = {"order_id": order_id, "item_id": item, "category": self.category}
            self.follow_ups.append(FollowUp(at_ms, "rating", "order.rated", data, slow))

    def _confirm_parcels(self) -> None:
        """Parcels that have come are confirmed and rated on the next visit."""
        person = self.person
        arrived = [parcel for parcel in person.parcels if parcel.ready_ms <= self.now_ms]
        person.parcels = [parcel for parcel in person.parcels if parcel.ready_ms > self.now_ms]
        index = self.index
        names = [category.name for category in self.scenario.categories]
        for parcel in arrived[:3]:
            self.index = names.index(parcel.category)
            self.emit("order.confirmed", {"order_id": parcel.order_id})
            self.now_ms += 8_000 + int(self.rng.expovariate(1 / 20_000))
            self.rate(parcel.order_id, parcel.item, slow=parcel.slow)
            self.now_ms += 5_000
        self.index = index
        self.first_category = ""  # stars look back; interest is what is looked at now


Step = Callable[[Visit], None]


class Tables(NamedTuple):
    """Steps by weight, for a draw by one multiplication."""

    mini: tuple[Step, ...]
    account: tuple[Step, ...]
