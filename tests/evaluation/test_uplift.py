"""Measures of estimates of effects."""

import numpy as np
import pytest

from streams.evaluation.uplift import auuc, gains, own_effects, qini, rank_correlation, ranks

RNG = np.random.default_rng(1)
EFFECTS = RNG.normal(0.1, 1.0, 200)
ESTIMATES = EFFECTS + RNG.normal(0.0, 1.0, 200)


def test_qini_is_the_area_between_the_curve_and_the_straight_line() -> None:
    order = np.argsort(-ESTIMATES)
    curve = np.cumsum(EFFECTS[order]) / 200
    line = curve[-1] * np.arange(1, 201) / 200
    assert qini(ESTIMATES, EFFECTS) == pytest.approx(float((curve - line).mean()))
    assert auuc(ESTIMATES, EFFECTS) == pytest.approx(float(curve.mean()))


def test_an_estimate_that_is_the_same_for_everybody_has_no_qini() -> None:
    assert qini(np.ones(200), EFFECTS) == pytest.approx(0.0, abs=1e-12)
    assert rank_correlation(np.ones(200), EFFECTS) == 0.0


def test_nobody_orders_better_than_the_truth() -> None:
    assert qini(EFFECTS, EFFECTS) > qini(ESTIMATES, EFFECTS) > 0.0 > qini(-EFFECTS, EFFECTS)


def test_an_outcome_s_own_effect_is_unbiased_whatever_the_shares() -> None:
    shares = RNG.uniform(0.1, 0.9, 100_000)
    treated = RNG.random(100_000) < shares
    outcomes = 2.0 + shares + 0.5 * treated
    assert own_effects(outcomes, treated, shares).mean() == pytest.approx(0.5, abs=0.02)


def test_the_curve_begins_at_nobody_and_ends_with_everybody() -> None:
    curve = gains(ESTIMATES, EFFECTS, parts=4)
    assert curve[0] == (0.0, 0.0)
    assert [share for share, _ in curve] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert curve[-1][1] == pytest.approx(float(EFFECTS.mean()))


def test_equal_values_share_their_rank() -> None:
    assert ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]
    assert rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 9.0])) == 1.0
