"""Probabilities of being best, against closed form and fine integration."""

from math import erf, sqrt

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.engine.choices.matching import best_probabilities

MEAN = st.floats(-5.0, 5.0)
WIDTH = st.floats(0.01, 10.0)


@given(MEAN, WIDTH, WIDTH)
def test_two_arms_agree_with_the_closed_form(apart: float, first: float, second: float) -> None:
    truth = 0.5 + 0.5 * erf(apart / sqrt(2.0 * (first**2 + second**2)))
    assert best_probabilities([apart, 0.0], [first, second])[0] == pytest.approx(truth, abs=0.01)


@pytest.mark.parametrize("count", [3, 4, 6, 8])
def test_many_arms_of_very_different_widths_agree_with_sampling(count: int) -> None:
    chance = np.random.default_rng(count)
    for _ in range(10):
        means, widths = chance.normal(0, 1, count), 10 ** chance.uniform(-1.5, 1, count)
        best = (means + widths * chance.normal(size=(40_000, count))).argmax(axis=1)
        truth = np.bincount(best, minlength=count) / len(best)
        ours = best_probabilities(list(means), list(widths))
        assert ours == pytest.approx(list(truth), abs=0.02)  # of which sampling is 0.01


@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(0, 1e9)), min_size=1, max_size=8))
@example([(0.0, 0.0), (0.0, 5e-324)])
def test_it_is_a_distribution_whatever_the_arms(arms: list[tuple[float, float]]) -> None:
    chances = best_probabilities([mean for mean, _ in arms], [width for _, width in arms])
    assert min(chances) >= 0.0
    assert sum(chances) == pytest.approx(1.0, abs=1e-12)


def test_arms_that_are_alike_share_alike() -> None:
    assert best_probabilities([3.0] * 4, [2.0] * 4) == pytest.approx([0.25] * 4, abs=1e-12)


def test_without_doubt_the_greatest_mean_has_it_all() -> None:
    assert best_probabilities([1.0, 3.0, 3.0], [0.0] * 3) == [0.0, 0.5, 0.5]
    assert best_probabilities([0.0, 100.0, 0.0], [1.0] * 3) == [0.0, 1.0, 0.0]
