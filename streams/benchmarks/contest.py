"""The small job side by side: ours and its peers, one worker process each, on one broker.

Measured for all alike: from the first event being processed (stamped inside the worker, so process
start, imports, group joins and recovery do not count) until a read_committed reader has seen every
trigger; among the last twenty events one triggers. Each run reads a log of its own with the same
records, written just before, in four partitions.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from streams.benchmarks import topics
from streams.benchmarks.ours import deployment
from streams.benchmarks.work import PARTITIONS, PURCHASE_EVERY
from streams.contract.topics import LOG, TRIGGERS
from streams.engine.config import Config
from streams.runtime import topics as runtime_topics

PATIENCE_S = 900  # the slowest takes a minute on a quiet machine, ten on a busy one
PEERS = "streams.benchmarks.peers"
Records = Sequence[tuple[str, bytes]]


class Contestant(NamedTuple):
    """`prepare` runs before `command`; `{state}` in either is a fresh folder."""

    name: str
    what: str
    command: Sequence[str]
    prepare: Sequence[str] = ()


class Measured(NamedTuple):
    events_per_s: float
    cpu_us_per_event: float  # of all the worker's threads, from its first event on


OURS = Contestant(
    "ours",
    "rows of users and model, offset and triggers in one fenced transaction per batch",
    ("-m", "streams.benchmarks.ours"),
)
FAUST = Contestant(
    "faust",
    "per event, Table with changelog, at-least-once",
    ("-m", f"{PEERS}.faust_idiomatic", "worker", "--without-web", "--loglevel=error"),
)
QUIX = Contestant(
    "quix",
    "stateful function, RocksDB and changelog, at-least-once",
    ("-m", f"{PEERS}.quix"),
)
_BYTEWAX = ("-m", "bytewax.run", f"{PEERS}.bytewax_job", "-r", "{state}")
_BYTEWAX_STORE = ("-m", "bytewax.recovery", "{state}", "1")
BYTEWAX = Contestant(
    "bytewax",
    "stateful map, recovery on with a snapshot every 30 s as in its guide, outputs at-least-once",
    (*_BYTEWAX, "-s", "30", "-b", "180"),
    _BYTEWAX_STORE,
)
BYTEWAX_1S = Contestant(
    "bytewax_snapshot_1s",
    "the same with a snapshot every second",
    (*_BYTEWAX, "-s", "1", "-b", "180"),
    _BYTEWAX_STORE,
)
CONTESTANTS = (OURS, FAUST, QUIX, BYTEWAX, BYTEWAX_1S)


async def run(contestant: Contestant, bootstrap: str, records: Records, number: int) -> Measured:
    """Run one contestant over fresh topics. Raises RuntimeError with its log if it fails."""
    run_id = topics.run_id(f"{contestant.name}-{number}")
    with tempfile.TemporaryDirectory(prefix="streams-bench-") as folder:
        at = Place(bootstrap, run_id, Path(folder))
        await at.make_topics(records, genesis=contestant is OURS)
        if contestant.prepare:
            preparing = await asyncio.to_thread(at.start, contestant.prepare)
            await asyncio.to_thread(preparing.wait)
        async with topics.reader(bootstrap, at.output, PARTITIONS) as consumer:
            process = at.start(contestant.command)
            cpu_before_s = _children_cpu_s()
            try:
                finished = await topics.seen_all(
                    consumer,
                    expected=-(-len(records) // PURCHASE_EVERY),
                    give_up=lambda: process.poll() is not None,
                    patience_s=PATIENCE_S,
                )
            except TimeoutError as error:
                raise RuntimeError(f"{contestant.name}: {error}\n{at.log()}") from error
            finally:
                await asyncio.to_thread(topics.end, process)
        started, cpu_then_s = at.started()
        cpu_s = _children_cpu_s() - cpu_before_s - cpu_then_s
    return Measured(len(records) / (finished - started), cpu_s / len(records) * 1e6)


class Place(NamedTuple):
    """Where one run takes place: its broker, its topics, its folder."""

    bootstrap: str
    run_id: str
    folder: Path

    @property
    def input(self) -> str:
        return f"{self.run_id}.{LOG}"

    @property
    def output(self) -> str:
        return f"{self.run_id}.{TRIGGERS['coupon']}"

    async def make_topics(self, records: Iterable[tuple[str, bytes]], *, genesis: bool) -> None:
        (self.folder / "state").mkdir()
        if genesis:
            chosen = deployment(self.bootstrap, self.run_id, self.folder)
            await runtime_topics.apply(chosen, Config(partitions=PARTITIONS))
        else:
            await topics.create(self.bootstrap, [self.input, self.output], PARTITIONS)
        await topics.fill(self.bootstrap, self.input, topics.by_key(records, PARTITIONS))

    def start(self, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        state = str(self.folder / "state")
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 (our own arguments)
                [sys.executable, *(argument.replace("{state}", state) for argument in arguments)],
                stdout=log,
                stderr=log,
                env={
                    **os.environ,
                    "BENCH_BROKER": self.bootstrap,
                    "BENCH_INPUT": self.input,
                    "BENCH_OUTPUT": self.output,
                    "BENCH_RUN": self.run_id,
                    "BENCH_STATE": state,
                    "BENCH_STARTED": str(self.folder / "started"),
                },
            )

    def started(self) -> tuple[float, float]:
        """When the first event was processed, and the processor seconds until then."""
        at_s, cpu_s = (self.folder / "started").read_text().split()
        return float(at_s), float(cpu_s)

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-3000:]


def _children_cpu_s() -> float:
    times = os.times()
    return times.children_user + times.children_system
