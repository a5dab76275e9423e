"""People in memory: every row encoded, the most recently used ones decoded, timers in a heap.

A million people are a million values of bytes; what is decoded is a bounded window over them.
Whether a person is decoded, evicted or freshly loaded changes no byte. The heap holds `due + key`
as bytes, which orders by (due, user id); an entry whose person is now due at another time is
dropped when it surfaces.
"""

from collections import OrderedDict
from collections.abc import Iterator
from heapq import heapify, heappop, heappush

from streams.engine.state import (
    DUE_BYTES,
    NEVER_MS,
    UserState,
    check_user_version,
    decode_user,
    encode_user,
)

NEVER = NEVER_MS.to_bytes(DUE_BYTES, "big")
HEAP_SLACK = 1_024  # stale entries tolerated beyond one per person


class Person:
    """A decoded row. Change `state`, then call `Store.touch`."""

    __slots__ = ("dirty", "due_ms", "held", "key", "state", "user_id")

    def __init__(self, user_id: str, key: bytes, state: UserState, due_ms: int) -> None:
        self.user_id = user_id
        self.key = key
        self.state = state
        self.due_ms = due_ms
        self.dirty = False
        self.held: bool | None = None  # in the global control group, once it was asked

    @property
    def alias(self) -> str:
        return self.user_id.partition(".")[0]


class Store:
    """`changed` collects the keys of all changed rows, of people and of whatever else has rows."""

    def __init__(self) -> None:
        self._most = 2
        self._rows: dict[bytes, bytes] = {}
        self._decoded: OrderedDict[str, Person] = OrderedDict()
        self._heap: list[bytes] = []
        self._heap_ready = True
        self._soonest_ms: int | None = None  # when the first timer is due, where that is known
        self.changed: dict[bytes, None] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def limit(self, users_in_memory: int) -> None:
        """How many people are kept decoded; at least two, for a merge holds two at once."""
        self._most = max(2, users_in_memory)

    def get(self, user_id: str) -> Person | None:
        person = self._decoded.get(user_id)
        if person is not None:
            self._decoded.move_to_end(user_id)
            return person
        key = b"u:" + user_id.encode()
        row = self._rows.get(key)
        if row is None:
            return None
        due_ms = int.from_bytes(row[:DUE_BYTES], "big")
        return self._keep(Person(user_id, key, decode_user(row), due_ms))

    def create(self, user_id: str, state: UserState) -> Person:
        key = b"u:" + user_id.encode()
        assert key not in self._rows, "a person is created once"
        self._rows[key] = b""
        person = self._keep(Person(user_id, key, state, NEVER_MS))
        self.touch(person)
        return person

    def touch(self, person: Person) -> None:
        if not person.dirty:
            person.dirty = True
            self.changed[person.key] = None

    def delete(self, person: Person) -> None:
        del self._rows[person.key]
        del self._decoded[person.user_id]
        person.dirty = False
        person.due_ms = NEVER_MS
        self._soonest_ms = None
        self.changed[person.key] = None

    def set_due(self, person: Person, due_ms: int) -> None:
        if due_ms == person.due_ms:
            return
        person.due_ms = due_ms
        self._soonest_ms = None
        self.touch(person)
        if due_ms != NEVER_MS:
            heappush(self._timers(), due_ms.to_bytes(DUE_BYTES, "big") + person.key)
            if len(self._heap) > 2 * len(self._rows) + HEAP_SLACK:
                self._heap_ready = False

    def next_due_ms(self) -> int | None:
        soonest_ms = self.soonest_ms()
        return None if soonest_ms == NEVER_MS else soonest_ms

    def soonest_ms(self) -> int:
        """When the first timer is due; NEVER_MS where none is set."""
        if self._soonest_ms is None:
            self._soonest_ms = self._find_soonest()
        return self._soonest_ms

    def pop_due(self, now_ms: int) -> Person | None:
        """The person whose timer is due first, if any is due. The caller sets a new due time."""
        if self.soonest_ms() > now_ms:
            return None
        self._soonest_ms = None
        key = heappop(self._heap)[DUE_BYTES:]
        person = self.get(key[2:].decode())
        assert person is not None
        return person

    def row(self, key: bytes) -> bytes | None:
        """The row of a person as it stands, None where there is none."""
        person = self._decoded.get(key[2:].decode())
        if person is not None and person.dirty:
            self._settle(person)
        return self._rows.get(key)

    def load(self, key: bytes, row: bytes) -> None:
        check_user_version(key, row)
        self._rows[key] = row
        self._heap_ready = False
        self._soonest_ms = None

    def _keep(self, person: Person) -> Person:
        decoded = self._decoded
        decoded[person.user_id] = person
        if len(decoded) > self._most:
            _, oldest = decoded.popitem(last=False)
            if oldest.dirty:
                self._settle(oldest)
        return person

    def _settle(self, person: Person) -> None:
        self._rows[person.key] = encode_user(person.state, person.due_ms)
        person.dirty = False

    def _find_soonest(self) -> int:
        heap = self._timers()
        while heap:
            entry = heap[0]
            if entry[:DUE_BYTES] == self._due_of(entry[DUE_BYTES:]):
                return int.from_bytes(entry[:DUE_BYTES], "big")
            heappop(heap)
        return NEVER_MS

    def _due_of(self, key: bytes) -> bytes | None:
        person = self._decoded.get(key[2:].decode())
        if person is not None:
            return person.due_ms.to_bytes(DUE_BYTES, "big")
        row = self._rows.get(key)
        return None if row is None else row[:DUE_BYTES]

    def _timers(self) -> list[bytes]:
        if not self._heap_ready:
            self._heap = list(self._all_due())
            heapify(self._heap)
            self._soonest_ms = None
            self._heap_ready = True
        return self._heap

    def _all_due(self) -> Iterator[bytes]:
        for key, row in self._rows.items():
            due = row[:DUE_BYTES]
            person = self._decoded.get(key[2:].decode()) if self._decoded else None
            if person is not None:
                due = person.due_ms.to_bytes(DUE_BYTES, "big")
            if due != NEVER:
                yield due + key
