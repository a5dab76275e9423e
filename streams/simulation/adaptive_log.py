"""A log of decisions whose truth is known, written by a policy that learns while it decides.

People differ by segment (known) and by temper (unknown, shared by all their decisions). The
logging policy chooses by the mean rewards it has seen so far, batch by batch, and explores every
action with at least `FLOOR`. The value of a target policy is exact: a sum over segments.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ACTIONS = 3
FLOOR = 0.1  # of every action's propensity
BATCHES = 6  # the logging policy learns between them
DECISIONS = 3  # of each person, all within one batch
GREED = 8.0  # of the logging policy: log odds by one unit of mean reward
TEMPER = 0.15  # a person's rewards are so much more or less probable, half of them each
# Probability of a reward by segment and action; neither is additive, so a line in both cannot fit.
REWARD = np.array([[0.2, 0.3, 0.45], [0.6, 0.35, 0.3], [0.25, 0.7, 0.3], [0.4, 0.45, 0.8]])
# What a marketer could see of a segment: two traits.
TRAITS = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
SEGMENTS = len(REWARD)


class AdaptiveLog(NamedTuple):
    """n decisions, those of one person together."""

    person: Ints  # (n)
    segment: Ints  # (n), in [0, SEGMENTS)
    features: Floats  # (n, 2)
    action: Ints  # (n), in [0, ACTIONS)
    propensity: Floats  # (n)
    reward: Floats  # (n), 0 or 1


def adaptive_log(seed: int, people: int) -> AdaptiveLog:
    """One history; `people` is rounded down to full batches."""
    chance = np.random.default_rng(seed)
    wins, tries = np.ones((SEGMENTS, ACTIONS)), np.full((SEGMENTS, ACTIONS), 2.0)
    batches = []
    size = people // BATCHES
    for number in range(BATCHES):
        person = np.repeat(np.arange(number * size, (number + 1) * size), DECISIONS)
        segment = np.repeat(chance.integers(SEGMENTS, size=size), DECISIONS)
        temper = np.repeat(chance.choice((-TEMPER, TEMPER), size=size), DECISIONS)
        chances = logging_policy(wins / tries)[segment]
        action = (chance.random((len(person), 1)) > chances.cumsum(axis=1)[:, :-1]).sum(axis=1)
        probability = REWARD[segment, action] + temper
        reward = (chance.random(len(person)) < probability).astype(np.float64)
        np.add.at(wins, (segment, action), reward)
        np.add.at(tries, (segment, action), 1.0)
        propensity = chances[np.arange(len(person)), action]
        batches.append((person, segment, TRAITS[segment], action, propensity, reward))
    return AdaptiveLog(*(np.concatenate(column) for column in zip(*batches, strict=True)))


def logging_policy(mean_reward: Floats) -> Floats:
    """Probabilities (SEGMENTS, ACTIONS) from what was seen so far (SEGMENTS, ACTIONS)."""
    odds = np.exp(GREED * (mean_reward - mean_reward.max(axis=1, keepdims=True)))
    probabilities: Floats = odds / odds.sum(axis=1, keepdims=True)
    return FLOOR + (1 - ACTIONS * FLOOR) * probabilities


def true_value(target: Floats) -> float:
    """Mean reward of a decision under a policy (SEGMENTS, ACTIONS); tempers cancel."""
    return float((target * REWARD).sum(axis=1).mean())
