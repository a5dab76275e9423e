"""The world where messages tire: its exact truth is that of the lives drawn in it."""

import numpy as np
import pytest

from streams.simulation import fatigue
from streams.simulation.fatigue import HOLD, SEND, StatePolicy

POLICIES: list[StatePolicy] = [
    fatigue.today,
    fatigue.always(HOLD),
    fatigue.always(SEND),
    fatigue.best_policy(),
]


@pytest.mark.parametrize("policy", POLICIES)
def test_the_exact_value_is_what_many_lives_bring(policy: StatePolicy) -> None:
    returns = fatigue.returns(fatigue.live(policy, seed=11, people=20_000))
    error = returns.std() / len(returns) ** 0.5
    assert fatigue.true_value(policy) == pytest.approx(returns.mean(), abs=3.5 * error)


@pytest.mark.parametrize("policy", POLICIES)
def test_no_policy_is_better_than_the_best_in_any_state(policy: StatePolicy) -> None:
    best = fatigue.true_values(fatigue.best_policy())
    assert (fatigue.true_values(policy) <= best + 1e-12).all()


def test_a_send_pays_at_once_in_every_state() -> None:
    """So who looks one step ahead always sends."""
    gain = fatigue.ODDS.purchase[:, SEND] - fatigue.ODDS.purchase[:, HOLD] - fatigue.SEND_COST
    rested = fatigue.STATES[:, 1] < fatigue.MOST_TIRED
    assert (gain[rested] > 0).all()


def test_sending_always_is_far_from_the_best() -> None:
    best, always = (fatigue.true_value(p) for p in (POLICIES[3], POLICIES[2]))
    assert always < 0.75 * best


def test_nobody_decides_after_having_left() -> None:
    lives = fatigue.live(fatigue.always(SEND), seed=3, people=500)
    last = np.append(lives.person[1:] != lives.person[:-1], True)
    assert not lives.ended[~last].any()
    assert lives.ended.any()


def test_the_same_seed_draws_the_same_lives() -> None:
    one, two = (fatigue.live(fatigue.today, seed=5, people=100) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
