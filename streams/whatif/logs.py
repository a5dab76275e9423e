"""Dumped logs in the order of time, all partitions together; what they have in force.

A dump holds one partition after the other. What one partition mails to another has to be said
before it arrives, so partitions are read side by side, each by a reader of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from streams.contract.content import Library
from streams.contract.journeys import JourneySpec
from streams.contract.policy import Policy
from streams.contract.records import Control, Genesis, Mail, Record
from streams.engine.config import Config
from streams.engine.fold import ENGINE_VERSION
from streams.faults import UserFault
from streams.log_file import genesis_of, read_log, record_of
from streams.whatif.change import InForce

SUFFIXES: Final = (".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz")
PUBLISHES: Final = ("journey", "policy", "content")


class Scanned(NamedTuple):
    """What stands on a log, from one quick look over it."""

    files: tuple[Path, ...]
    genesis: Mapping[int, Genesis]
    controls: tuple[Control, ...]  # of the first partition that has any
    records: int

    @property
    def partitions(self) -> int:
        return next(iter(self.genesis.values())).partitions

    @property
    def published(self) -> frozenset[tuple[str, str]]:
        """Kind and id of what commands put in force, as far as the genesis record does not."""
        config = self.config
        first = {("journey", spec.id) for spec in config.journeys}
        return frozenset(
            (one.kind, one.id)
            for one in self.controls
            if one.kind in PUBLISHES and (one.kind, one.id) not in first
        )

    @property
    def config(self) -> Config:
        return msgspec.convert(next(iter(self.genesis.values())).config, Config)

    @property
    def in_force(self) -> InForce:
        config = self.config
        journeys = {spec.id: spec for spec in config.journeys}
        policy, content = config.policy, config.content
        for one in self.controls:
            if one.kind == "journey":
                journeys[one.id] = msgspec.convert(one.body, JourneySpec)
            elif one.kind == "policy":
                policy = msgspec.convert(one.body, Policy)
            elif one.kind == "content":
                content = msgspec.convert(one.body, Library)
        return InForce(journeys, policy, content)


def scan(log: Path) -> Scanned:
    """Raises UserFault where it is no log, or none from its beginning."""
    files = _files(log)
    genesis: dict[int, Genesis] = {}
    controls: dict[int, list[Control]] = {}
    records = 0
    for file in files:
        for entry in read_log(file):
            records += 1
            if entry.partition not in genesis:
                genesis[entry.partition] = genesis_of(file, entry)
            elif b'"control"' in bytes(memoryview(entry.value)[:40]):
                record = record_of(file, entry)
                if isinstance(record, Control):
                    controls.setdefault(entry.partition, []).append(record)
    if not genesis:
        raise UserFault(f"{log}: holds no records; `streams log dump` writes a log")
    first = controls[min(controls)] if controls else []
    scanned = Scanned(files, dict(sorted(genesis.items())), tuple(first), records)
    _check(log, scanned)
    return scanned


def _check(log: Path, scanned: Scanned) -> None:
    """This engine has to be able to fold it."""
    newest = max(genesis.engine_version for genesis in scanned.genesis.values())
    if newest > ENGINE_VERSION:
        raise UserFault(f"{log}: is of engine version {newest}; use the newer program")
    try:
        _ = scanned.in_force
    except msgspec.ValidationError as error:
        raise UserFault(
            f"{log}: what it has in force is of another version ({error}); use that program"
        ) from None


def in_order(
    scanned: Scanned, folded: Sequence[int], sent: Mapping[tuple[int, int], int]
) -> Iterator[tuple[int, Record]]:
    """The records of the partitions, by time. `sent`: how many mails each partition has sent to
    each so far; mail comes after it was sent."""
    heads: dict[int, Record] = {}
    times = dict.fromkeys(folded, 0)
    readers = {partition: _records(scanned.files, partition) for partition in folded}
    arrived = Arrived(folded, sent)

    def advance(partition: int) -> None:
        record = next(readers[partition], None)
        if record is None:
            heads.pop(partition, None)
        else:
            heads[partition] = record
            times[partition] = max(times[partition], record.at_ms)

    for partition in folded:
        advance(partition)
    while heads:
        ready = [p for p in heads if not arrived.too_early(p, heads[p])] or list(heads)
        partition = min(ready, key=lambda p: (times[p], p))
        record = heads[partition]
        arrived.note(partition, record)
        yield partition, record
        advance(partition)


class Arrived:
    """Which mail has arrived so far; mail that comes again is passed on and not counted."""

    def __init__(self, folded: Sequence[int], sent: Mapping[tuple[int, int], int]) -> None:
        self._folded = frozenset(folded)
        self._sent = sent
        self._counts: dict[tuple[int, int], int] = {}
        self._marks: dict[tuple[int, int], tuple[int, int]] = {}

    def too_early(self, target: int, record: Record) -> bool:
        if not isinstance(record, Mail):
            return False
        way = (record.origin.partition, target)
        if way[0] not in self._folded or not self._is_new(way, record):
            return False
        return self._counts.get(way, 0) >= self._sent.get(way, 0)

    def note(self, target: int, record: Record) -> None:
        if isinstance(record, Mail):
            way = (record.origin.partition, target)
            if self._is_new(way, record):
                self._marks[way] = (record.origin.epoch, record.origin.offset)
                self._counts[way] = self._counts.get(way, 0) + 1

    def _is_new(self, way: tuple[int, int], record: Mail) -> bool:
        return (record.origin.epoch, record.origin.offset) > self._marks.get(way, (-1, -1))


def _records(files: Sequence[Path], partition: int) -> Iterator[Record]:
    for file in files:
        for entry in read_log(file):
            if entry.partition == partition:
                yield record_of(file, entry)


def _files(log: Path) -> tuple[Path, ...]:
    if not log.is_dir():
        return (log,)
    files = tuple(path for path in sorted(log.iterdir()) if path.name.endswith(SUFFIXES))
    if not files:
        raise UserFault(f"{log}: holds no *.ndjson; name a dump or a folder of them")
    return files
