"""The small job side by side: ours and its peers, one worker process each, one broker, one topic.

Measured for all alike: from the first event being processed (stamped inside the worker, so process
start, imports, group joins and recovery do not count) until a read_committed reader has seen every
trigger. The last event of the topic that triggers is among its last twenty. Runs are interleaved in
rounds; the figure is the median of the rounds.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from streams.benchmarks import topics
from streams.benchmarks.work import PARTITIONS, PURCHASE_EVERY

PATIENCE_S = 300
PEERS = "streams.benchmarks.peers"


class Contestant(NamedTuple):
    """`prepare` runs before `command`; both see the BENCH_* variables, `{state}` is a fresh folder."""

    name: str
    what: str
    command: Sequence[str]
    prepare: Sequence[str] = ()


class Measured(NamedTuple):
    events_per_s: float
    cpu_us_per_event: float  # of the whole process, start-up included


OURS = Contestant(
    "ours",
    "exact state: one fenced transaction per batch of rows, offset and triggers",
    ("-m", "streams.benchmarks.ours"),
)
FAUST = Contestant(
    "faust",
    "as its guide shows it: per event, Table with changelog, at-least-once",
    ("-m", f"{PEERS}.faust_idiomatic", "worker", "--without-web", "--loglevel=error"),
)
QUIX = Contestant(
    "quix",
    "stateful function, RocksDB and changelog, at-least-once (its default)",
    ("-m", f"{PEERS}.quix"),
)
BYTEWAX = Contestant(
    "bytewax",
    "stateful map, recovery store on, a snapshot every second, outputs at-least-once",
    ("-m", "bytewax.run", f"{PEERS}.bytewax_job", "-r", "{state}", "-s", "1", "-b", "0"),
    ("-m", "bytewax.recovery", "{state}", "1"),
)
CONTESTANTS = (OURS, FAUST, QUIX, BYTEWAX)


async def run(
    contestant: Contestant, bootstrap: str, topic: str, events: int, number: int
) -> Measured:
    """Run one contestant over the filled topic. Raises RuntimeError with its log if it fails."""
    run_id = f"bench-{contestant.name}-{number}"
    output = output_topic(run_id)
    await topics.create(bootstrap, [output], PARTITIONS)
    with tempfile.TemporaryDirectory(prefix="streams-bench-") as folder:
        state = Path(folder, "state")
        state.mkdir()
        started = Path(folder, "started")
        environment = {
            **os.environ,
            "BENCH_BROKER": bootstrap,
            "BENCH_INPUT": topic,
            "BENCH_OUTPUT": output,
            "BENCH_RUN": run_id,
            "BENCH_STATE": str(state),
            "BENCH_STARTED": str(started),
        }
        if contestant.prepare:
            subprocess.run(_command(contestant.prepare, state), env=environment, check=True)
        log = Path(folder, "log")
        with log.open("wb") as out:
            process = subprocess.Popen(
                _command(contestant.command, state), env=environment, stdout=out, stderr=out
            )
        try:
            async with topics.reader(bootstrap, output, PARTITIONS) as consumer:
                finished = await topics.seen_all(
                    consumer,
                    expected=-(-events // PURCHASE_EVERY),
                    give_up=lambda: process.poll() is not None,
                    patience_s=PATIENCE_S,
                )
        except TimeoutError as error:
            raise RuntimeError(f"{contestant.name}: {error}\n{_tail(log)}") from error
        finally:
            cpu_s = _stop(process)
        seconds = finished - float(started.read_text())
    return Measured(events / seconds, cpu_s / events * 1e6)


def output_topic(run_id: str) -> str:
    return f"{run_id}.triggers"


def _command(arguments: Sequence[str], state: Path) -> list[str]:
    return [sys.executable, *(argument.replace("{state}", str(state)) for argument in arguments)]


def _stop(process: subprocess.Popen[bytes]) -> float:
    """End the process; the processor seconds it took."""
    before = os.times()
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    after = os.times()
    return (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:]
