"""Online logistic regression, also behind river's protocol."""

import subprocess
import sys
from math import isfinite
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import checks
from river.datasets import Phishing
from river.metrics import ROCAUC

from streams.learning.logistic import OnlineLogistic, bounded, sigmoid

FLOATS = st.floats(allow_nan=True, allow_infinity=True)


def river_checks() -> list:
    """All that river applies to a binary classifier, on the data it ships (no scikit-learn)."""
    original = checks._yield_datasets
    checks._yield_datasets = lambda model, scale=1: [list(Phishing().take(200 * scale))]
    try:
        return list(checks.yield_checks(OnlineLogistic()))
    finally:
        checks._yield_datasets = original


@pytest.mark.parametrize("check", river_checks(), ids=lambda check: check.__name__)
def test_river_s_own_checks_pass(check) -> None:
    check(OnlineLogistic())


def test_river_s_metrics_and_data_drive_it() -> None:
    model, auc = OnlineLogistic(rate=0.3), ROCAUC(n_thresholds=100)
    for x, y in Phishing():
        auc.update(y, model.predict_proba_one(x))
        model.learn_one(x, y)
    assert auc.get() > 0.93


def test_it_finds_the_weights_of_a_known_law() -> None:
    model, random = OnlineLogistic(rate=0.3), Random(1)
    for _ in range(20_000):
        x = [random.uniform(-1, 1), random.uniform(-1, 1)]
        model.learn(x, random.random() < sigmoid(2.0 * x[0] - x[1] - 0.5))
    assert [*model.weights, model.intercept] == pytest.approx([2.0, -1.0, -0.5], abs=0.2)


@given(st.lists(st.tuples(FLOATS, FLOATS, st.booleans()), max_size=30))
def test_no_example_makes_a_weight_non_finite(examples) -> None:
    model = OnlineLogistic(rate=0.5)
    for a, b, y in examples:
        assert 0.0 <= model.learn([a, b], y) <= 1.0
    assert all(map(isfinite, [*model.weights, *model.squares, model.intercept]))


@pytest.mark.parametrize("value", [1e308, -1e308, float("inf"), float("-inf"), float("nan")])
def test_huge_values_count_as_the_bound_and_nan_as_nothing(value: float) -> None:
    model = OnlineLogistic()
    model.learn_one({"a": value}, True)
    assert abs(bounded(value)) <= 1e3
    assert all(map(isfinite, model.predict_proba_one({"a": value}).values()))


def test_names_beyond_the_capacity_are_ignored_and_counted() -> None:
    model = OnlineLogistic(capacity=3)
    for number in range(10):
        model.learn_one({f"name {number}": 1.0}, True)
    assert (len(model.weights), model.ignored) == (3, 7)


def test_predicting_changes_nothing() -> None:
    model = OnlineLogistic()
    model.learn_one({"a": 1.0}, True)
    row = model.to_row()
    model.predict_proba_one({"a": 2.0, "never seen": 1.0})
    assert model.to_row() == row


def test_a_row_brings_back_the_same_model() -> None:
    model, random = OnlineLogistic(), Random(2)
    for _ in range(50):
        model.learn_one({name: random.gauss(0, 1) for name in "abc"}, random.random() < 0.3)
    copy = OnlineLogistic()
    copy.from_row(model.to_row())
    for one in (model, copy):
        one.learn_one({"b": 1.0, "d": 2.0}, True)
    assert copy.to_row() == model.to_row()


def test_a_row_of_a_newer_schema_is_refused() -> None:
    schema, state = msgspec.msgpack.decode(OnlineLogistic().to_row())
    with pytest.raises(ValueError, match="schema 2"):
        OnlineLogistic().from_row(msgspec.msgpack.encode([schema + 1, state]))


def test_weights_of_other_features_are_refused() -> None:
    model, other = OnlineLogistic(), OnlineLogistic()
    model.begin(["a", "b"], [0.0, 0.0])
    other.begin(["a", "c"], [0.0, 0.0])
    with pytest.raises(ValueError, match="not"):
        other.from_row(model.to_row())


def test_importing_the_models_loads_no_more_of_river_than_its_protocol() -> None:
    script = (
        "import sys, streams.engine.models\n"
        "heavy = ('numpy', 'scipy', 'pandas', 'river.linear_model', 'river.metrics')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert found.stdout.strip() == b"[]"
