"""Measures of probability forecasts against their definitions."""

from math import log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.evaluation.scores import (
    auc,
    brier,
    calibration_error,
    log_loss,
    ordered_auc,
    reliability,
)

CASES = st.lists(st.tuples(st.integers(0, 6).map(lambda n: n / 6), st.booleans()), max_size=40)


def by_definition(cases: list[tuple[float, bool]]) -> float:
    pairs = [(p > n) + 0.5 * (p == n) for p, yes in cases if yes for n, no in cases if not no]
    return sum(pairs) / len(pairs) if pairs else 0.5


@settings(max_examples=200)
@given(CASES)
def test_the_auc_is_the_share_of_pairs_in_the_right_order(cases: list[tuple[float, bool]]) -> None:
    scores, labels = [score for score, _ in cases], [label for _, label in cases]
    assert auc(scores, labels) == pytest.approx(by_definition(cases))


@given(CASES, st.data())
def test_a_weight_counts_like_repeating_the_case(
    cases: list[tuple[float, bool]], data: st.DataObject
) -> None:
    weights = [data.draw(st.integers(0, 3)) for _ in cases]
    scores, labels = [score for score, _ in cases], [label for _, label in cases]
    order = sorted(range(len(cases)), key=scores.__getitem__)
    repeated = [case for case, n in zip(cases, weights, strict=True) for _ in range(n)]
    expected = by_definition(repeated)
    assert ordered_auc(order, scores, labels, weights) == pytest.approx(expected)


def test_a_certain_forecast_that_is_wrong_has_a_finite_loss() -> None:
    assert log_loss([0.0, 1.0], [True, True]) < 10
    assert log_loss([0.5], [True]) == pytest.approx(log(2))


def test_the_brier_score_is_the_mean_squared_error() -> None:
    assert brier([0.8, 0.4], [True, False]) == pytest.approx((0.04 + 0.16) / 2)


def test_the_calibration_error_is_the_distance_weighted_by_cases() -> None:
    scores, labels = [0.25, 0.25, 0.25, 0.95], [True, False, False, True]
    assert calibration_error(scores, labels) == pytest.approx((3 * (1 / 3 - 0.25) + 0.05) / 4)
    assert [row.count for row in reliability(scores, labels)] == [3, 1]


def test_no_cases_give_no_error() -> None:
    assert (log_loss([], []), brier([], []), calibration_error([], [])) == (0.0, 0.0, 0.0)
