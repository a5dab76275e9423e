"""The worker process: a Faust app whose agents hand batches to one pipeline per partition.

    Kafka -> BatchConsumer -> agent intake -> IntakePipeline -> wechat.log
                           -> agent decide -> DecidePipeline -> state and outputs, one transaction

A pipeline that ends by itself ends the process: state is safe on the topic, and a fresh start is
the one recovery that is always tested.
"""

import asyncio
import gc
import os
import sys
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import faust
import uvloop
from faust.tables import TableManager
from faust.types import TP

from streams.contract import topics as names
from streams.contract.codec import encode
from streams.contract.records import Origin, Tick
from streams.fold import Fold, Row
from streams.intake import Intake
from streams.runtime import bounded, logs, topics
from streams.runtime.batches import Batch, BatchTransport, HandThrough
from streams.runtime.bounded import BrokenBatch
from streams.runtime.clock import Clock, EventClock, wall_clock, wall_ms
from streams.runtime.decide import DecidePipeline, State
from streams.runtime.health import Health, HealthServer
from streams.runtime.intake import IntakePipeline, Stamped, stamp_command, stamp_mail
from streams.runtime.kafka import AioKafka
from streams.runtime.metrics import Metrics
from streams.runtime.port import Append, Appender, Stored
from streams.runtime.why import Desk
from streams.settings import Settings

log = logs.get("worker")

READ_AHEAD = 8_000  # records a partition may have waiting before its fetches pause
TICK_SECONDS = 0.2
COMMANDS_AT_ONCE = 16  # of up to half a MiB, to every partition
EXIT_SOFTWARE = 70


class Job(NamedTuple):
    """What a worker does: the fold of a partition, and whether it feeds the log itself."""

    new_fold: Callable[[int], Fold]
    intake: bool = True


class Source(NamedTuple):
    """How the records of a topic come onto the log."""

    take: Callable[[Stored, Origin], Stamped]
    epoch: int = 0
    max_records: int = 4_000


class Pipelines:
    """All pipelines of this worker, by topic and partition."""

    def __init__(self, settings: Settings, job: Job, metrics: Metrics, health: Health) -> None:
        self._settings = settings
        self._job = job
        self._metrics = metrics
        self._health = health
        self._kafka = self._new_kafka(settings)
        self._views: dict[tuple[str, int], AioKafka] = {}
        self._clock: Clock = EventClock() if settings.clock == "event" else wall_clock
        self._intake = Intake(
            key=settings.alias_key_bytes(), tenant=settings.tenant, partitions=settings.partitions
        )
        self._log_topic = settings.topic(names.LOG)
        self._sources = {
            names.EVENTS: Source(self._stamp_event, epoch=settings.events_epoch),
            names.MAIL: Source(self._stamp_mail),
            names.CONTROL: Source(
                self._stamp_command, epoch=settings.control_epoch, max_records=COMMANDS_AT_ONCE
            ),
        }
        self._by_place: dict[tuple[str, int], DecidePipeline | IntakePipeline] = {}
        self._tasks: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._done: dict[TP, int] = {}
        self._appender: Appender | None = None

    @staticmethod
    def _new_kafka(settings: Settings) -> AioKafka:
        return AioKafka(
            settings.kafka_options(), transaction_timeout_ms=settings.transaction_timeout_ms
        )

    async def start(self) -> None:
        self._appender = await self._kafka.open_appender()

    # What the consumer asks.

    def has_room(self, topic: str, partition: int) -> bool:
        pipeline = self._by_place.get((topic, partition))
        return pipeline is not None and pipeline.backlog < READ_AHEAD

    def of_partition(self, partition: int) -> DecidePipeline | None:
        """Who decides for the partition, None where it is not ours."""
        pipeline = self._by_place.get((self._log_topic, partition))
        return pipeline if isinstance(pipeline, DecidePipeline) else None

    def log_now_ms(self) -> int:
        """The time now as the log will say; 0 where only events tell it."""
        return wall_ms() if self._settings.clock == "wall" else 0

    def offer(self, batch: Batch) -> None:
        pipeline = self._by_place.get((batch.topic, batch.partition))
        if pipeline is not None:
            pipeline.offer(batch.records)

    def take_done_offsets(self) -> dict[TP, int]:
        done, self._done = self._done, {}
        return done

    async def drain(self) -> None:
        """Let what is on its way arrive; forget what waits."""
        await asyncio.gather(*(pipeline.park() for pipeline in self._by_place.values()))

    async def assigned(self, places: set[tuple[str, int]]) -> None:
        """The partitions that are ours from now on; `begin` lets their records flow."""
        for place in [place for place in self._by_place if place not in places]:
            await self._end(place)
        for place in sorted(places):
            if place not in self._by_place:
                self._start(place)
        ours = {partition for topic, partition in places if topic == self._log_topic}
        self._health.assigned(ours)
        self._metrics.assigned(len(ours))

    def begin(self, starts: Mapping[TP, int]) -> None:
        """The consumer stands at these offsets now: what is offered from here on counts."""
        for tp, offset in starts.items():
            pipeline = self._by_place.get((tp.topic, tp.partition))
            if isinstance(pipeline, IntakePipeline):
                pipeline.begin(offset)
            elif pipeline is not None:
                pipeline.unpark()

    async def close(self) -> None:
        for place in list(self._by_place):
            await self._end(place)
        if self._appender is not None:
            await self._appender.close()
        await self._kafka.close()

    def beat(self) -> None:
        """Tell health which pipelines have nothing stuck on its way."""
        for pipeline in self._by_place.values():
            if isinstance(pipeline, DecidePipeline) and pipeline.state is State.RUNNING:
                if pipeline.settled:
                    self._health.beat(pipeline.partition)
                self._metrics.pipeline_depth(pipeline.partition, pipeline.depth)

    async def tick(self) -> None:
        """Time goes on where nothing else happens, so that timers of silent people fire."""
        now_ms = wall_ms()
        tick = Row(b"", encode(Tick(at_ms=now_ms)))
        ticks = [
            Append(self._log_topic, pipeline.partition, [tick] * wanted)
            for pipeline in self._by_place.values()
            if isinstance(pipeline, DecidePipeline) and (wanted := pipeline.ticks_wanted(now_ms))
        ]
        if ticks and self._appender is not None:
            await self._appender.append(ticks)

    def _start(self, place: tuple[str, int]) -> None:
        topic, partition = place
        self._views[place] = kafka = self._new_kafka(
            self._settings
        )  # reads one partition at a time
        if topic == self._log_topic:
            pipeline: DecidePipeline | IntakePipeline = self._decide(kafka, partition)
        else:
            pipeline = self._take_in(kafka, topic, partition)
        self._by_place[place] = pipeline
        task = asyncio.create_task(pipeline.run())
        self._tasks[place] = task
        task.add_done_callback(_end_process_on_failure)

    async def _end(self, place: tuple[str, int]) -> None:
        topic, partition = place
        await self._by_place.pop(place).close()
        task = self._tasks.pop(place)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await self._views.pop(place).close()
        self._done.pop(TP(topic, partition), None)
        if topic == self._log_topic:
            self._metrics.revoked(partition)

    def _decide(self, kafka: AioKafka, partition: int) -> DecidePipeline:
        tp = TP(self._log_topic, partition)
        return DecidePipeline(
            kafka=kafka,
            partition=partition,
            prefix=self._settings.topic_prefix,
            app_id=self._settings.app_id,
            new_fold=lambda: self._job.new_fold(partition),
            new_claim=lambda: uuid.uuid4().bytes,
            now_ms=wall_ms,
            metrics=self._metrics,
            health=self._health,
            on_committed=lambda offset: self._done.__setitem__(tp, offset),
            max_records=self._settings.max_batch_records,
            fence_seconds=self._settings.session_timeout_ms / 1000,
        )

    def _take_in(self, kafka: AioKafka, topic: str, partition: int) -> IntakePipeline:
        assert self._appender is not None
        tp = TP(topic, partition)
        name = topic.removeprefix(self._settings.topic_prefix)
        source = self._sources[name]
        return IntakePipeline(
            kafka=kafka,
            appender=self._appender,
            prefix=self._settings.topic_prefix,
            topic=name,
            epoch=source.epoch,
            partition=partition,
            take=source.take,
            metrics=self._metrics,
            on_done=lambda offset: self._done.__setitem__(tp, offset),
            partitions=self._settings.partitions,
            max_records=source.max_records,
            max_skew_ms=self._settings.max_skew_ms if self._settings.clock == "wall" else None,
        )

    def _stamp_event(self, stored: Stored, origin: Origin) -> Stamped:
        value = stored.value
        if type(value) is BrokenBatch:
            return self._intake.rejected_batch(origin, self._clock(None), value.decode())
        return self._intake.take(value, origin, self._clock(value))

    def _stamp_command(self, stored: Stored, origin: Origin) -> Stamped:
        value = stored.value
        if type(value) is BrokenBatch:
            return self._intake.rejected_batch(origin, self._clock(None), value.decode())
        return stamp_command(stored, origin, self._clock(None))

    def _stamp_mail(self, stored: Stored, origin: Origin) -> Stamped:
        return stamp_mail(stored, origin, self._clock(None))


class NoTables(TableManager):
    """Our state is no Faust table: nothing is waited for, a second, to be declared."""

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()


class WorkerApp(faust.App):
    """The Faust app; `pipelines` is what its consumer and agents talk to."""

    settings: Settings
    pipelines: Pipelines
    health_server: HealthServer

    def _new_transport(self) -> Any:
        return BatchTransport(self.conf.broker_consumer, self)

    async def on_start(self) -> None:
        await topics.check(self.settings)
        await self.pipelines.start()
        await self.health_server.start()

    async def on_stop(self) -> None:
        await self.pipelines.close()
        await self.health_server.stop()


def build_app(settings: Settings, job: Job) -> WorkerApp:
    """The app with its agents. Raises SettingsError where a needed setting is missing."""
    metrics, health = Metrics(partitions=settings.partitions), Health()
    app = WorkerApp(
        settings.app_id,
        broker=f"kafka://{settings.kafka.replace(',', ';')}",
        store="memory://",
        TableManager=NoTables,
        datadir=Path(settings.data_dir),
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        stream_wait_empty=True,
        broker_commit_interval=1.0,
        broker_session_timeout=settings.session_timeout_ms / 1000,
        stream_buffer_maxsize=1_024,
    )
    app.settings = settings
    app.pipelines = Pipelines(settings, job, metrics, health)
    app.health_server = HealthServer(
        health,
        metrics,
        bind=settings.metrics_bind,
        port=settings.metrics_port,
        why=Desk(settings.partitions, app.pipelines.of_partition, app.pipelines.log_now_ms).ask,
    )
    _add_agents(app, job)
    return app


def _add_agents(app: WorkerApp, job: Job) -> None:
    settings = app.settings
    ours = {settings.topic(names.LOG)}

    def topic(name: str) -> Any:
        return app.topic(settings.topic(name), schema=HandThrough())

    @app.agent(topic(names.LOG), name="decide")
    async def decide(batches: Any) -> None:
        async for batch in batches:
            app.pipelines.offer(batch)

    if job.intake:
        ours |= {settings.topic(name) for name in (names.EVENTS, names.MAIL, names.CONTROL)}

        @app.agent(topic(names.EVENTS), name="intake")
        async def intake(batches: Any) -> None:
            async for batch in batches:
                app.pipelines.offer(batch)

        @app.agent(topic(names.MAIL), name="mail")
        async def mail(batches: Any) -> None:
            async for batch in batches:
                app.pipelines.offer(batch)

        @app.agent(topic(names.CONTROL), name="control")
        async def control(batches: Any) -> None:
            async for batch in batches:
                app.pipelines.offer(batch)

    async def reassign(_app: Any, assigned: set[TP], **_: Any) -> None:
        await app.pipelines.assigned(
            {(tp.topic, tp.partition) for tp in assigned if tp.topic in ours}
        )

    async def go_on() -> None:
        app.pipelines.beat()
        if settings.clock == "wall":
            await app.pipelines.tick()

    app.on_partitions_assigned.connect(cast(Any, reassign))
    app.timer(interval=TICK_SECONDS)(go_on)


def run(settings: Settings, job: Job) -> None:
    """Run until SIGTERM or SIGINT; then finish what is on its way. Ends the process."""
    bounded.install()
    uvloop.install()
    gc.set_threshold(100_000, 50, 100)  # state is millions of lasting objects without cycles
    sys.setswitchinterval(0.001)  # the consumer's thread must not wait 5 ms for each turn
    logs.configure(level=settings.log_level, style=settings.log_format, worker=settings.instance_id)
    app = build_app(settings, job)
    worker = faust.Worker(
        app, loglevel="WARN", override_logging=False, redirect_stdouts=False, quiet=True
    )
    worker.spinner = None
    worker.execute_from_commandline()


def _end_process_on_failure(task: asyncio.Task[None]) -> None:
    if task.cancelled() or task.exception() is None:
        return
    error = task.exception()
    log.critical("pipeline_ended", error=f"{type(error).__name__}: {error}")
    sys.stdout.flush()
    os._exit(EXIT_SOFTWARE)
