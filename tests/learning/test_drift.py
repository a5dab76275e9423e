"""Change detection, and the gate in front of a model's decisions."""

from math import exp, inf, isfinite, log, nan
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river.drift import ADWIN

from streams.learning import rows
from streams.learning.drift import Adwin, AdwinRow, Event, Gate

FLOATS = st.floats(allow_nan=True, allow_infinity=True)


def coin(random: Random, share: float) -> float:
    return float(random.random() < share)


def observe(
    gate: Gate, random: Random, labels: int, base: float, shift: float = 0.0
) -> list[Event]:
    """A model that knew the law; since then everything happens more often by `shift`."""
    events = []
    for _ in range(labels):
        probability = 1.0 / (1.0 + exp(-log(base / (1.0 - base)) - random.gauss(0.0, 1.0)))
        event = gate.observe(probability, random.random() < probability + shift)
        if event is not None:
            events.append(event)
    return events


@pytest.mark.parametrize(("before", "after"), [(0.1, 0.2), (0.5, 0.6), (0.3, 0.2)])
def test_a_change_is_found_where_river_finds_it(before: float, after: float) -> None:
    random, ours, theirs = Random(1), Adwin(), ADWIN(delta=0.002)
    for number in range(8_000):
        value = coin(random, before if number < 4_000 else after)
        ours.update(value)
        theirs.update(value)
        assert ours.drift_detected == theirs.drift_detected
        if ours.drift_detected:
            assert ours.width == theirs.width
            assert ours.direction == (1 if after > before else -1)
            return
    pytest.fail("no change was found")


def test_the_window_of_a_steady_stream_is_nearly_all_of_it() -> None:
    random, window = Random(2), Adwin()
    for _ in range(20_000):
        window.update(coin(random, 0.3))
        assert not window.drift_detected
    assert window.width == 20_000
    assert window.mean == pytest.approx(0.3, abs=0.02)


@given(st.lists(FLOATS, max_size=200))
def test_no_value_makes_the_window_non_finite(values: list[float]) -> None:
    window = Adwin()
    for value in values:
        window.update(value)
    assert 0.0 <= window.mean <= 1.0
    assert all(map(isfinite, (window.to_row().total, window.to_row().variance)))


def test_a_window_of_a_hundred_thousand_values_is_a_row_of_two_kilobytes() -> None:
    window = Adwin()
    for number in range(100_000):
        window.update(0.25 + 0.5 * (number % 2))
    assert len(rows.pack(window.to_row())) <= 2_048


def test_a_model_serves_once_there_are_labels_enough() -> None:
    gate, random = Gate(warm=300), Random(3)
    assert gate.state == "warming"
    events = observe(gate, random, 400, 0.3)
    assert events == [Event("warming", "serving", "enough labels", 300)]
    assert gate.serves


@pytest.mark.parametrize("base", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("seed", [1, 2])
def test_ten_points_of_base_rate_suspend_it_within_two_thousand_labels(
    base: float, seed: int
) -> None:
    gate, random = Gate(), Random(seed)
    assert [event.after for event in observe(gate, random, 5_000, base)] == ["serving"]
    suspended = next(event for event in observe(gate, random, 2_000, base, 0.1))
    assert (suspended.before, suspended.after) == ("serving", "suspended")
    assert gate.metrics()["alarms"] >= 1


@pytest.mark.parametrize("seed", range(3))
def test_a_model_that_holds_is_not_suspended_in_thirty_thousand_labels(seed: int) -> None:
    gate = Gate()
    assert len(observe(gate, Random(seed), 30_000, 0.2)) == 1
    assert gate.metrics()["alarms"] == 0


def test_a_model_worse_than_the_base_rate_is_suspended_and_tried_again() -> None:
    gate, random = Gate(), Random(4)
    events = []
    for _ in range(4_000):
        event = gate.observe(random.uniform(0.0, 1.0), random.random() < 0.1)
        events += [event] if event else []
    assert [event.after for event in events[:4]] == [
        "serving",
        "suspended",
        "challenger",
        "suspended",
    ]
    assert {event.reason for event in events} <= {
        "enough labels",
        "worse than the base rate",
        "calm again",
        "the trial failed",
    }
    assert gate.metrics()["skill"] < 0.0


def test_a_challenger_that_does_well_serves_again() -> None:
    gate, random = Gate(), Random(5)
    observe(gate, random, 5_000, 0.2)
    observe(gate, random, 1_500, 0.2, 0.15)
    assert gate.state != "serving"
    events = observe(gate, random, 6_000, 0.2)  # as if it had learned the new law
    assert [event.after for event in events][-2:] == ["challenger", "serving"]
    assert events[-1].reason == "better than the base rate"


def test_the_state_to_go_back_to_is_one_that_outlived_its_probation() -> None:
    gate, random = Gate(), Random(6)
    for number in range(6):
        observe(gate, random, 1_000, 0.2)
        if gate.wants_state:
            gate.keep(b"weights %d" % number)
    assert gate.last_good == b"weights 4"
    observe(gate, random, 1_500, 0.2, 0.15)
    assert not gate.wants_state
    observe(gate, random, 6_000, 0.2)
    gate.keep(b"after")
    assert gate.last_good == b"weights 4"  # what was on probation when the alarm came is not good


@given(st.integers(1, 900))
@settings(max_examples=12)
def test_a_gate_taken_over_from_its_rows_goes_on_bit_for_bit(cut: int) -> None:
    gate, random = Gate(), Random(cut)
    observe(gate, random, cut, 0.3, 0.05)
    gate.keep(b"weights")
    twin = Gate()
    for name, row in gate.to_rows():
        if row is not None:
            twin.load_row(name, row)
    state = random.getstate()
    found = observe(gate, random, 600, 0.3, 0.2)
    random.setstate(state)
    assert observe(twin, random, 600, 0.3, 0.2) == found
    assert twin.to_rows() == gate.to_rows()
    assert twin.metrics() == gate.metrics()


@pytest.mark.parametrize("probability", [nan, inf, -1e308, 1e308])
def test_a_probability_that_is_none_counts_as_certain_and_wrong(probability: float) -> None:
    gate, twin = Gate(), Gate()
    gate.observe(probability, True)
    twin.observe(0.0, True)
    assert gate.metrics() == twin.metrics()
    assert all(map(isfinite, gate.metrics().values()))


def test_rows_of_others_and_of_later_versions_are_refused() -> None:
    with pytest.raises(ValueError, match="no row b'other'"):
        Gate().load_row(b"other", b"")
    with pytest.raises(ValueError, match="buckets"):
        Adwin().from_row(AdwinRow(sizes=[3]))
