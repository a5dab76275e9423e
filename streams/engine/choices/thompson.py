"""Thompson sampling on money, without features: which arm is best for everybody.

Per arm the count, means and second moments of value and cost; the net reward's mean and variance
follow for every price. The posterior of an arm's mean is normal-inverse-gamma with a weak prior
shrunk to all arms together: one example at their common mean, a hundred at their common variance.
Orders are rare and large, so an arm nobody has bought from yet must not look certain. What is a
Student distribution is taken as a normal of its variance.
Source: Murphy, Conjugate Bayesian analysis of the Gaussian distribution (2007), section 3.
"""

from collections.abc import Sequence
from math import sqrt
from typing import Final

from msgspec import Struct

from streams.engine.choices.choice import Candidate, Step, money, with_floor
from streams.engine.choices.matching import best_probabilities
from streams.learning import rows

MEAN_EXAMPLES: Final = 1.0  # the prior's, as many examples
VARIANCE_EXAMPLES: Final = 100.0


class Moments(Struct, array_like=True, gc=False):
    """Sums are of products of deviations from the means."""

    count: int = 0
    value: float = 0.0  # mean
    cost: float = 0.0  # mean
    value_square: float = 0.0
    value_cost: float = 0.0
    cost_square: float = 0.0

    def add(self, other: "Moments") -> None:
        """Merge. Source: Chan, Golub, LeVeque, Updating formulae for sample variances (1979)."""
        count = self.count + other.count
        if not count:
            return
        value, cost = other.value - self.value, other.cost - self.cost
        both = self.count * other.count / count
        self.value_square += other.value_square + both * value * value
        self.value_cost += other.value_cost + both * value * cost
        self.cost_square += other.cost_square + both * cost * cost
        self.value += value * other.count / count
        self.cost += cost * other.count / count
        self.count = count

    def mean(self, price: float) -> float:
        return self.value - price * self.cost

    def square(self, price: float) -> float:
        """Of the net reward's deviations from its mean."""
        net = self.value_square - price * (2.0 * self.value_cost - price * self.cost_square)
        return max(net, 0.0)


class ThompsonRow(Struct, array_like=True, tag="thompson"):
    arms: list[str]
    moments: list[Moments]


class Thompson:
    """Propensity of an arm: the posterior probability that its mean net reward is the greatest."""

    def __init__(self, step: Step) -> None:
        self.arms = step.arms
        self.moments = {arm: Moments() for arm in step.arms}

    def propensities(
        self,
        candidates: Sequence[Candidate],
        features: Sequence[float],
        *,
        floor: float,
        price: float,
    ) -> list[float]:
        means, deviations = self._posterior(candidates, price)
        return with_floor(best_probabilities(means, deviations) if means else [], floor)

    def expected(
        self, candidates: Sequence[Candidate], features: Sequence[float], *, price: float
    ) -> list[float]:
        return self._posterior(candidates, price)[0]

    def learn(
        self, arm: int, features: Sequence[float], *, value_fen: float, cost_fen: float
    ) -> None:
        self.moments[self.arms[arm]].add(Moments(1, money(value_fen), money(cost_fen)))

    def to_row(self) -> bytes:
        return rows.pack(ThompsonRow(list(self.moments), list(self.moments.values())))

    def from_row(self, row: bytes) -> None:
        state = rows.unpack(row, ThompsonRow)
        known = dict(zip(state.arms, state.moments, strict=True))
        self.moments = {arm: known.get(arm) or Moments() for arm in self.arms}

    def _posterior(
        self, candidates: Sequence[Candidate], price: float
    ) -> tuple[list[float], list[float]]:
        """Mean and standard deviation of each candidate's mean net reward."""
        pool = Moments()
        for moments in self.moments.values():
            pool.add(moments)
        common = pool.mean(price)
        variance = pool.square(price) / max(pool.count - 1, 1)
        means, deviations = [], []
        for candidate in candidates:
            arm = self.moments[candidate.arm]
            weight = arm.count + MEAN_EXAMPLES
            apart = arm.mean(price) - common
            means.append(common + apart * arm.count / weight)
            square = arm.square(price) + apart * apart * arm.count * MEAN_EXAMPLES / weight
            freedom = arm.count + VARIANCE_EXAMPLES
            scale = (square + VARIANCE_EXAMPLES * variance) / freedom
            deviations.append(sqrt(scale / weight * freedom / (freedom - 2.0)))
        return means, deviations
