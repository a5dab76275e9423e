"""One partition's pipeline: log records in; state, triggers, decisions out, in one fenced
transaction.

    offer -> waiting -> fold (pure) -> commit        the next batch folds while the last one commits

The applied offset lives in the state, so a record offered again is dropped and one that was skipped
is read from the log. After a lost transaction nothing in memory counts: the pipeline recovers from
the topic.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from time import perf_counter
from typing import NamedTuple

import msgspec

from streams.contract.topics import LOG, STATE
from streams.fold import Fold, Output, Row
from streams.runtime import logs
from streams.runtime.health import Health
from streams.runtime.metrics import Metrics
from streams.runtime.port import Append, FencedError, IndefiniteError, Kafka, Stored, Writer
from streams.runtime.recovery import APPLIED_KEY, Applied, digest, recover

log = logs.get("decide")

BEHIND_MS = 1_000  # timers due longer ago than that have piled up
TICKS_BEHIND = 32  # appended at once then
YIELD_EVERY = 256  # records folded between two turns of the event loop


class State(Enum):
    RECOVERING = "recovering"
    RUNNING = "running"
    FENCED = "fenced"
    CLOSED = "closed"


class Batch(NamedTuple):
    appends: list[Append]
    last_offset: int
    records: int
    fold_seconds: float
    counters: Mapping[str, float]


class DecidePipeline:
    """`on_committed(next_offset)` is told after each commit; `now_ms` is the log writer's clock."""

    def __init__(
        self,
        *,
        kafka: Kafka,
        partition: int,
        prefix: str,
        app_id: str,
        new_fold: Callable[[], Fold],
        new_claim: Callable[[], bytes],
        now_ms: Callable[[], int],
        metrics: Metrics,
        health: Health,
        on_committed: Callable[[int], None],
        max_records: int = 2_000,
        retry_seconds: float = 0.2,
        fence_seconds: float = 15.0,
    ) -> None:
        self.partition = partition
        self.state = State.RECOVERING
        self.fold = new_fold()
        self._kafka = kafka
        self._prefix = prefix
        self._writer_id = f"{app_id}-{partition}"
        self._new_fold = new_fold
        self._new_claim = new_claim
        self._now_ms = now_ms
        self._metrics = metrics
        self._health = health
        self._on_committed = on_committed
        self._max_records = max_records
        self._retry_seconds = retry_seconds
        self._fence_seconds = fence_seconds
        self._reclaim = asyncio.Event()
        self._waiting: deque[Stored] = deque()
        self._news = asyncio.Event()
        self._settled = asyncio.Event()  # nothing folded waits for its commit
        self._settled.set()
        self._parked = False
        self._writer: Writer | None = None
        self._next_offset = 0
        self._offered_end = 0  # what was taken but not committed is read from the log again
        self._emitted: dict[str, str] = {}

    # What the worker calls, from the same event loop.

    @property
    def backlog(self) -> int:
        return len(self._waiting)

    @property
    def settled(self) -> bool:
        """Nothing waits and nothing is on its way to the broker."""
        return not self._behind and self._settled.is_set()

    @property
    def depth(self) -> int:
        """Batches between fetch and commit."""
        return len(self._waiting) // self._max_records + (not self._settled.is_set())

    @property
    def _behind(self) -> bool:
        return bool(self._waiting) or self._next_offset < self._offered_end

    def offer(self, records: Sequence[Stored]) -> None:
        """Take log records in offset order; never blocks, the caller watches `backlog`."""
        if self._parked or not records:
            return
        self._offered_end = max(self._offered_end, records[-1].offset + 1)
        if self.state is not State.FENCED:  # what is only noted now is read from the log later
            self._waiting.extend(records)
            self._news.set()

    async def park(self) -> None:
        """Before a rebalance: drop what waits, let what is folded commit. `unpark` goes on, and
        whoever is the owner then is offered the rest again."""
        self._parked = True
        self._waiting.clear()
        self._offered_end = 0
        await self._settled.wait()

    def unpark(self) -> None:
        """The partition is ours (again). A fenced pipeline recovers as its new owner."""
        self._parked = False
        self._news.set()
        self._reclaim.set()

    async def close(self) -> None:
        await self.park()
        self.state = State.CLOSED
        self._news.set()
        self._reclaim.set()
        await self._discard_writer()

    def ticks_wanted(self, now_ms: int) -> int:
        """How many Ticks would fire timers: none unless the partition is idle and one is due, many
        where timers have piled up, for each record fires only so many."""
        if self.state is not State.RUNNING or self._waiting or self._parked:
            return 0
        due_ms = self.fold.next_due_ms()
        if due_ms is None or due_ms > now_ms or not self._settled.is_set():
            return 0
        return TICKS_BEHIND if due_ms < now_ms - BEHIND_MS else 1

    # The pipeline's own task.

    async def run(self) -> None:
        while self.state is not State.CLOSED:
            try:
                await self._recover()
                await self._pump()
            except IndefiniteError as error:
                if self.state is State.RUNNING:
                    self.state = State.RECOVERING  # from this very turn on nothing is settled
                log.warning("commit_indefinite", partition=self.partition, error=str(error))
                self._metrics.recovered(self.partition)
                await self._discard_writer()
                await asyncio.sleep(self._retry_seconds)
            except FencedError:
                await self._wait_fenced()

    async def _wait_fenced(self) -> None:
        """Someone else opened this partition's writer. Either the group moved the partition and
        will tell us, or a zombie did it on waking: it is about to learn that it lost the partition,
        so whoever is still assigned after a session's time takes it back.
        """
        log.warning("fenced", partition=self.partition)
        self._metrics.fenced(self.partition)
        if self.state is State.CLOSED:
            return
        self.state = State.FENCED
        self._waiting.clear()
        await self._discard_writer()
        self._reclaim.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._reclaim.wait(), self._fence_seconds)

    async def _recover(self) -> None:
        if self.state is State.CLOSED:
            return
        self.state = State.RECOVERING
        self._health.recovering(self.partition)
        started = perf_counter()
        self._writer = await self._kafka.open_writer(self._writer_id)
        fold = self._new_fold()
        applied, rows = await recover(
            self._kafka, self._writer, self.partition, self._prefix, self._new_claim(), fold
        )
        await self._kafka.done_reading(self.partition)
        self.fold = fold
        self._next_offset = applied.offset + 1
        self._emitted = applied.emitted
        if self.state is State.RECOVERING:
            self.state = State.RUNNING
        seconds = perf_counter() - started
        self._metrics.recovery(self.partition, seconds, fold.counts(), fold.counters)
        self._health.recovered(self.partition)
        self._on_committed(self._next_offset)
        log.info(
            "recovered",
            partition=self.partition,
            offset=applied.offset,
            rows=rows,
            seconds=round(seconds, 3),
        )

    async def _pump(self) -> None:
        committing: asyncio.Task[None] | None = None
        try:
            while self.state is State.RUNNING:
                if self._behind:
                    self._settled.clear()
                    records = await self._take()
                    if records and not self._parked:
                        batch = await self._fold_batch(records)
                        if committing is not None:
                            await committing
                        committing = asyncio.create_task(self._commit(batch))
                elif committing is not None:
                    await committing
                    committing = None
                else:
                    self._settled.set()
                    self._news.clear()
                    await self._news.wait()
            if committing is not None:
                await committing
                committing = None
        finally:
            if (
                committing is not None
            ):  # something else failed first: this commit is given up with it
                committing.cancel()
                await asyncio.gather(committing, return_exceptions=True)
            self._settled.set()

    async def _take(self) -> list[Stored]:
        """What waits, at most one batch, from the next offset on and without a hole."""
        waiting = self._waiting
        while waiting and waiting[0].offset < self._next_offset:
            waiting.popleft()
        offered = waiting[0].offset if waiting else self._offered_end
        if offered > self._next_offset:
            return await self._read_log(min(self._max_records, offered - self._next_offset))
        return run_from(waiting, self._next_offset, self._max_records)

    async def _read_log(self, most: int) -> list[Stored]:
        topic = self._prefix + LOG
        records = await self._kafka.read(topic, self.partition, self._next_offset, most)
        if not records or records[0].offset != self._next_offset:
            raise LostLogError(
                f"{topic}[{self.partition}]: offset {self._next_offset} is wanted next but the log "
                "no longer has it. Restore from a snapshot that is newer: docs/operations.md"
            )
        return records[:most]

    async def _fold_batch(self, records: list[Stored]) -> Batch:
        started = perf_counter()
        handle = self.fold.handle
        outputs: list[Output] = []
        for start in range(0, len(records), YIELD_EVERY):
            for record in records[start : start + YIELD_EVERY]:
                if record.value is not None:
                    outputs += handle(record.value)
            await asyncio.sleep(0)
        last_offset = records[-1].offset
        self._next_offset = last_offset + 1
        appends = self._appends(outputs, last_offset)
        seconds = perf_counter() - started
        return Batch(appends, last_offset, len(records), seconds, self.fold.counts())

    def _appends(self, outputs: list[Output], last_offset: int) -> list[Append]:
        by_topic: dict[str, list[Row]] = {}
        for output in outputs:
            by_topic.setdefault(output.topic, []).append(Row(output.key, output.value))
        for topic, records in by_topic.items():
            self._emitted[topic] = digest(records[-1])
        rows = list(self.fold.changed_rows())
        applied = Applied(offset=last_offset, version=1, emitted=self._emitted)
        rows.append(Row(APPLIED_KEY, msgspec.json.encode(applied)))
        prefix, partition = self._prefix, self.partition
        appends = [Append(prefix + topic, partition, rs) for topic, rs in by_topic.items()]
        return [Append(prefix + STATE, partition, rows), *appends]

    async def _commit(self, batch: Batch) -> None:
        assert self._writer is not None
        started = perf_counter()
        await self._writer.commit(batch.appends)
        self._on_committed(batch.last_offset + 1)
        lag_seconds = max(0.0, (self._now_ms() - self.fold.now_ms) / 1000)
        self._metrics.batch(
            self.partition,
            records=batch.records,
            fold_seconds=batch.fold_seconds,
            commit_seconds=perf_counter() - started,
            lag_seconds=lag_seconds,
        )
        self._metrics.counters(self.partition, batch.counters)
        self._health.beat(self.partition)

    async def _discard_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.close()


def run_from(waiting: deque[Stored], offset: int, most: int) -> list[Stored]:
    """Take the records that follow each other from `offset` on, at most so many."""
    run: list[Stored] = []
    while waiting and waiting[0].offset == offset and len(run) < most:
        run.append(waiting.popleft())
        offset += 1
    return run


class LostLogError(Exception):
    """Records the state needs next are gone from the log."""
