"""A million people: bytes a person, memory, and how long a restarted worker takes to be ready.

python -m streams.benchmarks.million [--users 1000000]

The rows are real: simulated people go through the whole engine for a month, then each person's row
is written many times over under other aliases, each into the partition it belongs to. Two
measurements: a process that only loads the rows, and a worker killed and started again in place.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from streams import settings as settings_module
from streams.benchmarks import full_engine, topics
from streams.benchmarks.ours import deployment
from streams.benchmarks.profile import KEY
from streams.benchmarks.topics import Record
from streams.benchmarks.work import PARTITIONS
from streams.contract.partitioning import base_alias, partition_of
from streams.contract.topics import STATE
from streams.engine.config import Config
from streams.engine.fold import EngineFold
from streams.outputs import Outputs
from streams.replay import Replay, replay_file
from streams.runtime import topics as runtime_topics
from streams.runtime.local_kafka import LocalKafka
from streams.runtime.recovery import APPLIED_KEY, Applied
from streams.simulation.scenarios import SCENARIOS
from streams.snapshot import StateRow

DAYS = 30
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
USER = b"u:"
PATIENCE_S = 300


def folded_rows(folder: Path, users: int) -> list[StateRow]:
    """The state of simulated people after a month."""
    events, _ = full_engine.simulated(folder, users, DAYS)
    replay = Replay(shop(), key=KEY, outputs=Outputs(folder / "out"), keep_rows=True)
    replay_file(events, replay)
    return list(replay.state_rows())


def multiplied(rows: Iterable[StateRow], users: int) -> Iterator[StateRow]:
    """Rows of `users` people: each person's row under aliases with other last two digits."""
    people = []
    for row in rows:
        if row.key.startswith(USER):
            people.append((row.key[len(USER) :].decode(), row.value))
        elif not row.key.startswith(b"a:"):
            yield row
    copies = (
        StateRow(partition_of(alias, PARTITIONS), USER + alias.encode() + generation, value)
        for copy in range(len(DIGITS) ** 2)
        for user_id, value in people
        for alias, generation in [_other(user_id, copy)]
    )
    yield from islice(copies, users)


def _other(user_id: str, copy: int) -> tuple[str, bytes]:
    alias = base_alias(user_id)
    high, low = divmod(copy, len(DIGITS))
    return alias[:-2] + DIGITS[high] + DIGITS[low], user_id[len(alias) :].encode()


def load(rows: Iterable[StateRow]) -> dict[str, float]:
    """Load the rows into folds, in this process; seconds, and memory in MiB beyond the start."""
    before_mib = _resident_mib()
    folds = [EngineFold(partition) for partition in range(PARTITIONS)]
    people, size = 0, 0
    seconds = 0.0
    for partition, key, value in rows:
        started = time.perf_counter()
        folds[partition].load_row(key, value)
        seconds += time.perf_counter() - started
        if key.startswith(USER):
            people += 1
            size += len(key) + len(value)
    started = time.perf_counter()
    due = [fold.next_due_ms() for fold in folds]
    return {
        "users": people,
        "bytes_per_user": size / people,
        "load_s": seconds,
        "timers_s": time.perf_counter() - started,
        "partitions_with_timers": sum(at is not None for at in due),
        "resident_mib": _resident_mib(),
        "resident_before_mib": before_mib,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def shop() -> Config:
    """The journeys, policy and content of the shop scenario."""
    return msgspec.structs.replace(SCENARIOS["ecommerce"].config, partitions=PARTITIONS)


async def restart(
    bootstrap: str, rows: Iterable[StateRow], folder: Path, config: Config
) -> dict[str, float]:
    """Write the rows to the state topic, run a worker, kill it, and time its successor."""
    chosen = deployment(bootstrap, topics.run_id("million"), folder).model_copy(
        update={"instance_id": "worker-1", "clock": "wall"}
    )
    await runtime_topics.apply(chosen, config)
    await topics.fill(bootstrap, chosen.topic(STATE), (Record(*row) for row in rows))
    genesis_applied = msgspec.json.encode(Applied(offset=0, version=1, emitted={}))
    await topics.fill(
        bootstrap,
        chosen.topic(STATE),
        (Record(partition, APPLIED_KEY, genesis_applied) for partition in range(PARTITIONS)),
    )
    first, first_s = await asyncio.to_thread(start_worker, chosen, folder)
    first.kill()
    first.wait()
    second, second_s = await asyncio.to_thread(start_worker, chosen, folder)
    try:
        return {"start_to_ready_s": first_s, "restart_to_ready_s": second_s} | memory(second.pid)
    finally:
        await asyncio.to_thread(topics.end, second)


def start_worker(
    chosen: settings_module.Settings, folder: Path
) -> tuple["subprocess.Popen[bytes]", float]:
    """A worker that is ready, and the seconds from its start until then."""
    began = time.monotonic()
    process = full_engine.start_worker(chosen, folder)
    while not _ready(chosen.metrics_port):
        seconds = time.monotonic() - began
        if process.poll() is not None or seconds > PATIENCE_S:
            topics.end(process)
            raise RuntimeError(f"not ready after {seconds:.0f} s\n{full_engine.worker_log(folder)}")
        time.sleep(0.05)
    return process, time.monotonic() - began


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def memory(pid: int) -> dict[str, float]:
    kib = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if value.endswith(" kB"):
            kib[name] = int(value.split()[0])
    return {"resident_mib": kib["VmRSS"] / 1024, "peak_mib": kib["VmHWM"] / 1024}


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def read(path: Path) -> Iterator[StateRow]:
    with path.open("rb") as file:
        while header := file.read(8):
            partition, key_size = header[0], header[1]
            key = file.read(key_size)
            yield StateRow(partition, key, file.read(int.from_bytes(header[2:], "big")))


def write(path: Path, rows: Iterable[StateRow]) -> None:
    with path.open("wb", buffering=1 << 20) as file:
        for partition, key, value in rows:
            file.write(bytes((partition, len(key))) + len(value).to_bytes(6, "big") + key + value)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m streams.benchmarks.million")
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--simulated", type=int, default=4_000, help="people really folded")
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        print(json.dumps(load(read(options.load))))
        return
    with tempfile.TemporaryDirectory() as name, LocalKafka.or_given() as kafka:
        folder = Path(name)
        rows = folder / "rows"
        write(rows, multiplied(folded_rows(folder, options.simulated), options.users))
        command = [sys.executable, "-m", "streams.benchmarks.million", "--load", str(rows)]
        loaded: dict[str, Any] = json.loads(subprocess.check_output(command))  # noqa: S603
        print(json.dumps({"load": loaded}))
        found = asyncio.run(restart(kafka.bootstrap, read(rows), folder, shop()))
        print(json.dumps({"worker": found}))


if __name__ == "__main__":
    main()
