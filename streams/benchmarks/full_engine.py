"""The full engine: the same simulated events by replay from a file and live through Kafka.

Both take events in, decide and write every output, in one process. Replay's figure is its own,
over its whole feed. Live is measured from the broker's time of the first event on the log until the
worker's counters, which it publishes after each commit, account for every event. The topic is
filled before; events stand in one partition, so live meets them in the order and time of replay.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.benchmarks import topics
from streams.benchmarks.ours import deployment
from streams.benchmarks.work import PARTITIONS
from streams.contract.topics import EVENTS, LOG
from streams.engine.config import Config
from streams.event_file import read_lines
from streams.runtime import topics as runtime_topics
from streams.settings import Settings, variable
from streams.simulation.run import simulate
from streams.simulation.scenarios import SCENARIOS

PATIENCE_S = 600
SCENARIO = "ecommerce"
_FATE = re.compile(r'^streams_events_total\{fate="(?!redelivered)\w+"\} (\S+)', re.MULTILINE)


class Live(NamedTuple):
    events_per_s: float
    start_s: float  # from process start to the first event


def engine_config() -> Config:
    return msgspec.structs.replace(SCENARIOS[SCENARIO].config, partitions=PARTITIONS)


def simulated(folder: Path, users: int, days: int) -> tuple[Path, int]:
    """A file of events of synthetic users, and how many there are."""
    events = folder / "events.ndjson"
    made = simulate(users, days, "bench", SCENARIO, events, folder / "truth.ndjson")
    return events, made.events


def replay(events: Path, folder: Path) -> dict[str, Any]:
    """The summary of `streams replay`, in a process of its own."""
    out = folder / "replay"
    command = [sys.executable, "-m", "streams", "replay", str(events)]
    command += ["--scenario", SCENARIO, "--out", str(out)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 (our own arguments)
    summary: dict[str, Any] = json.loads((out / "summary.json").read_bytes())
    return summary


async def live(bootstrap: str, events: Path, count: int, folder: Path, number: int) -> Live:
    """Raises RuntimeError with the worker's log if it does not account for every event."""
    chosen = deployment(bootstrap, topics.run_id(f"engine-{number}"), folder)
    await topics.create(bootstrap, [chosen.topic(EVENTS)], 1)
    await runtime_topics.apply(chosen, engine_config())
    await topics.fill(bootstrap, chosen.topic(EVENTS), _in_one_partition(events))
    started = time.time()
    process = start_worker(chosen, folder)
    try:
        finished = await asyncio.to_thread(_accounted, process, chosen.metrics_port, count)
        first = await _first_on_log(bootstrap, chosen.topic(LOG))
    except TimeoutError as error:
        raise RuntimeError(f"worker: {error}\n{worker_log(folder)}") from error
    finally:
        await asyncio.to_thread(topics.end, process)
    return Live(count / (finished - first), first - started)


def start_worker(chosen: Settings, folder: Path) -> "subprocess.Popen[bytes]":
    """`streams worker` with these settings."""
    environment = dict(os.environ)
    for name in type(chosen).model_fields:
        value = getattr(chosen, name)
        if name == "alias_key":
            value = value.get_secret_value()
        if value not in (None, ""):
            environment[variable(name)] = str(value)
    with (folder / "worker.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "streams", "worker"], stdout=log, stderr=log, env=environment
        )


def worker_log(folder: Path) -> str:
    return (folder / "worker.log").read_text(errors="replace")[-3000:]


def metrics(port: int) -> str:
    """The worker's metrics, empty while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text: str = answer.read().decode()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return ""
    return text


def _in_one_partition(events: Path) -> Iterator[topics.Record]:
    return (topics.Record(0, b"", line) for line in read_lines(events))


def _accounted(process: "subprocess.Popen[bytes]", port: int, count: int) -> float:
    """When the counters of all fates together reach `count`."""
    end = time.monotonic() + PATIENCE_S
    done = 0.0
    while time.monotonic() < end:
        if process.poll() is not None:
            raise TimeoutError(f"ended after {done:.0f} of {count} events")
        done = sum(float(value) for value in _FATE.findall(metrics(port)))
        if done >= count:
            return time.time()
        time.sleep(0.05)
    raise TimeoutError(f"{done:.0f} of {count} events after {PATIENCE_S} s")


async def _first_on_log(bootstrap: str, topic: str) -> float:
    """The broker's time, in seconds, of the first record after the genesis over all partitions."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        times = []
        for place in places:
            consumer.seek(place, 1)
            times.append((await consumer.getone(place)).timestamp / 1000)
        return min(times)
    finally:
        await consumer.stop()
