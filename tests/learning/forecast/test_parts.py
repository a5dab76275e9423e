"""The parts of a forecast: smoothing, regression, autoregression, calendar, intervals."""

from random import Random

import numpy as np
import pytest
from river import time_series

from streams.learning.forecast.autoregression import Autoregression, Form
from streams.learning.forecast.calendar import Calendar
from streams.learning.forecast.combination import Combination
from streams.learning.forecast.intervals import Interval
from streams.learning.forecast.regression import RecursiveLeastSquares
from streams.learning.forecast.smoothing import Rates, Smoothing


def test_an_additive_season_is_seeded_by_differences_where_rivers_is_seeded_by_quotients() -> None:
    ours = Smoothing(Rates(0.3, 0.1, 0.6, 1.0), short=4)
    rivers = time_series.HoltWinters(alpha=0.3, beta=0.1, gamma=0.6, seasonality=4)
    for value in (10.0, 20.0, 30.0, 40.0):
        ours.learn(value)
        rivers.learn_one(value)
    assert ours.forecast(4) == pytest.approx([10.0, 20.0, 30.0, 40.0])
    # Level 25 and trend 10: a season of y - level would give 20, 40, 60, 80.
    assert rivers.forecast(4) == pytest.approx([35.4, 45.8, 56.2, 66.6])


def test_a_week_of_hours_lies_over_a_day_of_hours() -> None:
    model = Smoothing(Rates(0.05, 0.0, 0.1, 1.0), short=4, long=8)
    pattern = [10.0, 20.0, 30.0, 40.0, 15.0, 25.0, 35.0, 65.0]
    for number in range(400):
        model.learn(pattern[number % 8])
    assert model.forecast(8) == pytest.approx(pattern, abs=1.0)


def test_one_outlier_moves_a_settled_level_little() -> None:
    random, model = Random(1), Smoothing(Rates(0.2))
    for _ in range(200):
        model.learn(random.gauss(100.0, 2.0))
    before = model.forecast(1)[0]
    model.learn(1e6)
    assert abs(model.forecast(1)[0] - before) < 3.0


def test_least_squares_row_by_row_is_ridge_regression() -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(80, 3))
    targets = rows @ [1.0, -2.0, 0.5] + rng.normal(size=80)
    model = RecursiveLeastSquares([0.0, 0.0, 0.0], keep=1.0, trust=2.0)
    for row, target in zip(rows.tolist(), targets.tolist(), strict=True):
        model.learn(row, target)
    exact = np.linalg.solve(rows.T @ rows + 2.0 * np.eye(3), rows.T @ targets)
    assert list(model.coefficients) == pytest.approx(exact.tolist(), rel=1e-9)


def test_what_is_never_excited_does_not_blow_up() -> None:
    model = RecursiveLeastSquares([0.0, 0.0], keep=0.9)
    for number in range(5_000):
        model.learn([1.0, 0.0], float(number % 3))
    assert max(map(abs, model.gains)) < 1e5


def test_an_autoregression_finds_its_coefficients() -> None:
    random, model = Random(5), Autoregression(Form(lags=((1, 0.0), (2, 0.0)), keep=1.0))
    before, last = 0.0, 0.0
    for _ in range(5_000):
        before, last = last, 0.6 * last + 0.3 * before + random.gauss(0.0, 1.0)
        model.learn(last)
    constant, first, second = model.squares.coefficients
    assert (constant, first, second) == pytest.approx((0.0, 0.6, 0.3), abs=0.05)


def test_past_errors_are_learned_as_moving_averages() -> None:
    random, error = Random(6), 0.0
    model = Autoregression(Form(lags=((1, 0.0),), errors=(1,), keep=1.0))
    for _ in range(8_000):
        last, error = error, random.gauss(0.0, 1.0)
        model.learn(error + 0.7 * last)
    assert model.squares.coefficients[2] == pytest.approx(0.7, abs=0.1)


def test_a_calendar_learns_factors_and_says_nothing_of_plain_periods() -> None:
    calendar = Calendar(("promotion", "festival"))
    for _ in range(40):
        calendar.learn(calendar.row({"promotion": 1.0}), 0.7)
        calendar.learn(calendar.row({}), 5.0)
    assert calendar.effect(calendar.row({"promotion": 1.0})) == pytest.approx(0.7, abs=0.02)
    assert calendar.factor(calendar.row({"other": 1.0})) == 1.0


def test_the_best_expert_counts_most_and_equals_count_alike() -> None:
    followed = Combination(3, horizon=1, stride=1)
    assert followed.weights() == pytest.approx([1 / 3] * 3)
    for _ in range(50):
        followed.learn([10.0, 12.0, 12.0, 0.0], 10.5, 1.0)
    first, second, third = followed.weights()
    assert first > 0.99
    assert second == third


@pytest.mark.parametrize(("horizon", "stride"), [(1, 1), (6, 1), (12, 2), (24, 5), (7, 3)])
def test_a_forecast_comes_back_when_its_period_has_come(horizon: int, stride: int) -> None:
    followed, met = Combination(1, horizon, stride), 0
    for count in range(200):
        if followed.issues(count):
            followed.issue(count, [float(count)], -1.0)
        due = followed.due(count)
        if due is not None:
            met += 1
            assert due == [count + 1 - horizon, -1.0]
    assert met >= (200 - horizon) // stride - 1


def test_an_interval_is_wide_on_the_side_where_errors_are() -> None:
    random, interval = Random(7), Interval(0.9)
    for _ in range(3_000):
        interval.learn(10.0, 10.0 + random.expovariate(0.5))
    low, high = interval.bounds(10.0)
    assert 10.0 - low < 1.0
    assert high - 10.0 == pytest.approx(6.0, abs=3.0)
