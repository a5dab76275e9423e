"""Every class of bad input on a real Kafka, among good events: dead-lettered with its reason, no
restart.
"""

import asyncio
from collections import Counter

from streams.contract.codec import decode
from streams.contract.dead_letters import DeadLetter
from streams.contract.topics import DEAD_LETTERS
from streams.engine.fold import EngineFold
from streams.runtime.clock import wall_ms
from streams.simulation.checkers import conservation
from streams.simulation.scenarios import SCENARIOS
from tests.live.harness import Live
from tests.live.test_chaos import events
from tests.poison.corpus import ACCEPTED, CORPUS

MAX_RECORD_BYTES = 1_000_000  # what the broker takes; larger ones never reach us


def test_poison_ends_in_dead_letters_and_its_neighbours_are_untouched(bootstrap: str) -> None:
    async def play() -> None:
        live = Live(bootstrap, "poison", job="engine", STREAMS_CLOCK="wall")
        now_ms = wall_ms()
        try:
            await live.create(SCENARIOS["ecommerce"].config)
            mixed, expected = [], Counter()
            good = events(4 * len(CORPUS), start_ms=now_ms - 12 * 3_600_000)
            for poison in CORPUS:
                raw = poison.make(now_ms)
                mixed += [next(good), next(good)]
                if raw is None or len(raw) < MAX_RECORD_BYTES:
                    mixed.append(raw)
                    if poison.expected != ACCEPTED:
                        expected[poison.expected] += 1
            total = await live.produce(mixed)
            live.start("w0")
            first = live.workers["w0"]
            await live.until(lambda left: left == 0)
            assert live.workers["w0"] is first
            assert live.stop() == {"w0": 0}
            replayed = await live.check(EngineFold)
            assert not conservation([one.fold.counters() for one in replayed], total)
            letters = [o for one in replayed for o in one.outputs.get(DEAD_LETTERS, ())]
            reasons = Counter(decode(o.value, DeadLetter).reason for o in letters)
            assert expected <= reasons
        finally:
            await live.close()

    asyncio.run(play())
