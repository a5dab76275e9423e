"""The full engine on the seeded in-memory Kafka, with crashes, zombies, rebalances and lost
answers.
"""

import asyncio
from collections.abc import Iterator
from functools import cache

import orjson
import pytest

from streams.contract.codec import encode
from streams.contract.control import held, published
from streams.contract.policy import Policy
from streams.contract.records import Origin
from streams.contract.topics import CONTROL, EVENTS, LOG
from streams.engine.config import Config
from streams.engine.fold import EngineFold
from streams.event_file import told_ms
from streams.fold import Row
from streams.intake import Intake
from streams.runtime.intake import Stamped
from streams.runtime.port import Stored
from streams.runtime.topics import genesis
from streams.simulation.checkers import check, conservation, last_values
from streams.simulation.cluster import Cluster
from streams.simulation.memory_kafka import Broker, Faults
from streams.simulation.policy_checker import Partition, check_policy
from streams.simulation.population import Population
from tests.engine.journeys import CART, CHURN, INTEREST, journey, library
from tests.simulation.histories import inside, plain
from tests.simulation.journeys import CONTENT, OFFER

PARTITIONS = 3
EVENTS_A_SEED = 150
CONFIG = Config(
    partitions=PARTITIONS,
    policy=Policy(daily_budget_fen=30_000),
    journeys=(
        journey(CART, holdout={"share": 0.1}),
        journey(CHURN, entry={"on": "daily.check", "where": "score('churn') >= 0.2"}),
        journey(INTEREST),
        journey(OFFER, entry={"on": "product.viewed", "reentry": {"cooldown": "1h"}}),
    ),
    content=library(CONTENT),
)
COMMANDS = (
    held("pause", "nudge"),
    published("journey", plain(journey(OFFER, version=2)), id="offer", version=2),
    held("pause", "cart_rescue"),
    held("resume", "cart_rescue"),
)
INTAKE = Intake(key=b"a key of the tests, 32 bytes long", tenant="default", partitions=PARTITIONS)


@cache
def story() -> list[bytes]:
    """Six days of forty people: orders, consent, erasures, linked identities, bad input."""
    people = Population(40, "ecommerce", "cluster", 1_760_000_000_000, INTAKE.alias_of)
    raws = (raw for hour in range(6 * 24) for raw in people.hour(hour))
    return [raw if isinstance(raw, bytes) else orjson.dumps(raw) for raw in raws]


class Stamp:
    """What the workers share in this play: the event clock."""

    def __init__(self) -> None:
        self.now_ms = 0

    def __call__(self, stored: Stored, origin: Origin) -> Stamped:
        self.now_ms = max(self.now_ms, told_ms(stored.value or b""))
        return INTAKE.take(stored.value, origin, self.now_ms)


def run_seed(seed: int) -> Iterator[tuple[list[str], EngineFold]]:
    broker = Broker(seed, Faults(commit_lost=0.05, append_lost=0.02))
    for partition in range(PARTITIONS):
        broker.produce(LOG, partition, [Row(b"", genesis(CONFIG, partition))])
    raws = story()
    start = seed * 37 % (len(raws) - EVENTS_A_SEED)
    for n, raw in enumerate(raws[start : start + EVENTS_A_SEED]):
        broker.produce(EVENTS, n % PARTITIONS, [Row(b"", raw)])
    broker.produce(CONTROL, 0, [Row(b"", encode(command)) for command in COMMANDS])
    cluster = Cluster(
        broker=broker,
        new_fold=lambda partition: EngineFold(partition, users_in_memory=4),
        take=Stamp(),
        partitions=PARTITIONS,
    )
    partitions = []
    for dump in asyncio.run(cluster.run()):
        wrong, replayed = check(dump, lambda p=dump.partition: EngineFold(p))
        assert isinstance(replayed.fold, EngineFold)
        counters, rows = replayed.fold.counters(), last_values(dump.state)
        partitions.append(Partition(dump.log, dump.topics, rows, counters, inside(rows)))
        yield wrong, replayed.fold
    wrong = check_policy(partitions)
    assert not wrong, (seed, wrong)


@pytest.mark.parametrize("block", range(20))
def test_any_seed_of_faults_ends_in_the_replays_topics(block: int) -> None:
    """10 seeds a block, 200 in all: every row and output equals the replay's, every input has one
    fate.
    """
    for seed in range(block * 10, block * 10 + 10):
        folds = []
        for wrong, fold in run_seed(seed):
            assert not wrong, (seed, wrong)
            folds.append(fold)
        assert not conservation([fold.counters() for fold in folds], EVENTS_A_SEED), seed
