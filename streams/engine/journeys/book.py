"""The journeys of a deployment: every version somebody may still be in, and who is asked at what.

    j:<id>/<version>   the version as published, and when a later one took its place
    j:<id>             Held: whether an operator has paused it

Journeys are found by event type, and under it by a value their condition demands (`data.category ==
'tea'`), so that a thousand journeys cost about as much as those that could match.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from streams.contract.control import digest
from streams.contract.journeys import JourneySpec
from streams.engine.journeys.compiled import Journey
from streams.engine.journeys.view import View
from streams.engine.journeys.vocabulary import Vocabulary, captured
from streams.engine.policy.terms import length_ms
from streams.engine.state import decode_row, encode_row

PREFIX: Final = b"j:"
MOST_BODY_BYTES: Final = 12 * 1024
ALL: Final = "*"
KEEPS_NOBODY: Final = (
    "would keep who another person is, whose erasure would not reach it; ask data. in "
    "entry.where, or profile.invited_by"
)


class Kept(Struct, array_like=True):
    """A row of one version; `replaced_ms` 0: it is the newest."""

    body: dict[str, Any]
    sha256: str
    replaced_ms: int = 0


class Held(Struct, array_like=True):
    paused: bool = False


class Entries:
    """The journeys entered by one type of event."""

    def __init__(self) -> None:
        self.always: list[Journey] = []
        self.by_value: dict[str, dict[object, list[Journey]]] = {}

    def add(self, journey: Journey) -> None:
        if not journey.equalities:
            self.always.append(journey)
            return
        name, value = journey.equalities[0]
        self.by_value.setdefault(name, {}).setdefault(value, []).append(journey)

    def possible(self, view: View) -> list[Journey]:
        """Those whose condition the event may meet, in the order of their ids."""
        if not self.by_value:
            return self.always
        found = list(self.always)
        for name, journeys in self.by_value.items():
            value = captured(name, view)
            if isinstance(value, str | int | float):
                found += journeys.get(value, ())
        found.sort(key=_name)
        return found


def _name(journey: Journey) -> str:
    return journey.name


class Book:
    def __init__(
        self, journeys: Iterable[JourneySpec], vocabulary: Vocabulary, changed: dict[bytes, None]
    ) -> None:
        self._vocabulary = vocabulary
        self._changed = changed
        self._kept: dict[tuple[str, int], Kept] = {}
        self._compiled: dict[tuple[str, int], Journey] = {}
        self._newest: dict[str, Journey] = {}
        self.paused: dict[str, bool] = {}
        self.entries: dict[str, Entries] = {}
        self.heard: frozenset[str] = frozenset()
        self.asked_for: frozenset[str] = frozenset()
        for spec in journeys:
            body = _body(spec)
            self._keep(spec, Kept(body, digest(body)))
        self._index()

    def __iter__(self) -> Iterator[Journey]:
        """The newest version of each journey, by id."""
        return (self._newest[name] for name in sorted(self._newest))

    def newest(self, name: str) -> Journey | None:
        return self._newest.get(name)

    def version(self, name: str, version: int) -> Journey | None:
        return self._compiled.get((name, version))

    def is_paused(self, name: str) -> bool:
        newest = self._newest.get(name)
        return (
            newest is None
            or newest.spec.status in ("paused", "retired", "draft")
            or self.paused.get(name, False)
            or self.paused.get(ALL, False)
        )

    @property
    def remembers_ms(self) -> int:
        """How long a person's sends count for caps and budgets of journeys' own."""
        rules = [journey.rules for journey in self._compiled.values()]
        spans = [length_ms(cap) for each in rules for cap in each.caps]
        return max([0, *spans, *(each.person_ms for each in rules)])

    def publish(self, body: Any, sha256: str, now_ms: int) -> str:
        """Take a version over. What is wrong with it, empty where it took effect; the same version
        with the same content again is no fault."""
        try:
            spec = msgspec.convert(body, JourneySpec)
        except msgspec.ValidationError as error:
            return f"is no journey: {error}"
        if digest(body) != sha256:
            return "its digest is not that of its body"
        if len(msgspec.json.encode(body)) > MOST_BODY_BYTES:
            return f"is larger than {MOST_BODY_BYTES} bytes without its tests"
        known = self._kept.get((spec.id, spec.version))
        if known is not None:
            if known.sha256 == sha256:
                return ""
            return f"version {spec.version} was published with another content; raise the version"
        newest = self._newest.get(spec.id)
        if newest is not None and spec.version <= newest.version:
            return f"version {newest.version} is published already; raise the version above it"
        try:
            wants = Journey(spec, self._vocabulary).wants
        except ValueError as error:  # a JourneyError, or a duration out of bounds
            return str(error)
        if wants:
            return f"{wants[0]}: {KEEPS_NOBODY}"
        if newest is not None:
            self._replace(newest, now_ms)
        self._keep(spec, Kept(body, sha256))
        self._changed[_key(spec.id, spec.version)] = None
        self._forget(spec.id, now_ms)
        self._index()
        return ""

    def hold(self, name: str, *, paused: bool) -> str:
        """Pause or go on; `*` is all. What is wrong, empty where it took effect."""
        if name != ALL and name not in self._newest:
            known = ", ".join(sorted(self._newest)) or "none"
            return f"no journey {name!r} is published; there are: {known}"
        self.paused[name] = paused
        self._changed[PREFIX + name.encode()] = None
        return ""

    def row(self, key: bytes) -> bytes | None:
        name, slash, version = key[len(PREFIX) :].decode().partition("/")
        if not slash:
            return encode_row(Held(self.paused.get(name, False)))
        kept = self._kept.get((name, int(version)))
        return None if kept is None else encode_row(kept)

    def load(self, key: bytes, row: bytes) -> None:
        """Call `ready` after the last one."""
        name, slash, _ = key[len(PREFIX) :].decode().partition("/")
        if slash:
            kept = decode_row(key, row, Kept)
            self._keep(msgspec.convert(kept.body, JourneySpec), kept)
        else:
            self.paused[name] = decode_row(key, row, Held).paused

    def ready(self) -> None:
        self._index()

    def _keep(self, spec: JourneySpec, kept: Kept) -> None:
        journey = Journey(spec, self._vocabulary)
        self._kept[spec.id, spec.version] = kept
        self._compiled[spec.id, spec.version] = journey
        newest = self._newest.get(spec.id)
        if newest is None or newest.version < spec.version:
            self._newest[spec.id] = journey

    def _replace(self, older: Journey, now_ms: int) -> None:
        self._kept[older.name, older.version].replaced_ms = now_ms
        self._changed[_key(older.name, older.version)] = None

    def _forget(self, name: str, now_ms: int) -> None:
        """Versions that nobody can be in any more, nor wait for a result of."""
        for key, kept in list(self._kept.items()):
            journey = self._compiled[key]
            longest_ms = journey.after_ms + (journey.reward.window_ms if journey.reward else 0)
            if key[0] == name and kept.replaced_ms and now_ms - kept.replaced_ms > longest_ms:
                del self._kept[key], self._compiled[key]
                self._changed[_key(*key)] = None

    def _index(self) -> None:
        self.entries = {}
        heard: set[str] = set()
        asked_for: set[str] = set()
        for journey in self:
            if journey.spec.enabled:
                for kind in journey.on:
                    self.entries.setdefault(kind, Entries()).add(journey)
        for journey in self._compiled.values():
            heard |= journey.exits | journey.waits_on
            heard |= journey.reward.on if journey.reward else frozenset()
            asked_for |= journey.asks_for
        self.heard = frozenset(heard)
        self.asked_for = frozenset(asked_for)


def _key(name: str, version: int) -> bytes:
    return PREFIX + f"{name}/{version}".encode()


def _body(spec: JourneySpec) -> dict[str, Any]:
    """What is published: the file without its tests."""
    found: dict[str, Any] = msgspec.to_builtins(spec)
    found.pop("test", None)
    return found
