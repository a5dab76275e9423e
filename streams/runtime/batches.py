"""Faust fed in batches: one message per partition and fetch, holding the raw records.

Faust's own path costs about 120 microseconds a message and acknowledges what has not been stored.
Here it keeps what it is good at (group membership, agents, life cycle) and three things are ours: a
fetch asks only for partitions that have room, a partition's records travel as one message, and the
group's offset is what the pipelines say is done. reference: faust 0.15, transport/consumer.py.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any, ClassVar, NamedTuple, cast

import aiokafka
import faust
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from streams.runtime import logs
from streams.runtime.port import Stored

log = logs.get("batches")

FETCH_WAIT_SECONDS = 0.25
NO_ROOM_SECONDS = 0.005


class Batch(NamedTuple):
    """The value of each message: the records of one partition from one fetch."""

    topic: str
    partition: int
    records: list[Stored]


class HandThrough(faust.Schema):  # type: ignore[type-arg]
    """Our batches are typed already: nothing is decoded on the way to the agent."""

    def compile(self, app: Any, **_: Any) -> Callable[..., Any]:
        create_event = app.create_event

        async def decode(message: Any, *, propagate: bool = False) -> Any:
            return create_event(None, message.value, message.headers, message)

        return decode


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        settings = cast(Any, self.app).settings
        session_ms = settings.session_timeout_ms
        return aiokafka.AIOKafkaConsumer(
            **settings.kafka_options(),
            group_id=settings.app_id,
            group_instance_id=settings.instance_id or None,
            partition_assignment_strategy=[StickyPartitionAssignor],
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=1024 * 1024,
            fetch_max_wait_ms=100,
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=max(1_000, session_ms // 5),
            rebalance_timeout_ms=60_000,
            max_poll_interval_ms=2**31 - 1,  # a worker without partitions must go on rejoining
            request_timeout_ms=max(40_000, session_ms + 5_000),
        )

    async def seek_to_starts(self) -> dict[TP, int]:
        """Seek each assigned partition to the group's offset, or to its beginning where it has none
        (aiokafka's own seek leaves such a partition where a fetch has left it)."""
        return cast(dict[TP, int], await self.call_thread(self._seek_to_starts))

    async def _seek_to_starts(self) -> dict[TP, int]:
        consumer = self._ensure_consumer()
        starts = {}
        for tp, beginning in (await consumer.beginning_offsets(consumer.assignment())).items():
            start = max(await consumer.committed(tp) or 0, beginning)
            consumer.seek(tp, start)
            starts[TP(tp.topic, tp.partition)] = start
        return starts

    async def _commit(self, offsets: Any) -> bool:
        """Group offsets serve monitoring and restarts: one lost costs a redelivery, no more."""
        consumer = self._ensure_consumer()
        assigned = self.assignment()
        wanted = {
            TopicPartition(*tp): OffsetAndMetadata(at, "")
            for tp, at in offsets.items()
            if tp in assigned
        }
        if not wanted:
            return False
        try:
            await consumer.commit(wanted)
        except KafkaError as error:
            log.warning("group_commit_failed", error=type(error).__name__)
            return False
        return True


class BatchConsumer(driver.Consumer):
    """`app.pipelines` says which partitions have room, how far they are, and drains them."""

    @property
    def _pipelines(self) -> Any:
        return cast(Any, self.app).pipelines

    _thread: BatchConsumerThread

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(  # the signature is Faust's
        self,
        timeout: float,  # noqa: ASYNC109
    ) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        if not self.flow_active:
            await self.wait(cast(Any, self.can_resume_flow))
        self.not_waiting_next_records.set()
        has_room = self._pipelines.has_room
        wanted = {tp for tp in self._get_active_partitions() if has_room(tp.topic, tp.partition)}
        if not wanted:
            await self.sleep(NO_ROOM_SECONDS)
            return
        generation = self.app.consumer_generation_id
        fetched = await self._getmany(wanted, timeout=FETCH_WAIT_SECONDS)
        for tp, records in fetched.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return  # a rebalance began: the next owner reads them from the group's offset
            if records:
                yield tp, self._one_message(tp, records)

    def _one_message(self, tp: TP, records: list[Any]) -> ConsumerMessage:
        batch = Batch(tp.topic, tp.partition, [Stored(r.offset, r.key, r.value) for r in records])
        last = records[-1]
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            (last.timestamp or 0) / 1000,
            last.timestamp_type,
            None,
            None,
            cast(Any, batch),
            None,
            None,
            None,
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    def track_message(self, message: Any) -> None:
        """The pipelines know what is on its way."""

    def ack(self, message: Any) -> bool:
        message.acked = True
        return True

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Offsets between two batches are no gap."""

    async def perform_seek(self) -> None:
        """After a rebalance, before records flow again."""
        starts = await self._thread.seek_to_starts()
        self._read_offset.update(starts)
        self._pipelines.begin(starts)

    async def wait_empty(self) -> None:
        """Before partitions are given up, and before the end."""
        await self._pipelines.drain()
        await self.commit()

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        offsets = self._pipelines.take_done_offsets()
        return bool(offsets) and await self._commit(offsets)


class BatchTransport(driver.Transport):
    Consumer: ClassVar[Any] = BatchConsumer
