"""Publishing against the real pipelines on the in-memory Kafka: answers, refusals, silence."""

import asyncio
from base64 import b64decode

import pytest

from streams.contract.codec import encode
from streams.contract.control import Command, held, published
from streams.contract.records import Control, Origin, Rejected
from streams.contract.reports import Applied
from streams.contract.topics import CONTROL, REPORTS
from streams.runtime.intake import EVERY, stamp_command
from streams.runtime.port import Stored
from streams.runtime.publish import Exchange, PublishError, refusals, what
from streams.simulation.cluster import Cluster
from streams.simulation.memory_kafka import Broker, Faults, MemoryKafka
from tests.runtime.test_cluster import PARTITIONS, take
from tests.runtime.toy import ToyFold

NEVER_SECONDS = 600.0


class MemoryReports:
    """The reports topic as a read_committed reader sees it from now on."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._at = {p: broker.last_stable(REPORTS, p) for p in range(PARTITIONS)}

    async def more(self) -> list[bytes]:
        await asyncio.sleep(0)
        found = []
        for partition, at in self._at.items():
            for record in self._broker.committed(REPORTS, partition, at):
                self._at[partition] = record.offset + 1
                found.append(record.value or b"")
        return found


def journey(name: str, version: int) -> Command:
    return published("journey", {"id": name, "version": version}, id=name, version=version)


def exchanged(commands: list[Command], *, seed: int = 1) -> Exchange:
    """Commands published while workers crash, freeze and move."""
    broker = Broker(seed, Faults(commit_lost=0.05))

    async def play() -> Exchange:
        exchange = Exchange(commands, partitions=PARTITIONS)
        reports = MemoryReports(broker)
        cluster = Cluster(broker=broker, new_fold=ToyFold, take=take, partitions=PARTITIONS)
        running = asyncio.ensure_future(cluster.run())
        broker.faults.append_lost = 0.0
        await exchange.write(await MemoryKafka(broker).open_appender(), CONTROL)
        broker.faults.append_lost = 0.02
        await exchange.read(reports, NEVER_SECONDS)
        await running
        return exchange

    return asyncio.run(play())


@pytest.mark.parametrize("seed", range(8))
def test_every_partition_answers_every_command_whatever_happens_to_the_workers(seed: int) -> None:
    commands = [journey("first", 1), journey("first", 2), held("pause", "first")]
    exchange = exchanged(commands, seed=seed)
    assert exchange.missing() == []
    assert [(a.kind, a.version, a.partition) for a in exchange.answers()] == [
        (command.kind, command.version, partition)
        for command in commands
        for partition in range(PARTITIONS)
    ]
    assert refusals(exchange.answers(), PARTITIONS) == []


def test_a_refusal_of_some_partitions_names_them_and_says_that_the_others_go_on() -> None:
    exchange = exchanged([journey("first", 1), journey("second", 1)])
    assert refusals(exchange.answers(), PARTITIONS) == [
        "journey second version 1 is refused by partition 1 alone and in force in the other 2: "
        "odd partitions want none"
    ]


def answer(partition: int, problem: str = "", command: Command | None = None) -> Applied:
    command = command or journey("first", 1)
    return Applied(
        partition=partition,
        at_ms=1,
        kind=command.kind,
        id=command.id,
        version=command.version,
        sha256=command.sha256,
        problem=problem,
    )


def test_a_refusal_of_all_partitions_is_told_once() -> None:
    answers = [answer(partition, "raise the version") for partition in range(PARTITIONS)]
    assert refusals(answers, PARTITIONS) == [
        "journey first version 1 is refused: raise the version"
    ]


class Told:
    def __init__(self, answers: list[Applied]) -> None:
        self._answers = answers

    async def more(self) -> list[bytes]:
        told, self._answers = self._answers, []
        return [encode(each) for each in told]


def asked(commands: list[Command], answers: list[Applied]) -> Exchange:
    exchange = Exchange(commands, partitions=PARTITIONS)
    asyncio.run(exchange.read(Told(answers), timeout_seconds=0.0))
    return exchange


def test_the_partitions_that_do_not_answer_are_named_with_what_to_do() -> None:
    exchange = asked([journey("first", 1)], [answer(0)])
    assert exchange.missing() == [1, 2]
    said = exchange.complaint("wechat.control", 5.0, [0, 5_012])
    assert said == (
        "journey first version 1 stands on wechat.control, but partitions 1, 2 of 3 have not "
        "reported it within 5 s (records behind: 0, 5,012). Is a worker running? It takes effect "
        "as soon as one gets there; nothing has to be published again"
    )


def test_an_answer_to_another_command_is_none_to_ours() -> None:
    others = [answer(0, command=journey("first", 2)), answer(1, command=held("pause", "first"))]
    assert asked([journey("first", 1)], others).missing() == [0, 1, 2]


def test_the_same_command_twice_is_refused_before_anything_is_written() -> None:
    with pytest.raises(PublishError, match="twice"):
        Exchange([held("pause", "*"), held("pause", "*")], partitions=PARTITIONS)


def test_what_is_no_command_is_a_dead_letter_of_one_partition() -> None:
    origin = Origin(CONTROL, 0, 0, 7)
    target, record = stamp_command(Stored(7, None, b'{"kind":"erase"}'), origin, 5)
    assert isinstance(record, Rejected)
    assert (target, record.reason, record.at_ms, record.origin) == (0, "bad_command", 5, origin)
    assert b64decode(record.raw) == b'{"kind":"erase"}'


def test_a_command_goes_to_every_partition_as_it_was_published() -> None:
    command, origin = journey("first", 1), Origin(CONTROL, 0, 0, 7)
    target, record = stamp_command(Stored(7, None, encode(command)), origin, 5)
    assert isinstance(record, Control)
    assert (target, record.at_ms, record.origin) == (EVERY, 5, origin)
    assert (record.id, record.version, record.body) == ("first", 1, command.body)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (journey("first", 2), "journey first version 2"),
        (published("policy", {"version": 3}, version=3), "policy version 3"),
        (held("pause", "first"), "the pause of first"),
        (held("resume", "*"), "the resume of all journeys"),
    ],
)
def test_a_command_has_words(command: Command, words: str) -> None:
    assert what(command) == words
