"""The real pipelines on the seeded in-memory Kafka: whatever happens, topics equal the replay's."""

import asyncio
import json
from collections.abc import Callable
from zlib import crc32

import pytest

from streams.contract.records import Observed, Origin
from streams.fold import Row
from streams.runtime.port import Stored
from streams.simulation.checkers import Dump, check
from streams.simulation.cluster import Cluster
from streams.simulation.memory_kafka import Broker, Faults
from tests.runtime.toy import ToyFold

PARTITIONS = 3
EVENTS = 120


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


def run_seed(seed: int, new_fold: Callable[[], ToyFold] = ToyFold) -> tuple[Broker, list[Dump]]:
    broker = Broker(seed, Faults(commit_lost=0.05, append_lost=0.02))
    for n in range(EVENTS):
        event = {"n": n, "id": f"e{n}", "user": f"u{n * 7 % 11}"}
        broker.produce("events", n % PARTITIONS, [Row(b"", json.dumps(event).encode())])
    cluster = Cluster(
        broker=broker, new_fold=lambda _: new_fold(), take=take, partitions=PARTITIONS
    )
    return broker, asyncio.run(cluster.run())


@pytest.mark.parametrize("block", range(8))
def test_any_seed_of_faults_ends_in_the_replays_topics(block: int) -> None:
    """25 seeds a block, 200 in all: rows, outputs and their order equal the replay's."""
    for seed in range(block * 25, block * 25 + 25):
        _, dumps = run_seed(seed)
        counted = 0
        for dump in dumps:
            wrong, replayed = check(dump, ToyFold)
            assert not wrong, (seed, wrong)
            counted += int(replayed.fold.counters()["fate.events"])
        assert counted == EVENTS, seed
