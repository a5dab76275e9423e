"""Portable snapshots: state = fold(engine version, snapshot, later records).

A snapshot file is one JSON header line, padded with spaces to 64 KiB, then the rows of every
partition in order, each as `partition, key length, value length` (three big-endian uint32) followed
by key and value, then an index, then the configuration as JSON. The header tells where in the input
the rows stand and the SHA-256 of the rest. The index names every so manyth row (partition, offset
in the file, key length, key), so that a few rows are found without reading the others; it is empty
where rows are not in order.
"""

import hashlib
import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from struct import Struct as Layout
from typing import IO, Any, NamedTuple, Self

import msgspec

from streams.faults import UserFault

FORMAT = "streams.snapshot"
VERSION = 2
HEADER_BYTES = 65_536
MAX_ROW_BYTES = 16_777_216
INDEX_EVERY = 128  # rows: a look-up reads half so many of about a kilobyte

_ROW = Layout(">III")
_MARK = Layout(">IQI")


class SnapshotError(UserFault):
    """One line: which file, what is wrong with it, what to do."""


class Header(msgspec.Struct, kw_only=True):
    """`positions`: the next offset to read, by source and partition; `clock_ms`: the log's time;
    `config`: in the file behind the rows, for it has no bound."""

    engine_version: int
    partitions: int
    clock_ms: int
    positions: dict[str, list[int]]
    config: dict[str, Any]
    format: str = FORMAT
    version: int = VERSION
    rows: int = 0
    rows_bytes: int = 0
    index_bytes: int = 0
    config_bytes: int = 0
    sha256: str = ""


class StateRow(NamedTuple):
    partition: int
    key: bytes
    value: bytes


def write(path: Path, header: Header, rows: Iterable[StateRow]) -> Header:
    """Write a snapshot; the file appears whole or not at all. Returns the header as written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    digest, count, size, index = hashlib.sha256(), 0, 0, _Index()
    with partial.open("wb", buffering=1 << 20) as file:
        file.write(b" " * HEADER_BYTES)
        for partition, key, value in rows:
            row = _ROW.pack(partition, len(key), len(value)) + key + value
            digest.update(row)
            file.write(row)
            index.note(count, partition, key, HEADER_BYTES + size)
            count, size = count + 1, size + len(row)
        marks, config = index.packed(), msgspec.json.encode(header.config)
        for rest in (marks, config):
            digest.update(rest)
            file.write(rest)
        header = msgspec.structs.replace(
            header,
            version=max(header.version, VERSION),
            rows=count,
            rows_bytes=size,
            index_bytes=len(marks),
            config_bytes=len(config),
            sha256=digest.hexdigest(),
        )
        line = msgspec.json.encode(msgspec.structs.replace(header, config={}))
        if len(line) >= HEADER_BYTES:
            raise SnapshotError(f"{path}: the header has {len(line)} bytes, {HEADER_BYTES} fit")
        file.seek(0)
        file.write(line.ljust(HEADER_BYTES - 1) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return header


def read_header(path: Path) -> Header:
    with _open(path) as file:
        return _header(path, file)


def read_rows(path: Path) -> Iterator[StateRow]:
    """The rows in the order written. Raises SnapshotError where the file is damaged.

    The checksum is compared after the last row: use `verify` first where that would be too late.
    """
    with _open(path) as file:
        header = _header(path, file)
        digest = hashlib.sha256()
        for _ in range(header.rows):
            row, raw = _next_row(path, file)
            digest.update(raw)
            if row.partition >= header.partitions:
                raise _damaged(path)
            yield row
        digest.update(file.read(header.index_bytes + header.config_bytes))
        if digest.hexdigest() != header.sha256 or file.read(1):
            raise _damaged(path)


class Lookup:
    """A few rows of a large snapshot, by key. Close it, or use it in a `with`.

    The checksum is not compared, for that would read it all. Raises SnapshotError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _open(path)
        self.header = _header(path, self._file)
        if self.header.rows and not self.header.index_bytes:
            raise SnapshotError(
                f"{path}: has no index, an older program wrote it; write it again, with "
                "`streams replay --save-snapshot` or `streams snapshot write`"
            )
        self._file.seek(HEADER_BYTES + self.header.rows_bytes)
        self._keys, self._offsets = _unpacked(path, self._file.read(self.header.index_bytes))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def row(self, partition: int, key: bytes) -> bytes | None:
        """The value of a key, None where there is none."""
        found = next(self.rows(partition, key, key + b"\0"), None)
        return None if found is None else found.value

    def rows(self, partition: int, first: bytes, end: bytes) -> Iterator[StateRow]:
        """The rows of a partition whose keys are in [first, end)."""
        place = max(bisect_right(self._keys, (partition, first)) - 1, 0)
        rows_end = HEADER_BYTES + self.header.rows_bytes
        offset = self._offsets[place] if self._offsets else rows_end
        self._file.seek(offset)
        while offset < rows_end:
            row, raw = _next_row(self._path, self._file)
            offset += len(raw)
            if (row.partition, row.key) >= (partition, end):
                return
            if (row.partition, row.key) >= (partition, first):
                yield row


def verify(path: Path) -> Header:
    """Read the whole file against its checksum."""
    for _ in read_rows(path):
        pass
    return read_header(path)


def by_kind(path: Path) -> Mapping[str, tuple[int, int]]:
    """Rows and bytes by the kind of key, its first letter."""
    found: dict[str, tuple[int, int]] = {}
    for _, key, value in read_rows(path):
        kind = key[:1].decode("ascii", "replace")
        count, size = found.get(kind, (0, 0))
        found[kind] = (count + 1, size + len(key) + len(value))
    return dict(sorted(found.items()))


class _Index:
    """Collects every so manyth key, as long as the rows come in order."""

    def __init__(self) -> None:
        self._marks: list[bytes] = []
        self._last = (-1, b"")
        self._ordered = True

    def note(self, number: int, partition: int, key: bytes, offset: int) -> None:
        here = (partition, key)
        self._ordered = self._ordered and here > self._last
        self._last = here
        if number % INDEX_EVERY == 0:
            self._marks.append(_MARK.pack(partition, offset, len(key)) + key)

    def packed(self) -> bytes:
        return b"".join(self._marks) if self._ordered else b""


def _unpacked(path: Path, packed: bytes) -> tuple[list[tuple[int, bytes]], list[int]]:
    keys, offsets, at = [], [], 0
    while at < len(packed):
        if at + _MARK.size > len(packed):
            raise _damaged(path)
        partition, offset, key_size = _MARK.unpack_from(packed, at)
        at += _MARK.size
        keys.append((partition, packed[at : at + key_size]))
        offsets.append(offset)
        at += key_size
    return keys, offsets


def _next_row(path: Path, file: IO[bytes]) -> tuple[StateRow, bytes]:
    """The row and its bytes."""
    head = file.read(_ROW.size)
    if len(head) < _ROW.size:
        raise _damaged(path)
    partition, key_size, value_size = _ROW.unpack(head)
    if key_size > MAX_ROW_BYTES or value_size > MAX_ROW_BYTES:
        raise _damaged(path)
    body = file.read(key_size + value_size)
    if len(body) < key_size + value_size:
        raise _damaged(path)
    return StateRow(partition, body[:key_size], body[key_size:]), head + body


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("rb", buffering=1 << 20)
    except OSError as error:
        raise SnapshotError(f"{path}: cannot be read: {error.strerror}") from None


def _header(path: Path, file: IO[bytes]) -> Header:
    line = file.read(HEADER_BYTES)
    try:
        header = msgspec.json.decode(line, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise SnapshotError(
            f"{path}: is no snapshot; `streams replay --save-snapshot` writes one"
        ) from None
    if header.format != FORMAT:
        raise SnapshotError(f"{path}: is no snapshot but {header.format!r}")
    if header.version > VERSION:
        raise SnapshotError(
            f"{path}: snapshot version {header.version} is newer than this program's {VERSION}; "
            "use the newer program"
        )
    if header.config_bytes:
        file.seek(HEADER_BYTES + header.rows_bytes + header.index_bytes)
        try:
            header.config = msgspec.json.decode(file.read(header.config_bytes))
        except msgspec.DecodeError:
            raise _damaged(path) from None
        file.seek(HEADER_BYTES)
    return header


def _damaged(path: Path) -> SnapshotError:
    return SnapshotError(f"{path}: damaged or cut off (checksum differs); take another copy")
