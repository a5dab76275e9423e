"""The homes of devices, addresses and inviters in this partition, and the rings known of anywhere.

A group's home is its number modulo the partitions. There its different people are counted; when
they make a ring, every partition gets its number.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec.structs import replace

from streams.contract.insights import Alert
from streams.contract.policy import DAY_MS
from streams.engine import chance
from streams.engine.models.abuse_letters import MOST_NAME, Found, Met
from streams.engine.models.abuse_state import MOST_CLAIMS, Link, Watched, linked, links_of
from streams.engine.models.model import Body, Surroundings, alert
from streams.engine.outcome import Effect
from streams.learning.abuse.groups import Groups, Rings
from streams.learning.abuse.rings import HOLLOW, LIVING, Bar, Group, is_ring, joined, weight_of

DAY_S: Final = DAY_MS // 1_000
VERDICT_S: Final = 30 * DAY_S
RENEW_DAYS: Final = 15  # a verdict with less left, or a link told earlier, is told again
NEVER_DAYS: Final = 1 << 20
CAPACITY: Final = 40_000  # groups in a partition

DEVICE, ADDRESS, INVITER = range(3)
KINDS: Final = ("device", "address", "inviter")
BARS: Final = (
    Bar(people=5, weight=4.0, living=3, hollow=0.5, hollow_days=0, share=0.25, marks=LIVING),
    Bar(people=5, weight=4.5, living=3, hollow=0.5, hollow_days=0, share=0.25, marks=LIVING),
    Bar(people=8, weight=7.0, living=0, hollow=1.0, hollow_days=1, share=0.6, marks=HOLLOW),
)
GROUP_PREFIX: Final = b"m:abuse/group/"
RINGS_PREFIX: Final = b"m:abuse/rings/"


def _standing_with(kind: int, claims: int, said: int) -> int:
    """A device that was used once says little of who used it: a shop's tablet signs people up."""
    return min(said, HOLLOW) if kind == DEVICE and claims < 2 else said


class Homes:
    """`letter` addresses the model of another partition."""

    def __init__(self, around: Surroundings, letter: Callable[[int, Body], Effect]) -> None:
        self._around = around
        self._letter = letter
        self._groups = Groups(CAPACITY)
        self._rings = Rings()

    def __len__(self) -> int:
        return len(self._groups)

    @property
    def rings(self) -> int:
        """How many are known."""
        return len(self._rings)

    def number(self, kind: int, name: str) -> int:
        return chance.number(self._around.seed, "group", KINDS[kind], name) & 0xFF_FFFF_FFFF

    def in_rings(self, watched: Watched, said: int, now_ms: int) -> list[int]:
        """The kinds of the rings the person is in, taking coupons as their members do."""
        now_s, found = now_ms // 1_000, []
        for link in links_of(watched.links):
            kind = self._rings.kind(link.group, now_s)
            if kind is not None and _standing_with(kind, link.claims, said) >= BARS[kind].marks:
                found.append(kind)
        return found

    def is_behind(self, alias: str, now_ms: int) -> bool:
        """Whether the person invited a ring."""
        rings = self._rings
        if not rings.has_any(INVITER):
            return False
        return rings.kind(self.number(INVITER, alias), now_ms // 1_000) is not None

    def tell(
        self,
        watched: Watched,
        user_id: str,
        seen: dict[int, tuple[int, str]],
        said: int,
        now_ms: int,
        *,
        took: int = 0,
    ) -> list[Effect]:
        """Tell the homes what is new: a group the person was not seen with lately, and all where
        the person takes coupons otherwise now. `seen`: number to kind and name; `took`: coupons
        claimed with these."""
        day, effects = now_ms // DAY_MS, list[Effect]()
        links = {link.group: link for link in links_of(watched.links)}
        for number, (kind, _) in seen.items():
            links.setdefault(number, Link(number, 0, kind, 0, 0))
        for number, link in links.items():
            claims = min(link.claims + (took if number in seen else 0), MOST_CLAIMS)
            stands = _standing_with(link.kind, claims, said)
            stale = link.day + (RENEW_DAYS if number in seen else NEVER_DAYS) <= day
            # A ring of people who came and went is known by their staying away.
            gone = link.kind == INVITER and stands == HOLLOW and link.day < day
            if not link.day or stands != link.standing or stale or gone:
                name = seen.get(number, (0, ""))[1]
                effects += self._tell(number, link.kind, name, user_id, stands, now_ms)
                watched.links = linked(watched.links, Link(number, day, link.kind, claims, stands))
            elif claims != link.claims:
                watched.links = linked(watched.links, replace(link, claims=claims))
        return effects

    def _tell(
        self, number: int, kind: int, name: str, user_id: str, said: int, now_ms: int
    ) -> list[Effect]:
        around = self._around
        tag = chance.number(around.seed, "member", str(number), user_id) & 0xFFFF
        # Who invited is a person, whose id stands nowhere else.
        name = "" if kind == INVITER else name[:MOST_NAME]
        met = Met(number, kind, name, tag, said)
        home = number % around.partitions
        if home == around.partition:
            return self.told(met, now_ms)
        return [self._letter(home, msgspec.to_builtins(met))]

    def told(self, met: Met, now_ms: int) -> list[Effect]:
        """At its home: a group has a new member, or one that takes coupons otherwise now."""
        number, kind, now_s, day = met.group, met.kind, now_ms // 1_000, now_ms // DAY_MS
        group = self._groups.get(number) or Group(kind, 0, 0, met.name, ())
        if met.name:
            group = group._replace(name=met.name)
        group = joined(group, met.tag, day, met.said, self._groups.touched + 1)
        effects: list[Effect] = []
        if group.until_s - now_s < RENEW_DAYS * DAY_S and is_ring(group, BARS[kind], day):
            if group.until_s <= now_s:
                effects.append(self._alert(number, group, now_ms))
            group = group._replace(until_s=now_s + VERDICT_S)
            effects += self._found(number, group, now_s)
        self._groups.put(number, group)
        return effects

    def known(self, found: Found, now_ms: int) -> None:
        """Another partition found a ring."""
        self._rings.put(found.ring, found.kind, found.until_s, now_ms // 1_000)

    def _found(self, number: int, group: Group, now_s: int) -> list[Effect]:
        around = self._around
        self._rings.put(number, group.kind, group.until_s, now_s)
        verdict = {"ring": number, "kind": group.kind, "until_s": group.until_s}
        others = (to for to in range(around.partitions) if to != around.partition)
        return [self._letter(to, verdict) for to in others]

    def _alert(self, number: int, group: Group, now_ms: int) -> Alert:
        around, bar = self._around, BARS[group.kind]
        name = f"{KINDS[group.kind]}:{group.name or format(number, '010x')}"
        weight = weight_of(group, bar, now_ms // DAY_MS)
        detail = (
            f"{len(group.members)} people, {weight:g} of them live on coupons and get none "
            "for 30 days: look into it, then send abuse.confirmed or abuse.cleared of each"
        )
        return alert(
            around,
            "abuse_ring",
            name,
            now_ms,
            level=weight,
            reference=bar.weight,
            detail=detail,
        )

    def changed_rows(self) -> list[tuple[bytes, bytes | None]]:
        found: list[tuple[bytes, bytes | None]] = [
            (GROUP_PREFIX + format(number, "010x").encode(), row)
            for number, row in self._groups.changed_rows()
        ]
        found += [
            (RINGS_PREFIX + format(shard, "x").encode(), row)
            for shard, row in self._rings.changed_rows()
        ]
        return found

    def load_row(self, key: bytes, row: bytes) -> bool:
        """Whether the row is one of these. Raises ValueError for one that is broken."""
        if key.startswith(GROUP_PREFIX):
            self._groups.load(int(key[len(GROUP_PREFIX) :], 16), row)
        elif key.startswith(RINGS_PREFIX):
            self._rings.load(row)
        else:
            return False
        return True
