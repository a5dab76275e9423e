"""`make bench`: everything in one run, side by side on one broker; a table and out/bench.json."""

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import tempfile
from collections import defaultdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from streams.benchmarks import contest, full_engine, latency, work
from streams.runtime import local_kafka
from streams.runtime.local_kafka import KafkaUnavailableError, LocalKafka

PARTS = ("small_job", "latency", "full_engine")
LATENCY_PER_S = 2_000
LATENCY_S = 15
NOT_INSTALLED = "not installed"
console = Console(stderr=True)


def main() -> int:
    options = _options()
    missing = [name for name in ("quixstreams", "bytewax") if _version(name) == NOT_INSTALLED]
    if missing and "small_job" in options.only:
        console.print(f"not installed: {', '.join(missing)}; run: pip install -e '.[bench]'")
        return 1
    result: dict[str, Any] = {"conditions": _conditions(options)}
    try:
        with LocalKafka.or_given() as kafka, tempfile.TemporaryDirectory() as folder:
            asyncio.run(_measure(kafka.bootstrap, Path(folder), options, result))
    except (KafkaUnavailableError, RuntimeError) as error:
        console.print(str(error), markup=False)
        return 1
    result["conditions"]["load_average_after"] = os.getloadavg()[0]
    _save(result, options.out)
    show(result, Console())
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m streams.benchmarks", description=__doc__)
    parser.add_argument("--events", type=int, default=150_000, help="of the small job")
    parser.add_argument("--rounds", type=int, default=2, help="interleaved; the median counts")
    parser.add_argument("--users", type=int, default=6_000, help="simulated, for the full engine")
    parser.add_argument("--days", type=int, default=10, help="simulated, for the full engine")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="these parts")
    names = [contestant.name for contestant in contest.CONTESTANTS]
    parser.add_argument("--contestants", nargs="+", choices=names, default=names)
    parser.add_argument("--out", type=Path, default=Path("out/bench.json"))
    return parser.parse_args()


async def _measure(
    bootstrap: str, folder: Path, options: argparse.Namespace, result: dict[str, Any]
) -> None:
    if "small_job" in options.only:
        records = list(work.events(options.events))
        result |= await _small_job(bootstrap, records, options)
        _save(result, options.out)
    if "latency" in options.only:
        console.print(f"latency at {LATENCY_PER_S:,} events/s ...")
        records = list(work.events(LATENCY_S * LATENCY_PER_S))
        measured = await latency.measure(bootstrap, records, LATENCY_PER_S, 0)
        result["latency_ms"] = {"per_s": LATENCY_PER_S} | measured._asdict()
        _save(result, options.out)
    if "full_engine" in options.only:
        result |= await _full_engine(bootstrap, folder, options)


def _save(result: dict[str, Any], path: Path) -> None:
    """After each part: what took minutes to measure is not lost to a later failure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")


async def _small_job(
    bootstrap: str, records: contest.Records, options: argparse.Namespace
) -> dict[str, Any]:
    rounds: dict[str, list[contest.Measured]] = defaultdict(list)
    chosen = [c for c in contest.CONTESTANTS if c.name in options.contestants]
    for number in range(options.rounds):
        for contestant in chosen:
            measured = await contest.run(contestant, bootstrap, records, number)
            rounds[contestant.name].append(measured)
            console.print(f"round {number + 1} {contestant.name}: {measured.events_per_s:,.0f}/s")
    return {
        "small_job": {
            name: round(statistics.median(each.events_per_s for each in measured))
            for name, measured in rounds.items()
        },
        "small_job_rounds": {
            name: [each._asdict() for each in measured] for name, measured in rounds.items()
        },
    }


async def _full_engine(bootstrap: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    console.print("simulating events for the full engine ...")
    events, count = full_engine.simulated(folder, options.users, options.days)
    replays, lives = [], []
    for number in range(options.rounds):
        replays.append(full_engine.replay(events, folder)["events_per_s"])
        console.print(f"round {number + 1} replay: {replays[-1]:,.0f}/s of {count:,} events")
        lives.append(await full_engine.live(bootstrap, events, count, folder, number))
        console.print(f"round {number + 1} live: {lives[-1].events_per_s:,.0f}/s")
    return {
        "full_engine": {
            "replay": round(statistics.median(replays)),
            "live": round(statistics.median(each.events_per_s for each in lives)),
        },
        "full_engine_rounds": {
            "events": count,
            "replay": replays,
            "live": [each._asdict() for each in lives],
        },
    }


def _conditions(options: argparse.Namespace) -> dict[str, Any]:
    packages = ("faust-streaming", "aiokafka", "quixstreams", "bytewax", "river", "confluent-kafka")
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "kafka": os.environ.get(local_kafka.GIVEN) or local_kafka.VERSION,
        "versions": {name: _version(name) for name in packages},
        "load_average_before": os.getloadavg()[0],
        "events": options.events,
        "partitions": work.PARTITIONS,
        "users": work.USERS,
        "rounds": options.rounds,
        "rule": " ".join((contest.__doc__ or "").split()),
        "contestants": {each.name: each.what for each in contest.CONTESTANTS},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return NOT_INSTALLED


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def show(result: dict[str, Any], to: Console) -> None:
    """Print what was measured as tables."""
    if "small_job" in result:
        to.print(_small_job_table(result))
        for name in result["small_job"]:
            to.print(f"{name}: {result['conditions']['contestants'][name]}", highlight=False)
    engine = result.get("full_engine")
    if engine:
        table = Table("full engine, one worker", "events/s", "of replay")
        table.add_row("replay", f"{engine['replay']:,}", "")
        table.add_row("live", f"{engine['live']:,}", f"{engine['live'] / engine['replay']:.2f}")
        to.print(table)
    found = result.get("latency_ms")
    if found:
        to.print(
            f"event to trigger at {found['per_s']:,} events/s: "
            f"p50 {found['p50_ms']:.0f} ms, p99 {found['p99_ms']:.0f} ms"
        )


def _small_job_table(result: dict[str, Any]) -> Table:
    ours = result["small_job"].get("ours")
    table = Table("small job, one worker", "events/s", "ours is", "CPU us/event")
    for name, per_s in result["small_job"].items():
        rounds = result["small_job_rounds"][name]
        cpu_us = statistics.median(each["cpu_us_per_event"] for each in rounds)
        ratio = f"{ours / per_s:.1f} x" if ours and name != "ours" else ""
        table.add_row(name, f"{per_s:,}", ratio, f"{cpu_us:.0f}")
    return table


if __name__ == "__main__":
    sys.exit(main())
