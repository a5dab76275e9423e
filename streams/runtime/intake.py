"""One source partition's way onto the log: raw events in, `Observed` and `Rejected` out, in order.

At least once and idempotent: the source offset counts as done only after the log has the records,
at most one append is on its way per source partition, and a fold drops what it has seen by the
record's origin. So a crash, a zombie or a redelivery changes nothing that counts.
"""

import asyncio
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from streams.contract.codec import ContractError, decode_record, encode
from streams.contract.control import read_command
from streams.contract.dead_letters import MAX_KEPT_BYTES
from streams.contract.records import Control, Mail, Observed, Origin, Rejected
from streams.contract.topics import LOG
from streams.fold import Row
from streams.runtime.clock import wall_ms
from streams.runtime.decide import run_from
from streams.runtime.metrics import Metrics
from streams.runtime.port import Append, Appender, Kafka, Stored

YIELD_EVERY = 512

EVERY: Final = -1  # the target of a record that goes to every partition

Stamped = tuple[int, Observed | Rejected | Mail | Control]


class IntakePipeline:
    """`take(stored, origin)` gives the log partition, or EVERY, and the record;
    `on_done(next_offset)` follows an append. A crash between the appends of two partitions leaves
    the offset undone: all are appended again, and folds that have seen the record drop it.
    """

    def __init__(
        self,
        *,
        kafka: Kafka,
        appender: Appender,
        prefix: str,
        topic: str,
        epoch: int,
        partition: int,
        take: Callable[[Stored, Origin], Stamped],
        metrics: Metrics,
        on_done: Callable[[int], None],
        partitions: int,
        max_records: int = 4_000,
        max_skew_ms: int | None = None,
    ) -> None:
        self.partition = partition
        self._kafka = kafka
        self._appender = appender
        self._source = prefix + topic
        self._log_topic = prefix + LOG
        self._topic = topic
        self._epoch = epoch
        self._take = take
        self._metrics = metrics
        self._on_done = on_done
        self._every = range(partitions)
        self._max_records = max_records
        self._max_skew_ms = max_skew_ms
        self._waiting: deque[Stored] = deque()
        self._news = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        self._closed = False
        self._parked = True
        self._next_offset = 0

    @property
    def backlog(self) -> int:
        return len(self._waiting)

    @property
    def settled(self) -> bool:
        """Nothing waits and nothing is on its way to the log."""
        return not self._waiting and self._settled.is_set()

    def offer(self, records: Sequence[Stored]) -> None:
        if not self._parked:
            self._waiting.extend(records)
            self._news.set()

    async def park(self) -> None:
        self._parked = True
        self._waiting.clear()
        await self._settled.wait()

    def begin(self, offset: int) -> None:
        """The partition is ours from `offset` on: what is offered before it is known already, and
        what is missing between it and the first record offered is read from the topic."""
        self._next_offset = offset
        self._parked = False

    async def close(self) -> None:
        await self.park()
        self._closed = True
        self._news.set()

    async def run(self) -> None:
        while not self._closed:
            self._news.clear()
            while self._waiting:
                self._settled.clear()
                try:
                    await self._pump()
                finally:
                    self._settled.set()
            if not self._closed:
                await self._news.wait()

    async def _wanted(self) -> list[Stored]:
        """What waits, from the next offset on, without a hole but for transaction markers."""
        waiting = self._waiting
        while waiting and waiting[0].offset < self._next_offset:
            waiting.popleft()
        if waiting and waiting[0].offset > self._next_offset:
            first = waiting[0].offset
            most = min(self._max_records, first - self._next_offset)
            found = await self._kafka.read(self._source, self.partition, self._next_offset, most)
            missing = [record for record in found if record.offset < first]
            if missing:
                return missing
        return run_from(waiting, waiting[0].offset, self._max_records) if waiting else []

    async def _pump(self) -> None:
        records = await self._wanted()
        if not records or self._parked:
            return
        by_partition: dict[int, list[Row]] = {}
        take, topic, epoch, partition = self._take, self._topic, self._epoch, self.partition
        for start in range(0, len(records), YIELD_EVERY):
            for stored in records[start : start + YIELD_EVERY]:
                target, record = take(stored, Origin(topic, epoch, partition, stored.offset))
                row = Row(b"", encode(record))
                if target in by_partition:
                    by_partition[target].append(row)
                elif target == EVERY:
                    for each in self._every:
                        by_partition.setdefault(each, []).append(row)
                else:
                    by_partition[target] = [row]
            await asyncio.sleep(0)
        before_ms = wall_ms()
        broker_ms = await self._appender.append(
            [Append(self._log_topic, target, rows) for target, rows in by_partition.items()]
        )
        if self._max_skew_ms is not None and broker_ms is not None:
            self._check_skew(before_ms, broker_ms, self._max_skew_ms)
        self._next_offset = records[-1].offset + 1
        self._metrics.intake(partition, len(records))
        self._on_done(self._next_offset)

    def _check_skew(self, before_ms: int, broker_ms: int, max_skew_ms: int) -> None:
        """Our clock is the log's: halt rather than stamp times the broker would not."""
        ahead_ms, behind_ms = before_ms - broker_ms, broker_ms - wall_ms()
        skew_ms = max(ahead_ms, behind_ms)
        self._metrics.skew((ahead_ms if ahead_ms > behind_ms else -behind_ms) / 1000)
        if skew_ms > max_skew_ms:
            raise ClockSkewError(
                f"this machine's clock and the broker's are {skew_ms} ms apart, more than "
                f"STREAMS_MAX_SKEW_MS={max_skew_ms}: set the clock (ntp), then start again"
            )


def stamp_mail(stored: Stored, origin: Origin, at_ms: int) -> Stamped:
    """Mail goes on as it is, to the partition its key names, with the origin that makes it count
    once.
    """
    mail = decode_record(stored.value or b"")
    if not isinstance(mail, Mail):
        raise TypeError(f"{origin.topic}[{origin.partition}] offset {origin.offset} is no mail")
    mail.origin = origin
    mail.at_ms = max(mail.at_ms, at_ms)
    return int(stored.key or b""), mail


def stamp_command(stored: Stored, origin: Origin, at_ms: int) -> Stamped:
    """A command goes to every partition; what is no command is a dead letter, on the first one."""
    raw = stored.value or b""
    try:
        command = read_command(raw)
    except ContractError as fault:
        kept = b64encode(raw[:MAX_KEPT_BYTES]).decode()
        return 0, Rejected(at_ms, origin, fault.reason, fault.detail, kept, len(raw))
    return EVERY, Control(
        at_ms, origin, command.kind, command.id, command.version, command.sha256, command.body
    )


class ClockSkewError(Exception):
    """The times this machine would write are not to be trusted."""
