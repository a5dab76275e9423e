"""Publishing to a running deployment: commands onto the control topic, answers from everywhere.

    publish -> control topic -> intake -> log of every partition -> fold -> reports topic -> here

A command is in force in a partition when its report is committed, so having all reports is having
it in force everywhere. What was written is never taken back: a partition that has not answered in
time applies it when a worker gets there.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from streams.contract.codec import encode
from streams.contract.control import Command
from streams.contract.reports import Applied, Report
from streams.contract.topics import CONTROL, LOG, REPORTS
from streams.faults import UserFault
from streams.fold import Row
from streams.runtime import topics
from streams.runtime.kafka import AioKafka
from streams.runtime.port import Append, Appender
from streams.settings import Settings

TIMEOUT_SECONDS = 30.0
WAIT_MS = 100  # of one fetch; an answer comes back as soon as it is there

Key = tuple[str, str, int, str]

_report = msgspec.json.Decoder(Report)


class PublishError(UserFault):
    """One line: what was not published, or where it is not in force yet, and what to do."""


class Reports(Protocol):
    """The reports of all partitions from where they ended when it was opened."""

    async def more(self) -> list[bytes]:
        """Those that came since; may wait a moment for the next."""


async def publish(
    settings: Settings, commands: Sequence[Command], *, timeout_seconds: float = TIMEOUT_SECONDS
) -> list[Applied]:
    """Write the commands, in order, and wait until every partition has reported each of them.

    The answers are ordered by command and partition; look at them with `refusals`. Raises
    PublishError for partitions that have not answered, TopicError where topics are missing.
    """
    await topics.check(settings)
    kafka = AioKafka(settings.kafka_options())
    async with _reports(settings) as reports:
        appender = await kafka.open_appender()
        try:
            exchange = Exchange(commands, partitions=settings.partitions)
            await exchange.write(appender, settings.topic(CONTROL))
        finally:
            await appender.close()
        await exchange.read(reports, timeout_seconds)
    if exchange.missing():
        behind = await _behind(settings, exchange.missing(), kafka)
        raise PublishError(exchange.complaint(settings.topic(CONTROL), timeout_seconds, behind))
    return exchange.answers()


class Exchange:
    """Some commands and the answers to them."""

    def __init__(self, commands: Sequence[Command], *, partitions: int) -> None:
        self._commands = {_key(command): command for command in commands}
        if len(self._commands) < len(commands):
            raise PublishError("the same command is given twice: give it once")
        self._partitions = partitions
        self._answers: dict[tuple[Key, int], Applied] = {}

    async def write(self, appender: Appender, topic: str) -> None:
        rows = [Row(b"", encode(command)) for command in self._commands.values()]
        await appender.append([Append(topic, 0, rows)])

    async def read(self, reports: Reports, timeout_seconds: float) -> None:
        """Until all answers are there or the time is over."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            for raw in await reports.more():
                self._take(raw)
            if not self.missing() or time.monotonic() > deadline:
                return

    def answers(self) -> list[Applied]:
        return [
            self._answers[key, partition]
            for key in self._commands
            for partition in range(self._partitions)
            if (key, partition) in self._answers
        ]

    def missing(self) -> list[int]:
        """The partitions that owe an answer."""
        answered = Counter(partition for _, partition in self._answers)
        return [p for p in range(self._partitions) if answered[p] < len(self._commands)]

    def complaint(self, topic: str, seconds: float, behind: Sequence[int]) -> str:
        """What to tell whoever waits. `behind`: how many records each missing partition is."""
        missing = self.missing()
        late = next(
            command
            for key, command in self._commands.items()
            if any((key, partition) not in self._answers for partition in missing)
        )
        if len(missing) == self._partitions:
            who = f"no partition of {self._partitions} has"
        else:
            who = f"{_partitions(missing)} of {self._partitions} {_has(missing)} not"
        lag = ", ".join(f"{n:,}" for n in behind)
        return (
            f"{what(late)} stands on {topic}, but {who} reported it within {seconds:g} s "
            f"(records behind: {lag}). Is a worker running? It takes effect as soon as one gets "
            "there; nothing has to be published again"
        )

    def _take(self, raw: bytes) -> None:
        report = _report.decode(raw)
        if isinstance(report, Applied):
            key = (report.kind, report.id, report.version, report.sha256)
            if key in self._commands:
                self._answers.setdefault((key, report.partition), report)


def refusals(answers: Sequence[Applied], partitions: int) -> list[str]:
    """One line for each problem of a command, with the partitions that have it unless all do."""
    found: dict[tuple[str, str], list[int]] = {}
    for answer in answers:
        if answer.problem:
            found.setdefault((what(answer), answer.problem), []).append(answer.partition)
    return [
        f"{name} is refused{_where(where, partitions)}: {problem}"
        for (name, problem), where in found.items()
    ]


def what(told: Command | Applied) -> str:
    """A command in words: `journey cart_rescue version 3`, `pause of cart_rescue`, `policy ...`."""
    if not told.version:
        return f"the {told.kind} of {'all journeys' if told.id == '*' else told.id}"
    named = told.kind if told.id == told.kind else f"{told.kind} {told.id}"
    return f"{named} version {told.version}"


def _where(where: list[int], partitions: int) -> str:
    if len(where) == partitions:
        return ""
    return f" by {_partitions(where)} alone and in force in the other {partitions - len(where)}"


def _partitions(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(number) for number in numbers)
    return f"partition{'s' if len(numbers) > 1 else ''} {shown}"


def _has(numbers: Sequence[int]) -> str:
    return "have" if len(numbers) > 1 else "has"


def _key(command: Command) -> Key:
    return command.kind, command.id, command.version, command.sha256


@asynccontextmanager
async def _reports(settings: Settings) -> AsyncIterator["KafkaReports"]:
    consumer = AIOKafkaConsumer(
        **settings.kafka_options(),
        enable_auto_commit=False,
        isolation_level="read_committed",
        fetch_max_wait_ms=WAIT_MS,
    )
    await consumer.start()
    try:
        topic = settings.topic(REPORTS)
        places = [TopicPartition(topic, number) for number in range(settings.partitions)]
        consumer.assign(places)
        for place, end in (await consumer.end_offsets(places)).items():
            consumer.seek(place, end)
        yield KafkaReports(consumer)
    finally:
        await consumer.stop()


class KafkaReports:
    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def more(self) -> list[bytes]:
        found = await self._consumer.getmany(timeout_ms=WAIT_MS)
        return [record.value for records in found.values() for record in records]


async def _behind(settings: Settings, partitions: Sequence[int], kafka: AioKafka) -> list[int]:
    """How many records of its log each partition has not applied, by the group's offsets."""
    topic = settings.topic(LOG)
    admin = AIOKafkaAdminClient(**settings.kafka_options())
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(settings.app_id)
        behind = []
        for partition in partitions:
            known = offsets.get(TopicPartition(topic, partition))
            at = max(0, known.offset) if known is not None else 0
            behind.append(max(0, await kafka.end_offset(topic, partition) - at))
    finally:
        await admin.close()
        await kafka.close()
    return behind
