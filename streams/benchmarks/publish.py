"""`python -m streams.benchmarks.publish`: from publishing a journey to the last partition's report.

Two workers as in production, events coming in evenly all the while. Each round publishes the next
version of a journey and stops the clock when every partition has it in force; the connections of a
fresh command line are part of it. What a round must stay below is five seconds.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from aiokafka import AIOKafkaProducer

from streams.benchmarks import topics
from streams.benchmarks.full_engine import start_worker, worker_log
from streams.benchmarks.ours import deployment, free_port
from streams.contract.control import Command, held, published
from streams.contract.topics import EVENTS
from streams.engine.config import Config
from streams.runtime import topics as runtime_topics
from streams.runtime.local_kafka import KafkaUnavailableError, LocalKafka
from streams.runtime.publish import PublishError, publish
from streams.settings import Settings

START_MS = 1_760_000_000_000
PEOPLE = 5_000
MOST_SECONDS = 5.0
JOINED_SECONDS = 60.0
PAUSE_SECONDS = 0.2


class Measured(NamedTuple):
    p50_s: float
    max_s: float
    rounds: int
    events: int
    per_second: int
    workers: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m streams.benchmarks.publish")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--per-second", type=int, default=1_000, help="events meanwhile")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("out/publish.json"))
    options = parser.parse_args()
    try:
        with LocalKafka.or_given() as kafka, tempfile.TemporaryDirectory() as folder:
            found = asyncio.run(_measure(kafka.bootstrap, Path(folder), options))
    except (KafkaUnavailableError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found._asdict(), indent=2) + "\n")
    sys.stdout.write(
        f"publish to in force everywhere: p50 {found.p50_s:.2f} s, max {found.max_s:.2f} s over "
        f"{found.rounds} rounds, {found.workers} workers, {found.per_second:,} events/s\n"
    )
    return 0 if found.max_s < MOST_SECONDS else 1


async def _measure(bootstrap: str, folder: Path, options: argparse.Namespace) -> Measured:
    """Raises RuntimeError with the workers' log where a command does not get through."""
    chosen = deployment(bootstrap, topics.run_id("publish"), folder)
    await runtime_topics.apply(chosen, Config(partitions=chosen.partitions))
    workers = [start_worker(_one_of(chosen, number), folder) for number in range(options.workers)]
    load = Load(chosen, options.per_second)
    sending = asyncio.create_task(load.go_on())
    try:
        await publish(chosen, [held("resume", "*")], timeout_seconds=JOINED_SECONDS)
        seconds = [await _round(chosen, version) for version in range(1, options.rounds + 1)]
    except PublishError as error:
        raise RuntimeError(f"{error}\n{worker_log(folder)}") from error
    finally:
        load.ended = True
        await sending
        for worker in workers:
            await asyncio.to_thread(topics.end, worker)
    return Measured(
        round(statistics.median(seconds), 3),
        round(max(seconds), 3),
        len(seconds),
        load.sent,
        options.per_second,
        options.workers,
    )


async def _round(chosen: Settings, version: int) -> float:
    await asyncio.sleep(PAUSE_SECONDS)
    started = time.perf_counter()
    answers = await publish(chosen, [_journey(version)])
    seconds = time.perf_counter() - started
    refused = [answer.problem for answer in answers if answer.problem]
    if refused:
        raise RuntimeError(f"version {version} was refused: {refused[0]}")
    return seconds


def _one_of(chosen: Settings, number: int) -> Settings:
    update: dict[str, Any] = {"instance_id": f"w{number}", "metrics_port": free_port()}
    return chosen.model_copy(update=update)


def _journey(version: int) -> Command:
    body = {
        "spec": "journey/1",
        "id": "looked",
        "version": version,
        "title": "looked",
        "status": "live",
        "entry": {"on": "product.viewed", "reentry": {"cooldown": "1h"}},
        "step": [{"id": "show", "send": {"show": "entry"}}],
    }
    return published("journey", body, id="looked", version=version)


class Load:
    """Events at an even rate until `ended`."""

    def __init__(self, chosen: Settings, per_second: int) -> None:
        self.sent = 0
        self.ended = False
        self._topic = chosen.topic(EVENTS)
        self._options = chosen.kafka_options()
        self._per_second = per_second

    async def go_on(self) -> None:
        producer = AIOKafkaProducer(**self._options, linger_ms=5)
        await producer.start()
        started = time.perf_counter()
        try:
            for key, value in _views():
                ahead = self.sent / self._per_second - (time.perf_counter() - started)
                if ahead > 0:
                    await asyncio.sleep(ahead)
                if self.ended:
                    return
                await producer.send(self._topic, key=key, value=value)
                self.sent += 1
        finally:
            await producer.stop()


def _views() -> Iterator[tuple[bytes, bytes]]:
    """People who look at things, for ever."""
    for n in count():
        person = f"person-{n * 7 % PEOPLE:016}"
        event = {
            "id": f"e{n}",
            "source": "wx:mp:wx1",
            "type": "product.viewed",
            "subject": person,
            "time_ms": START_MS + n * 10,
            "data": {"item_id": f"item{n % 50}", "category": f"category{n % 9}"},
        }
        yield person.encode(), orjson.dumps(event)


if __name__ == "__main__":
    sys.exit(main())
