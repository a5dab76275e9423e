"""The reward model predicts everybody from the others."""

import numpy as np
import pytest

from streams.evaluation.reward_model import reward_model

CHANCE = np.random.default_rng(7)
FEATURES = CHANCE.normal(size=(4_000, 3))
ACTION = CHANCE.integers(2, size=4_000)
TRUTH = np.stack([1 + FEATURES[:, 0], 2 - FEATURES[:, 1]], axis=1)
REWARD = TRUTH[np.arange(4_000), ACTION] + CHANCE.normal(scale=0.1, size=4_000)


def test_it_finds_a_line_for_each_action() -> None:
    q_hat = reward_model(FEATURES, REWARD, ACTION, actions=2)
    assert np.abs(q_hat - TRUTH).max() < 0.05


def test_nobody_is_predicted_from_their_own_rewards() -> None:
    person = np.arange(4_000) // 4
    mine = person == 17
    changed = np.where(mine, 1e6, REWARD)
    before = reward_model(FEATURES, REWARD, ACTION, actions=2, person=person)
    after = reward_model(FEATURES, changed, ACTION, actions=2, person=person)
    assert np.array_equal(before[mine], after[mine])


def test_an_action_never_taken_is_predicted_as_all_others() -> None:
    q_hat = reward_model(FEATURES, REWARD, np.zeros(4_000, dtype=np.int64), actions=2)
    assert q_hat[:, 1] == pytest.approx(q_hat[:, 0], abs=0.01)


def test_the_scale_of_a_feature_does_not_matter() -> None:
    scaled = reward_model(FEATURES * 1_000 + 5, REWARD, ACTION, actions=2)
    assert scaled == pytest.approx(reward_model(FEATURES, REWARD, ACTION, actions=2))


def test_fewer_people_than_folds_are_refused() -> None:
    with pytest.raises(ValueError, match="5 folds for 2 people"):
        reward_model(FEATURES, REWARD, ACTION, actions=2, person=np.arange(4_000) % 2)
