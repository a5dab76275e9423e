"""The runtime's port on aiokafka: one fenced transaction per batch, idempotent appends, bulk reads.

aiokafka speaks the first transaction protocol, in which a delayed request may end up in a later
transaction. So after any time-out or unclear error a writer is dead here: its owner discards it and
recovers from the topic, and the next writer of that id fences whatever is still on its way.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import InvalidProducerEpoch, KafkaError, ProducerFenced

from streams.runtime.port import Append, FencedError, IndefiniteError, Stored

MAX_BATCH_BYTES = 900_000  # below the broker's message.max.bytes of 1 MiB
REQUEST_TIMEOUT_MS = 15_000
CLOSE_TIMEOUT_SECONDS = 5.0
LOG_APPEND_TIME = 1
FETCH_BYTES = 8 * 1024 * 1024


class AioKafka:
    """`options` are aiokafka's connection arguments: bootstrap_servers, security, credentials."""

    def __init__(self, options: dict[str, Any], *, transaction_timeout_ms: int = 10_000) -> None:
        self._options = options
        self._transaction_timeout_ms = transaction_timeout_ms
        self._readers: dict[int, AIOKafkaConsumer] = {}
        self._positions: dict[int, tuple[str, int]] = {}

    async def open_writer(self, writer_id: str) -> "TransactionalWriter":
        producer = self._producer(
            transactional_id=writer_id, transaction_timeout_ms=self._transaction_timeout_ms
        )
        await _started(producer)
        return TransactionalWriter(producer)

    async def open_appender(self) -> "IdempotentAppender":
        producer = self._producer(enable_idempotence=True)
        await _started(producer)
        return IdempotentAppender(producer)

    def _producer(self, **more: Any) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            **self._options,
            acks="all",
            max_batch_size=MAX_BATCH_BYTES,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            **more,
        )

    async def read(self, topic: str, partition: int, offset: int, most: int) -> list[Stored]:
        at = TopicPartition(topic, partition)
        try:
            reader = await self._reader(at)
            if self._positions.get(partition) != (topic, offset):
                reader.seek(at, offset)
            if await self._end(reader, at) <= offset:
                return []
            found = await reader.getmany(at, timeout_ms=1_000, max_records=most)
        except KafkaError as error:
            raise IndefiniteError(f"reading {topic}[{partition}]: {error!r}") from error
        records = [Stored(r.offset, r.key, r.value) for r in found.get(at, ())]
        if records:
            self._positions[partition] = (topic, records[-1].offset + 1)
        return records

    async def end_offset(self, topic: str, partition: int) -> int:
        at = TopicPartition(topic, partition)
        try:
            return await self._end(await self._reader(at), at)
        except KafkaError as error:
            raise IndefiniteError(f"the end of {topic}[{partition}]: {error!r}") from error

    async def done_reading(self, partition: int) -> None:
        """Give back the connection and the fetch buffer of a partition."""
        self._positions.pop(partition, None)
        reader = self._readers.pop(partition, None)
        if reader is not None:
            await reader.stop()

    async def close(self) -> None:
        for partition in list(self._readers):
            await self.done_reading(partition)

    @staticmethod
    async def _end(reader: AIOKafkaConsumer, at: TopicPartition) -> int:
        end: int = (await reader.end_offsets([at]))[at]  # read_committed: the last stable offset
        return end

    async def _reader(self, at: TopicPartition) -> AIOKafkaConsumer:
        """One consumer per partition number, moved from topic to topic."""
        reader = self._readers.get(at.partition)
        if reader is None:
            reader = AIOKafkaConsumer(
                **self._options,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                max_partition_fetch_bytes=FETCH_BYTES,
                fetch_max_bytes=FETCH_BYTES,
                request_timeout_ms=REQUEST_TIMEOUT_MS,
            )
            try:
                await reader.start()
            except KafkaError:
                await reader.stop()
                raise
            self._readers[at.partition] = reader
        if at not in reader.assignment():
            self._positions.pop(at.partition, None)
            reader.assign([at])
        return reader


class TransactionalWriter:
    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._dead = False

    async def commit(self, appends: Sequence[Append]) -> None:
        if self._dead:
            raise IndefiniteError("the writer is dead")
        try:
            await self._producer.begin_transaction()
            await _send(self._producer, appends)
            await self._producer.commit_transaction()
        except (ProducerFenced, InvalidProducerEpoch) as error:
            self._dead = True
            raise FencedError(str(error)) from error
        except (TimeoutError, KafkaError) as error:
            self._dead = True
            raise IndefiniteError(repr(error)) from error

    async def close(self) -> None:
        self._dead = True
        await _stopped(self._producer)


class IdempotentAppender:
    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._dead = False

    async def append(self, appends: Sequence[Append]) -> int | None:
        if self._dead:
            raise IndefiniteError("the appender is dead")
        try:
            return await _send(self._producer, appends)
        except (TimeoutError, KafkaError) as error:
            self._dead = True
            raise IndefiniteError(repr(error)) from error

    async def close(self) -> None:
        self._dead = True
        await _stopped(self._producer)


async def _send(producer: AIOKafkaProducer, appends: Sequence[Append]) -> int | None:
    """All records as record batches of our own making; returns when the broker has every one, with
    its time where the topic is stamped by the broker."""
    on_their_way: list[asyncio.Future[Any]] = []

    async def send(batch: Any, topic: str, partition: int) -> None:
        sent = await producer.send_batch(batch, topic, partition=partition)
        sent.add_done_callback(_look_at_error)  # where an earlier one fails nobody awaits the rest
        on_their_way.append(sent)

    for topic, partition, records in appends:
        batch = producer.create_batch()
        append = batch.append
        for key, value in records:
            if append(key=key, value=value, timestamp=None) is None:
                await send(batch, topic, partition)
                batch = producer.create_batch()
                append = batch.append
                if append(key=key, value=value, timestamp=None) is None:
                    raise RecordTooLargeError(topic, partition, len(key), len(value or b""))
        await send(batch, topic, partition)
    times = []
    for answer in await asyncio.gather(*on_their_way, return_exceptions=True):
        if isinstance(answer, BaseException):
            raise answer
        if answer is not None and answer.timestamp_type == LOG_APPEND_TIME:
            times.append(answer.timestamp)
    return min(times, default=None)


def _look_at_error(sent: asyncio.Future[Any]) -> None:
    if not sent.cancelled():
        sent.exception()


class RecordTooLargeError(Exception):
    """One record alone is larger than a batch may be: a fault of ours, the contract bounds every
    value.
    """


async def _started(producer: AIOKafkaProducer) -> None:
    try:
        await producer.start()
    except (TimeoutError, KafkaError) as error:
        await _stopped(producer)
        raise IndefiniteError(f"no connection to write: {error!r}") from error


async def _stopped(producer: AIOKafkaProducer) -> None:
    """Stop without waiting long for what a dead writer still has in its buffers."""
    try:
        await asyncio.wait_for(producer.stop(), CLOSE_TIMEOUT_SECONDS)
    except (TimeoutError, KafkaError):
        return
