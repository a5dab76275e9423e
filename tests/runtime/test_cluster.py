"""The real pipelines on the seeded in-memory Kafka: whatever happens, topics equal the replay's."""

import asyncio
import json
from collections.abc import Callable
from functools import partial
from zlib import crc32

import pytest

from streams.contract.codec import decode, encode
from streams.contract.control import Command, held, published
from streams.contract.records import Observed, Origin
from streams.contract.reports import Applied
from streams.contract.topics import CONTROL, REPORTS
from streams.fold import Row
from streams.runtime.port import Stored
from streams.simulation.checkers import Dump, check
from streams.simulation.cluster import Cluster
from streams.simulation.memory_kafka import Broker, Faults
from tests.runtime.toy import ToyFold

PARTITIONS = 3
EVENTS = 120
COMMANDS: tuple[Command, ...] = (
    *(
        published("journey", {"id": "first", "version": version}, id="first", version=version)
        for version in (1, 2)
    ),
    published("journey", {"id": "second", "version": 1}, id="second", version=1),
    held("pause", "first"),
    held("resume", "*"),
)


def take(stored: Stored, origin: Origin) -> tuple[int, Observed]:
    event = json.loads(stored.value or b"{}")
    record = Observed(
        at_ms=event["n"],
        origin=origin,
        id=event["id"],
        source="test",
        type="page.viewed",
        alias=event["user"],
        time_ms=event["n"],
        data={},
    )
    return crc32(event["user"].encode()) % PARTITIONS, record


def run_seed(seed: int, new_fold: Callable[[int], ToyFold] = ToyFold) -> tuple[Broker, list[Dump]]:
    broker = Broker(seed, Faults(commit_lost=0.05, append_lost=0.02))
    for n in range(EVENTS):
        event = {"n": n, "id": f"e{n}", "user": f"u{n * 7 % 11}"}
        broker.produce("events", n % PARTITIONS, [Row(b"", json.dumps(event).encode())])
    for command in COMMANDS:
        broker.produce(CONTROL, 0, [Row(b"", encode(command))])
    cluster = Cluster(broker=broker, new_fold=new_fold, take=take, partitions=PARTITIONS)
    return broker, asyncio.run(cluster.run())


def wrong_with(dumps: list[Dump], new_fold: Callable[[int], ToyFold] = ToyFold) -> list[str]:
    """What the dumps of a run break: exact state, outputs once, each event and command once."""
    wrong, events = [], 0
    for dump in dumps:
        found, replayed = check(dump, partial(new_fold, dump.partition))
        wrong += found
        events += int(replayed.fold.counters()["fate.events"])
        told = [decode(record.value or b"", Applied) for record in dump.topics.get(REPORTS, ())]
        if [(a.partition, a.kind, a.id, a.version) for a in told] != [
            (dump.partition, c.kind, c.id, c.version) for c in COMMANDS
        ]:
            wrong.append(f"partition {dump.partition}: {len(told)} reports of commands: {told}")
    return wrong if events == EVENTS else [*wrong, f"{events} events of {EVENTS}"]


@pytest.mark.parametrize("block", range(8))
def test_any_seed_of_faults_ends_in_the_replays_topics(block: int) -> None:
    """25 seeds a block, 200 in all: rows, outputs and their order equal the replay's, and every
    partition has applied every command once, in the order in which they were published."""
    for seed in range(block * 25, block * 25 + 25):
        _, dumps = run_seed(seed)
        assert not wrong_with(dumps), seed
