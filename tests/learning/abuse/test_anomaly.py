"""What is unusual: known densities, hostile numbers, rows."""

from math import isfinite, nan
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import checks
from river.anomaly import HalfSpaceTrees
from river.datasets import Shuttle
from river.preprocessing import MinMaxScaler

from streams.evaluation.scores import auc
from streams.learning.abuse.anomaly import GridDensity, Tail

SMALL = {"grids": 12, "places": 128, "warm": 64}


def river_checks() -> list:
    """All that river applies to an anomaly detector, on the data it ships."""
    original = checks._yield_datasets
    checks._yield_datasets = lambda model, scale=1: [list(Shuttle().take(200 * scale))]
    try:
        return list(checks.yield_checks(GridDensity(**SMALL)))
    finally:
        checks._yield_datasets = original


@pytest.mark.parametrize("check", river_checks(), ids=lambda check: check.__name__)
def test_river_s_own_checks_pass(check) -> None:
    check(GridDensity(**SMALL))


def test_what_lies_apart_is_more_unusual_than_the_crowd() -> None:
    random, model = Random(5), GridDensity(**SMALL)
    scores, labels = [], []
    for number in range(3_000):
        apart = number > 500 and random.random() < 0.02
        x = [random.gauss(6.0 if apart else 0.0, 1.0), random.gauss(0.0, 1.0), random.random()]
        scores.append(model.score(x))
        labels.append(apart)
        model.learn(x)
    assert auc(scores[500:], labels[500:]) > 0.98


def test_it_leads_the_half_space_trees_on_real_sensor_data() -> None:
    model, trees, scaler = GridDensity(**SMALL), HalfSpaceTrees(seed=1), MinMaxScaler()
    ours, theirs, labels = [], [], []
    for x, y in Shuttle().take(2_000):
        scaler.learn_one(x)
        scaled = scaler.transform_one(x)
        ours.append(model.score_one(x))
        theirs.append(trees.score_one(scaled))
        labels.append(bool(y))
        model.learn_one(x)
        trees.learn_one(scaled)
    assert auc(ours, labels) > auc(theirs, labels) + 0.03


def test_a_score_changes_nothing() -> None:
    model = GridDensity(**SMALL)
    for number in range(100):
        model.learn([float(number % 7), 1.0])
    before = model.to_row()
    model.score([3.0, 3.0])
    model.score([])
    assert model.to_row() == before


@pytest.mark.parametrize("stop", [3, 64, 200])
def test_it_goes_on_from_its_row_bit_for_bit(stop: int) -> None:
    random = Random(9)
    xs = [[random.gauss(0.0, 1.0) for _ in range(4)] for _ in range(400)]
    model, other = GridDensity(**SMALL), GridDensity(**SMALL)
    for x in xs[:stop]:
        model.learn(x)
    other.from_row(model.to_row())
    for x in xs[stop:]:
        assert other.score(x) == model.score(x)
        model.learn(x)
        other.learn(x)
    assert other.to_row() == model.to_row()


@given(st.lists(st.lists(st.floats(), max_size=5), max_size=30))
@settings(max_examples=25, deadline=None)
def test_no_number_breaks_it(xs: list[list[float]]) -> None:
    model = GridDensity(grids=6, places=32, warm=8)
    for x in [*xs, [nan], [1e308, -1e308], [float("inf")] * 3, []]:
        assert isfinite(model.score(x))
        model.learn(x)
    other = GridDensity(grids=6, places=32, warm=8)
    other.from_row(model.to_row())
    assert other.to_row() == model.to_row()


def test_weights_stay_finite_in_the_long_run() -> None:
    model = GridDensity(grids=2, places=8, warm=0, kept=0.001)
    model.begin(["a"])
    for number in range(4_000):
        model.learn([number % 10 / 10])
    assert 0.0 <= model.score([0.5]) < 8.0


def test_a_broken_row_is_refused() -> None:
    model = GridDensity(**SMALL)
    row = bytearray(model.to_row())
    row[-30] ^= 1
    with pytest.raises(ValueError, match="broken"):
        GridDensity(**SMALL).from_row(bytes(row))
    with pytest.raises(ValueError, match="of other grids"):
        GridDensity().from_row(model.to_row())


def test_a_tail_tells_how_seldom_a_score_is() -> None:
    tail = Tail()
    assert tail.share(3.0) == 1.0
    for number in range(4_000):
        tail.add(number % 100 / 20)
    assert tail.share(0.0) == 1.0
    assert tail.share(4.0) == pytest.approx(0.2, abs=0.03)
    assert tail.share(15.0) < 0.002
    for _ in range(40_000):
        tail.add(1.0)
    assert isfinite(tail.share(1.0))
