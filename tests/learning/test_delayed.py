"""Labels that come late are learned once, each as soon as it can be known."""

from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.learning.delayed import GRACE_MS, NOT_YET, WARM, DelayedOutcome, pack, unpack

HOUR = 3_600_000
ENDS = (HOUR, 24 * HOUR, 72 * HOUR)


def outcome(*, warm: bool = True) -> DelayedOutcome:
    model = DelayedOutcome(("a", "b"), ENDS)
    if warm:
        model.logistic.absorbed = WARM
    return model


def test_a_prediction_is_a_negative_of_each_stage_once_the_stage_and_its_grace_are_over() -> None:
    model = outcome()
    awaited = model.await_([1.0, 0.0], 0)
    model.passed(awaited, HOUR)
    assert awaited.stage == 0
    model.passed(awaited, HOUR + GRACE_MS)
    assert (awaited.stage, model.metrics()["examples"]) == (1, 1.0)
    model.passed(awaited, HOUR + GRACE_MS)
    assert model.metrics()["examples"] == 1.0


def test_what_happens_is_learned_once_when_its_stage_is_over() -> None:
    model = outcome()
    awaited = model.await_([1.0, 0.0], 0)
    model.happened(awaited, 30 * HOUR, 30 * HOUR)
    model.passed(awaited, 40 * HOUR)
    assert model.metrics()["examples"] == 2.0
    before = model.probability([1.0, 0.0])
    model.happened(awaited, 41 * HOUR, 41 * HOUR)
    model.passed(awaited, 72 * HOUR + GRACE_MS)
    model.passed(awaited, 90 * HOUR)
    assert model.metrics()["examples"] == 3.0
    assert model.probability([1.0, 0.0]) > before
    assert model.progress.timed_out == 0


def test_it_is_judged_when_the_horizon_is_over_whatever_happened() -> None:
    """Else the first answers are all positive, and any model looks wrong."""
    model = outcome()
    first = model.await_([1.0, 0.0], HOUR, bucket=4)
    model.happened(first, 2 * HOUR, 2 * HOUR)
    second = model.await_([0.5, 0.0], 3 * HOUR, before=first)
    model.passed(second, 72 * HOUR)
    assert model.answers() == []
    model.passed(second, 74 * HOUR)
    (answer,) = model.answers()
    assert (answer.happened, answer.bucket) == (True, 4)
    assert model.metrics()["matured"] == 1.0


def test_what_an_untaught_model_said_is_not_judged() -> None:
    model = outcome(warm=False)
    awaited = model.await_([1.0, 0.0], 0)
    model.passed(awaited, 90 * HOUR)
    assert model.is_past(awaited, 90 * HOUR)
    assert model.answers() == []


def test_what_happened_before_the_prediction_or_after_its_horizon_says_nothing() -> None:
    model = outcome()
    awaited = model.await_([1.0, 0.0], 100 * HOUR)
    model.happened(awaited, 99 * HOUR, 101 * HOUR)
    model.happened(awaited, 173 * HOUR, 173 * HOUR)
    assert awaited.happened_in == NOT_YET
    assert model.metrics()["examples"] == 0.0


def test_a_late_positive_is_learned_after_all_and_counted() -> None:
    model = outcome()
    awaited = model.await_([1.0, 0.0], 0)
    model.passed(awaited, 80 * HOUR)
    assert model.progress.timed_out == 1
    before = model.probability([1.0, 0.0])
    model.happened(awaited, 2 * HOUR, 81 * HOUR)
    found = model.metrics()
    assert (found["corrected"], found["timed_out"]) == (1.0, 0.0)
    assert model.probability([1.0, 0.0]) > before


def test_a_fresh_model_is_not_biased_by_labels_that_are_still_on_their_way() -> None:
    """Half of the people act within three days, a tenth of these within the hour; only two days
    are over. Taking silence for a no would see one in twenty."""
    model = outcome()
    for number in range(4_000):
        awaited = model.await_([0.0, 0.0], 0)
        if number % 2 == 0:
            hour = (number // 2) % 10 * 7
            if hour < 48:
                model.happened(awaited, hour * HOUR, hour * HOUR)
        model.passed(awaited, 48 * HOUR)
    silent_by_now = 1.0 - model.probability([0.0, 0.0], stages=2)
    assert abs(silent_by_now - (1.0 - 0.5 * 0.4)) < 0.05


def test_a_model_taken_over_from_its_rows_goes_on_bit_for_bit() -> None:
    model = outcome()
    for number in range(50):
        awaited = model.await_([number / 50, 1.0], 0)
        model.happened(awaited, number * HOUR, number * HOUR)
        model.passed(awaited, 90 * HOUR)
    twin = outcome()
    for key, row in model.changed_rows(b"m:x/"):
        assert row is not None
        twin.load_row(key.removeprefix(b"m:x/"), row)
    assert twin.probability([0.5, 1.0]) == model.probability([0.5, 1.0])
    for each in (model, twin):
        each.passed(each.await_([0.5, 1.0], 0), 90 * HOUR)
    assert twin.metrics() == model.metrics()
    assert twin.changed_rows(b"") == model.changed_rows(b"")


@given(st.lists(st.floats(), max_size=16))
def test_features_keep_a_sixteenth_within_eight_and_survive_every_number(x: list[float]) -> None:
    for value, kept in zip(x, unpack(pack(x)), strict=True):
        assert -8.0 < kept < 8.0
        if abs(value) < 7.9:
            assert abs(kept - value) <= 1 / 32


def test_contributions_add_up_to_the_log_odds_of_the_first_stage() -> None:
    model = outcome()
    for number in range(200):
        awaited = model.await_([number % 2, 1.0], 0)
        if number % 2:
            model.happened(awaited, 0, 0)
        model.passed(awaited, 90 * HOUR)
    x = [1.0, 1.0]
    added = sum(part[2] for part in model.contributions(x))
    first = 1.0 / (1.0 + exp(-added))
    assert first == pytest.approx(model.probability(x, stages=1), abs=1e-12)
