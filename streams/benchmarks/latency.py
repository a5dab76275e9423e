"""From event to trigger, open loop: events are sent when they are due, whatever the worker does.

The small job under our runtime, every twentieth event triggers. A trigger's latency runs from the
moment its event was due to be sent until a read_committed reader holds the trigger, so time lost in
the sender counts too. The first seconds, in which everything warms up, do not.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from streams.benchmarks import topics
from streams.benchmarks.contest import OURS, Place, Records
from streams.benchmarks.work import PARTITIONS, PURCHASE_EVERY

WARM_UP_S = 3
PATIENCE_S = 60


class Latency(NamedTuple):
    p50_ms: float
    p99_ms: float
    triggers: int


async def measure(bootstrap: str, records: Records, per_second: int, number: int) -> Latency:
    """Send `records` at an even rate. Raises RuntimeError with the worker's log if it fails."""
    with tempfile.TemporaryDirectory(prefix="streams-bench-") as folder:
        at = Place(bootstrap, topics.run_id(f"latency-{number}"), Path(folder))
        warm, rest = records[:PURCHASE_EVERY], records[PURCHASE_EVERY:]
        await at.make_topics(warm, genesis=True)
        process = at.start(OURS.command)
        try:
            async with topics.reader(bootstrap, at.output, PARTITIONS) as consumer:
                await topics.seen_all(consumer, 1, lambda: process.poll() is not None, PATIENCE_S)
                due = [time.time() + position / per_second for position in range(len(rest))]
                sending = asyncio.create_task(_send(bootstrap, at.input, rest, due))
                latencies = await _latencies(consumer, rest, due)
                await sending
        except TimeoutError as error:
            raise RuntimeError(f"latency: {error}\n{at.log()}") from error
        finally:
            await asyncio.to_thread(topics.end, process)
    ordered = statistics.quantiles(latencies, n=100, method="inclusive")
    return Latency(ordered[49] * 1000, ordered[98] * 1000, len(latencies))


async def _send(bootstrap: str, topic: str, records: Records, due: list[float]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=1)
    await producer.start()
    try:
        for (key, value), at in zip(records, due, strict=True):
            wait = at - time.time()
            if wait > 0:
                await asyncio.sleep(wait)
            await producer.send(topic, key=key.encode(), value=value)
    finally:
        await producer.stop()


async def _latencies(consumer: AIOKafkaConsumer, records: Records, due: list[float]) -> list[float]:
    """Seconds from due to seen, of the triggers after the warm-up."""
    due_of = {}
    for (_, value), at in zip(records, due, strict=True):
        event = orjson.loads(value)
        if event["bought"]:
            due_of[event["id"]] = at
    counted_from = due[0] + WARM_UP_S
    end = due[-1] + PATIENCE_S
    latencies = []
    while due_of:
        for found in (await consumer.getmany(timeout_ms=50)).values():
            seen = time.time()
            for record in found:
                at = due_of.pop(orjson.loads(record.value)["trigger_id"], 0.0)
                if at >= counted_from:
                    latencies.append(seen - at)
        if time.time() > end:
            raise TimeoutError(f"{len(due_of)} triggers never came")
    return latencies
