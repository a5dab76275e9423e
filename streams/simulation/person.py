"""A synthetic person: what they are like, and what has happened to them."""

from array import array
from base64 import urlsafe_b64encode
from bisect import bisect_right
from hashlib import blake2b
from itertools import accumulate
from random import Random
from typing import NamedTuple, TypeVar

from streams.simulation.chance import keyed
from streams.simulation.hazard import DAY_MS, FRAILTY_SIGMA, Blow, Nature
from streams.simulation.hours import HABITS, HOUR_MS, Hours
from streams.simulation.scenarios.scenario import Scenario

T = TypeVar("T")

RATE_SIGMA = 0.25  # of the logarithm, around the rhythm's rate
FADING_SHARE = 0.02  # of people lose interest steadily ...
FADING_DAYS = (6.0, 14.0)  # ... with a time constant in this range
LAUNCH_SHARE = 0.75  # of people join in the first LAUNCH_DAYS, the others until LAST_JOIN_DAY
LAUNCH_DAYS = 2
LAST_JOIN_DAY = 11
TWO_IDS = 0.12  # are known to account and mini-programme by two ids, linked when they join
ATTRIBUTES = 0.45  # tell something about themselves when joining
INTEREST_CONCENTRATION = 2.6  # of the Dirichlet distribution: two or three categories matter
DRIFT = 0.03  # of visits move the interests by DRIFT_SIZE towards something new
DRIFT_SIZE = 0.15

# How people answer coupons and messages. The shares are the four groups of uplift modelling; that
# "persuadable" is only a third is why a hold-out is needed to see whether coupons pay.
RESPONSES = (
    ("persuadable", 0.35),
    ("sure_thing", 0.30),
    ("lost_cause", 0.25),
    ("sleeping_dog", 0.10),
)
# Zones without summer time, so that a local day always has 24 hours. Most people live in one.
ZONES = (
    ("Asia/Shanghai", 8, 0.955),
    ("Asia/Urumqi", 6, 0.02),
    ("Asia/Tokyo", 9, 0.01),
    ("Asia/Dubai", 4, 0.008),
    ("America/Phoenix", -7, 0.007),
)
THURSDAY = 3  # the epoch's weekday, Monday is 0
REGIONS = ("广东", "浙江", "江苏", "上海", "北京", "四川", "湖北", "山东", "福建", "陕西")


class Parcel(NamedTuple):
    """An order under way: when it can be confirmed, and whether that is later than promised."""

    order_id: str
    item: str
    category: str
    ready_ms: int
    slow: bool


class Cart(NamedTuple):
    item: str
    category: str
    price_fen: int


class Coupon(NamedTuple):
    coupon_id: str
    trigger_id: str
    sku: str
    face_value_fen: int


class Offer(NamedTuple):
    coupon: Coupon
    expires_at_ms: int


class Person:
    """Drawn from the seed and the index alone; afterwards changed by visits and responses."""

    def __init__(
        self, index: int, scenario: Scenario, seed: str, start_ms: int, hours: dict[int, Hours]
    ) -> None:
        self.index = index
        self.key = keyed("person", seed, scenario.name, index)
        rng = Random(self.key)
        self.segment = _drawn(rng, scenario.segments, [s.share for s in scenario.segments])
        self.rhythm = _drawn(rng, scenario.rhythms, [r.share for r in scenario.rhythms])
        self.response = _drawn(rng, RESPONSES, [share for _, share in RESPONSES])[0]
        self.zone, zone_hours, _ = _drawn(rng, ZONES, [share for *_, share in ZONES])
        self.hours = hours[_drawn(rng, HABITS, [1.0] * len(HABITS))]
        self.nature = self._nature(rng, scenario, start_ms, zone_hours)
        self.openness = rng.betavariate(2.0, 4.0)  # probability of opening a message
        self.buying = rng.lognormvariate(-0.125, 0.5)  # mean 1: scales the step into the cart
        self.consents = rng.random() < scenario.marketing_consent
        self.attributes = self._attributes(rng)
        self.ids = self._ids(rng, seed, scenario)
        self._base = [
            INTEREST_CONCENTRATION
            * (0.5 * category.share + 0.5 * (category.name in self.segment.likes) / 3)
            for category in scenario.categories
        ]
        self.interests = _dirichlet(rng, self._base)
        self.cumulative = list(accumulate(self.interests))
        self.joined_ms = 0
        self.left_day: int | None = None  # local day from which on the person is gone
        self.left_ms = 0
        self.left_how = ""
        self.erased_ms = 0
        self.revived = 0
        self.converted_ms = 0
        self.orders = 0
        self.spend_fen = 0
        self.disappointments: list[Blow] = []
        self.annoyances: list[Blow] = []
        self.parcels: list[Parcel] = []
        self.cart: Cart | None = None
        self.coupon: Coupon | None = None  # claimed, not yet used
        self.offer: Offer | None = None  # to be claimed on the next visit
        self.activity_ms = array("q")
        self.visits: list[tuple[int, str]] = []

    def category(self, rng: Random) -> int:
        """An index of a category by the person's interest."""
        return min(bisect_right(self.cumulative, rng.random()), len(self.interests) - 1)

    def drift(self, rng: Random) -> None:
        """Interests change slowly."""
        new = _dirichlet(rng, self._base)
        self.interests = [
            (1.0 - DRIFT_SIZE) * old + DRIFT_SIZE * to
            for old, to in zip(self.interests, new, strict=True)
        ]
        self.cumulative = list(accumulate(self.interests))

    def is_gone(self, at_ms: int) -> bool:
        return self.left_day is not None and at_ms >= self.left_ms

    def leave(self, day: int, at_ms: int, how: str) -> None:
        self.left_day, self.left_ms, self.left_how = day, at_ms, how

    def come_back(self) -> None:
        self.left_day, self.left_ms, self.left_how = None, 0, ""
        self.revived += 1

    def _nature(self, rng: Random, scenario: Scenario, start_ms: int, zone_hours: int) -> Nature:
        if rng.random() < LAUNCH_SHARE:
            joined_day = rng.randrange(LAUNCH_DAYS)
        else:
            joined_day = rng.randrange(LAUNCH_DAYS, LAST_JOIN_DAY)
        offset_ms = zone_hours * HOUR_MS
        shift_ms = -(start_ms + offset_ms) % DAY_MS
        return Nature(
            visits_per_day=self.rhythm.visits_per_day
            * self.segment.pace
            * rng.lognormvariate(0.0, RATE_SIGMA),
            fading_per_day=1.0 / rng.uniform(*FADING_DAYS) if rng.random() < FADING_SHARE else 0.0,
            frailty=rng.gauss(0.0, FRAILTY_SIGMA),
            joined_day=joined_day,
            shift_ms=shift_ms,
            weekday=((start_ms + shift_ms + offset_ms) // DAY_MS + THURSDAY) % 7,
            weekdays=scenario.weekdays,
        )

    def _attributes(self, rng: Random) -> dict[str, str]:
        told = rng.random() < ATTRIBUTES
        attributes = {
            "sex": "female" if rng.random() < self.segment.female else "male",
            "age_band": rng.choice(self.segment.ages),
            "region": rng.choice(REGIONS),
            "zone": self.zone,
            "birthday": f"{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}",
        }
        kept = {name: value for name, value in attributes.items() if rng.random() < 0.8}
        return kept if told else {}

    def _ids(self, rng: Random, seed: str, scenario: Scenario) -> list[tuple[str, str]]:
        """One id known to all apps, or an openid of the mini-programme and one of the account."""
        mini, account = sources(scenario.name)
        if rng.random() >= TWO_IDS:
            return [(f"unionid:{_native_id('union', seed, scenario.name, self.index)}", mini)]
        return [
            (_native_id("mini", seed, scenario.name, self.index), mini),
            (_native_id("account", seed, scenario.name, self.index), account),
        ]


def sources(scenario: str) -> tuple[str, str]:
    """The event sources of a scenario's mini-programme and official account."""
    digest = f"{keyed('app', scenario):016x}"
    return f"wx:mp:wx{digest}", f"wx:oa:wx{digest[::-1]}"


def _native_id(*words: object) -> str:
    digest = blake2b("\x1f".join(map(str, words)).encode(), digest_size=20).digest()
    return "o" + urlsafe_b64encode(digest).decode()[:27]


def _dirichlet(rng: Random, weights: list[float]) -> list[float]:
    draws = [rng.gammavariate(weight, 1.0) + 1e-9 for weight in weights]
    total = sum(draws)
    return [draw / total for draw in draws]


def _drawn(rng: Random, things: tuple[T, ...], weights: list[float]) -> T:
    return rng.choices(things, weights)[0]
