"""A bounded table of groups, rows by key; and the rings everybody knows of."""

from collections import OrderedDict
from typing import Final

from msgspec import Struct

from streams.learning import rows
from streams.learning.abuse.rings import Group, pack, unpack

AMONG: Final = 32  # of the groups told of longest ago, the smallest makes room
SHARDS: Final = 16
MOST_RINGS: Final = 400  # in a shard's row


class Groups:
    """`capacity` groups, by number. Which one makes room depends on the groups alone."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._groups: OrderedDict[int, Group] = OrderedDict()
        self._changed: dict[int, None] = {}
        self._ordered = True
        self.touched = 0

    def __len__(self) -> int:
        return len(self._groups)

    def get(self, number: int) -> Group | None:
        return self._groups.get(number)

    def put(self, number: int, group: Group) -> None:
        self._order()
        self._groups[number] = group
        self._groups.move_to_end(number)
        self._changed[number] = None
        self.touched = max(self.touched, group.touched)
        if len(self._groups) > self._capacity:
            self._make_room()

    def changed_rows(self) -> list[tuple[int, bytes | None]]:
        """Rows changed since the last call; None: gone."""
        found = [(number, self._row(number)) for number in self._changed]
        self._changed.clear()
        return found

    def load(self, number: int, row: bytes) -> None:
        """Raises ValueError for a row that is broken."""
        group = self._groups[number] = unpack(row)
        self.touched = max(self.touched, group.touched)
        self._ordered = False

    def _row(self, number: int) -> bytes | None:
        group = self._groups.get(number)
        return None if group is None else pack(group)

    def _order(self) -> None:
        """Rows are loaded in any order."""
        if not self._ordered:
            self._ordered = True
            self._groups = OrderedDict(
                sorted(self._groups.items(), key=lambda item: (item[1].touched, item[0]))
            )

    def _make_room(self) -> None:
        oldest = []
        for number, group in self._groups.items():
            oldest.append((len(group.members), group.touched, number))
            if len(oldest) == AMONG:
                break
        gone = min(oldest)[2]
        del self._groups[gone]
        self._changed[gone] = None


class _RingRow(Struct, array_like=True):
    rings: list[tuple[int, int, int]]  # number, kind, until (s)


class Rings:
    """The rings that were found, in whichever partition; each is known until its verdict ends."""

    def __init__(self) -> None:
        self._rings: dict[int, tuple[int, int]] = {}
        self._kinds: dict[int, None] = {}  # that were ever met
        self._changed: dict[int, None] = {}

    def __len__(self) -> int:
        return len(self._rings)

    def kind(self, number: int, now_s: int) -> int | None:
        """The kind of a ring that is known and has not ended."""
        found = self._rings.get(number)
        return None if found is None or found[1] <= now_s else found[0]

    def has_any(self, kind: int) -> bool:
        """Whether there may be a ring of this kind."""
        return kind in self._kinds

    def put(self, number: int, kind: int, until_s: int, now_s: int) -> None:
        shard = number % SHARDS
        ended = [one for one, (_, end_s) in self._rings.items() if end_s <= now_s]
        here = [(end_s, one) for one, (_, end_s) in self._rings.items() if one % SHARDS == shard]
        if len(here) >= MOST_RINGS:
            ended.append(min(here)[1])
        for one in ended:
            self._rings.pop(one, None)
            self._changed[one % SHARDS] = None
        known = self._rings.get(number, (kind, 0))
        self._rings[number] = (kind, max(known[1], until_s))
        self._kinds[kind] = None
        self._changed[shard] = None

    def changed_rows(self) -> list[tuple[int, bytes]]:
        found = [(shard, self._row(shard)) for shard in self._changed]
        self._changed.clear()
        return found

    def load(self, row: bytes) -> None:
        """Raises ValueError for a newer schema."""
        for number, kind, until_s in rows.unpack(row, _RingRow).rings:
            self._rings[number] = (kind, until_s)
            self._kinds[kind] = None

    def _row(self, shard: int) -> bytes:
        here = [one for one in sorted(self._rings) if one % SHARDS == shard]
        return rows.pack(_RingRow([(one, *self._rings[one]) for one in here]))
