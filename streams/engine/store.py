"""People in memory: every row encoded, the most recently used ones decoded, timers by the hour.

A million people are a million values of bytes; what is decoded is a bounded window over them.
Whether a person is decoded, evicted or freshly loaded changes no byte. Timers wait in one list of
keys per hour; the hour that is due stands in a heap, which orders by (due, user id). An entry whose
person is now due at another time is dropped when it surfaces.
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

HOUR_MS = 3_600_000
SLACK = 1_024  # stale timers tolerated beyond one per person


class Person:
    """A decoded row. Change `state`, then call `Store.touch`."""

    __slots__ = ("dirty", "due_ms", "key", "state", "user_id")

    def __init__(self, user_id: str, key: bytes, state: UserState, due_ms: int) -> None:
        self.user_id = user_id
        self.key = key
        self.state = state
        self.due_ms = due_ms
        self.dirty = False

    @property
    def alias(self) -> str:
        return self.user_id.partition(".")[0]


class Store:
    """`changed` collects the keys of all changed rows, of people and of whatever else has rows."""

    def __init__(self) -> None:
        self._most = 2
        self._rows: dict[bytes, bytes] = {}
        self._decoded: OrderedDict[str, Person] = OrderedDict()
        self._hours: dict[int, list[bytes]] = {}  # hour -> keys of people due in it
        self._open: list[tuple[int, bytes]] = []  # a heap: (due, key) up to the open hour
        self._open_hour = -1
        self._timers = 0  # entries in both
        self._timers_ready = True
        self._soonest_ms: int | None = None  # when the first timer is due, where that is known
        self.changed: dict[bytes, None] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        """All user ids; the order is that of the rows' arrival."""
        for key in list(self._rows):
            yield key[2:].decode()

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

    def copy(self, user_id: str) -> Person | None:
        """The person apart from the store, for who only asks: nothing done to it counts."""
        key = b"u:" + user_id.encode()
        person = self._decoded.get(user_id)
        row = self._rows.get(key) if person is None else encode_user(person.state, person.due_ms)
        if row is None:
            return None
        return Person(user_id, key, decode_user(row), int.from_bytes(row[:DUE_BYTES], "big"))

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
            self._add_timer(due_ms, person.key)
            if self._timers > 2 * len(self._rows) + SLACK:
                self._timers_ready = False

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
        _, key = heappop(self._open)
        self._timers -= 1
        person = self.get(key[2:].decode())
        assert person is not None
        person.key = key  # one object for the row, the timers and the person
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
        self._timers_ready = False
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
        if not self._timers_ready:
            self._set_all_timers()
        while self._open or self._hours:
            if not self._open:
                self._open_next_hour()
                continue
            due_ms, key = self._open[0]
            if due_ms == self._due_of(key):
                return due_ms
            heappop(self._open)
            self._timers -= 1
        return NEVER_MS

    def _open_next_hour(self) -> None:
        hour = min(self._hours)
        keys = self._hours.pop(hour)
        for key in keys:
            due_ms = self._due_of(key)
            if due_ms // HOUR_MS == hour:
                self._open.append((due_ms, key))
        heapify(self._open)
        self._timers -= len(keys) - len(self._open)
        self._open_hour = hour

    def _add_timer(self, due_ms: int, key: bytes) -> None:
        hour = due_ms // HOUR_MS
        self._timers += 1
        if hour <= self._open_hour:
            heappush(self._open, (due_ms, key))
        elif hour in self._hours:
            self._hours[hour].append(key)
        else:
            self._hours[hour] = [key]

    def _due_of(self, key: bytes) -> int:
        """NEVER_MS where the person has no timer or is not here any more."""
        person = self._decoded.get(key[2:].decode()) if self._decoded else None
        if person is not None:
            return person.due_ms
        row = self._rows.get(key)
        return NEVER_MS if row is None else int.from_bytes(row[:DUE_BYTES], "big")

    def _set_all_timers(self) -> None:
        self._hours.clear()
        self._open.clear()
        self._open_hour = -1
        self._timers = 0
        self._timers_ready = True
        for key in self._rows:
            due_ms = self._due_of(key)
            if due_ms != NEVER_MS:
                self._add_timer(due_ms, key)
