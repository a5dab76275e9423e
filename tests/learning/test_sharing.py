"""Learners over different people tell each other what they learned."""

from collections.abc import Callable
from math import inf, isfinite, nan
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.learning import rows
from streams.learning.calibration import Calibration, CalibrationDelta
from streams.learning.logistic import (
    INTERCEPT,
    LogisticDelta,
    LogisticRow,
    OnlineLogistic,
    sigmoid,
)
from streams.learning.presence import RATES, Presence

NAMES = ("a", "b", "c")
Example = tuple[list[float], bool]


def begun(*, sharing: bool = True) -> OnlineLogistic:
    model = OnlineLogistic(rate=0.1)
    model.begin(NAMES, [0.5, 0.0, 0.0])
    model.intercept = -1.0
    if sharing:
        model.begin_sharing()
    return model


def examples(count: int, seed: int) -> list[Example]:
    random = Random(seed)
    found = []
    for _ in range(count):
        x = [random.gauss(0, 1), random.gauss(0, 1), float(random.random() < 0.3)]
        found.append((x, random.random() < sigmoid(1.5 * x[0] - x[1] + x[2] - 1.0)))
    return found


def taught(model: OnlineLogistic, those: list[Example]) -> OnlineLogistic:
    for x, y in those:
        model.learn(x, y)
    return model


def weights(model: OnlineLogistic) -> list[float]:
    return [*model.weights, model.intercept]


def sent(delta: object) -> LogisticDelta:
    """Through mail, as JSON."""
    return msgspec.convert(msgspec.json.decode(msgspec.json.encode(delta)), LogisticDelta)


def test_to_be_ready_to_share_changes_nothing_of_what_is_learned() -> None:
    those = examples(300, 1)
    alone, sharing = taught(begun(sharing=False), those), taught(begun(), those)
    assert weights(alone) == weights(sharing)
    assert alone.squares == sharing.squares


def test_nothing_learned_is_nothing_to_tell() -> None:
    model = begun()
    assert model.share() is None
    taught(model, examples(3, 1))
    assert model.share() is not None
    assert model.share() is None


def test_who_hears_of_everything_from_the_start_knows_the_same() -> None:
    teacher, listener = taught(begun(), examples(200, 2)), begun()
    delta = teacher.share()
    assert delta is not None
    listener.absorb(sent(delta))
    assert weights(listener) == pytest.approx(weights(teacher), rel=1e-12)
    assert listener.squares == pytest.approx(teacher.squares, rel=1e-12)
    assert (listener.examples, listener.absorbed) == (0, 200)


def test_what_was_absorbed_is_not_told_again() -> None:
    teacher, listener = taught(begun(), examples(50, 3)), begun()
    listener.absorb(sent(teacher.share()))
    assert listener.share() is None
    own = taught(begun(), examples(1, 4)).share()
    taught(listener, examples(1, 4))
    told = listener.share()
    assert told is not None and own is not None
    assert told.examples == 1
    assert sum(told.squares) < 2.0 * sum(own.squares) + 1.0


@given(st.permutations(range(5)))
@settings(max_examples=20)
def test_the_order_in_which_deltas_arrive_does_not_matter(order: list[int]) -> None:
    deltas = [taught(begun(), examples(40, seed)).share() for seed in range(5)]
    first, other = begun(), begun()
    for place in range(5):
        first.absorb(sent(deltas[place]))
        other.absorb(sent(deltas[order[place]]))
    assert weights(other) == pytest.approx(weights(first), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("partitions", [4, 16])
def test_partitions_that_tell_each_other_learn_what_one_learner_would(partitions: int) -> None:
    those = examples(8_000, 5)
    single = taught(begun(sharing=False), those)
    parts = [begun() for _ in range(partitions)]
    for number, (x, y) in enumerate(those):
        parts[number % partitions].learn(x, y)
        if number % 400 == 399:
            deltas = [part.share() for part in parts]
            for to, part in enumerate(parts):
                for place, delta in enumerate(deltas):
                    if place != to and delta is not None:
                        part.absorb(sent(delta))
    for part in parts:
        assert weights(part) == pytest.approx(weights(single), abs=0.1)
        assert part.examples + part.absorbed == 8_000


@given(st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=20)
def test_a_learner_taken_over_in_the_middle_of_a_period_tells_the_same(a: int, b: int) -> None:
    model = taught(begun(), examples(a, 6))
    if a % 2:
        model.share()
    model.absorb(sent(taught(begun(), examples(5, 7)).share()))
    twin = begun()
    twin.from_row(model.to_row())
    taught(model, examples(b, 8))
    taught(twin, examples(b, 8))
    assert twin.to_row() == model.to_row()
    assert twin.share() == model.share()
    assert twin.to_row() == model.to_row()


def test_a_row_of_before_there_was_sharing_goes_on() -> None:
    old = rows.pack(LogisticRow(7, 0, list(NAMES), [0.1, 0.2, 0.3, 0.4], [2.0, 2.0, 2.0, 2.0]))
    schema, parts = msgspec.msgpack.decode(old)
    model = begun()
    model.from_row(msgspec.msgpack.encode([schema, parts[:5]]))
    assert model.share() is None
    taught(model, examples(1, 1))
    told = model.share()
    assert told is not None
    assert told.examples == 1


def test_a_learner_set_back_tells_only_what_it_learns_afterwards() -> None:
    model = taught(begun(), examples(30, 1))
    row = model.to_row()
    taught(model, examples(30, 2))
    model.share()
    model.restore(row)
    assert model.share() is None
    assert weights(model) == weights(taught(begun(), examples(30, 1)))


def test_features_that_came_by_name_find_their_places() -> None:
    one, other = OnlineLogistic(), OnlineLogistic()
    one.begin_sharing()
    other.begin_sharing()
    other.learn_one({"x": 1.0, "y": 2.0}, False)
    one.learn_one({"y": 1.0, "z": -1.0}, True)
    other.absorb(sent(one.share()))
    assert list(other.index) == ["x", "y", "z"]
    assert other.weights[2] == pytest.approx(one.weights[one.index["z"]])
    told = other.share()
    assert told is not None
    assert told.names == ["x", "y"]


@pytest.mark.parametrize("number", [nan, inf, -inf, 1e308])
def test_numbers_that_are_none_are_not_absorbed(number: float) -> None:
    model = taught(begun(), examples(20, 1))
    model.absorb(LogisticDelta(1, [0, INTERCEPT], ["a"], [number, 1.0], [number, -1.0]))
    model.absorb(LogisticDelta(1, [0], ["unknown"], [1.0], [1.0]))
    assert all(map(isfinite, weights(model)))
    assert weights(model) == weights(taught(begun(), examples(20, 1)))


def test_a_delta_that_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        begun().absorb(LogisticDelta(1, [0], ["a"], [1.0, 2.0], [1.0]))
    with pytest.raises(RuntimeError, match="begin_sharing"):
        begun(sharing=False).share()


def pairs(count: int, seed: int) -> list[tuple[float, bool]]:
    random = Random(seed)
    logits = [random.gauss(0.0, 2.0) for _ in range(count)]
    return [(logit, random.random() < sigmoid(0.7 * logit + 0.5)) for logit in logits]


def calibrated(those: list[tuple[float, bool]]) -> Calibration:
    found = Calibration()
    found.begin_sharing()
    for logit, silent in those:
        found.give()
        found.learn(logit, silent=silent)
    return found


def test_calibrations_tell_each_other_what_one_would_have_learned() -> None:
    those = pairs(4_000, 1)
    single = calibrated(those)
    parts = [calibrated([]) for _ in range(4)]
    for number, (logit, silent) in enumerate(those):
        parts[number % 4].give()
        parts[number % 4].learn(logit, silent=silent)
        if number % 100 == 99:
            deltas = [part.share() for part in parts]
            for to, part in enumerate(parts):
                for place, delta in enumerate(deltas):
                    if place != to and delta is not None:
                        part.absorb(delta)
    for part in parts:
        assert part.slope == pytest.approx(single.slope, abs=0.05)
        assert part.shift == pytest.approx(single.shift, abs=0.05)
        assert part.given == pytest.approx(single.given, rel=0.05)


def test_a_calibration_tells_each_end_and_pair_once() -> None:
    found = calibrated(pairs(5, 2))
    found.end()
    told = found.share()
    assert told is not None
    assert (told.pairs, told.given, told.ended) == (5.0, 5.0, 1.0)
    assert found.share() is None
    other = calibrated([])
    other.absorb(told)
    assert other.share() is None


@pytest.mark.parametrize("place", range(8))
@pytest.mark.parametrize("number", [nan, inf, -1e308])
def test_no_delta_breaks_a_calibration(place: int, number: float) -> None:
    parts = [1.0] * 8
    parts[place] = number
    found = calibrated(pairs(5, 3))
    before = msgspec.to_builtins(found)
    found.absorb(CalibrationDelta(*parts))
    assert msgspec.to_builtins(found) == before


def lived(presence: Presence, seed: int, count: int) -> Presence:
    random = Random(seed)
    for _ in range(count):
        span = random.uniform(5.0, 40.0)
        active = span * (0.1 if random.random() < 0.7 else 0.6)
        presence.learn(presence.posterior(active=active, span=span, silence=1.0))
    return presence


def fresh() -> Presence:
    found = Presence()
    found.begin_sharing()
    return found


def test_presences_tell_each_other_how_common_rates_are() -> None:
    single, parts = lived(fresh(), 1, 4_000), [fresh() for _ in range(4)]
    for period in range(40):
        for number, part in enumerate(parts):
            lived(part, 100 * period + number, 25)
        deltas = [part.share() for part in parts]
        for to, part in enumerate(parts):
            for place, delta in enumerate(deltas):
                if place != to and delta is not None:
                    part.absorb(delta)
    for part in parts:
        assert part.shares == pytest.approx(single.shares, abs=0.03)
        assert sum(part.shares) == pytest.approx(1.0)
        assert part.step == pytest.approx(single.step, rel=0.01)
        assert part.share() is None


def test_to_be_ready_to_share_changes_no_presence_and_no_calibration() -> None:
    assert lived(fresh(), 1, 50).shares == lived(Presence(), 1, 50).shares
    alone = Calibration()
    for logit, silent in pairs(50, 1):
        alone.give()
        alone.learn(logit, silent=silent)
    sharing = calibrated(pairs(50, 1))
    assert (alone.slope, alone.shift, alone.given) == (sharing.slope, sharing.shift, sharing.given)


BROKEN: list[Callable[[], list[float]]] = [
    list,
    lambda: [nan] * (1 + len(RATES)),
    lambda: [inf] * (1 + len(RATES)),
    lambda: [0.0] * (1 + len(RATES)),
    lambda: [1.0, -1.0, *[1.0] * (len(RATES) - 1)],
]


@pytest.mark.parametrize("broken", BROKEN)
def test_no_delta_breaks_a_presence(broken: Callable[[], list[float]]) -> None:
    found = lived(fresh(), 1, 5)
    before = list(found.shares)
    found.absorb(broken())
    assert found.shares == before
