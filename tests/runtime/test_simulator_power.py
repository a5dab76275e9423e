"""The seeded simulation is worth something: each planted fault of the runtime is found within 40
seeds.
"""

from collections.abc import Callable, Sequence

import pytest

from streams.fold import Output
from streams.runtime.decide import DecidePipeline
from streams.runtime.intake import IntakePipeline
from streams.runtime.port import Append, FencedError, IndefiniteError
from streams.simulation.memory_kafka import MemoryAppender, MemoryWriter
from tests.runtime.test_cluster import PARTITIONS, run_seed, wrong_with
from tests.runtime.toy import ToyFold

SEEDS = 40


class ForgetfulFold(ToyFold):
    """Counts a redelivery as a new event."""

    def handle(self, value: bytes) -> list[Output]:
        self._marks.clear()
        return list(super().handle(value))


def done_before_the_append(monkeypatch: pytest.MonkeyPatch) -> None:
    pump = IntakePipeline._pump

    async def hasty(self: IntakePipeline) -> None:
        if self._waiting:
            self._on_done(self._waiting[min(len(self._waiting), self._max_records) - 1].offset + 1)
        await pump(self)

    monkeypatch.setattr(IntakePipeline, "_pump", hasty)


def no_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryWriter, "_check", lambda self: None)


def fence_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    commit = DecidePipeline._commit

    async def careless(self: DecidePipeline, batch: object) -> None:
        try:
            await commit(self, batch)
        except (FencedError, IndefiniteError):
            self._writer = await self._kafka.open_writer(self._writer_id)

    monkeypatch.setattr(DecidePipeline, "_commit", careless)


def redelivered_records_folded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    take = DecidePipeline._take

    async def gullible(self: DecidePipeline) -> list:
        if self._waiting and self._waiting[0].offset < self._next_offset:
            self._next_offset = self._waiting[0].offset
        return await take(self)

    monkeypatch.setattr(DecidePipeline, "_take", gullible)


def command_for_some_partitions_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Done is told although an append failed between two partitions."""
    append = MemoryAppender.append

    async def hasty(self: MemoryAppender, appends: Sequence[Append]) -> int | None:
        try:
            return await append(self, appends)
        except IndefiniteError:
            if len(appends) < PARTITIONS:
                raise
            self._dead = False
            return None

    monkeypatch.setattr(MemoryAppender, "append", hasty)


def found_within(seeds: int, new_fold: Callable[[int], ToyFold] = ToyFold) -> bool:
    for seed in range(seeds):
        try:
            _, dumps = run_seed(seed, new_fold=new_fold)
        except Exception:
            return True
        if wrong_with(dumps, new_fold):
            return True
    return False


@pytest.mark.parametrize(
    "fault",
    [
        done_before_the_append,
        no_fence,
        fence_ignored,
        redelivered_records_folded_again,
        command_for_some_partitions_only,
    ],
)
def test_a_planted_fault_is_found(
    fault: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)
    assert found_within(SEEDS)


def test_a_fold_without_high_water_marks_is_found() -> None:
    assert found_within(SEEDS, ForgetfulFold)
