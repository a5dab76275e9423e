"""The main job without a broker: raw events in; triggers, decisions, profiles, dead letters and
reports out.

All partitions' folds stand in one process. Before each record the due timers of every fold are
fired by Tick records, in (due, partition) order; mail reaches its partition at once. After the last
event nothing more is fired unless `drain` is asked for: a later event of the same person could stop
a timer still. The result depends on the input bytes alone, not on the batch size: a batch only says
how many records of a partition lie between two commits of its changed rows.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from time import perf_counter

import msgspec

from streams import snapshot
from streams.contract.codec import decode, decode_record, encode
from streams.contract.records import Genesis, Mail, Origin, Record, Tick
from streams.contract.topics import EVENTS, MAIL
from streams.engine.config import Config
from streams.engine.fold import ENGINE_VERSION, OLDEST_ENGINE, EngineFold
from streams.event_file import Clock, read_lines
from streams.faults import UserFault
from streams.fold import Output, Row
from streams.intake import Intake
from streams.outputs import Outputs
from streams.snapshot import StateRow
from streams.summary import Summary, summarise, write_summary
from streams.told_by_models import measures

DEFAULT_BATCH = 4_096
# For trying things out; a deployment's own key makes other pseudonyms. No secret.
TRIAL_KEY = b"streams-trial-alias-key"
MAX_TICKS_AT_ONCE = 1_000_000  # of one fold at one moment: more means it does not get past a timer
NEVER_MS = 1 << 62


class ReplayError(UserFault):
    """One line: what was wrong in the input, where, what to do."""


class Replay:
    """Feed it events in arrival order, then `close()`. With `keep_rows` it can write snapshots."""

    def __init__(
        self,
        config: Config,
        *,
        key: bytes,
        outputs: Outputs,
        batch: int = DEFAULT_BATCH,
        keep_rows: bool = False,
    ) -> None:
        if batch < 1:
            raise ReplayError(f"a batch of {batch} records is not possible; give at least 1")
        self.config = config
        self.clock = Clock()
        self.events_in = 0
        self.outputs = outputs
        self.engine_seconds = 0.0
        partitions = range(config.partitions)
        self._intake = Intake(key=key, tenant=config.tenant, partitions=config.partitions)
        self.folds = [EngineFold(partition, config) for partition in partitions]
        self._batch = batch
        self._uncommitted = [0 for _ in partitions]
        self._due = [NEVER_MS for _ in partitions]
        self._event_offset = 0
        self._mail_offsets = [0 for _ in partitions]
        self._rows: dict[int, dict[bytes, bytes]] | None = None
        if keep_rows:
            self._rows = {partition: {} for partition in partitions}
        self._begun = False

    @classmethod
    def resume(
        cls,
        path: Path,
        *,
        key: bytes,
        outputs: Outputs,
        batch: int = DEFAULT_BATCH,
        keep_rows: bool = False,
    ) -> "Replay":
        """Go on where a snapshot stands, under the configuration it was taken with."""
        header = snapshot.verify(path)
        if not OLDEST_ENGINE <= header.engine_version <= ENGINE_VERSION:
            raise ReplayError(
                f"{path}: taken by engine version {header.engine_version}, this is "
                f"{ENGINE_VERSION}; replay from the beginning or use that version"
            )
        config = msgspec.convert(header.config, Config)
        replay = cls(config, key=key, outputs=outputs, batch=batch, keep_rows=keep_rows)
        replay._begun = True
        replay.clock = Clock(header.clock_ms)
        replay._event_offset = header.positions[EVENTS][0]
        replay._mail_offsets = list(header.positions[MAIL])
        for partition, row_key, value in snapshot.read_rows(path):
            replay.folds[partition].load_row(row_key, value)
            if replay._rows is not None:
                replay._rows[partition][row_key] = value
        for partition, fold in enumerate(replay.folds):
            due_ms = fold.next_due_ms()
            replay._due[partition] = NEVER_MS if due_ms is None else due_ms
        return replay

    def feed(self, raws: Iterable[bytes]) -> None:
        """Take events in arrival order."""
        started = perf_counter()
        take, handle, due, offset = self._intake.take, self._handle, self._due, self._event_offset
        first = offset
        for at_ms, raw in self.clock.stamped(raws):
            if not self._begun:
                self._begin(at_ms)
            if min(due) <= at_ms:
                self._fire(at_ms)
            partition, record = take(raw, Origin(EVENTS, 0, 0, offset), at_ms)
            offset += 1
            handle(partition, record)
        self._event_offset = offset
        self.events_in += offset - first
        self.engine_seconds += perf_counter() - started

    def drain(self, until_ms: int) -> None:
        """Let time go on without events: fire every timer due up to `until_ms`."""
        started = perf_counter()
        self.clock.now_ms = max(self.clock.now_ms, until_ms)
        self._fire(until_ms)
        self.engine_seconds += perf_counter() - started

    def close(self) -> None:
        """Commit what is left, tell what came of the journeys so far, and close the outputs."""
        for partition, fold in enumerate(self.folds):
            self._commit(partition)
            for report in fold.reports():
                self.outputs.write(report)
        self.outputs.close()

    def counters(self) -> dict[str, float]:
        """The folds' counters, summed over the partitions."""
        total: dict[str, float] = {}
        for fold in self.folds:
            add_counters(total, fold.counters())
        return total

    def state_rows(self) -> Iterator[StateRow]:
        """The committed rows, by partition and key. Only with `keep_rows`, after `close`."""
        if self._rows is None:
            raise ReplayError("this replay keeps no rows; ask for keep_rows")
        return sorted_rows(self._rows)

    def save(self, path: Path) -> snapshot.Header:
        """Write a snapshot of where this replay stands."""
        header = snapshot.Header(
            engine_version=ENGINE_VERSION,
            partitions=self.config.partitions,
            clock_ms=self.clock.now_ms,
            positions={EVENTS: [self._event_offset], MAIL: self._mail_offsets},
            config=msgspec.to_builtins(self.config),
        )
        return snapshot.write(path, header, self.state_rows())

    def _begin(self, at_ms: int) -> None:
        self._begun = True
        config = msgspec.to_builtins(self.config)
        for partition in range(self.config.partitions):
            genesis = Genesis(
                at_ms=at_ms,
                partition=partition,
                partitions=self.config.partitions,
                seed=self.config.seed,
                config=config,
                engine_version=ENGINE_VERSION,
            )
            # By its bytes, as from a log: a value equal to a default but another object is written
            # out, so the outputs of a replay, of a resumed one and of a worker are the same bytes.
            self._handle(partition, decode_record(encode(genesis)))

    def _handle(self, partition: int, record: Record) -> None:
        fold = self.folds[partition]
        emitted = fold.handle_record(record)
        if emitted:
            self._emit(partition, emitted)
        due_ms = fold.next_due_ms()
        self._due[partition] = NEVER_MS if due_ms is None else due_ms
        self._uncommitted[partition] = uncommitted = self._uncommitted[partition] + 1
        if uncommitted >= self._batch:
            self._commit(partition)

    def _emit(self, partition: int, emitted: Sequence[Output]) -> None:
        write, has_mail = self.outputs.write, False
        for output in emitted:
            if output.topic == MAIL:
                has_mail = True
            else:
                write(output)
        if has_mail:
            for output in emitted:
                if output.topic == MAIL:
                    self._deliver(partition, output)

    def _deliver(self, source: int, output: Output) -> None:
        offset = self._mail_offsets[source]
        self._mail_offsets[source] = offset + 1
        mail = decode(output.value or b"", Mail)
        mail.at_ms = max(mail.at_ms, self.folds[source].now_ms)
        mail.origin = Origin(MAIL, 0, source, offset)
        self._handle(int(output.key), mail)

    def _fire(self, until_ms: int) -> None:
        """Fire what is due in every fold, in (due, partition) order."""
        due = self._due
        moment_ms, ticks = 0, 0
        while (soonest_ms := min(due)) <= until_ms:
            partition = due.index(soonest_ms)
            at_ms = max(soonest_ms, self.folds[partition].now_ms)
            ticks = ticks + 1 if at_ms == moment_ms else 1
            moment_ms = at_ms
            if ticks > MAX_TICKS_AT_ONCE:
                raise RuntimeError(f"the fold of {partition} does not get past its timer {at_ms}")
            self._handle(partition, Tick(at_ms=at_ms))

    def _commit(self, partition: int) -> None:
        self._uncommitted[partition] = 0
        changed = self.folds[partition].changed_rows()
        if self._rows is None:
            deque(changed, maxlen=0)
            return
        keep(self._rows[partition], changed)


def replay_file(
    events: Path,
    replay: Replay,
    *,
    progress: Callable[[Iterator[bytes]], Iterable[bytes]] = iter,
    drain_ms: int = 0,
) -> Summary:
    """Replay a file of raw events to its end and `drain_ms` beyond it; close and sum up.

    Raises FileError. `progress` may watch the lines on their way.
    """
    before = replay.counters()
    replay.feed(progress(read_lines(events)))
    if drain_ms and replay.events_in:
        replay.drain(replay.clock.now_ms + drain_ms)
    replay.close()
    return finish(replay, before)


def finish(replay: Replay, before: Mapping[str, float] | None = None) -> Summary:
    """Write summary.json of a closed replay. `before`: the counters this run started from."""
    counters = replay.counters()
    for name, value in (before or {}).items():
        counters[name] -= value
    summary = summarise(
        replay.outputs.out,
        events_in=replay.events_in,
        counters=counters,
        engine_seconds=replay.engine_seconds,
        titles={journey.id: journey.title for journey in replay.config.journeys},
    )
    summary["models"] = measures([fold.counters() for fold in replay.folds])
    write_summary(replay.outputs.out, summary)
    return summary


def sorted_rows(rows: Mapping[int, Mapping[bytes, bytes]]) -> Iterator[StateRow]:
    for partition in sorted(rows):
        for key in sorted(rows[partition]):
            yield StateRow(partition, key, rows[partition][key])


def keep(rows: dict[bytes, bytes], changed: Iterable[Row]) -> None:
    """Apply changed rows to the last value of each key."""
    for key, value in changed:
        if value is None:
            rows.pop(key, None)
        else:
            rows[key] = value


def add_counters(total: dict[str, float], counters: Mapping[str, float]) -> None:
    for name, value in counters.items():
        total[name] = total.get(name, 0.0) + value
