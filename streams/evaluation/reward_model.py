"""Expected reward of every action at every logged decision, for the doubly robust estimators.

Ridge regression in two steps: one line for all actions, then for each action what it differs by,
shrunk towards no difference; so an action rarely or never taken falls back to what is common.
Cross-fitted: nobody's prediction comes from a model that saw one of their decisions, otherwise a
model that learned the noise would seem to explain it and intervals would be too short.

Sources: Hoerl & Kennard, Ridge regression (Technometrics 1970); Chernozhukov et al., Double machine
learning (Econometrics Journal 2018).
"""

import numpy as np

from streams.evaluation.clusters import Floats, Ints, people_of


def reward_model(
    features: Floats,
    reward: Floats,
    action: Ints,
    *,
    actions: int,
    person: Ints | None = None,
    folds: int = 5,
    penalty: float = 1.0,
) -> Floats:
    """q_hat (n, actions): the expected reward of each action at each decision.

    Args:
        features: (n, d), known before the decision; any scale, they are standardised.
        reward: (n)
        action: (n), taken, in [0, actions).
        person: (n), whose decision; people stay in one fold whole.
        folds: at least 2 and at most the number of people.
        penalty: of ridge, > 0, in decisions: with as many of an action half of its own counts.

    Raises:
        ValueError: folds or penalty out of range, or fewer people than folds.
    """
    people = people_of(person, len(reward))
    if not 2 <= folds <= people.number:
        raise ValueError(f"{folds} folds for {people.number} people: 2 to as many as people")
    if not penalty > 0:
        raise ValueError(f"the penalty is {penalty}: it must be above 0")
    design = _standardised(features)
    fold = people.of_row % folds
    q_hat = np.empty((len(reward), actions))
    for number in range(folds):
        held_out = fold == number
        coefficients = _fit(
            design[~held_out], reward[~held_out], action[~held_out], actions, penalty
        )
        q_hat[held_out] = design[held_out] @ coefficients
    return q_hat


def _standardised(features: Floats) -> Floats:
    """With a column of ones in front (n, d + 1)."""
    spread = features.std(axis=0)
    centred = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return np.hstack([np.ones((len(features), 1)), centred])


def _fit(design: Floats, reward: Floats, action: Ints, actions: int, penalty: float) -> Floats:
    """Coefficients (d + 1, actions): the common line plus each action's own difference."""
    width = design.shape[1]
    free_intercept = penalty * np.diag(np.r_[0.0, np.ones(width - 1)])
    common = np.linalg.solve(design.T @ design + free_intercept, design.T @ reward)
    rest = reward - design @ common
    coefficients = np.tile(common[:, None], actions)
    for each in range(actions):
        rows = design[action == each]
        gram = rows.T @ rows + penalty * np.eye(width)
        coefficients[:, each] += np.linalg.solve(gram, rows.T @ rest[action == each])
    return coefficients
