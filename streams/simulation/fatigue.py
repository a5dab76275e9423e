"""People whom messages tire: a world where what pays at once does not pay in the end.

Every send lifts the chance of a purchase now, and tires; the tired buy less on a message, and some
of them unfollow, which ends everything. A purchase makes loyal, and the loyal buy again unasked.
So a policy that looks one step ahead sends whenever a send pays for itself, and loses people.

The world has few states, so the truth about any policy is known exactly (`true_values`), as is the
best possible policy (`best_policy`, backward induction). All numbers are chosen, none measured.
"""

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HOLD, SEND = 0, 1
DECISIONS = 8  # of a person in one life, unless they unfollow
DISCOUNT_PER_DAY = 0.998
SEND_COST = 0.02  # in units of a purchase's margin

# By kind of person: patient, ordinary, touchy; a third of each.
LIFT = np.array([0.16, 0.12, 0.10])  # of the chance of a purchase, by a send to the rested
TOUCHINESS = np.array([0.2, 0.5, 0.9])  # chance to unfollow on a send when most tired
KINDS = len(LIFT)

MOST_TIRED = 5
TIRING = 3  # by a send
RECOVERY = {3: 1, 7: 2}  # by gap in days until the next decision; both gaps equally likely
DULLED = 0.8  # share of the lift lost when most tired
QUIET_UNFOLLOW = 0.003  # chance to unfollow without any send

ORGANIC = np.array([0.10, 0.20, 0.30])  # chance of a purchase unasked, by loyalty
MOST_LOYAL = len(ORGANIC) - 1
FORGETTING = 0.15  # chance to lose one step of loyalty without a purchase

# Every state: kind, fatigue, loyalty.
STATES: Ints = np.array(list(product(range(KINDS), range(MOST_TIRED + 1), range(MOST_LOYAL + 1))))
RESTED = np.flatnonzero((STATES[:, 1] == 0) & (STATES[:, 2] == 0))  # where lives begin

# Decision number and states (n) to probabilities of hold and send (n, 2).
StatePolicy = Callable[[int, Ints], Floats]


class Lives(NamedTuple):
    """n decisions, those of one person together and in order; states are places in STATES."""

    person: Ints
    state: Ints
    arm: Ints
    propensity: Floats
    reward: Floats
    next_state: Ints
    gap_days: Floats
    ended: NDArray[np.bool_]


class _Odds(NamedTuple):
    """By state and arm: chances of a purchase and of an unfollow."""

    purchase: Floats
    unfollow: Floats


def _odds() -> _Odds:
    kind, fatigue, loyalty = STATES.T
    tired = fatigue / MOST_TIRED
    organic = ORGANIC[loyalty]
    lifted = organic + LIFT[kind] * (1 - DULLED * tired)
    left = QUIET_UNFOLLOW + TOUCHINESS[kind] * tired**2
    return _Odds(
        purchase=np.stack([organic, lifted], axis=1),
        unfollow=np.stack([np.full(len(STATES), QUIET_UNFOLLOW), left], axis=1),
    )


ODDS = _odds()


def features(state: Ints) -> Floats:
    """What a profile shows of states (n): kind, fatigue, loyalty and their products (n, 11)."""
    kind, fatigue, loyalty = STATES[state].T
    tired, loyal = fatigue / MOST_TIRED, loyalty / MOST_LOYAL
    ordinary, touchy = kind == 1, kind == 2
    columns = [ordinary, touchy, tired, tired**2, loyal, loyal * tired, loyal**2]
    columns += [ordinary * tired, touchy * tired, ordinary * tired**2, touchy * tired**2]
    return np.stack(columns, axis=1).astype(np.float64)


def always(arm: int) -> StatePolicy:
    """Sends always, or never."""
    return lambda _, state: np.eye(2)[np.full(len(state), arm)]


def today(_: int, state: Ints) -> Floats:
    """What runs before anything is learned: sends to half, rather to those who are not loyal."""
    send = np.array([0.55, 0.5, 0.4])[STATES[state, 2]]
    return np.stack([1 - send, send], axis=1)


def on_features(policy: Callable[[Floats], Floats]) -> StatePolicy:
    """A policy of features as one of states."""
    chances = policy(features(np.arange(len(STATES))))
    return lambda _, state: chances[state]


def live(policy: StatePolicy, *, seed: int, people: int) -> Lives:
    """Lives of people under a policy, drawn."""
    chance = np.random.default_rng(seed)
    person = np.arange(people)
    state = RESTED[chance.integers(KINDS, size=people)]
    parts = []
    for number in range(DECISIONS):
        chances = policy(number, state)
        arm = (chance.random(len(state)) < chances[:, SEND]).astype(np.int64)
        bought = chance.random(len(state)) < ODDS.purchase[state, arm]
        ended = chance.random(len(state)) < ODDS.unfollow[state, arm]
        gap_days = chance.choice(list(RECOVERY), size=len(state))
        forgot = chance.random(len(state)) < FORGETTING
        following = np.empty_like(state)
        for gap in RECOVERY:
            for forgets in (False, True):
                now = (gap_days == gap) & (forgot == forgets)
                following[now] = _next(state[now], arm[now], bought[now], gap, forgets)
        taken = chances[np.arange(len(state)), arm]
        reward = bought - SEND_COST * arm
        parts.append((person, state, arm, taken, reward, following, gap_days * 1.0, ended))
        person, state = person[~ended], following[~ended]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return Lives(*(column[order] for column in columns))


def returns(lives: Lives) -> Floats:
    """What each person brought (people), discounted to their first decision."""
    first = np.flatnonzero(np.append(True, lives.person[1:] != lives.person[:-1]))
    before = np.cumsum(lives.gap_days) - lives.gap_days
    day = before - np.repeat(before[first], np.diff(np.append(first, len(before))))
    return np.add.reduceat(lives.reward * DISCOUNT_PER_DAY**day, first)


def true_values(policy: StatePolicy) -> Floats:
    """Exact discounted value (STATES) of a life of DECISIONS from each state."""
    return _backwards(lambda number, quality: (policy(number, _ALL) * quality).sum(axis=1))[0]


def true_value(policy: StatePolicy) -> float:
    """The same of a person at the beginning."""
    return float(true_values(policy)[RESTED].mean())


def best_policy() -> StatePolicy:
    """The best of all policies, which knows the world: it may differ with every decision."""
    _, qualities = _backwards(lambda _, quality: quality.max(axis=1))
    choices = [np.eye(2)[quality.argmax(axis=1)] for quality in qualities]
    return lambda number, state: choices[number][state]


_ALL = np.arange(len(STATES))


def _backwards(value_of: Callable[[int, Floats], Floats]) -> tuple[Floats, list[Floats]]:
    """Values (STATES) at the first decision and qualities (STATES, 2) at each."""
    value = np.zeros(len(STATES))
    qualities: list[Floats] = []
    for number in reversed(range(DECISIONS)):
        quality = np.stack([_quality(arm, value) for arm in (HOLD, SEND)], axis=1)
        qualities.insert(0, quality)
        value = value_of(number, quality)
    return value, qualities


def _quality(arm: int, value: Floats) -> Floats:
    """Of an arm in every state (STATES), given the values of the states after."""
    arms = np.full(len(STATES), arm)
    purchase = ODDS.purchase[:, arm]
    after = np.zeros(len(STATES))
    for gap, bought, forgets in product(RECOVERY, (False, True), (False, True)):
        likely = np.where(bought, purchase, 1 - purchase) / len(RECOVERY)
        likely = likely * (FORGETTING if forgets else 1 - FORGETTING)
        following = _next(_ALL, arms, np.full(len(STATES), bought), gap, forgets)
        after += likely * DISCOUNT_PER_DAY**gap * value[following]
    return purchase - SEND_COST * arm + (1 - ODDS.unfollow[:, arm]) * after


def _next(state: Ints, arm: Ints, bought: NDArray[np.bool_], gap: int, forgets: bool) -> Ints:
    """The state at the next decision, given what happened."""
    kind, fatigue, loyalty = STATES[state].T
    fatigue = np.clip(fatigue + TIRING * arm, 0, MOST_TIRED)
    fatigue = np.maximum(fatigue - RECOVERY[gap], 0)
    loyalty = np.where(bought, loyalty + 1, loyalty - forgets)
    loyalty = np.clip(loyalty, 0, MOST_LOYAL)
    following: Ints = (kind * (MOST_TIRED + 1) + fatigue) * (MOST_LOYAL + 1) + loyalty
    return following
