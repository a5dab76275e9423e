"""Dumped log partitions as NDJSON: {"topic":…,"partition":p,"offset":o,"value":<the record>}.

Written by `streams log dump`, read by `streams log check` and `streams replay --log`. Lines of one
partition stand in offset order; the first is its genesis; offsets may have holes (commit markers).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import msgspec

from streams.contract.codec import decode_record
from streams.contract.records import Genesis, Record
from streams.event_file import read_lines
from streams.faults import UserFault

MAX_LINE_BYTES = 64 << 20  # mail may carry a whole person's state


class LogLine(msgspec.Struct):
    topic: str
    partition: int
    offset: int
    value: msgspec.Raw


class LogFileError(UserFault):
    """One line: which file, which line, what is wrong with it."""


def write_line(file: IO[bytes], topic: str, partition: int, offset: int, value: bytes) -> None:
    """Append one log record to a dump."""
    file.write(msgspec.json.encode(LogLine(topic, partition, offset, msgspec.Raw(value))) + b"\n")


def read_log(path: Path) -> Iterator[LogLine]:
    """The lines of a dump. Raises LogFileError for what is no dump or out of order."""
    decoder = msgspec.json.Decoder(LogLine)
    last: dict[int, int] = {}
    for number, line in enumerate(read_lines(path, MAX_LINE_BYTES), start=1):
        try:
            entry = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise LogFileError(
                f"{path}:{number}: is no line of a log dump ({error}); "
                "`streams log dump` writes one"
            ) from None
        if entry.offset <= last.get(entry.partition, -1):
            raise LogFileError(
                f"{path}:{number}: offset {entry.offset} of partition {entry.partition} comes "
                f"after {last[entry.partition]}; a dump is in offset order"
            )
        last[entry.partition] = entry.offset
        yield entry


def record_of(path: Path, entry: LogLine) -> Record:
    """The log record of a line."""
    try:
        return decode_record(bytes(entry.value))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LogFileError(
            f"{path}: partition {entry.partition}, offset {entry.offset}: no log record ({error})"
        ) from None


def genesis_of(path: Path, entry: LogLine) -> Genesis:
    """The genesis that the first line of a partition must hold."""
    record = record_of(path, entry)
    if not isinstance(record, Genesis):
        raise LogFileError(
            f"{path}: partition {entry.partition} begins at offset {entry.offset} without its "
            "genesis; dump the log from its beginning"
        )
    return record


def check(path: Path) -> dict[str, int]:
    """Decode every record; the number of each kind. Raises LogFileError for the first wrong one."""
    counts: dict[str, int] = {}
    seen: dict[int, Genesis] = {}
    for entry in read_log(path):
        if entry.partition not in seen:
            seen[entry.partition] = genesis_of(path, entry)
        record = record_of(path, entry)
        kind = str(record.__struct_config__.tag)
        counts[kind] = counts.get(kind, 0) + 1
    _same(path, seen.values())
    return {"partitions": len(seen), **dict(sorted(counts.items()))}


def _same(path: Path, found: Iterable[Genesis]) -> None:
    partitions = {genesis.partitions for genesis in found}
    if len(partitions) > 1:
        raise LogFileError(f"{path}: its partitions disagree on how many they are: {partitions}")
