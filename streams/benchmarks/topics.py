"""Topics for benchmarks: created, filled before anything is measured, and watched for output."""

import subprocess
import time
from collections.abc import Iterable
from contextlib import asynccontextmanager

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

BATCH_BYTES = 512 * 1024


async def create(bootstrap: str, topics: Iterable[str], partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, partitions, 1) for topic in topics])
    finally:
        await admin.close()


async def fill(
    bootstrap: str, topic: str, records: Iterable[tuple[str, bytes]], partitions: int
) -> int:
    """Append (key, value) records, by key to the partition a Java producer would choose."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, max_batch_size=BATCH_BYTES, max_request_size=4 * BATCH_BYTES
    )
    await producer.start()
    batches: dict[int, BatchBuilder] = {}
    count = 0
    try:
        for key, value in records:
            count += 1
            raw_key = key.encode()
            partition = (murmur2(raw_key) & 0x7FFFFFFF) % partitions
            batch = batches.get(partition)
            if batch is None:
                batch = batches[partition] = producer.create_batch()
            if batch.append(key=raw_key, value=value, timestamp=None) is None:
                await _send(producer, batch, topic, partition)
                batch = batches[partition] = producer.create_batch()
                batch.append(key=raw_key, value=value, timestamp=None)
        for partition, batch in batches.items():
            await _send(producer, batch, topic, partition)
    finally:
        await producer.stop()
    return count


async def _send(
    producer: AIOKafkaProducer, batch: BatchBuilder, topic: str, partition: int
) -> None:
    await (await producer.send_batch(batch, topic, partition=partition))


@asynccontextmanager
async def reader(bootstrap: str, topic: str, partitions: int):
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


async def seen_all(consumer: AIOKafkaConsumer, expected: int, give_up, patience_s: float) -> float:
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
