"""Portable snapshots: state = fold(engine version, snapshot, later records).

A snapshot file is one JSON header line, padded with spaces to 64 KiB, then the rows of every
partition in order, each as `partition, key length, value length` (three big-endian uint32) followed
by key and value. The header tells where in the input the rows stand and the SHA-256 of the rest.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from struct import Struct as Layout
from typing import IO, Any, NamedTuple

import msgspec

from streams.faults import UserFault

FORMAT = "streams.snapshot"
VERSION = 1
HEADER_BYTES = 65_536
MAX_ROW_BYTES = 16_777_216

_ROW = Layout(">III")


class SnapshotError(UserFault):
    """One line: which file, what is wrong with it, what to do."""


class Header(msgspec.Struct, kw_only=True):
    """`positions`: the next offset to read, by source and partition; `clock_ms`: the log's time."""

    engine_version: int
    partitions: int
    clock_ms: int
    positions: dict[str, list[int]]
    config: dict[str, Any]
    format: str = FORMAT
    version: int = VERSION
    rows: int = 0
    rows_bytes: int = 0
    sha256: str = ""


class StateRow(NamedTuple):
    partition: int
    key: bytes
    value: bytes


def write(path: Path, header: Header, rows: Iterable[StateRow]) -> Header:
    """Write a snapshot; the file appears whole or not at all. Returns the header as written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    digest, count, size = hashlib.sha256(), 0, 0
    with partial.open("wb", buffering=1 << 20) as file:
        file.write(b" " * HEADER_BYTES)
        for partition, key, value in rows:
            row = _ROW.pack(partition, len(key), len(value)) + key + value
            digest.update(row)
            file.write(row)
            count, size = count + 1, size + len(row)
        header = msgspec.structs.replace(
            header, rows=count, rows_bytes=size, sha256=digest.hexdigest()
        )
        line = msgspec.json.encode(header)
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
            head = file.read(_ROW.size)
            if len(head) < _ROW.size:
                raise _damaged(path)
            partition, key_size, value_size = _ROW.unpack(head)
            if key_size > MAX_ROW_BYTES or value_size > MAX_ROW_BYTES:
                raise _damaged(path)
            body = file.read(key_size + value_size)
            digest.update(head)
            digest.update(body)
            if len(body) < key_size + value_size or partition >= header.partitions:
                raise _damaged(path)
            yield StateRow(partition, body[:key_size], body[key_size:])
        if digest.hexdigest() != header.sha256 or file.read(1):
            raise _damaged(path)


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
    return header


def _damaged(path: Path) -> SnapshotError:
    return SnapshotError(f"{path}: damaged or cut off (checksum differs); take another copy")
