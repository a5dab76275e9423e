"""Workers on the in-memory Kafka, driven by a seed: crashes, zombies, rebalances, redeliveries,
lost answers.

The pipelines are the real ones; only Kafka and the group membership are played. A crash kills a
worker's tasks between any two turns of the loop; a zombie is frozen, loses its partitions, and
thaws as the owner it still believes to be.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from random import Random
from typing import Any

from streams.contract.records import Origin
from streams.contract.topics import CONTROL, EVENTS, LOG, MAIL, STATE
from streams.fold import Fold
from streams.runtime.decide import DecidePipeline, State
from streams.runtime.health import Health
from streams.runtime.intake import IntakePipeline, Stamped, stamp_command, stamp_mail
from streams.runtime.metrics import Metrics
from streams.runtime.port import IndefiniteError, Stored
from streams.simulation.checkers import Dump
from streams.simulation.memory_kafka import Broker, MemoryAppender, MemoryKafka

READ_AHEAD = 40
SOURCES = (EVENTS, MAIL)  # with a partition for each of the log's; CONTROL has one


class Worker:
    """One process: its pipelines, its view of Kafka, its tasks."""

    def __init__(self, cluster: "Cluster", name: str) -> None:
        self.cluster = cluster
        self.name = name
        self.kafka = MemoryKafka(cluster.broker)
        self.decide: dict[int, DecidePipeline] = {}
        self.intake: dict[tuple[str, int], IntakePipeline] = {}
        self.positions: dict[tuple[str, int], int] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self.failed = False
        self._metrics = Metrics()
        self._health = Health()
        self._claims = 0
        self._appender: MemoryAppender | None = None

    async def start(self) -> None:
        self._appender = await self.kafka.open_appender()
        self._spawn(self._feed())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._ended)
        self.tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, IndefiniteError):
            self.failed = True  # the real worker exits; the orchestrator starts another
        elif error is not None:
            self.cluster.errors.append(error)

    def claim(self) -> bytes:
        self._claims += 1
        return f"{self.name}/{id(self)}/{self._claims}".encode()

    def kill(self) -> None:
        for task in self.tasks:
            task.cancel()

    async def assign(self, partitions: set[int], *, control: bool) -> None:
        """These partitions of the log and of its sources are ours from now on, and perhaps the
        control topic."""
        sources = {(topic, partition) for topic in SOURCES for partition in partitions}
        sources |= {(CONTROL, 0)} if control else set()
        for partition in [p for p in self.decide if p not in partitions]:
            await self.decide.pop(partition).close()
        for place in [place for place in self.intake if place not in sources]:
            await self.intake.pop(place).close()
        for partition in sorted(partitions):
            self._rewind(LOG, partition)
            if partition in self.decide:
                self.decide[partition].unpark()
            else:
                self._start_decide(partition)
        for topic, partition in sorted(sources):
            self._rewind(topic, partition)
            if (topic, partition) in self.intake:
                self.intake[topic, partition].begin(self.positions[topic, partition])
            else:
                self._start_intake(topic, partition)

    async def park(self) -> None:
        for decide in self.decide.values():
            await decide.park()
        for intake in self.intake.values():
            await intake.park()

    def _rewind(self, topic: str, partition: int) -> None:
        self.positions[topic, partition] = self.cluster.broker.group.get((topic, partition), 0)

    def _start_decide(self, partition: int) -> None:
        pipeline = DecidePipeline(
            kafka=self.kafka,
            partition=partition,
            prefix="",
            app_id="app",
            new_fold=lambda: self.cluster.new_fold(partition),
            new_claim=self.claim,
            now_ms=lambda: 0,
            metrics=self._metrics,
            health=self._health,
            on_committed=lambda offset: self.cluster.commit(LOG, partition, offset),
            max_records=self.cluster.random.choice((1, 3, 10)),
            retry_seconds=0,
            fence_seconds=0,
        )
        self.decide[partition] = pipeline
        self._spawn(pipeline.run())

    def _start_intake(self, topic: str, partition: int) -> None:
        assert self._appender is not None
        pipeline = IntakePipeline(
            kafka=self.kafka,
            appender=self._appender,
            prefix="",
            topic=topic,
            epoch=0,
            partition=partition,
            take=self.cluster.take if topic == EVENTS else TAKE[topic],
            partitions=self.cluster.partitions,
            metrics=self._metrics,
            on_done=lambda offset: self.cluster.commit(topic, partition, offset),
            max_records=self.cluster.random.choice((1, 4, 16)),
        )
        pipeline.begin(self.positions[topic, partition])
        self.intake[topic, partition] = pipeline
        self._spawn(pipeline.run())

    async def _feed(self) -> None:
        """What the Faust consumer does: fetch for each partition that has room, hand it on."""
        while True:
            await self.kafka.turn()
            for partition in list(self.decide):
                await self._fetch(LOG, partition, partial(self.decide.get, partition))
            for place in list(self.intake):
                await self._fetch(*place, partial(self.intake.get, place))
            await asyncio.sleep(0)

    async def _fetch(
        self, topic: str, partition: int, find: Callable[[], DecidePipeline | IntakePipeline | None]
    ) -> None:
        pipeline = find()
        if pipeline is None or pipeline.backlog >= READ_AHEAD:
            return
        at = self.positions[topic, partition]
        records = await self.kafka.read(topic, partition, at, 10)
        unchanged = find() is pipeline and self.positions[topic, partition] == at
        if records and unchanged:  # no rebalance came in between
            self.positions[topic, partition] = records[-1].offset + 1
            more = self.cluster.broker.committed(topic, partition, records[-1].offset + 1)
            if not more or self.cluster.random.random() < 0.9:  # a rebalance may swallow a fetch
                pipeline.offer(records)


TAKE = {
    MAIL: lambda stored, origin: stamp_mail(stored, origin, 0),
    CONTROL: lambda stored, origin: stamp_command(stored, origin, 0),
}


class Cluster:
    """`run()` plays the faults and returns the dumps when every event is applied."""

    def __init__(
        self,
        *,
        broker: Broker,
        new_fold: Callable[[int], Fold],
        take: Callable[[Stored, Origin], Stamped],
        partitions: int,
        workers: int = 2,
        incidents: int = 6,
    ) -> None:
        self.broker = broker
        self.random = Random(broker.seed + 1)
        self.new_fold = new_fold
        self.take = take
        self.partitions = partitions
        self.workers: list[Worker] = []
        self.zombies: list[Worker] = []
        self.errors: list[BaseException] = []
        self._size = workers
        self._incidents = incidents
        self._started = 0

    def commit(self, topic: str, partition: int, offset: int) -> None:
        """A group offset: often it gets lost, so that records are delivered again."""
        if self.random.random() < 0.7:
            self.broker.group[topic, partition] = offset

    async def run(self) -> list[Dump]:
        for _ in range(self._size):
            await self._start_worker()
        await self._rebalance()
        for _ in range(self._incidents):
            await self._turns(self.random.randint(5, 120))
            await self.random.choice((self._crash, self._freeze, self._rebalance, self._grow))()
        for zombie in self.zombies:
            zombie.kafka.thaw()
        await self._turns(self.random.randint(50, 300))
        for zombie in self.zombies:
            zombie.kill()  # what they append after this would stand on the log unapplied
        await self._finish()
        for worker in self.workers:
            worker.kill()
        if self.errors:
            raise self.errors[0]
        return [self._dump(partition) for partition in range(self.partitions)]

    async def _turns(self, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        for worker in [w for w in self.workers if w.failed]:
            await self._replace(worker)

    async def _start_worker(self) -> None:
        self._started += 1
        worker = Worker(self, f"w{self._started}")
        await worker.start()
        self.workers.append(worker)

    async def _replace(self, worker: Worker) -> None:
        worker.kill()
        self.workers.remove(worker)
        await self._start_worker()
        await self._rebalance()

    async def _crash(self) -> None:
        await self._replace(self.random.choice(self.workers))

    async def _freeze(self) -> None:
        """SIGSTOP past the session: others take over, and later it goes on as if nothing was."""
        worker = self.random.choice(self.workers)
        worker.kafka.freeze()
        self.workers.remove(worker)
        self.zombies.append(worker)
        await self._start_worker()
        await self._rebalance()
        await self._turns(self.random.randint(1, 60))
        worker.kafka.thaw()

    async def _grow(self) -> None:
        if len(self.workers) < self.partitions:
            await self._start_worker()
        await self._rebalance()

    async def _rebalance(self) -> None:
        for worker in self.workers:
            await worker.park()
        order = self.random.sample(self.workers, len(self.workers))
        commanded = self.random.randrange(len(order))
        for i, worker in enumerate(order):
            ours = {p for p in range(self.partitions) if p % len(order) == i}
            await worker.assign(ours, control=i == commanded)

    async def _finish(self) -> None:
        """Until all events are on the log and all of the log is applied."""
        for _ in range(5_000):
            await self._turns(20)
            if self.errors or self._done():
                return
        raise AssertionError("the cluster came to no end")

    def _done(self) -> bool:
        """Everything is taken in and applied; what a fold still mails is on its way until it is
        too.
        """
        for worker in self.workers:
            for partition, pipeline in worker.decide.items():
                if pipeline.state is not State.RUNNING or not pipeline.settled:
                    return False
                if worker.positions[LOG, partition] < len(self.broker.entries(LOG, partition)):
                    return False
            for (topic, partition), source in worker.intake.items():
                at = worker.positions[topic, partition]
                if not source.settled or self.broker.committed(topic, partition, at):
                    return False
        return True

    def _dump(self, partition: int) -> Dump:
        inputs = (EVENTS, CONTROL, LOG, STATE)
        names = sorted({t for t, p in self.broker.partitions if t not in inputs})
        return Dump(
            partition=partition,
            log=self.broker.committed(LOG, partition),
            state=self.broker.committed(STATE, partition),
            topics={name: self.broker.committed(name, partition) for name in names},
        )
