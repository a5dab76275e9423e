"""A million people who wait in a journey: memory, recovery, and how late their timers fire.

python -m streams.benchmarks.waits [--users 1000000]

People of the shop's population go through the whole engine for a month; their rows are written many
times over under other aliases (as `million` does), each with a wait for the cart's reminder: spread
over a day from the start of the worker on, and a burst of them within one second. A worker is
started on them, killed and started again. Then the decisions it makes are read as a push service
would: how long after its time did each step fire?
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

import msgspec
import orjson

from streams.benchmarks import full_engine, million, topics
from streams.benchmarks.ours import deployment
from streams.benchmarks.profile import KEY
from streams.benchmarks.topics import Record
from streams.benchmarks.work import PARTITIONS
from streams.contract.codec import decode
from streams.contract.decisions import Decision
from streams.contract.policy import DAY_MS
from streams.contract.topics import DECISIONS, STATE
from streams.engine.config import Config
from streams.engine.state import Counts, Instance, decode_row, decode_user, encode_row, encode_user
from streams.outputs import Outputs
from streams.replay import Replay, replay_file
from streams.runtime import topics as runtime_topics
from streams.runtime.kafka import AioKafka
from streams.runtime.local_kafka import LocalKafka
from streams.runtime.recovery import APPLIED_KEY, Applied
from streams.snapshot import StateRow

JOURNEY: Final = "cart_rescue"
LEAD_S: Final = 90  # until the first wait ends: the worker starts and is killed once before
WATCH_S: Final = 60
BURST_AT_S: Final = 30  # after the first wait ends, so many end within one second
WAIT: Final = Instance(
    journey=JOURNEY,
    version=1,
    step=0,
    due_ms=0,
    entered_ms=0,
    event_ms=0,
    cause_event_id="",
    source="wx:mp:shop",
    entry={"category": "tea", "item_id": "tea-1", "price_fen": 5_900, "value_fen": 5_900},
)
COUNTS_KEY: Final = b"c:counts"


def month_rows(folder: Path, users: int, config: Config) -> list[StateRow]:
    """The state of simulated people after a month."""
    events, _ = full_engine.simulated(folder, users, million.DAYS)
    replay = Replay(config, key=KEY, outputs=Outputs(folder / "out"), keep_rows=True)
    replay_file(events, replay)
    return list(replay.state_rows())


def spread(rows: Iterable[StateRow], users: int, burst: int, first_ms: int) -> Iterator[StateRow]:
    """The rows with exactly one wait a person: `burst` of them within one second, the others over
    a day."""
    number = 0
    for partition, key, value in million.multiplied(rows, users):
        if not key.startswith(million.USER):
            yield StateRow(partition, key, _with_clock(key, value, first_ms))
            continue
        state = decode_user(value)
        due_ms = first_ms + number * DAY_MS // users
        if number % (users // burst) == 0:
            due_ms = first_ms + BURST_AT_S * 1000 + number // (users // burst) % 1000
        number += 1
        wait = msgspec.structs.replace(
            WAIT, due_ms=due_ms, entered_ms=due_ms - 1_800_000, event_ms=due_ms - 1_800_000,
            cause_event_id=f"cart-{number}@{due_ms}",
        )  # fmt: skip
        state.inside = [wait]
        state.pending = []
        state.check_ms = first_ms + DAY_MS + number % DAY_MS
        yield StateRow(partition, key, encode_user(state, due_ms))


def _with_clock(key: bytes, value: bytes, now_ms: int) -> bytes:
    """The log's time is that of the start, not of the simulated month."""
    if key != COUNTS_KEY:
        return value
    counts = decode_row(key, value, Counts)
    counts.now_ms = min(counts.now_ms, now_ms - 120_000)
    return encode_row(counts)


async def run(bootstrap: str, rows: Path, config: Config, folder: Path, first_ms: int) -> Any:
    """Start, kill, start again; then how late the steps fired, in ms."""
    chosen = deployment(bootstrap, topics.run_id("waits"), folder).model_copy(
        update={"instance_id": "worker-1", "clock": "wall"}
    )
    await runtime_topics.apply(chosen, config)
    await topics.fill(bootstrap, chosen.topic(STATE), (Record(*row) for row in million.read(rows)))
    applied = msgspec.json.encode(Applied(offset=0, version=1, emitted={}))
    await topics.fill(
        bootstrap,
        chosen.topic(STATE),
        (Record(partition, APPLIED_KEY, applied) for partition in range(PARTITIONS)),
    )
    first, start_s = await asyncio.to_thread(million.start_worker, chosen, folder)
    first.kill()
    first.wait()
    second, restart_s = await asyncio.to_thread(million.start_worker, chosen, folder)
    try:
        memory = million.memory(second.pid)
        left_s = first_ms / 1000 + WATCH_S - time.time()
        late_start_s = max(0.0, time.time() - first_ms / 1000)
        await asyncio.sleep(max(0.0, left_s))
        fired = await _fired(AioKafka(chosen.kafka_options()), chosen.topic(DECISIONS), first_ms)
    finally:
        await asyncio.to_thread(topics.end, second)
    return {
        "start_to_ready_s": start_s,
        "restart_to_ready_s": restart_s,
        "ready_after_first_due_s": late_start_s,
        **memory,
        **fired,
    }


async def _fired(kafka: AioKafka, topic: str, first_ms: int) -> dict[str, Any]:
    """Lateness of each due step, in and outside the burst's second and what it delays."""
    burst_ms = first_ms + BURST_AT_S * 1000
    steady: list[int] = []
    burst: list[int] = []
    for partition in range(PARTITIONS):
        offset, end = 0, await kafka.end_offset(topic, partition)
        while offset < end:
            for stored in await kafka.read(topic, partition, offset, 10_000):
                offset = stored.offset + 1
                one = decode(stored.value or b"{}", Decision)
                if one.journey == JOURNEY and one.step == "offer":
                    due_ms = int(one.cause_event_id.partition("@")[2] or 0)
                    late_ms = one.decided_at_ms - due_ms
                    (burst if burst_ms <= due_ms < burst_ms + 1000 else steady).append(late_ms)
            offset = max(offset, 0) if offset else end
    await kafka.close()
    return {"steady_late_ms": _shown(steady), "burst_late_ms": _shown(burst)}


def _shown(late: list[int]) -> dict[str, float]:
    if len(late) < 100:
        return {"fired": len(late)}
    cuts = quantiles(late, n=100)
    return {"fired": len(late), "p50": cuts[49], "p99": cuts[98], "max": max(late)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m streams.benchmarks.waits")
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--simulated", type=int, default=1_000, help="people really folded")
    parser.add_argument("--burst", type=int, default=5_000, help="waits that end in one second")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, LocalKafka.or_given() as kafka:
        folder = Path(name)
        config = million.shop()
        folded = month_rows(folder, options.simulated, config)
        rows = folder / "rows"
        first_ms = int(time.time() * 1000) + (LEAD_S + options.users // 10_000) * 1000
        million.write(rows, spread(folded, options.users, options.burst, first_ms))
        command = [sys.executable, "-m", "streams.benchmarks.million", "--load", str(rows)]
        loaded = json.loads(subprocess.check_output(command))  # noqa: S603
        print(orjson.dumps({"load": loaded}).decode(), flush=True)
        found = asyncio.run(run(kafka.bootstrap, rows, config, folder, first_ms))
        print(orjson.dumps({"worker": found}, option=orjson.OPT_INDENT_2).decode())


if __name__ == "__main__":
    main()
