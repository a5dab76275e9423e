"""What another policy would have earned, from the decisions of the one that was running.

Each logged decision says which action was taken, with which probability (its propensity), and what
came of it. A target policy's value is the mean reward had it decided instead. The estimators differ
in what they trust: the direct method a model of rewards, inverse propensity scoring the logged
probabilities, the doubly robust ones either. All need a log that was able to do what the target
wants to: `unsupported` says how much of the target it was not, `effective_sample_size` how much of
the log speaks about the target at all. `rank` refuses where they say too little.

Limits: rewards must be those of the decision alone (no lasting effects: see `sequential`), and
intervals rest on a central limit theorem, so weights without bound, from propensities near 0, make
them too short; the floor of `rank` is there for that.

Sources: Horvitz & Thompson (JASA 1952); Dudik, Langford & Li, Doubly robust policy evaluation and
learning (ICML 2011); Swaminathan & Joachims, The self-normalized estimator for counterfactual
learning (NIPS 2015); Wang, Agarwal & Dudik, Optimal and adaptive off-policy evaluation in
contextual bandits (ICML 2017) for switching; Chernozhukov et al., Double machine learning
(Econometrics Journal 2018) for cross-fitting.
"""

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.evaluation.clusters import (
    LEVEL,
    Floats,
    Ints,
    People,
    effective_size,
    margin,
    people_of,
)

Flags = NDArray[np.bool_]
SUM_TOLERANCE = 1e-6  # of a row of probabilities, which come rounded from a log


class Logged(NamedTuple):
    """n logged decisions among K actions, and what the target policy would do at each."""

    reward: Floats  # (n)
    action: Ints  # (n), taken, in [0, K)
    propensity: Floats  # (n), of the action taken, in (0, 1]
    target: Floats  # (n, K), the target policy's probabilities; rows sum to 1
    q_hat: Floats | None = None  # (n, K), estimated rewards, see `reward_model`
    person: Ints | None = None  # (n), whose decision; without it each is another person's
    eligible: Flags | None = None  # (n, K), what the logging policy could do: propensity > 0


class Estimate(NamedTuple):
    """A policy's value, within [low, high] with 95 %."""

    value: float
    low: float
    high: float
    n: int  # decisions
    effective_sample_size: float  # decisions, (sum w)^2 / sum w^2
    unsupported: float  # share of the target's probability on what the log could not do
    effective_people: float  # the same as the effective sample size with weights added by person


class Scored(NamedTuple):
    """An estimator's result before its interval: value, and what each row contributes to error."""

    value: float
    contributions: Floats  # (n), adding up to about value - truth
    weights: Floats  # (n), what each row weighs in it


Estimator = Callable[[Logged], Scored]


class Floor(NamedTuple):
    """Below it no candidate is ranked."""

    effective_people: float = 100.0
    effective_share: float = 0.01  # effective sample size over n
    unsupported: float = 0.05  # at most


FLOOR = Floor()


class NotRankable(ValueError):
    """The log says too little about a candidate; the message is one line that says what and why."""


class Difference(NamedTuple):
    """`better` less `worse`; the intervals of one ranking hold all together with 95 %."""

    better: str
    worse: str
    value: float
    low: float
    high: float

    @property
    def shown(self) -> bool:
        """Whether the interval leaves 0 out."""
        return not self.low <= 0.0 <= self.high

    @property
    def verdict(self) -> str:
        return f"{self.better} beats {self.worse}" if self.shown else "no difference shown"


class Ranking(NamedTuple):
    """From the best down, and the paired difference of every two."""

    estimates: dict[str, Estimate]
    differences: tuple[Difference, ...]


def direct(logged: Logged) -> Scored:
    """The reward model's mean under the target (DM): no variance from weights, all of its bias."""
    return _mean(_model_value(logged), np.ones(len(logged.reward)))


def ips(logged: Logged) -> Scored:
    """Rewards weighted by target probability over propensity (Horvitz-Thompson): unbiased, wild."""
    weights = _weights(logged)
    return _mean(weights * logged.reward, weights)


def snips(logged: Logged) -> Scored:
    """IPS over the mean weight: stays within the range of the rewards, a little biased."""
    weights = _weights(logged)
    return _weighted_mean(logged.reward, weights)


def doubly_robust(logged: Logged) -> Scored:
    """The model's value plus the weighted errors of the model (DR): unbiased if either is right."""
    weights = _weights(logged)
    return _mean(_model_value(logged) + weights * _model_error(logged), weights)


def doubly_robust_self_normalised(logged: Logged) -> Scored:
    """DR with the correction over the mean weight (SNDR)."""
    weights = _weights(logged)
    model = _mean(_model_value(logged), weights)
    correction = _weighted_mean(_model_error(logged), weights)
    return Scored(
        value=model.value + correction.value,
        contributions=model.contributions + correction.contributions,
        weights=weights,
    )


def switch(threshold: float) -> Estimator:
    """DR that trusts the model alone where a weight is above `threshold` (switch-DR); > 0."""
    if not threshold > 0:
        raise ValueError(f"the threshold of switch-DR is {threshold}: it must be above 0")

    def switch_doubly_robust(logged: Logged) -> Scored:
        weights = _weights(logged)
        kept = np.where(weights <= threshold, weights, 0.0)
        return _mean(_model_value(logged) + kept * _model_error(logged), weights)

    return switch_doubly_robust


def estimate(logged: Logged, estimator: Estimator) -> Estimate:
    """A target's value with its interval and what speaks for it.

    Raises:
        ValueError: shapes, ranges or the sums of probabilities are wrong, or q_hat is missing.
    """
    check(logged)
    return _estimate(logged, estimator(logged), people_of(logged.person, len(logged.reward)))


def rank(
    candidates: Mapping[str, Logged], floor: Floor = FLOOR, estimator: Estimator = snips
) -> Ranking:
    """Orders target policies by their value on one log, or refuses.

    Args:
        candidates: by name; they differ in `target` (and q_hat) only.

    Raises:
        NotRankable: too little of the log speaks about a candidate.
        ValueError: fewer than two candidates, or not of the same log.
    """
    _check_same_log(candidates)
    scored, estimates = {}, {}
    first = next(iter(candidates.values()))
    people = people_of(first.person, len(first.reward))
    for name, logged in candidates.items():
        check(logged)
        scored[name] = estimator(logged)
        estimates[name] = _estimate(logged, scored[name], people)
        refuse_below(floor, name, estimates[name])
    order = sorted(candidates, key=lambda name: (-estimates[name].value, name))
    pairs = list(combinations(order, 2))
    level = 1 - (1 - LEVEL) / len(pairs)  # Bonferroni: all hold together
    return Ranking(
        estimates={name: estimates[name] for name in order},
        differences=tuple(
            _difference(better, worse, scored, people, level) for better, worse in pairs
        ),
    )


def refuse_below(floor: Floor, name: str, found: Estimate) -> None:
    """Raises NotRankable where the estimate rests on less than the floor."""
    if found.unsupported > floor.unsupported:
        raise NotRankable(
            f"{name}: the log could not have done {found.unsupported:.1%} of what it wants"
            f" (at most {floor.unsupported:.1%}); let the running policy explore those actions"
        )
    if found.effective_people < floor.effective_people:
        raise NotRankable(
            f"{name}: the log speaks for {found.effective_people:.0f} people about it"
            f" (at least {floor.effective_people:.0f}); take a longer log or a nearer policy"
        )
    share = found.effective_sample_size / found.n
    if share < floor.effective_share:
        raise NotRankable(
            f"{name}: {share:.2%} of the log's decisions speak about it"
            f" (at least {floor.effective_share:.2%}); take a policy nearer to the logged one"
        )


def unsupported(target: Floats, action: Ints, eligible: Flags | None) -> float:
    """Share of the target's probability on what the log could not do, in [0, 1].

    Without `eligible` an action that was never taken in the whole log counts as not possible.
    """
    if eligible is None:
        taken = np.bincount(action, minlength=target.shape[1]) > 0
        return float(target[:, ~taken].sum() / len(target))
    return float(np.where(eligible, 0.0, target).sum() / len(target))


def check(logged: Logged) -> None:
    """Raises ValueError where shapes, ranges or sums are wrong, naming the field and first row."""
    rows = len(logged.reward)
    if not rows or logged.target.ndim != 2 or logged.target.shape[1] < 1:
        raise ValueError("a log needs at least one decision, and a target of shape (n, K)")
    for name, array in logged._asdict().items():
        wide = name in ("target", "q_hat", "eligible")
        shape = (rows, logged.target.shape[1]) if wide else (rows,)
        if array is not None and array.shape != shape:
            raise ValueError(f"{name} has the shape {array.shape}: it must be {shape}")
    inside = (logged.action >= 0) & (logged.action < logged.target.shape[1])
    _all("action", inside, "is not in [0, K)")
    _all("reward", np.isfinite(logged.reward), "is not finite")
    _all("propensity", (logged.propensity > 0) & (logged.propensity <= 1), "is not in (0, 1]")
    _all("target", (logged.target >= 0).all(axis=1), "has a negative probability")
    sums: Floats = logged.target.sum(axis=1)
    _all("target", np.abs(sums - 1) <= SUM_TOLERANCE, "does not sum to 1")
    if logged.eligible is not None:
        taken = logged.eligible[np.arange(rows), logged.action]
        _all("eligible", taken, "leaves out the action that was taken")


def _all(name: str, right: NDArray[np.bool_] | np.bool_, wrong: str) -> None:
    if not right.all():
        raise ValueError(f"{name} {wrong} in row {int(np.argmin(right))}")


def _check_same_log(candidates: Mapping[str, Logged]) -> None:
    if len(candidates) < 2:
        raise ValueError("a ranking needs at least two candidates")
    names = iter(candidates)
    first_name = next(names)
    first = candidates[first_name]
    for name in names:
        for field in ("reward", "action", "propensity", "person"):
            one, other = getattr(first, field), getattr(candidates[name], field)
            if (one is None) != (other is None) or not np.array_equal(one, other):
                raise ValueError(f"{field} of {name} is not that of {first_name}: not the same log")


def _weights(logged: Logged) -> Floats:
    """Target probability of the action taken over its propensity (n)."""
    weights: Floats = _of_taken(logged.target, logged) / logged.propensity
    return weights


def _of_taken(matrix: Floats, logged: Logged) -> Floats:
    """Of each row (n, K) what belongs to the action taken (n)."""
    taken: Floats = matrix[np.arange(len(logged.action)), logged.action]
    return taken


def _q_hat(logged: Logged) -> Floats:
    if logged.q_hat is None:
        raise ValueError("this estimator needs q_hat: fit it with reward_model")
    return logged.q_hat


def _model_value(logged: Logged) -> Floats:
    value: Floats = np.einsum("nk,nk->n", logged.target, _q_hat(logged))
    return value


def _model_error(logged: Logged) -> Floats:
    return logged.reward - _of_taken(_q_hat(logged), logged)


def _mean(terms: Floats, weights: Floats) -> Scored:
    value = float(terms.mean())
    return Scored(value, (terms - value) / len(terms), weights)


def _weighted_mean(terms: Floats, weights: Floats) -> Scored:
    """A ratio, linearised; 0 without weight, and its interval infinite."""
    total = float(weights.sum())
    if not total:
        return Scored(0.0, np.zeros(len(terms)), weights)
    value = float(weights @ terms) / total
    return Scored(value, weights * (terms - value) / total, weights)


def _estimate(logged: Logged, scored: Scored, people: People) -> Estimate:
    """The effective sizes are the target's on this log, whatever weights the estimator uses."""
    half = margin(scored.contributions, scored.weights, people)
    weights = _weights(logged)
    return Estimate(
        value=scored.value,
        low=scored.value - half,
        high=scored.value + half,
        n=len(logged.reward),
        effective_sample_size=effective_size(weights),
        unsupported=unsupported(logged.target, logged.action, logged.eligible),
        effective_people=effective_size(people.sums(weights)),
    )


def _difference(
    better: str, worse: str, scored: dict[str, Scored], people: People, level: float
) -> Difference:
    """Paired: both are estimated on the same people, so what they share cancels."""
    one, other = scored[better], scored[worse]
    value = one.value - other.value
    half = margin(
        one.contributions - other.contributions, one.weights + other.weights, people, level=level
    )
    return Difference(better, worse, value, value - half, value + half)
