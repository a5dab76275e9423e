"""Policies for effects that last: what a send today costs or earns over many decisions to come.

A bandit counts what a decision earns at once; that it tires people and some leave is charged to
nobody. Here the value of an arm is its reward and the value of where it leads, learned backwards
from the log (fitted Q iteration, one ridge line per arm and number of decisions to go). A policy
made of it may not drive anything before its value was estimated on people it did not learn from:
per-decision doubly robust, weights self-normalised at each decision, up to a horizon.

Limits: effects enter only as far as the features show them (fatigue must be one); weights multiply,
so the effective number of people falls with every decision of the horizon; whoever's log is cut
before the horizon is carried on by the model.

Sources: Ernst, Geurts & Wehenkel, Tree-based batch mode reinforcement learning (JMLR 2005); Jiang &
Li, Doubly robust off-policy value evaluation for reinforcement learning (ICML 2016); Thomas &
Brunskill, Data-efficient off-policy policy evaluation for reinforcement learning (ICML 2016).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.evaluation.clusters import Floats, Ints, effective_size, margin, people_of
from streams.evaluation.off_policy import (
    FLOOR,
    SUM_TOLERANCE,
    Estimate,
    Flags,
    Floor,
    NotRankable,
    refuse_below,
    unsupported,
)

Policy = Callable[[Floats], Floats]  # features (n, d) to probabilities (n, K)
FOLDS = 2  # of the model inside the estimate: nobody is predicted by a model that saw them


class Trajectories(NamedTuple):
    """n decisions, those of one person one after the other in time; K arms, arm 0 sends nothing."""

    person: Ints  # (n)
    features: Floats  # (n, d), known before the decision, of the order of 1
    arm: Ints  # (n), in [0, K)
    propensity: Floats  # (n), of the arm taken, in (0, 1]
    reward: Floats  # (n), what came until the next decision
    next_features: Floats  # (n, d), at the next decision; any numbers where `ended`
    gap_days: Floats  # (n), until the next decision, >= 0
    ended: Flags  # (n), nothing comes after: the person left
    eligible: Flags | None = None  # (n, K), what the logging policy could do


class Setting(NamedTuple):
    """What a value counts: the first `horizon` decisions, discounted by day."""

    arms: int
    horizon: int  # decisions, at least 1
    discount_per_day: float = 0.998  # in (0, 1]
    penalty: float = 1.0  # of ridge, > 0, in decisions


@dataclass(frozen=True, eq=False)
class GreedyWithFloor:
    """The arm of the highest value, and every arm with at least `floor`."""

    coefficients: Floats  # (d + 1, K)
    floor: float  # in [0, 1 / K]

    def __call__(self, features: Floats) -> Floats:
        """Probabilities (n, K); of equal arms the first."""
        return _greedy(_design(features) @ self.coefficients, self.floor)


class Gate(NamedTuple):
    """Whether a policy may drive, and why (not) in one line."""

    may_drive: bool
    reason: str


def learn(log: Trajectories, setting: Setting, *, floor: float = 0.05) -> GreedyWithFloor:
    """The greedy policy of fitted Q iteration; horizon 1 makes it the one-step bandit's.

    Args:
        floor: probability of every arm, in [0, 1 / arms]; counted in while learning too.

    Raises:
        ValueError: the log or the setting is wrong.
    """
    check(log, setting)
    if not 0 <= floor <= 1 / setting.arms:
        raise ValueError(f"the floor is {floor}: it must be in [0, 1/{setting.arms}]")
    to_go = _fit(log, setting, lambda quality, _: (quality * _greedy(quality, floor)).sum(axis=1))
    return GreedyWithFloor(coefficients=to_go[-1], floor=floor)


def evaluate(log: Trajectories, policy: Policy, setting: Setting) -> Estimate:
    """A policy's mean value of a person, from their first decision to the horizon.

    The log must be of people the policy has not learned from. `n` counts people, and the effective
    size is that of the weights at the horizon.

    Raises:
        ValueError: the log or the setting is wrong.
    """
    check(log, setting)
    chances = policy(log.features)
    if chances.shape != (len(log.arm), setting.arms) or not _sum_to_1(chances):
        raise ValueError("the policy must give each row as many probabilities as arms, of sum 1")
    rows = np.arange(len(log.arm))
    ratio = chances[rows, log.arm] / log.propensity
    grid = _Grid.of(log, setting.horizon)
    error, model = _terms(log, policy, chances, grid, setting)
    after = np.cumprod(grid.spread(ratio, 1.0), axis=1, dtype=np.float64)
    before = np.hstack([np.ones((len(after), 1)), after])  # the last: for who is cut at the horizon
    corrected, by_error = _weighted(after, error)
    modelled, by_model = _weighted(before, model)
    value = corrected + modelled
    last = after[:, -1]
    half = margin(by_error + by_model, last, people_of(None, len(last)))
    size = effective_size(last)
    used = grid.row[grid.present]
    eligible = None if log.eligible is None else log.eligible[used]
    share = unsupported(chances[used], log.arm[used], eligible)
    return Estimate(value, value - half, value + half, len(last), size, share, size)


def logged_value(log: Trajectories, setting: Setting) -> Estimate:
    """The same of the policy that wrote the log: no weights, only who is cut is modelled."""
    one_arm = log._replace(
        arm=np.zeros_like(log.arm), propensity=np.ones_like(log.propensity), eligible=None
    )
    return evaluate(one_arm, lambda features: np.ones((len(features), 1)), setting._replace(arms=1))


def gate(candidate: Estimate, incumbent: Estimate, floor: Floor = FLOOR) -> Gate:
    """Lets a policy drive only if all of its interval is above the incumbent's value."""
    try:
        refuse_below(floor, "candidate", candidate)
    except NotRankable as refused:
        return Gate(False, str(refused))
    compared = f"at least {candidate.low:.4g} against the incumbent's {incumbent.value:.4g}"
    if candidate.low > incumbent.value:
        return Gate(True, f"better: {compared}")
    return Gate(False, f"not shown to be better: {compared}")


def check(log: Trajectories, setting: Setting) -> None:
    """Raises ValueError where shapes, ranges or the order of people are wrong."""
    rows = len(log.arm)
    if setting.horizon < 1 or not 0 < setting.discount_per_day <= 1 or not setting.penalty > 0:
        raise ValueError(f"{setting}: horizon >= 1, discount in (0, 1] and penalty > 0 are needed")
    if not rows or any(part is not None and len(part) != rows for part in log):
        raise ValueError("all parts of a log need the same number of rows, at least one")
    if log.features.shape != log.next_features.shape:
        raise ValueError("features and next_features need the same shape")
    if not (np.isfinite(log.features).all() and np.isfinite(log.next_features).all()):
        raise ValueError("a feature is not finite")
    if not ((log.arm >= 0) & (log.arm < setting.arms)).all():
        raise ValueError(f"an arm is not in [0, {setting.arms})")
    if not ((log.propensity > 0) & (log.propensity <= 1)).all():
        raise ValueError("a propensity is not in (0, 1]")
    if not (np.isfinite(log.reward).all() and (log.gap_days >= 0).all()):
        raise ValueError("a reward is not finite or a gap is negative")
    starts = np.flatnonzero(_first(log.person))
    if len(starts) < FOLDS:
        raise ValueError(f"a log of {len(starts)} people: at least {FOLDS} are needed")
    if len(np.unique(log.person[starts])) < len(starts):
        raise ValueError("the decisions of one person must stand one after the other")
    if (log.ended[:-1] & ~_first(log.person)[1:]).any():
        raise ValueError("a person decides on after having ended")


class _Grid(NamedTuple):
    """People by decision: (people, horizon), where which row of the log stands."""

    row: Ints  # the row; of no meaning where not present
    present: NDArray[np.bool_]

    @staticmethod
    def of(log: Trajectories, horizon: int) -> "_Grid":
        starts = np.flatnonzero(_first(log.person))
        lengths = np.diff(np.append(starts, len(log.person)))
        step = np.arange(horizon)
        present = step < lengths[:, None]
        return _Grid(np.where(present, starts[:, None] + step, 0), present)

    def spread(self, rows: Floats, absent: float) -> Floats:
        """Values by row (n) laid out (people, horizon)."""
        return np.where(self.present, rows[self.row], absent)


def _terms(
    log: Trajectories, policy: Policy, chances: Floats, grid: _Grid, setting: Setting
) -> tuple[Floats, Floats]:
    """Discounted model errors (people, horizon) and model values (people, horizon + 1).

    The value after a person's last decision stands in the column after it, if the log was cut
    there and not the person gone.
    """
    people, horizon = grid.row.shape
    error, model = np.zeros((people, horizon)), np.zeros((people, horizon + 1))
    length = grid.present.sum(axis=1)
    last = grid.row[np.arange(people), length - 1]
    cut = ~log.ended[last] & (length < horizon)
    days = np.cumsum(grid.spread(log.gap_days, 0.0), axis=1)
    discount = setting.discount_per_day ** np.hstack([np.zeros((people, 1)), days])
    next_chances = policy(log.next_features[last])
    of_person = np.cumsum(_first(log.person)) - 1
    for fold in range(FOLDS):
        mine = np.arange(people) % FOLDS == fold
        to_go = _fit(_rows(log, ~mine[of_person]), setting, _value_under(policy))
        for step in range(horizon):
            who = np.flatnonzero(mine & grid.present[:, step])
            row = grid.row[who, step]
            quality = _design(log.features[row]) @ to_go[horizon - step - 1]
            taken = quality[np.arange(len(who)), log.arm[row]]
            error[who, step] = log.reward[row] - taken
            model[who, step] = (quality * chances[row]).sum(axis=1)
            who = np.flatnonzero(mine & cut & (length == step))
            quality = _design(log.next_features[last[who]]) @ to_go[horizon - step - 1]
            model[who, step] = (quality * next_chances[who]).sum(axis=1)
    return error * discount[:, :-1], model * discount


def _weighted(weights: Floats, terms: Floats) -> tuple[float, Floats]:
    """Self-normalised means by column added up, and what each person contributes to their error."""
    shares = weights / np.maximum(weights.sum(axis=0), np.finfo(np.float64).tiny)
    means = (shares * terms).sum(axis=0)
    return float(means.sum()), (shares * (terms - means)).sum(axis=1)


Backup = Callable[[Floats, Floats], Floats]  # qualities (n, K) and features (n, d) to values (n)


def _value_under(policy: Policy) -> Backup:
    return lambda quality, features: (quality * policy(features)).sum(axis=1)


def _fit(log: Trajectories, setting: Setting, backup: Backup) -> list[Floats]:
    """Coefficients (d + 1, K) for 1, 2 .. horizon decisions to go."""
    design, following = _design(log.features), _design(log.next_features)
    discount = np.where(log.ended, 0.0, setting.discount_per_day**log.gap_days)
    # As much as `penalty` average decisions with value 0: the scale of a feature does not matter.
    ridge = setting.penalty * np.diag(np.square(design).mean(axis=0) + 1e-12)
    of_arm = [np.flatnonzero(log.arm == arm) for arm in range(setting.arms)]
    designs = [design[rows] for rows in of_arm]
    grams = [rows.T @ rows + ridge for rows in designs]
    to_go: list[Floats] = []
    target = log.reward
    for _ in range(setting.horizon):
        fitted = [
            np.linalg.solve(gram, rows.T @ target[which])
            for gram, rows, which in zip(grams, designs, of_arm, strict=True)
        ]
        to_go.append(np.stack(fitted, axis=1))
        target = log.reward + discount * backup(following @ to_go[-1], log.next_features)
    return to_go


def _sum_to_1(chances: Floats) -> bool:
    sums: Floats = chances.sum(axis=1)
    return bool((chances >= 0).all() and (np.abs(sums - 1) <= SUM_TOLERANCE).all())


def _rows(log: Trajectories, chosen: NDArray[np.bool_]) -> Trajectories:
    parts: dict[str, Any] = {
        name: part if part is None else part[chosen] for name, part in log._asdict().items()
    }
    return Trajectories(**parts)


def _first(person: Ints) -> NDArray[np.bool_]:
    """Where another person begins."""
    return np.append(True, person[1:] != person[:-1])


def _design(features: Floats) -> Floats:
    return np.hstack([np.ones((len(features), 1)), features])


def _greedy(quality: Floats, floor: float) -> Floats:
    arms = quality.shape[1]
    chances = np.full(quality.shape, floor)
    chances[np.arange(len(quality)), quality.argmax(axis=1)] += 1 - arms * floor
    return chances
