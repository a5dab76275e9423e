"""A Kafka in memory behind the runtime's port: seeded, with lost answers, fences, delays and frozen
clients.

It keeps what matters of the real one: offsets with transaction markers between them, the last
stable offset, aborted records that readers skip, a writer fenced by the next of its id, appends
that happened although their answer was lost. Each client is a view of its own, so a whole worker
can be frozen (SIGSTOP) or killed while the broker goes on.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from streams.fold import Row
from streams.runtime.port import Append, FencedError, IndefiniteError, Stored

PENDING, COMMITTED, ABORTED = range(3)


@dataclass
class Transaction:
    writer_id: str
    epoch: int
    state: int = PENDING


@dataclass
class Entry:
    row: Row | None  # None: a transaction marker
    transaction: Transaction | None


@dataclass
class Faults:
    """Probabilities per operation, and how many turns of the loop an operation may take."""

    commit_lost: float = 0.0  # the answer of a commit is lost; half of them happened
    append_lost: float = 0.0  # an idempotent append fails somewhere in the middle
    delay_turns: int = 3


@dataclass
class Broker:
    seed: int
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.partitions: dict[tuple[str, int], list[Entry]] = {}
        self.epochs: dict[str, int] = {}
        self.open_transactions: dict[str, Transaction] = {}
        self.group: dict[tuple[str, int], int] = {}

    def entries(self, topic: str, partition: int) -> list[Entry]:
        return self.partitions.setdefault((topic, partition), [])

    def last_stable(self, topic: str, partition: int) -> int:
        entries = self.entries(topic, partition)
        for offset, entry in enumerate(entries):
            if entry.transaction is not None and entry.transaction.state == PENDING:
                return offset
        return len(entries)

    def committed(self, topic: str, partition: int, start: int = 0) -> list[Stored]:
        end = self.last_stable(topic, partition)
        return [
            Stored(offset, entry.row.key, entry.row.value)
            for offset, entry in enumerate(self.entries(topic, partition)[start:end], start)
            if entry.row is not None
            and (entry.transaction is None or entry.transaction.state == COMMITTED)
        ]

    def end(self, transaction: Transaction, state: int) -> None:
        transaction.state = state
        self.open_transactions.pop(transaction.writer_id, None)
        for entries in self.partitions.values():
            if any(entry.transaction is transaction for entry in entries):
                entries.append(Entry(None, None))

    def produce(self, topic: str, partition: int, rows: Sequence[Row]) -> None:
        self.entries(topic, partition).extend(Entry(row, None) for row in rows)


class MemoryKafka:
    """One client's view of the broker. `freeze` holds each of its operations until `thaw`; after
    `kill` none comes back."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self._running = asyncio.Event()
        self._running.set()

    def freeze(self) -> None:
        self._running.clear()

    def thaw(self) -> None:
        self._running.set()

    async def turn(self) -> None:
        for _ in range(self.broker.random.randint(0, self.broker.faults.delay_turns)):
            await asyncio.sleep(0)
        await self._running.wait()

    async def open_writer(self, writer_id: str) -> "MemoryWriter":
        await self.turn()
        broker = self.broker
        broker.epochs[writer_id] = broker.epochs.get(writer_id, 0) + 1
        old = broker.open_transactions.get(writer_id)
        if old is not None:
            broker.end(old, ABORTED)
        return MemoryWriter(self, writer_id, broker.epochs[writer_id])

    async def open_appender(self) -> "MemoryAppender":
        await self.turn()
        return MemoryAppender(self)

    async def read(self, topic: str, partition: int, offset: int, most: int) -> list[Stored]:
        await self.turn()
        return self.broker.committed(topic, partition, offset)[:most]

    async def end_offset(self, topic: str, partition: int) -> int:
        await self.turn()
        return self.broker.last_stable(topic, partition)

    async def done_reading(self, partition: int) -> None:
        """Nothing is held for a reader."""


class MemoryWriter:
    def __init__(self, kafka: MemoryKafka, writer_id: str, epoch: int) -> None:
        self._kafka = kafka
        self._writer_id = writer_id
        self._epoch = epoch
        self._dead = False

    def _check(self) -> None:
        if self._kafka.broker.epochs[self._writer_id] != self._epoch:
            self._dead = True
            raise FencedError(self._writer_id)

    async def commit(self, appends: Sequence[Append]) -> None:
        if self._dead:
            raise IndefiniteError("the writer is dead")
        broker = self._kafka.broker
        transaction = Transaction(self._writer_id, self._epoch)
        for append in appends:
            await self._kafka.turn()
            self._check()
            broker.open_transactions[self._writer_id] = transaction
            entries = broker.entries(append.topic, append.partition)
            entries.extend(Entry(row, transaction) for row in append.records)
        await self._kafka.turn()
        self._check()
        lost = broker.random.random() < broker.faults.commit_lost
        if not lost or broker.random.random() < 0.5:
            broker.end(transaction, COMMITTED)
        await self._kafka.turn()
        if lost:
            self._dead = True
            raise IndefiniteError("the commit's answer was lost")

    async def close(self) -> None:
        self._dead = True


class MemoryAppender:
    def __init__(self, kafka: MemoryKafka) -> None:
        self._kafka = kafka
        self._dead = False

    async def append(self, appends: Sequence[Append]) -> int | None:
        if self._dead:
            raise IndefiniteError("the appender is dead")
        broker = self._kafka.broker
        for append in appends:
            await self._kafka.turn()
            if broker.random.random() < broker.faults.append_lost:
                self._dead = True
                if broker.random.random() < 0.5:
                    broker.produce(append.topic, append.partition, append.records)
                raise IndefiniteError("the append's answer was lost")
            broker.produce(append.topic, append.partition, append.records)
        return None

    async def close(self) -> None:
        self._dead = True
