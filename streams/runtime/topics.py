"""The topics of a deployment: create them, check them, and write each log's first record."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from streams.contract import topics as names
from streams.contract.codec import decode_record, encode
from streams.contract.records import Genesis
from streams.engine.config import Config
from streams.faults import UserFault
from streams.fold import Row
from streams.runtime.kafka import AioKafka
from streams.runtime.port import Append
from streams.settings import Settings

DAY_MS = 86_400_000
COMPACTED: Mapping[str, str] = {
    "cleanup.policy": "compact",
    "segment.bytes": str(64 * 1024 * 1024),
    "min.cleanable.dirty.ratio": "0.1",
}


LOG_APPEND_TIME = {"message.timestamp.type": "LogAppendTime"}


class TopicError(UserFault):
    """One line: which topic, what is wrong with it, what to do."""


class Wanted(NamedTuple):
    name: str
    config: Mapping[str, str]

    def partitions(self, settings: Settings) -> int:
        return 1 if self.name in names.ONE_PARTITION else settings.partitions


def _wanted(name: str, days: int | None) -> Wanted:
    if days is None:
        return Wanted(name, COMPACTED)
    kept = {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS)}
    return Wanted(name, kept | LOG_APPEND_TIME if name == names.LOG else kept)


WANTED = tuple(_wanted(name, days) for name, days in names.RETENTION_DAYS.items())


async def apply(settings: Settings, config: Config) -> list[str]:
    """Create what is missing and begin each empty log with its genesis; what was done, in words.

    Safe to run again. Raises TopicError for a topic with another partition count.
    """
    done = []
    admin = AIOKafkaAdminClient(**settings.kafka_options())
    await admin.start()
    try:
        for wanted in WANTED:
            topic = settings.topic(wanted.name)
            answer = await admin.create_topics(
                [
                    NewTopic(
                        topic,
                        wanted.partitions(settings),
                        settings.replication_factor,
                        topic_configs=dict(wanted.config),
                    )
                ]
            )
            for _, code, *_ in answer.topic_errors:
                if code == 0:
                    done.append(f"created {topic}")
                elif for_code(code) is not TopicAlreadyExistsError:
                    raise TopicError(f"{topic} was not created: {for_code(code).__name__}")
        await _wait_until_known(admin, [settings.topic(wanted.name) for wanted in WANTED])
    finally:
        await admin.close()
    await check(settings)
    return done + await _begin_logs(settings, config)


async def _wait_until_known(admin: AIOKafkaAdminClient, topics: list[str]) -> None:
    """A topic is created before every broker tells of it and of its leaders."""
    for _ in range(100):
        found = await admin.describe_topics(topics)
        leaders = [p["leader"] for topic in found for p in topic["partitions"]]
        if all(topic["error_code"] == 0 for topic in found) and min(leaders, default=-1) >= 0:
            return
        await asyncio.sleep(0.1)


async def check(settings: Settings) -> None:
    """Every topic is there with the partition count of the settings. Raises TopicError."""
    admin = AIOKafkaAdminClient(**settings.kafka_options())
    await admin.start()
    try:
        expected = {settings.topic(wanted.name): wanted.partitions(settings) for wanted in WANTED}
        for found in await admin.describe_topics(list(expected)):
            topic, partitions = found["topic"], len(found["partitions"])
            if found["error_code"] != 0:
                raise TopicError(f"{topic} is not there: run `streams topics --apply`")
            if partitions == expected[topic] or topic == settings.topic(names.EVENTS):
                continue
            if topic == settings.topic(names.CONTROL):
                raise TopicError(f"{topic} has {partitions} partitions, it must have one")
            raise TopicError(
                f"{topic} has {partitions} partitions, STREAMS_PARTITIONS says "
                f"{settings.partitions}: set it to {partitions}; the count is fixed by genesis"
            )
    finally:
        await admin.close()


async def _begin_logs(settings: Settings, config: Config) -> list[str]:
    kafka = AioKafka(settings.kafka_options())
    appender = await kafka.open_appender()
    done = []
    topic = settings.topic(names.LOG)
    try:
        for partition in range(settings.partitions):
            first = await kafka.read(topic, partition, 0, 1)
            if not first:
                await appender.append(
                    [Append(topic, partition, [Row(b"", genesis(config, partition))])]
                )
                done.append(f"began {topic}[{partition}]")
                continue
            _check_genesis(topic, partition, first[0].value or b"", settings)
    finally:
        await appender.close()
        await kafka.close()
    return done


def genesis(config: Config, partition: int) -> bytes:
    """The first record of a log: everything the fold takes for granted."""
    return encode(
        Genesis(
            at_ms=0,
            partition=partition,
            partitions=config.partitions,
            seed=config.seed,
            config=msgspec.to_builtins(config),
        )
    )


def _check_genesis(topic: str, partition: int, value: bytes, settings: Settings) -> None:
    record = decode_record(value)
    if isinstance(record, Genesis) and record.partitions != settings.partitions:
        raise TopicError(
            f"{topic}[{partition}] was begun for {record.partitions} partitions, not "
            f"{settings.partitions}: the count is fixed; `streams repartition` alone may change it"
        )
