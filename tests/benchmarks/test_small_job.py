"""The small job: exact state under any batches and restarts."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.benchmarks import contest
from streams.benchmarks.small_job import SmallJob
from streams.benchmarks.work import PURCHASE_EVERY, events
from streams.fold import Output
from streams.runtime.local_kafka import LocalKafka

EVENTS = [value for _, value in events(400)]


def fold(values: list[bytes], cuts: set[int], restarts: set[int]) -> tuple[list[Output], dict]:
    """Outputs and last rows, committing at `cuts` and going on in a new fold at `restarts`."""
    job, outputs, rows = SmallJob(), [], {}
    for position, value in enumerate(values):
        outputs += job.handle(value)
        if position in cuts | restarts:
            rows |= dict(job.changed_rows())
        if position in restarts:
            job = SmallJob()
            for key in sorted(rows):
                job.load_row(key, rows[key])
    rows |= dict(job.changed_rows())
    return outputs, rows


@settings(max_examples=40, deadline=None)
@given(
    st.sets(st.integers(0, len(EVENTS) - 1), max_size=20),
    st.sets(st.integers(0, len(EVENTS) - 1), max_size=5),
)
def test_outputs_and_rows_do_not_depend_on_batches_and_restarts(
    cuts: set[int], restarts: set[int]
) -> None:
    assert fold(EVENTS, cuts, restarts) == fold(EVENTS, set(), set())


def test_one_event_in_twenty_triggers() -> None:
    outputs, _ = fold(EVENTS, set(), set())
    assert len(outputs) == len(EVENTS) / PURCHASE_EVERY


def test_a_batch_writes_only_the_users_it_changed_and_the_model() -> None:
    job = SmallJob()
    for value in EVENTS[:100]:
        job.handle(value)
    list(job.changed_rows())
    job.handle(EVENTS[100])
    assert [key[:2] for key, _ in job.changed_rows()] == [b"m:", b"u:"]


def test_records_that_are_no_events_move_time_and_nothing_else() -> None:
    job = SmallJob()
    assert list(job.handle(b'{"record":"tick","at_ms":17}')) == []
    assert job.now_ms == 17
    assert list(job.changed_rows()) == []


def test_a_row_of_another_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="neither a user's nor the model's"):
        SmallJob().load_row(b"g:genesis", b"{}")


def test_the_same_seed_makes_the_same_events() -> None:
    assert list(events(50, seed=3)) == list(events(50, seed=3))
    assert list(events(50, seed=3)) != list(events(50, seed=4))


def test_our_worker_emits_every_trigger_of_a_filled_topic() -> None:
    with LocalKafka.or_given() as kafka:
        measured = asyncio.run(contest.run(contest.OURS, kafka.bootstrap, list(events(2_000)), 0))
    assert measured.events_per_s > 0
