"""Workers as processes on a real Kafka: start, kill, freeze, thaw; then dump everything and check
it.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from random import Random

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError
from aiokafka.structs import TopicPartition

from streams import settings as settings_module
from streams.contract.topics import CONTROL, EVENTS, LOG, MAIL
from streams.engine.config import Config
from streams.fold import Fold, Row
from streams.runtime import dump, topics
from streams.runtime.kafka import AioKafka
from streams.runtime.port import Append
from streams.settings import Settings
from streams.simulation.checkers import Dump, Replayed, check, last_values
from streams.simulation.policy_checker import Partition, check_policy

ROOT = Path(__file__).resolve().parents[2]
ALIAS_KEY = "a key of the tests, 32 bytes long"
PATIENCE_SECONDS = 240.0
SESSION_TIMEOUT_MS = 6_000


class Live:
    """One deployment under a topic prefix of its own."""

    def __init__(
        self, bootstrap: str, name: str, *, partitions: int = 4, job: str, **more: str
    ) -> None:
        self.environment = {
            "STREAMS_KAFKA": bootstrap,
            "STREAMS_TOPIC_PREFIX": f"{name}.",
            "STREAMS_APP_ID": name,
            "STREAMS_ALIAS_KEY": ALIAS_KEY,
            "STREAMS_PARTITIONS": str(partitions),
            "STREAMS_CLOCK": "event",
            "STREAMS_METRICS_PORT": "0",
            "STREAMS_LOG_FORMAT": "json",
            "STREAMS_SESSION_TIMEOUT_MS": str(SESSION_TIMEOUT_MS),
            **more,
        }
        self.partitions = partitions
        self.settings = self._settings()
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self._job = job
        self._kafka = AioKafka(self.settings.kafka_options())

    def _settings(self) -> Settings:
        before = dict(os.environ)
        os.environ.update(self.environment)
        try:
            return settings_module.load()
        finally:
            os.environ.clear()
            os.environ.update(before)

    async def create(self, config: Config) -> None:
        await topics.apply(self.settings, config)

    async def produce(self, events: Iterable[bytes], partitions: int | None = None) -> int:
        """Write events round robin to the event topic; how many."""
        count, rows = 0, [[] for _ in range(partitions or self.partitions)]
        for raw in events:
            rows[count % len(rows)].append(Row(b"", raw))
            count += 1
        appender = await self._kafka.open_appender()
        topic = self.settings.topic(EVENTS)
        await appender.append([Append(topic, p, part) for p, part in enumerate(rows) if part])
        await appender.close()
        return count

    def start(self, name: str) -> None:
        command = [sys.executable, "-c", f"from tests.live.jobs import {self._job} as run; run()"]
        environment = {
            **os.environ,
            **self.environment,
            "STREAMS_INSTANCE_ID": name,
            "PYTHONPATH": str(ROOT),
        }
        self.workers[name] = subprocess.Popen(command, env=environment, cwd=ROOT)

    def kill(self, name: str) -> None:
        worker = self.workers.pop(name)
        worker.send_signal(signal.SIGKILL)
        worker.wait()

    def freeze(self, name: str) -> None:
        self.workers[name].send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self.workers[name].send_signal(signal.SIGCONT)

    def revive(self) -> None:
        """Start again what ended by itself, as an orchestrator would."""
        for name, worker in list(self.workers.items()):
            if worker.poll() is not None:
                self.start(name)

    def stop(self) -> dict[str, int]:
        """SIGTERM to all; their exit codes."""
        for worker in self.workers.values():
            worker.send_signal(signal.SIGTERM)
        codes = {name: worker.wait(30) for name, worker in self.workers.items()}
        self.workers = {}
        return codes

    def abandon(self) -> None:
        for name in list(self.workers):
            self.kill(name)

    async def behind(self) -> int:
        """Records not yet taken in or applied, by the group's offsets."""
        admin = AIOKafkaAdminClient(**self.settings.kafka_options())
        await admin.start()
        try:
            found = await admin.list_consumer_group_offsets(self.settings.app_id)
        except GroupCoordinatorNotAvailableError:
            found = {}  # no worker has joined yet
        finally:
            await admin.close()
        left = 0
        places = [(name, p) for name in (EVENTS, LOG, MAIL) for p in range(self.partitions)]
        for name, partition in [*places, (CONTROL, 0)]:
            topic = self.settings.topic(name)
            committed = found.get(TopicPartition(topic, partition))
            at = max(0, committed.offset) if committed else 0
            end = await self._kafka.end_offset(topic, partition)
            if end > at:
                left += len(await self._kafka.read(topic, partition, at, 1)) and end - at
        return left

    async def until(self, reached: Callable[[int], bool], every_seconds: float = 0.3) -> int:
        """Wait until `behind` satisfies; workers that ended are started again meanwhile."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not reached(left := await self.behind()):
            if time.monotonic() > deadline:
                raise AssertionError(f"{left} records are still behind after {PATIENCE_SECONDS} s")
            self.revive()
            await asyncio.sleep(every_seconds)
        return left

    async def check(self, new_fold: Callable[[int], Fold]) -> list[Replayed]:
        """Dump all partitions and hold them against the uninterrupted replay of the same log and,
        where the full engine ran, against its policy.
        """
        dumps = await asyncio.gather(*map(self._dump, range(self.partitions)))
        replayed, parts = [], []
        for dumped in dumps:
            wrong, one = check(dumped, partial(new_fold, dumped.partition))
            assert not wrong, wrong[:10]
            replayed.append(one)
            rows = last_values(dumped.state)
            parts.append(Partition(dumped.log, dumped.topics, rows, one.fold.counters()))
        if self._job == "engine":
            broken = check_policy(parts)
            assert not broken, broken[:10]
        return replayed

    async def _dump(self, partition: int) -> Dump:
        prefix = self.settings.topic_prefix
        log, state = await dump.log_and_state(self._kafka, prefix, partition)
        return Dump(partition, log, state, await dump.outputs(self._kafka, prefix, partition))

    async def close(self) -> None:
        self.abandon()
        await self._kafka.close()


async def torment(live: Live, *, total: int, kills: int, seed: int) -> None:
    """Two workers under load: SIGKILLs at random moments, one zombie, one rebalance; to the end."""
    random = Random(seed)
    live.start("w0")
    live.start("w1")
    moments = sorted(random.sample(range(total // 8, total), kills + 2), reverse=True)
    zombie_at, rebalance_at = sorted(random.sample(range(kills + 2), 2))
    for number, moment in enumerate(moments):
        await live.until(lambda left, moment=moment: left <= moment, every_seconds=0.05)
        if number == zombie_at:
            await _zombie(live)
        elif number == rebalance_at:
            live.start("w2")
        else:
            name = random.choice(sorted(live.workers))
            live.kill(name)
            live.start(name)
    await live.until(lambda left: left == 0)


async def _zombie(live: Live) -> None:
    """Frozen past the session, its partitions taken over and moved on; then it goes on as the
    owner.
    """
    live.freeze("w0")
    await asyncio.sleep(SESSION_TIMEOUT_MS / 1000 + 4)
    live.thaw("w0")
