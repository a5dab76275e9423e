"""Replay of a dumped log: production folded again, to compare with what went live."""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec

from streams import snapshot
from streams.contract.topics import LOG, MAIL
from streams.engine.config import Config
from streams.engine.fold import ENGINE_VERSION, EngineFold
from streams.event_file import read_lines
from streams.faults import UserFault
from streams.log_file import LogLine, genesis_of, read_log
from streams.outputs import Outputs
from streams.replay import DEFAULT_BATCH, add_counters, keep, sorted_rows
from streams.snapshot import StateRow
from streams.summary import FATES, Summary, summarise, write_summary

MAX_LINE_BYTES = 64 << 20


class LogReplay:
    """Folds of the partitions a dump holds, each from its genesis on."""

    def __init__(self, dump: Path, outputs: Outputs, *, batch: int = DEFAULT_BATCH) -> None:
        self.outputs = outputs
        self.folds: dict[int, EngineFold] = {}
        self.rows: dict[int, dict[bytes, bytes]] = {}
        self.next_offsets: dict[int, int] = {}
        self.partitions = 0
        self.config: dict[str, Any] = {}
        self._dump = dump
        self._batch = batch
        self._uncommitted: dict[int, int] = {}

    def run(self) -> None:
        """Fold the whole dump. Raises FileError, LogFileError."""
        write = self.outputs.write
        for entry in read_log(self._dump):
            fold = self.folds.get(entry.partition) or self._begin(entry)
            for output in fold.handle(bytes(entry.value)):
                if output.topic != MAIL:  # it is on the log already
                    write(output)
            self.next_offsets[entry.partition] = entry.offset + 1
            self._uncommitted[entry.partition] += 1
            if self._uncommitted[entry.partition] >= self._batch:
                self._commit(entry.partition)
        for partition, fold in self.folds.items():
            self._commit(partition)
            for report in fold.reports():
                write(report)

    def header(self) -> snapshot.Header:
        """Where the folds stand. Offsets are those of the dumped topic."""
        return snapshot.Header(
            engine_version=ENGINE_VERSION,
            partitions=self.partitions,
            clock_ms=max((fold.now_ms for fold in self.folds.values()), default=0),
            positions={LOG: [self.next_offsets.get(p, 0) for p in range(self.partitions)]},
            config=self.config,
        )

    def _begin(self, entry: LogLine) -> EngineFold:
        genesis = genesis_of(self._dump, entry)
        self.partitions, self.config = genesis.partitions, genesis.config
        fold = EngineFold(entry.partition, msgspec.convert(genesis.config, Config))
        self.folds[entry.partition] = fold
        self.rows[entry.partition] = {}
        self._uncommitted[entry.partition] = 0
        return fold

    def _commit(self, partition: int) -> None:
        self._uncommitted[partition] = 0
        keep(self.rows[partition], self.folds[partition].changed_rows())


def replay_log(dump: Path, outputs: Outputs, *, batch: int = DEFAULT_BATCH) -> Summary:
    """Besides the outputs writes state.ndjson (every row) and state.json (where they stand)."""
    replay = LogReplay(dump, outputs, batch=batch)
    started = perf_counter()
    replay.run()
    seconds = perf_counter() - started
    outputs.close()
    folder = outputs.out
    write_state(folder / "state.ndjson", sorted_rows(replay.rows))
    (folder / "state.json").write_bytes(msgspec.json.encode(replay.header()) + b"\n")
    counters: dict[str, float] = {}
    for _, fold in sorted(replay.folds.items()):
        add_counters(counters, fold.counters())
    inputs = sum(int(counters.get(f"fate.{fate}", 0)) for fate in FATES)
    summary = summarise(
        folder,
        events_in=inputs,
        counters=counters,
        engine_seconds=seconds,
        titles={journey["id"]: journey["title"] for journey in replay.config.get("journeys", ())},
    )
    write_summary(folder, summary)
    return summary


def snapshot_of_state(folder: Path, path: Path) -> snapshot.Header:
    """Pack state.ndjson and state.json of a log replay into one snapshot file."""
    where = folder / "state.json"
    try:
        header = msgspec.json.decode(where.read_bytes(), type=snapshot.Header)
    except OSError as error:
        raise UserFault(
            f"{where}: cannot be read: {error.strerror}; `streams replay --log` writes it"
        ) from None
    except msgspec.DecodeError as error:
        raise UserFault(f"{where}: is not what `streams replay --log` wrote: {error}") from None
    return snapshot.write(path, header, read_state(folder / "state.ndjson"))


class _StateLine(msgspec.Struct):
    partition: int
    key: str
    value: str


def read_state(path: Path) -> Iterator[StateRow]:
    """The rows of a state.ndjson."""
    decoder = msgspec.json.Decoder(_StateLine)
    for number, line in enumerate(read_lines(path, MAX_LINE_BYTES), start=1):
        try:
            row = decoder.decode(line)
            yield StateRow(row.partition, b64decode(row.key), b64decode(row.value))
        except (msgspec.DecodeError, ValueError) as error:
            raise UserFault(f"{path}:{number}: is no row of state: {error}") from None


def write_state(path: Path, rows: Iterable[StateRow]) -> None:
    """One line per row: partition, key and value in base64, by partition and key."""
    with path.open("wb", buffering=1 << 20) as file:
        for partition, key, value in rows:
            file.write(
                b'{"partition":%d,"key":"%b","value":"%b"}\n'
                % (partition, b64encode(key), b64encode(value))
            )
