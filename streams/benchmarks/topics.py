"""Topics for benchmarks: created, filled before anything is measured, and watched for output."""

import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from uuid import uuid4

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

BATCH_BYTES = 512 * 1024
_PROCESS = uuid4().hex[:8]


def run_id(name: str) -> str:
    """A prefix for topics that no earlier run used: a broker that was given keeps them."""
    return f"bench-{_PROCESS}-{name}"


async def create(bootstrap: str, topics: Iterable[str], partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, partitions, 1) for topic in topics])
    finally:
        await admin.close()


class Record(NamedTuple):
    partition: int
    key: bytes
    value: bytes


def by_key(records: Iterable[tuple[str, bytes]], partitions: int) -> Iterator[Record]:
    """Each (key, value) for the partition a Java producer would choose."""
    for key, value in records:
        raw_key = key.encode()
        yield Record((murmur2(raw_key) & 0x7FFFFFFF) % partitions, raw_key, value)


async def fill(bootstrap: str, topic: str, records: Iterable[Record]) -> None:
    """Append the records in large batches, in order per partition."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, max_batch_size=BATCH_BYTES, max_request_size=4 * BATCH_BYTES
    )
    await producer.start()
    batches: dict[int, BatchBuilder] = {}
    try:
        for partition, key, value in records:
            batch = batches.get(partition)
            if batch is None:
                batch = batches[partition] = producer.create_batch()
            if batch.append(key=key, value=value, timestamp=None) is None:
                await _send(producer, batch, topic, partition)
                batch = batches[partition] = producer.create_batch()
                batch.append(key=key, value=value, timestamp=None)
        for partition, batch in batches.items():
            await _send(producer, batch, topic, partition)
    finally:
        await producer.stop()


async def _send(
    producer: AIOKafkaProducer, batch: BatchBuilder, topic: str, partition: int
) -> None:
    await (await producer.send_batch(batch, topic, partition=partition))


@asynccontextmanager
async def reader(bootstrap: str, topic: str, partitions: int) -> AsyncIterator[AIOKafkaConsumer]:
    """A read_committed consumer of the whole topic, from its beginning."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        fetch_max_wait_ms=50,
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(partitions)])
        await consumer.seek_to_beginning()
        yield consumer
    finally:
        await consumer.stop()


async def seen_all(
    consumer: AIOKafkaConsumer, expected: int, give_up: Callable[[], bool], patience_s: float
) -> float:
    """The time at which the consumer has seen `expected` different triggers."""
    seen: set[str] = set()
    end = time.monotonic() + patience_s
    while len(seen) < expected:
        for records in (await consumer.getmany(timeout_ms=50)).values():
            seen.update(orjson.loads(record.value)["trigger_id"] for record in records)
        if len(seen) < expected and give_up():
            raise TimeoutError(f"ended after {len(seen)} of {expected} outputs")
        if time.monotonic() > end:
            raise TimeoutError(f"{len(seen)} of {expected} outputs after {patience_s:g} s")
    return time.time()


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ask the process to end, and see to it."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
