"""Topics as a read_committed reader sees them: for dumps, checks and the tests."""

from collections.abc import AsyncIterator

from streams.contract.topics import (
    DEAD_LETTERS,
    DECISIONS,
    INSIGHTS,
    LOG,
    MAIL,
    PROFILES,
    REPORTS,
    STATE,
    TRIGGERS,
)
from streams.runtime.kafka import AioKafka
from streams.runtime.port import Stored

OUTPUTS = (DECISIONS, PROFILES, DEAD_LETTERS, MAIL, REPORTS, INSIGHTS, *TRIGGERS.values())
READ_AT_MOST = 10_000


async def records(kafka: AioKafka, topic: str, partition: int) -> AsyncIterator[Stored]:
    """All committed records of a partition as of now, in offset order."""
    end = await kafka.end_offset(topic, partition)
    offset = 0
    while offset < end:
        found = await kafka.read(topic, partition, offset, READ_AT_MOST)
        for record in found:
            if record.offset < end:
                yield record
        if not found:
            break
        offset = found[-1].offset + 1
    await kafka.done_reading(partition)


async def outputs(kafka: AioKafka, prefix: str, partition: int) -> dict[str, list[Stored]]:
    """What was emitted for a partition, by short topic name."""
    return {
        name: [record async for record in records(kafka, prefix + name, partition)]
        for name in OUTPUTS
    }


async def log_and_state(
    kafka: AioKafka, prefix: str, partition: int
) -> tuple[list[Stored], list[Stored]]:
    log = [record async for record in records(kafka, prefix + LOG, partition)]
    state = [record async for record in records(kafka, prefix + STATE, partition)]
    return log, state
