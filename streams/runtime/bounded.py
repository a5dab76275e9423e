"""Record batches from producers, decompressed within bounds; one that cannot be read is one record.

A batch of 1 MiB may unpack to 32 GiB (zstd), and aiokafka 0.14 raises from the middle of a fetch:
the records before the broken batch are then lost and the batch is fetched for ever. So
decompression is bounded where aiokafka looks it up, and a batch that fails becomes a record whose
value is BrokenBatch.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import cramjam
from aiokafka.consumer import fetcher
from aiokafka.errors import KafkaError
from aiokafka.record import default_records, legacy_records
from aiokafka.record._crecords import default_records as fast_default_records
from aiokafka.record._crecords import legacy_records as fast_legacy_records

MAX_UNPACKED_BYTES = 16 * 1024 * 1024  # of one batch, which is at most 1 MiB as it comes

FIRST_UNPACKED_BYTES = MAX_UNPACKED_BYTES // 64

_UNREADABLE = (
    KafkaError,
    cramjam.DecompressionError,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    IndexError,
    OverflowError,
    RuntimeError,
    AssertionError,
)


class BrokenBatch(bytes):
    """Stands for the value of a batch that could not be read; what was wrong, in words."""


class _Broken(NamedTuple):
    offset: int
    timestamp: int
    value: BrokenBatch
    timestamp_type: int = 0
    key: bytes | None = None
    checksum: int | None = None
    headers: tuple[()] = ()


class _Batch:
    """A batch that yields its records or, where they cannot be read, one that says so."""

    def __init__(self, batch: Any) -> None:
        self._batch = batch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            records = list(self._batch)
        except _UNREADABLE as error:
            at = self._batch.base_offset
            lost = self._batch.next_offset - at
            detail = f"a batch of {lost} records could not be read: {type(error).__name__}"
            return iter((_Broken(at, 0, BrokenBatch(detail.encode())),))
        return iter(records)


class _Batches:
    def __init__(self, records: Any) -> None:
        self._records = records
        self.has_next = records.has_next

    def next_batch(self) -> _Batch:
        return _Batch(self._records.next_batch())


class _PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    def __init__(self, tp: Any, records: Any, *rest: Any) -> None:
        super().__init__(tp, _Batches(records), *rest)


def _into(decompress_into: Callable[[bytes, bytearray], int]) -> Callable[[Any], bytes]:
    def decode(payload: Any) -> bytes:
        packed, room = bytes(payload), FIRST_UNPACKED_BYTES
        while True:
            unpacked = bytearray(room)
            try:
                return bytes(memoryview(unpacked)[: decompress_into(packed, unpacked)])
            except cramjam.DecompressionError:
                if room >= MAX_UNPACKED_BYTES:
                    raise
                room *= 8  # too small a room and broken bytes look alike

    return decode


def _gzip(payload: Any) -> bytes:
    unpacked, rest = b"", bytes(payload)
    while rest:
        member = zlib.decompressobj(wbits=31)
        unpacked += member.decompress(rest, MAX_UNPACKED_BYTES - len(unpacked) + 1)
        if len(unpacked) > MAX_UNPACKED_BYTES or not member.eof:
            raise ValueError("larger than allowed, or cut")
        rest = member.unused_data
    return unpacked


def _snappy(payload: Any) -> bytes:
    """Raw snappy, or Java's xerial framing: 16 bytes of header, then blocks with a length."""
    data = bytes(payload)
    blocks = [data]
    if data.startswith(b"\x82SNAPPY\x00"):
        blocks, at = [], 16
        while at < len(data):
            (size,) = struct.unpack_from("!i", data, at)
            if size <= 0:
                raise ValueError("a block without a length")
            blocks.append(data[at + 4 : at + 4 + size])
            at += 4 + size
    if sum(map(cramjam.snappy.decompress_raw_len, blocks)) > MAX_UNPACKED_BYTES:
        raise ValueError("larger than allowed")
    return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)


def install() -> None:
    """Let every aiokafka consumer of this process read within bounds. Safe to call again."""
    decoders = {
        "gzip_decode": _gzip,
        "snappy_decode": _snappy,
        "lz4_decode": _into(cramjam.lz4.decompress_into),
        "zstd_decode": _into(cramjam.zstd.decompress_into),
    }
    for module in (default_records, legacy_records, fast_default_records, fast_legacy_records):
        for name, decoder in decoders.items():
            if hasattr(module, name):
                setattr(module, name, decoder)
    fetcher.PartitionRecords = _PartitionRecords
