"""Regret against a fixed even split, the quick form of `python -m streams.benchmarks.bandits`."""

from statistics import fmean

import pytest

from streams.benchmarks.bandits import Ours, Run, run

SEEDS = range(5)
DECISIONS = 3_000


@pytest.fixture(scope="module")
def split_fen() -> float:
    """The split's regret per decision."""
    return fmean(run(Ours("split"), seed, DECISIONS, 0).regret_fen for seed in SEEDS)


@pytest.mark.parametrize(("name", "delay"), [("linear_thompson", 0), ("linucb", 200)])
def test_regret_is_at_most_half_of_an_even_splits_and_coupons_go_where_they_move(
    name: str, delay: int, split_fen: float
) -> None:
    runs = [run(Ours(name), seed, DECISIONS, delay) for seed in SEEDS]
    mean = Run(*(fmean(column) for column in zip(*runs, strict=True)))
    assert mean.regret_fen <= 0.5 * split_fen
    assert mean.to_persuadables > 5.0 * mean.to_sure_things
    assert mean.rank_correlation > 0.6
