"""A shop with honest people of many kinds and planted abuse, as the events a producer would send.

Honest: ordinary people; households of two to five with one address and often one device; a
dormitory and an office of thirty at one address each; heavy buyers; lovers of coupons; people a
shop's tablet signed up; people who brought many friends; and everybody's rush at flash sales.
Abusive: rings of accounts on few devices or at one address that claim every coupon; bots that claim
many coupons within minutes; farms that take their time and pretend to browse; farms of invited
accounts; machines that browse at a steady beat and claim.
"""

from collections.abc import Callable
from random import Random
from typing import Any, Final, NamedTuple

import orjson

START_MS: Final = 1_790_784_000_000  # 2026-10-01, midnight in Shanghai and 16:00 UTC the day before
DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000
SOURCE: Final = "wx:mp:shop"
CATEGORIES: Final = ("tea", "shoes", "toys", "books", "snacks", "lamps")

Data = dict[str, Any]


class World(NamedTuple):
    """`events` in the order of their times. `kinds`: native id to what the person is; the abusive
    begin with `abuse:`. `first_ms`: of the abusive, when they first took a coupon; `groups`: whose
    ring or household somebody belongs to."""

    events: list[bytes]
    kinds: dict[str, str]
    first_ms: dict[str, int]
    groups: dict[str, str]


def is_abusive(kind: str) -> bool:
    return kind.startswith("abuse:")


class Shop:
    """Collects what its people do."""

    def __init__(self, seed: int, days: int) -> None:
        self.rng = Random(seed)
        self.days = days
        self.kinds: dict[str, str] = {}
        self.groups: dict[str, str] = {}
        self.first_ms: dict[str, int] = {}
        self._told: list[tuple[int, int, bytes]] = []
        self.coupons = sorted(self.when(9, 22) for _ in range(2 * days))  # when one is put out
        self.sales = [START_MS + day * DAY_MS + 20 * HOUR_MS for day in range(2, days, 3)]

    def person(self, kind: str, group: str = "") -> str:
        native = f"o{len(self.kinds):05d}{kind[:4]}{'x' * 16}"
        self.kinds[native] = kind
        self.groups[native] = group or native
        return native

    def when(self, from_hour: int = 8, to_hour: int = 23, day: int | None = None) -> int:
        day = self.rng.randrange(self.days) if day is None else day
        hours = self.rng.uniform(from_hour, to_hour)
        return START_MS + day * DAY_MS + int(hours * HOUR_MS)

    def tell(self, who: str, at_ms: int, kind: str, **data: Any) -> None:
        number = len(self._told)
        event = {
            "id": f"e{number}",
            "source": SOURCE,
            "type": kind,
            "subject": who,
            "time_ms": at_ms,
            "data": {name: value for name, value in data.items() if value != ""},
        }
        self._told.append((at_ms, number, orjson.dumps(event)))

    def claim(self, who: str, at_ms: int, coupon: str, device: str) -> None:
        if is_abusive(self.kinds[who]):
            self.first_ms[who] = min(at_ms, self.first_ms.get(who, at_ms))
        self.tell(who, at_ms, "coupon.claimed", coupon_id=f"{coupon}-{who}", device=device)

    def view(self, who: str, at_ms: int, dwell_ms: int = 0) -> None:
        item = self.rng.randrange(200)
        category = CATEGORIES[item % len(CATEGORIES)]
        self.tell(
            who, at_ms, "product.viewed", item_id=f"i{item}", category=category, dwell_ms=dwell_ms
        )

    def look_around(self, who: str, at_ms: int, count: int) -> int:
        """A human's gaps; when it was over."""
        for _ in range(count):
            gap_ms = int(self.rng.lognormvariate(9.3, 1.0))
            self.view(who, at_ms, min(gap_ms, 600_000))
            at_ms += min(gap_ms, 20 * MINUTE_MS)
        return at_ms

    def order(self, who: str, at_ms: int, device: str, address: str, coupon: str = "") -> int:
        amount, number = self.rng.randrange(2_000, 30_000), f"n{len(self._told)}"
        shared = {"order_id": number, "device": device}
        placed: Data = {**shared, "amount_fen": amount, "coupon_id": coupon, "address": address}
        self.tell(who, at_ms, "order.created", **placed)
        at_ms += self.rng.randrange(5_000, 90_000)
        self.tell(who, at_ms, "order.paid", **placed)
        paid: Data = {"transaction_id": number, "total_fen": amount, "payer_total_fen": amount}
        self.tell(who, at_ms + 400, "payment.succeeded", **paid, **shared)
        if coupon:
            self.tell(who, at_ms + 800, "coupon.used", coupon_id=coupon, order_id=number)
        return at_ms + 1_000

    def world(self) -> World:
        self._told.sort()
        return World([raw for _, _, raw in self._told], self.kinds, self.first_ms, self.groups)


# The honest.


def lives(
    shop: Shop,
    who: str,
    device: str,
    address: str,
    *,
    visits: float = 0.35,
    claims: float = 0.12,
    orders: float = 0.12,
) -> None:
    """`visits` a day; the others are chances at each visit."""
    rng = shop.rng
    for day in range(shop.days):
        while rng.random() < visits / (1.0 + visits):
            at_ms = shop.look_around(who, shop.when(day=day), rng.randrange(3, 18))
            coupon = ""
            while rng.random() < claims / (1.0 + claims):
                coupon = f"c{rng.randrange(40)}"
                at_ms += rng.randrange(3_000, 60_000)
                shop.claim(who, at_ms, coupon, device)
            if rng.random() < orders:
                used = f"{coupon}-{who}" if coupon and rng.random() < 0.6 else ""
                shop.order(who, at_ms + 20_000, device, address, used)
    for sale_ms in shop.sales:
        if rng.random() < 0.15:
            at_ms = shop.look_around(who, sale_ms + rng.randrange(120_000), rng.randrange(1, 4))
            for number in range(rng.randrange(1, 4)):
                at_ms += rng.randrange(2_000, 20_000)
                shop.claim(who, at_ms, f"sale{number}", device)


def ordinary(shop: Shop, count: int) -> None:
    for _ in range(count):
        who = shop.person("ordinary")
        lives(shop, who, f"d-{who}", f"a-{who}", visits=shop.rng.choice((0.1, 0.25, 0.5, 0.9)))


def households(shop: Shop, count: int) -> None:
    for number in range(count):
        home, tablet = f"home{number}", shop.rng.random() < 0.4
        for _ in range(shop.rng.randrange(2, 6)):
            who = shop.person("household", home)
            lives(shop, who, f"d-{home if tablet else who}", f"a-{home}", visits=0.4, claims=0.2)


def crowds(shop: Shop, count: int) -> None:
    """Dormitories and offices: thirty people each, one address."""
    for number in range(count):
        for _ in range(30):
            who = shop.person("crowd", f"crowd{number}")
            lives(shop, who, f"d-{who}", f"a-crowd{number}", claims=0.25, orders=0.2)


def heavy_buyers(shop: Shop, count: int) -> None:
    for _ in range(count):
        who = shop.person("heavy buyer")
        lives(shop, who, f"d-{who}", f"a-{who}", visits=1.3, claims=0.9, orders=0.8)


def coupon_lovers(shop: Shop, count: int) -> None:
    """They seldom buy without one, and are one person each."""
    for _ in range(count):
        who = shop.person("coupon lover")
        lives(shop, who, f"d-{who}", f"a-{who}", visits=0.7, claims=1.2, orders=0.3)


def signed_up_in_shops(shop: Shop, count: int) -> None:
    """By the shop's own tablet, with a coupon to begin with."""
    for number in range(count):
        opens_ms = shop.when(10, 20, day=shop.rng.randrange(max(shop.days - 2, 1)))
        for place in range(30):
            who = shop.person("signed up in a shop", f"tablet{number}")
            at_ms = opens_ms + place * 4 * MINUTE_MS
            shop.tell(who, at_ms, "user.followed", via_qr=True, device=f"d-tablet{number}")
            shop.claim(who, at_ms + 30_000, "welcome", f"d-tablet{number}")
            if shop.rng.random() < 0.7:
                lives(shop, who, f"d-{who}", f"a-{who}")


def with_many_friends(shop: Shop, count: int) -> None:
    for number in range(count):
        host = shop.person("brought friends", f"friends{number}")
        lives(shop, host, f"d-{host}", f"a-{host}", visits=0.8)
        for _ in range(shop.rng.randrange(8, 20)):
            who = shop.person("friend", f"friends{number}")
            at_ms = shop.when()
            shop.tell(who, at_ms, "user.followed", invited_by=host, device=f"d-{who}")
            at_ms = shop.look_around(who, at_ms + 5_000, shop.rng.randrange(2, 9))
            if shop.rng.random() < 0.6:
                shop.claim(who, at_ms, "welcome", f"d-{who}")
            if shop.rng.random() < 0.6:
                lives(shop, who, f"d-{who}", f"a-{who}")


# The abusive.


def rings(shop: Shop, count: int) -> None:
    """5 to 50 accounts, on a device for each five to fifty or at one address, claim every coupon
    within hours."""
    rng = shop.rng
    for number in range(count):
        by_device, size = number % 2 == 0, (5, 8, 12, 20, 35, 50)[number % 6]
        began = rng.randrange(max(len(shop.coupons) // 2, 1))
        for place in range(size):
            kind = "abuse:ring by device" if by_device else "abuse:ring by address"
            who = shop.person(kind, f"ring{number}")
            device = f"d-ring{number}-{place // 25}" if by_device else f"d-{who}"
            for coupon, out_ms in list(enumerate(shop.coupons))[began:]:
                if rng.random() < 0.1:
                    continue
                at_ms = out_ms + rng.randrange(6 * HOUR_MS)
                at_ms = shop.look_around(who, at_ms, rng.randrange(3))
                shop.claim(who, at_ms, f"c{coupon}", device)
                if not by_device or rng.random() < 0.2:
                    at_ms += rng.randrange(MINUTE_MS, 30 * MINUTE_MS)
                    shop.order(who, at_ms, device, f"a-ring{number}", f"c{coupon}-{who}")


def careful_rings(shop: Shop, count: int) -> None:
    """Ten accounts on one device that browse like people before each coupon, claim every other one
    and now and then buy something without: as good as honest."""
    rng = shop.rng
    for number in range(count):
        for _ in range(10):
            who = shop.person("abuse:careful ring", f"careful{number}")
            device = f"d-careful{number}"
            for coupon, out_ms in enumerate(shop.coupons):
                if rng.random() < 0.5:
                    at_ms = out_ms + rng.randrange(12 * HOUR_MS)
                    at_ms = shop.look_around(who, at_ms, rng.randrange(3, 10))
                    shop.claim(who, at_ms, f"c{coupon}", device)
                    if rng.random() < 0.05:
                        shop.order(who, at_ms + MINUTE_MS, device, f"a-{who}")


def bursts(shop: Shop, count: int) -> None:
    """Twenty bots claim six to fifteen coupons each within minutes; half of them come again."""
    rng = shop.rng
    for number in range(count):
        starts_ms = shop.when(0, 24, day=rng.randrange(max(shop.days - 1, 1)))
        for _ in range(20):
            who = shop.person("abuse:burst", f"burst{number}")
            for begins_ms in (starts_ms, starts_ms + DAY_MS)[: rng.randrange(1, 3)]:
                at_ms = begins_ms + rng.randrange(2 * MINUTE_MS)
                for coupon in range(rng.randrange(6, 16)):
                    shop.claim(who, at_ms, f"b{coupon}", f"d-{who}")
                    at_ms += rng.randrange(1_500, 15_000)


def slow_farms(shop: Shop, count: int) -> None:
    """Some twelve accounts at one address and on three devices: a coupon every other day, with some
    browsing before, and orders only with coupons."""
    rng = shop.rng
    for number in range(count):
        for place in range(rng.randrange(8, 17)):
            who = shop.person("abuse:slow farm", f"farm{number}")
            device = f"d-farm{number}-{place % 3}"
            for day in range(rng.randrange(2), shop.days, rng.randrange(1, 3)):
                at_ms = shop.look_around(who, shop.when(day=day), rng.randrange(1, 5))
                shop.claim(who, at_ms, f"c{day}", device)
                if rng.random() < 0.5:
                    at_ms += rng.randrange(HOUR_MS)
                    shop.order(who, at_ms, device, f"a-farm{number}", f"c{day}-{who}")


def invite_farms(shop: Shop, count: int) -> None:
    """Ten to thirty accounts come by one person over days, claim the welcome coupon and are
    gone."""
    rng = shop.rng
    for number in range(count):
        host = shop.person("abuse:inviter", f"invited{number}")
        lives(shop, host, f"d-{host}", f"a-{host}")
        for _ in range(rng.randrange(10, 31)):
            who = shop.person("abuse:invited", f"invited{number}")
            at_ms = shop.when()
            shop.first_ms[host] = min(at_ms, shop.first_ms.get(host, at_ms))
            shop.tell(who, at_ms, "user.followed", invited_by=host, device=f"d-{who}")
            at_ms = shop.look_around(who, at_ms + 2_000, rng.randrange(2))
            shop.claim(who, at_ms, "welcome", f"d-{who}")


def machines(shop: Shop, count: int) -> None:
    """They view at a steady beat, by day and night, and claim what they meet."""
    rng = shop.rng
    for _ in range(count):
        who = shop.person("abuse:machine")
        beat_ms, noise = rng.choice((1_500, 4_000, 10_000, 30_000)), rng.choice((0.01, 0.05, 0.1))
        for day in range(shop.days):
            at_ms = shop.when(0, 24, day=day)
            for step in range(rng.randrange(40, 90)):
                if step % 30 == 12:
                    shop.claim(who, at_ms, f"m{day}-{step}", f"d-{who}")
                else:
                    shop.view(who, at_ms, beat_ms)
                at_ms += max(int(beat_ms * rng.gauss(1.0, noise)), 100)


PARTS: Final[tuple[tuple[Callable[[Shop, int], None], int], ...]] = (
    (ordinary, 900),
    (households, 90),
    (crowds, 3),
    (heavy_buyers, 150),
    (coupon_lovers, 60),
    (signed_up_in_shops, 2),
    (with_many_friends, 6),
    (rings, 12),
    (careful_rings, 3),
    (bursts, 3),
    (slow_farms, 3),
    (invite_farms, 4),
    (machines, 20),
)


def world(seed: int, *, days: int = 8, scale: float = 1.0) -> World:
    """The shop's days. `scale` shrinks every part, each to one at least."""
    shop = Shop(seed, days)
    for part, count in PARTS:
        part(shop, max(round(count * scale), 1))
    return shop.world()
