"""Abuse 羊毛党: who lives on coupons behind one device, address or inviter, claims faster than
people do, beats like a clock, or refunds what the coupon bought. Such a person gets no coupon.

Rules come first; they are exact and named. What is merely unlike others is noted and keeps nobody
from anything. A person's own pace and claims stand in the person's row. A device, address or
inviter has a home partition by its number, which counts different people: at the first sight of a
pair, when the person takes coupons otherwise than told before, and every two weeks, a letter goes
there. When a ring is found, all partitions are told its number; its members are known by the
numbers in their rows, so nobody's id leaves their partition. Backfill says nothing here.
Marks end after 30 days. Staff may confirm or clear a person (`abuse.confirmed`, `abuse.cleared`):
the suspicion learns from both, in every partition, and who was cleared is left alone for a while.
"""

from base64 import b64encode
from math import log2
from typing import ClassVar, Final, NamedTuple

import msgspec
from msgspec import Struct

from streams.contract.events import ACTIVITY, TYPES, AbuseVerdict, Coupon, Followed, Order, Payment
from streams.contract.policy import DAY_MS
from streams.contract.triggers import Contribution
from streams.engine.models.abuse_features import NAMES, features
from streams.engine.models.abuse_letters import AbuseLetter, Found, Met, Verdict
from streams.engine.models.abuse_rings import ADDRESS, DEVICE, INVITER, Homes
from streams.engine.models.abuse_state import Watched
from streams.engine.models.model import Body, Model, Surroundings
from streams.engine.moment import Moment
from streams.engine.outcome import Effect
from streams.engine.profile.activity import Activity
from streams.engine.store import Person
from streams.learning import rows
from streams.learning.abuse import signs
from streams.learning.abuse.anomaly import GridDensity, Tail
from streams.learning.abuse.pace import claimed, claims, is_idle, noted, pace, paced
from streams.learning.abuse.rings import standing
from streams.learning.abuse.suspicion import ANOMALY, REASONS, Suspicion

DAY_S: Final = DAY_MS // 1_000
MARK_S: Final = 30 * DAY_S
FLAG_S: Final = 7 * DAY_S
SELDOM_ENOUGH: Final = 0.003  # of claims: an anomaly
KNOWN: Final = 1_000  # claims before anything counts as unusual
RING_SIGN: Final = 1.5
RING_REASONS: Final = tuple(
    REASONS.index(reason) for reason in ("ring_device", "ring_address", "invite_farm")
)

CLAIMED, CONFIRMED, CLEARED = "coupon.claimed", "abuse.confirmed", "abuse.cleared"
LINKING: Final = (Coupon, Order, Payment, Followed)
SELDOM: Final = frozenset(name for name, data in TYPES.items() if data in LINKING)
DENSITY, SUSPICION, REST = b"m:abuse/density", b"m:abuse/suspicion", b"m:abuse/rest"


class _Rest(Struct, array_like=True):
    tail: Tail
    marked: list[int]  # by reason
    confirmed: int = 0
    cleared: int = 0


class Suspected(NamedTuple):
    """`reasons` that keep coupons back, the gravest first; `flagged`: unusual, and no more."""

    reasons: tuple[str, ...]
    flagged: bool
    probability: float
    why: list[Contribution]


class AbuseModel(Model):
    NAME: ClassVar[str] = "abuse"
    LISTENS: ClassVar[frozenset[str]] = ACTIVITY | {"order.refunded", CONFIRMED, CLEARED}
    CHECKS: ClassVar[bool] = True

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._homes = Homes(around, self.letter)
        self._suspicion = Suspicion()
        self._density = GridDensity(grids=16, places=128, warm=0, kept=0.98)
        self._density.begin(NAMES)
        self._rest = _Rest(Tail(), [0] * len(REASONS))
        self._changed: dict[bytes, None] = {}

    # What others ask.

    def reason(self, person: Person, now_ms: int) -> str:
        """Why the person gets no coupon now; empty: nothing is held against them."""
        found = self.reasons(person, now_ms)
        return found[0] if found else ""

    def reasons(self, person: Person, now_ms: int) -> tuple[str, ...]:
        """All that keeps coupons back now."""
        watched = person.state.abuse or Watched()  # who invited a ring may have been idle since
        return tuple(REASONS[one] for one in self._reasons(watched, person, now_ms))

    def suspected(self, person: Person, now_ms: int) -> Suspected:
        """All that is held against the person, with the chance and what adds up to it."""
        watched = person.state.abuse or Watched()
        found = self._signs(person, now_ms)
        contributions = self._suspicion.contributions(found)
        return Suspected(
            self.reasons(person, now_ms),
            watched.marks.get(ANOMALY, 0) > now_ms // 1_000,
            self._suspicion.probability(found),
            [Contribution(*part) for part in contributions],
        )

    # What happens.

    def learn(self, moment: Moment) -> list[Effect]:
        kind, state = moment.type, moment.person.state
        if kind in (CONFIRMED, CLEARED):
            return self._verdict(moment)
        if moment.backfill:
            return []
        watched = state.abuse
        if watched is None:
            watched = state.abuse = Watched()
        if kind not in SELDOM:  # and so activity
            watched.pace, look = paced(watched.pace, moment.time_ms)
            if look:
                self._judge(watched, moment)
            return []
        if kind in ACTIVITY:
            watched.pace, _ = paced(watched.pace, moment.time_ms)
        self._took(watched, moment)
        said = self._standing(watched, state.activity, moment.now_ms)
        user_id, took = moment.person.user_id, int(kind == CLAIMED)
        effects = self._homes.tell(
            watched, user_id, self._seen(moment), said, moment.now_ms, took=took
        )
        self._judge(watched, moment)
        return effects

    def check(self, person: Person, now_ms: int) -> list[Effect]:
        """What has passed is forgotten; homes are told who takes coupons otherwise now."""
        watched = person.state.abuse
        if watched is None:
            return []
        now_s = now_ms // 1_000
        if is_idle(watched.pace, now_ms):
            watched.pace = b""
        if watched.marks:
            marks = watched.marks
            watched.marks = {one: until_s for one, until_s in marks.items() if until_s > now_s}
        if watched.exempt_s <= now_s:
            watched.exempt_s = 0
        if watched.is_empty():
            person.state.abuse = None
        if not watched.links:
            return []
        said = self._standing(watched, person.state.activity, now_ms)
        return self._homes.tell(watched, person.user_id, {}, said, now_ms)

    def read(self, letter: Body) -> AbuseLetter:
        if "ring" in letter:
            return msgspec.convert(letter, Found)
        if "signs" in letter:
            return msgspec.convert(letter, Verdict)
        return msgspec.convert(letter, Met)

    def receive(self, letter: AbuseLetter, now_ms: int) -> list[Effect]:
        if isinstance(letter, Met):
            return self._homes.told(letter, now_ms)
        if isinstance(letter, Found):
            self._homes.known(letter, now_ms)
        else:
            self._suspicion.learn(_opened(letter.signs), abusive=letter.abusive)
            self._changed[SUSPICION] = None
        return []

    # One person.

    def _took(self, watched: Watched, moment: Moment) -> None:
        kind, data = moment.type, moment.data
        if kind == CLAIMED:
            watched.claims = claimed(watched.claims, moment.time_ms)
            x = features(watched, moment.person.state, moment.now_ms)
            bits = self._density.learn(x)
            seldom = self._rest.tail.share(bits)
            self._rest.tail.add(bits)
            unusual = min(-log2(max(seldom, 1e-4)) / 12.0, 1.0)
            watched.claims = noted(watched.claims, unusual=unusual)
            if seldom <= SELDOM_ENOUGH and self._density.examples >= KNOWN:
                self._mark(watched, moment, ANOMALY, FLAG_S)
            self._changed[DENSITY] = self._changed[REST] = None
        elif kind == "coupon.used":
            watched.claims = noted(watched.claims, used=1)
        elif kind == "order.refunded" and watched.claims:
            watched.claims = noted(watched.claims, refunded=1)
        elif kind == "order.paid" and isinstance(data, Order) and data.coupon_id:
            watched.claims = noted(watched.claims, paid=1)

    def _judge(self, watched: Watched, moment: Moment) -> None:
        """The rules, and rings that were found since."""
        if watched.exempt_s * 1_000 > moment.now_ms:
            return
        for reason, sign in enumerate(self._signs(moment.person, moment.now_ms)):
            if sign >= 1.0 and reason != ANOMALY:
                self._mark(watched, moment, reason, MARK_S)

    def _mark(self, watched: Watched, moment: Moment, reason: int, for_s: int) -> None:
        now_s = moment.now_ms // 1_000
        if watched.marks.get(reason, 0) <= now_s:
            self._rest.marked[reason] += 1
            self._changed[REST] = None
            watched.signs = _packed(self._signs(moment.person, moment.now_ms))
            moment.material = True
        watched.marks[reason] = now_s + for_s

    def _reasons(self, watched: Watched, person: Person, now_ms: int) -> list[int]:
        """Places in REASONS of what keeps coupons back."""
        now_s = now_ms // 1_000
        if watched.exempt_s > now_s:
            return []
        found = self._ringed(watched, person, now_ms)
        found += [
            reason
            for reason, until_s in watched.marks.items()
            if until_s > now_s and reason != ANOMALY
        ]
        return sorted(set(found))

    def _ringed(self, watched: Watched, person: Person, now_ms: int) -> list[int]:
        """The rings the person is in, taking coupons as their members do, or stands behind."""
        found = []
        if watched.links and self._homes.rings:
            said = self._standing(watched, person.state.activity, now_ms)
            kinds = self._homes.in_rings(watched, said, now_ms)
            found = [RING_REASONS[kind] for kind in kinds]
        if self._homes.is_behind(person.alias, now_ms):
            found.append(RING_REASONS[INVITER])
        return found

    def _signs(self, person: Person, now_ms: int) -> list[float]:
        """In the order of REASONS."""
        watched, activity = person.state.abuse or Watched(), person.state.activity
        took, beat = claims(watched.claims, now_ms), pace(watched.pace, now_ms)
        found = [0.0] * len(REASONS)
        found[0] = signs.coupon_velocity(took, beat, activity.orders - took.used)
        found[1] = signs.event_velocity(beat)
        # A machine that takes nothing harms nobody.
        found[4] = signs.machine_rhythm(beat) if took.total else 0.0
        found[5] = signs.refund_abuse(took, activity.orders)
        for reason in self._ringed(watched, person, now_ms):
            found[reason] = RING_SIGN
        found[ANOMALY] = took.unusual
        return found

    def _standing(self, watched: Watched, activity: Activity, now_ms: int) -> int:
        took = claims(watched.claims, now_ms)
        acts = activity.decayed(now_ms)[2]
        # An order is three acts, order, payment and the paid one, and a coupon's use a fourth.
        others = acts - took.total - took.used - 3.0 * activity.orders
        return standing(took.total, others, activity.orders - took.used)

    def _seen(self, moment: Moment) -> dict[int, tuple[int, str]]:
        """What the event shows the person with: numbers to kinds and names."""
        data = moment.data
        seen = [(DEVICE, data.device)]
        if isinstance(data, Order):
            seen.append((ADDRESS, data.address))
        elif isinstance(data, Followed):
            seen.append((INVITER, data.invited_by))
        return {self._homes.number(kind, name): (kind, name) for kind, name in seen if name}

    # Labels.

    def _verdict(self, moment: Moment) -> list[Effect]:
        """What staff found out; it holds from when they said so."""
        state, data, said_s = moment.person.state, moment.data, moment.time_ms // 1_000
        abusive = moment.type == CONFIRMED
        assert isinstance(data, AbuseVerdict)
        watched = state.abuse
        if watched is None:
            watched = state.abuse = Watched()
        told = watched.signs or _packed(self._signs(moment.person, moment.now_ms))
        self._suspicion.learn(_opened(told), abusive=abusive)
        if abusive:
            reason = REASONS.index(data.reason) if data.reason in REASONS[:ANOMALY] else 0
            watched.marks[reason], watched.exempt_s = said_s + MARK_S, 0
            self._rest.confirmed += 1
        else:
            watched.marks, watched.exempt_s = {}, said_s + data.exempt_days * DAY_S
            self._rest.cleared += 1
        watched.signs = b""
        moment.material = True
        self._changed[SUSPICION] = self._changed[REST] = None
        body = {"signs": b64encode(told).decode(), "abusive": abusive}
        around = self.around
        return [self.letter(to, body) for to in range(around.partitions) if to != around.partition]

    # Rows.

    def changed_rows(self) -> list[tuple[bytes, bytes | None]]:
        found = self._homes.changed_rows()
        found += [(key, self._row(key)) for key in self._changed]
        self._changed.clear()
        return found

    def load_row(self, key: bytes, row: bytes) -> None:
        if self._homes.load_row(key, row):
            return
        if key == DENSITY:
            self._density.from_row(row)
        elif key == SUSPICION:
            self._suspicion.from_row(row)
        elif key == REST:
            self._rest = rows.unpack(row, _Rest)
        else:
            super().load_row(key, row)

    def _row(self, key: bytes) -> bytes:
        if key == DENSITY:
            return self._density.to_row()
        return self._suspicion.to_row() if key == SUSPICION else rows.pack(self._rest)

    def metrics(self) -> dict[str, float]:
        """How many people were marked by each rule so far, and what staff said of them."""
        rest = self._rest
        return {
            **{f"marked.{name}": float(n) for name, n in zip(REASONS, rest.marked, strict=True)},
            "groups": float(len(self._homes)),
            "confirmed": float(rest.confirmed),
            "cleared": float(rest.cleared),
        }


def _packed(found: list[float]) -> bytes:
    return bytes(min(int(sign * 64.0 + 0.5), 255) for sign in found)


def _opened(packed: bytes) -> list[float]:
    return [one / 64.0 for one in packed]
