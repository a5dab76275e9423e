"""Two workers on a real Kafka under SIGKILL, SIGSTOP and a rebalance: topics equal the replay's.

The short form runs with every test run; `make live` runs the long one (500 000 events, 20 kills).
"""

import asyncio
import os
from collections.abc import Iterator

import orjson

from streams.engine.fold import EngineFold
from streams.intake import Intake
from streams.simulation.checkers import conservation
from streams.simulation.population import Population
from streams.simulation.scenarios import SCENARIOS
from tests.live.harness import ALIAS_KEY, Live, torment

START_MS = 1_760_000_000_000
EVENTS = int(os.environ.get("STREAMS_LIVE_EVENTS", "25000"))
KILLS = int(os.environ.get("STREAMS_LIVE_KILLS", "4"))


def events(count: int, start_ms: int = START_MS) -> Iterator[bytes]:
    """What a crowd does in hours, until there are enough events.

    So many people that it takes them less than the week after which an event is late: a worker
    that takes one partition far ahead of the others then makes none of theirs late.
    """
    intake = Intake(key=ALIAS_KEY.encode(), tenant="default", partitions=4)
    people = Population(max(200, count // 15), "ecommerce", "live", start_ms, intake.alias_of)
    hour = 0
    while count:
        for raw in people.hour(hour)[:count]:
            count -= 1
            yield raw if isinstance(raw, bytes) else orjson.dumps(raw)
        hour += 1


def test_nothing_is_lost_or_doubled_whatever_happens_to_the_workers(bootstrap: str) -> None:
    """Rows of users and models, triggers and decisions equal an uninterrupted replay's."""

    async def play() -> None:
        live = Live(bootstrap, "chaos", job="engine")
        try:
            await live.create(SCENARIOS["ecommerce"].config)
            total = await live.produce(events(EVENTS))
            await torment(live, total=total, kills=KILLS, seed=7)
            live.stop()
            folds = [one.fold for one in await live.check(EngineFold)]
            counted = [fold.counters() for fold in folds]
            assert not conservation(counted, total)
            assert sum(counts["trigger.content"] + counts["trigger.coupon"] for counts in counted)
        finally:
            await live.close()

    asyncio.run(play())


def test_a_worker_told_to_stop_finishes_what_it_holds_and_ends_with_0(bootstrap: str) -> None:
    async def play() -> None:
        live = Live(bootstrap, "calm", job="engine")
        try:
            await live.create(SCENARIOS["ecommerce"].config)
            total = await live.produce(events(2_000))
            live.start("w0")
            await live.until(lambda left: left == 0)
            assert live.stop() == {"w0": 0}
            folds = [one.fold for one in await live.check(EngineFold)]
            assert not conservation([fold.counters() for fold in folds], total)
        finally:
            await live.close()

    asyncio.run(play())
