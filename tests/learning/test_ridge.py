"""Bayesian ridge regression one example at a time, also behind river's protocol."""

from math import inf, isfinite, nan, sqrt
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import checks
from river.datasets import TrumpApproval

from streams.learning.ridge import BayesianRidge

FLOATS = st.floats(allow_nan=True, allow_infinity=True)
PRECISIONS = (1.0, 2.0, 5.0, 0.5)


def river_checks() -> list:
    """All that river applies to a regressor, on data it ships."""
    original = checks._yield_datasets
    checks._yield_datasets = lambda model, scale=1: [list(TrumpApproval().take(100 * scale))]
    try:
        return list(checks.yield_checks(BayesianRidge()))
    finally:
        checks._yield_datasets = original


@pytest.mark.parametrize("check", river_checks(), ids=lambda check: check.__name__)
def test_river_s_own_checks_pass(check) -> None:
    check(BayesianRidge())


def examples(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 4))
    return x, x @ np.array([1.0, -2.0, 0.5, 0.0]) + rng.normal(size=count)


def taught(x: np.ndarray, y: np.ndarray) -> BayesianRidge:
    model = BayesianRidge()
    model.begin(PRECISIONS)
    for row, target in zip(x, y, strict=True):
        model.learn(row, float(target))
    return model


def test_one_pass_gives_what_solving_the_whole_system_gives() -> None:
    x, y = examples(3_000)
    model = taught(x, y)
    inverse = np.linalg.inv(x.T @ x + np.diag(PRECISIONS))
    assert model.mean == pytest.approx(inverse @ x.T @ y, rel=1e-9)
    assert np.allclose(model.covariance, inverse, rtol=1e-9)
    residual = y - x @ model.mean
    shrunk = model.mean**2 @ np.array(PRECISIONS)
    assert model.square == pytest.approx(residual @ residual + shrunk, rel=1e-9)


def test_the_deviation_is_that_of_the_estimate_over_many_samples() -> None:
    probe = np.array([1.0, 1.0, -1.0, 0.5])
    found = [taught(*examples(150, seed)).estimate(probe) for seed in range(200)]
    spread = float(np.std([one.mean for one in found]))
    stated = sqrt(np.mean([one.deviation**2 for one in found]))
    assert stated == pytest.approx(spread, rel=0.15)


def test_a_model_taken_over_from_its_row_goes_on_bit_for_bit() -> None:
    x, y = examples(400)
    whole, first = taught(x, y), taught(x[:150], y[:150])
    again = BayesianRidge()
    again.begin(PRECISIONS)
    again.from_row(first.to_row())
    for row, target in zip(x[150:], y[150:], strict=True):
        again.learn(row, float(target))
    assert again.to_row() == whole.to_row()


def test_a_broken_row_is_refused() -> None:
    row = bytearray(taught(*examples(20)).to_row())
    row[40] ^= 1
    with pytest.raises(ValueError, match="checksum"):
        BayesianRidge().from_row(bytes(row))


def test_a_row_of_another_number_of_features_is_refused() -> None:
    other = BayesianRidge()
    other.begin((1.0,) * 3)
    with pytest.raises(ValueError, match="of 4 features, not of 3"):
        other.from_row(taught(*examples(20)).to_row())


def test_names_beyond_the_capacity_are_ignored() -> None:
    model = BayesianRidge(capacity=2)
    model.learn_one({"a": 1.0, "b": 2.0, "c": 3.0}, 1.0)
    assert model.predict_one({"c": 9.0}) == 0.0
    assert len(model.mean) == 2


@given(
    st.lists(
        st.tuples(st.dictionaries(st.sampled_from("abc"), FLOATS, max_size=3), FLOATS), max_size=12
    )
)
def test_no_number_makes_the_state_non_finite(found: list) -> None:
    model = BayesianRidge()
    for x, y in found:
        model.learn_one(x, y)
    assert np.isfinite(model.mean).all()
    assert np.isfinite(model.covariance).all()
    assert isfinite(model.predict_one({"a": 1e308, "b": nan, "c": -inf}))


def test_what_is_forgotten_makes_room_for_what_has_changed() -> None:
    x, y = examples(2_000)
    lasting, forgetful = taught(x, y), taught(x, y)
    random = Random(1)
    for _ in range(300):
        row = np.array([random.gauss(0.0, 1.0) for _ in range(4)])
        lasting.learn(row, float(5.0 * row[0]))
        forgetful.learn(row, float(5.0 * row[0]), 0.98)
    assert forgetful.mean[0] == pytest.approx(5.0, abs=0.5)
    assert lasting.mean[0] < 2.5
