"""`streams simulate --live`: synthetic users on Kafka, in real time and in a closed loop.

Their last days are told first, as a backfill: profiles and models know them, nobody is addressed.
Then each event is sent when it arrives, and the triggers that come out are answered from the next
full hour on, for an hour is the simulation's step.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from zlib import crc32

import msgspec
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.commands.terminal import say
from streams.contract.topics import EVENTS, TRIGGERS
from streams.contract.triggers import Trigger
from streams.fold import Row
from streams.intake import Intake
from streams.runtime.kafka import AioKafka
from streams.runtime.port import Append
from streams.settings import Settings
from streams.simulation.population import Population

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
CHINA_MS = 8 * HOUR_MS  # the simulation's days begin at midnight in China
STEP_SECONDS = 1.0
SEND_AT_ONCE = 2_000


class Timed(NamedTuple):
    at_ms: int
    value: bytes


def start_ms(now_ms: int, history_days: int) -> int:
    """Midnight in China, `history_days` days before today's."""
    return (now_ms + CHINA_MS) // DAY_MS * DAY_MS - CHINA_MS - history_days * DAY_MS


def events_of_hour(population: Population, hour: int, *, backfill: bool) -> Iterator[Timed]:
    """What arrives in that hour, in order; what is broken arrives with what came before it."""
    at_ms = population.start_ms + hour * HOUR_MS
    for event in population.hour(hour):
        if isinstance(event, bytes):
            yield Timed(at_ms, event)
            continue
        at_ms = event["ingest_ms"]
        yield Timed(at_ms, orjson.dumps(event | {"backfill": True} if backfill else event))


async def live(settings: Settings, *, scenario: str, users: int, seed: str, days: int) -> None:
    """Run until cancelled; `days` is the history told first."""
    intake = Intake(
        key=settings.alias_key_bytes(), tenant=settings.tenant, partitions=settings.partitions
    )
    begin_ms = start_ms(_now_ms(), days)
    population = Population(users, scenario, seed, begin_ms, intake.alias_of)
    kafka = AioKafka(settings.kafka_options())
    appender = await kafka.open_appender()
    triggers = await _open_triggers(settings)
    try:
        hour = 0
        while begin_ms + (hour + 1) * HOUR_MS <= _now_ms():
            waiting = list(events_of_hour(population, hour, backfill=True))
            await _send(appender, settings, waiting)
            hour += 1
        say(f"{users:,} users, {days} days of history sent; now in real time")
        while True:
            waiting = list(events_of_hour(population, hour, backfill=False))
            hour += 1
            while waiting or _now_ms() < begin_ms + hour * HOUR_MS:
                due = sum(event.at_ms <= _now_ms() for event in waiting)
                await _send(appender, settings, waiting[:due])
                del waiting[:due]
                population.receive(await _new_triggers(triggers))
                await asyncio.sleep(STEP_SECONDS)
    finally:
        await triggers.stop()
        await appender.close()
        await kafka.close()


async def _send(appender: Any, settings: Settings, events: Sequence[Timed]) -> None:
    topic = settings.topic(EVENTS)
    for start in range(0, len(events), SEND_AT_ONCE):
        by_partition: dict[int, list[Row]] = {}
        for event in events[start : start + SEND_AT_ONCE]:
            partition = crc32(event.value) % settings.partitions
            by_partition.setdefault(partition, []).append(Row(b"", event.value))
        await appender.append(
            [Append(topic, partition, rows) for partition, rows in sorted(by_partition.items())]
        )


async def _open_triggers(settings: Settings) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(
        **settings.kafka_options(), isolation_level="read_committed", enable_auto_commit=False
    )
    await consumer.start()
    consumer.assign(
        [
            TopicPartition(settings.topic(name), partition)
            for name in TRIGGERS.values()
            for partition in range(settings.partitions)
        ]
    )
    await consumer.seek_to_end()
    return consumer


async def _new_triggers(consumer: AIOKafkaConsumer) -> list[Trigger]:
    found = await consumer.getmany(timeout_ms=0)
    decoder = msgspec.json.Decoder(Trigger)
    return [decoder.decode(record.value) for records in found.values() for record in records]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
