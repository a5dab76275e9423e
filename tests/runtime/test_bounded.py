"""Compression bombs and broken batches on the event topic: one record each, the neighbours
untouched.
"""

import struct

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition

from streams.runtime import bounded
from streams.runtime.bounded import BrokenBatch

CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


@pytest.fixture(autouse=True)
def installed() -> None:
    bounded.install()


def batch(base: int, values: list[bytes], codec: int = 0) -> bytearray:
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 1 << 30)
    for i, value in enumerate(values):
        assert builder.append(i, 1, None, value, []) is not None
    raw = bytearray(builder.build())
    struct.pack_into(">q", raw, 0, base)
    return raw


def corrupt(raw: bytearray) -> bytearray:
    raw[70:] = b"\x99" * (len(raw) - 70)
    struct.pack_into(">I", raw, 17, calc_crc32c(memoryview(raw)[21:]))
    return raw


def read(data: bytes) -> list[tuple[int, bytes]]:
    place = TopicPartition("events", 0)
    records = fetcher.PartitionRecords(place, MemoryRecords(data), [], 0, None, None, True, 0)
    return [(record.offset, record.value) for record in records]


@pytest.mark.parametrize("codec", CODECS)
def test_an_ordinary_compressed_batch_reads_as_before(codec: str) -> None:
    values = [b"hello" * 50, b"world", b"x" * 700_000]
    assert read(bytes(batch(0, values, CODECS[codec]))) == list(enumerate(values))


@pytest.mark.parametrize("codec", CODECS)
def test_a_bomb_of_64_mib_is_one_broken_record_between_its_neighbours(codec: str) -> None:
    bomb = batch(1, [bytes(64 * 1024 * 1024)], CODECS[codec])
    found = read(bytes(batch(0, [b"before"]) + bomb + batch(2, [b"after"])))
    assert found[0] == (0, b"before")
    assert found[1][0] == 1
    assert type(found[1][1]) is BrokenBatch
    assert found[2] == (2, b"after")


@pytest.mark.parametrize("codec", CODECS)
def test_garbage_in_a_compressed_batch_is_one_broken_record(codec: str) -> None:
    garbage = corrupt(batch(1, [bytes(range(250))] * 3, CODECS[codec]))
    found = read(bytes(batch(0, [b"before"]) + garbage + batch(4, [b"after"])))
    assert [offset for offset, _ in found] == [0, 1, 4]
    assert type(found[1][1]) is BrokenBatch
