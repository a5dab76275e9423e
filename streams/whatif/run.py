"""Fold the same input twice, side by side: as it was, and with the change in force."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from streams.contract.records import Control, Genesis, Mail, Origin, Record
from streams.contract.reports import Applied
from streams.contract.topics import CONTROL, EVENTS
from streams.engine.config import Config
from streams.engine.fold import ENGINE_VERSION
from streams.event_file import Clock
from streams.faults import UserFault
from streams.intake import Intake
from streams.whatif.asking import Asking
from streams.whatif.change import Change, InForce, body_of, changed_genesis, command, commands
from streams.whatif.compare import Comparison
from streams.whatif.logs import PUBLISHES, Scanned, in_order
from streams.whatif.sides import AsItWas, AsItWouldBe, FileSide, Side

TELL_EVERY: Final = 2_048
OF_OURS: Final = 1  # the epoch of commands that the log does not hold

Progress = Callable[[int], None]  # records so far


class Ran:
    """What came of it. `was` and `would` are the sides as they stand at the end."""

    def __init__(self, change: Change, was: Side, would: Side) -> None:
        self.change = change
        self.was = was
        self.would = would
        self.comparison = Comparison(lambda side, *person: (was, would)[side].latest(*person))
        self.asking = Asking(change)
        self.records = 0
        self.first_ms = 0
        self.last_ms = 0
        self._in_force = change.since_ms is None

    def attach(self) -> None:
        """Once the folds have begun."""
        for fold in self.was.folds.values():
            self.asking.attach(fold.engine)

    def put_in_force(self, at_ms: int, versions: Mapping[tuple[str, str], int]) -> None:
        """Where the change begins in the middle."""
        since_ms = self.change.since_ms
        if self._in_force or since_ms is None or at_ms < since_ms:
            return
        self._in_force = True
        for number, one in enumerate(commands(self.change, versions)):
            for partition, fold in self.would.folds.items():
                stamp = max(since_ms, fold.now_ms)
                origin = Origin(CONTROL, OF_OURS, 0, number)
                self.command(partition, replace(one, at_ms=stamp, origin=origin))

    def command(self, partition: int, made: Control) -> None:
        """A command of the change. Raises UserFault where the deployment would refuse it."""
        self.would.handle(partition, made)
        for _, effect in self.would.said:
            if isinstance(effect, Applied) and effect.problem and effect.sha256 == made.sha256:
                raise UserFault(f"{made.kind} {made.id} would be refused: {effect.problem}")

    def stepped(self, at_ms: int) -> None:
        """Both sides have folded a record."""
        was, would = self.was.said, self.would.said
        if was or would:
            self.asking.note(was)
            self.comparison.step(was, would)
            was.clear()
            would.clear()
        self.records += 1
        self.first_ms = self.first_ms or at_ms
        self.last_ms = max(self.last_ms, at_ms)

    @property
    def in_force(self) -> bool:
        return self._in_force


def over_events(
    config: Config,
    change: Change,
    events: Iterable[bytes],
    *,
    key: bytes,
    folded: Sequence[int] | None = None,
    limit: int = 0,
    progress: Progress = lambda _: None,
) -> Ran:
    """Raw events in arrival order, as `streams replay` takes them. `folded`: partitions, all where
    None; `limit`: most events, 0 for all."""
    partitions = tuple(range(config.partitions) if folded is None else folded)
    intake = Intake(key=key, tenant=config.tenant, partitions=config.partitions)
    was, would = (FileSide(config.partitions, partitions) for _ in range(2))
    ran = Ran(change, was, would)
    versions = _versions(config, ())
    for offset, (at_ms, raw) in enumerate(Clock().stamped(events)):
        if limit and ran.records >= limit:
            break
        if not offset:
            _begin(ran, _genesis(config, partitions, at_ms))
        partition, record = intake.take(raw, Origin(EVENTS, 0, 0, offset), at_ms)
        if partition not in was.folds:
            continue
        was.fire(at_ms)
        if not ran.in_force:
            would.fire(min(at_ms, change.since_ms or at_ms))
            ran.put_in_force(at_ms, versions)
        would.fire(at_ms)
        was.handle(partition, record)
        would.handle(partition, record)
        ran.stepped(at_ms)
        if ran.records % TELL_EVERY == 0:
            progress(ran.records)
    return _finished(ran)


def over_log(
    scanned: Scanned,
    change: Change,
    *,
    folded: Sequence[int] | None = None,
    limit: int = 0,
    progress: Progress = lambda _: None,
) -> Ran:
    """A dumped log, from its beginning. `folded`: partitions, all the dump has where None; `limit`:
    most records, 0 for all."""
    partitions = tuple(scanned.genesis if folded is None else folded)
    missing = [partition for partition in partitions if partition not in scanned.genesis]
    if missing:
        known = ", ".join(map(str, scanned.genesis))
        raise UserFault(f"partition {missing[0]} is not in the log; it holds: {known}")
    was = AsItWas(scanned.partitions, partitions)
    would = AsItWouldBe(scanned.partitions, partitions, was)
    ran = Ran(change, was, would)
    _begin(ran, [scanned.genesis[partition] for partition in partitions], scanned.published)
    versions = _versions(scanned.config, scanned.controls)
    replaced: set[tuple[int, str, str]] = set()
    for partition, record in in_order(scanned, partitions, was.sent):
        if limit and ran.records >= limit:
            break
        if isinstance(record, Genesis):
            continue
        at_ms = record.at_ms
        would.deliver_overdue(at_ms)
        would.keep_time(at_ms)
        ran.put_in_force(at_ms, versions)
        was.handle(partition, record)
        _would_be(ran, would, partition, record, replaced)
        ran.stepped(at_ms)
        if ran.records % TELL_EVERY == 0:
            progress(ran.records)
    return _finished(ran)


def _would_be(
    ran: Ran, would: AsItWouldBe, partition: int, record: Record,
    replaced: set[tuple[int, str, str]],
) -> None:  # fmt: skip
    if isinstance(record, Mail):
        would.at_the_place_of(partition, record)
    elif isinstance(record, Control) and ran.change.since_ms is None:
        found = _instead(ran.change, record, partition, replaced, would)
        if found is not None and found is not record:
            ran.command(partition, found)
        elif found is not None:
            would.handle(partition, found)
    elif not (isinstance(record, Control) and ran.in_force and _concerned(ran.change, record)):
        would.handle(partition, record)


def _instead(
    change: Change, record: Control, partition: int,
    replaced: set[tuple[int, str, str]], would: Side,
) -> Control | None:  # fmt: skip
    """A command as it is with the change: what it published first is changed, what follows of the
    same is dropped."""
    if not _concerned(change, record):
        return record
    if record.kind == "journey" and would.folds[partition].engine.book.newest(record.id):
        return None
    place = (partition, record.kind, record.id)
    if place in replaced:
        return None
    replaced.add(place)
    made = command(record.kind, record.id, body_of(change, record.kind, record.id))
    return replace(made, at_ms=record.at_ms, origin=record.origin)


def _concerned(change: Change, record: Control) -> bool:
    return record.kind in PUBLISHES and body_of(change, record.kind, record.id) is not None


def _begin(
    ran: Ran, found: Iterable[Genesis], published: frozenset[tuple[str, str]] = frozenset()
) -> None:
    for genesis in found:
        ran.was.begin(genesis)
        if ran.change.since_ms is None:
            ran.would.begin(changed_genesis(genesis, ran.change, published=published))
        else:
            ran.would.begin(genesis)
    ran.attach()


def _genesis(config: Config, partitions: Iterable[int], at_ms: int) -> list[Genesis]:
    return [
        Genesis(
            at_ms=at_ms,
            partition=partition,
            partitions=config.partitions,
            seed=config.seed,
            config=msgspec.to_builtins(config),
            engine_version=ENGINE_VERSION,
        )
        for partition in partitions
    ]


def _versions(config: Config, controls: Iterable[Control]) -> dict[tuple[str, str], int]:
    """The greatest version of everything by the end of the log."""
    found = {("journey", spec.id): spec.version for spec in config.journeys}
    found["policy", "policy"] = config.policy.version
    found["content", "content"] = config.content.version
    for one in controls:
        if one.kind in PUBLISHES:
            found[one.kind, one.id] = max(found.get((one.kind, one.id), 0), one.version)
    return found


def _finished(ran: Ran) -> Ran:
    if not ran.records:
        raise UserFault("the input holds nothing to fold; see --limit and --partition")
    if not ran.in_force:
        raise UserFault("--from is after the end of the input; give a moment within it")
    return ran


def in_force_of(config: Config) -> InForce:
    """Of a configuration that no command has changed."""
    journeys = {spec.id: spec for spec in config.journeys}
    return InForce(journeys, config.policy, config.content)
