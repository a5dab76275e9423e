"""Contextual choosers: a Bayesian ridge regression per arm, and two ways to choose by it.

Per arm the inverse of (ridge + sum of x x'), kept by Sherman-Morrison, and the sums of x * value
and x * cost. Both regressions share the inverse, so the net reward at any price is exactly the
regression of value - price * cost, and a person who buys anyway shows as one: equal value with and
without the coupon, and a cost with it. Expected cost stays within what the arm can cost at most.
What products of features add to the value is learned beside it (products.py), for
`linear_thompson` only.

- `linear_thompson`: the propensity is the posterior probability of being best, the prior of each
  arm being the regression over all arms (so a new arm is not thought worthless), its noise shrunk
  to the noise of all arms, its deviations reduced to EXPLORING of themselves: the whole posterior
  explores longer than pays. Sources: Agrawal, Goyal, Thompson sampling for contextual bandits with
  linear payoffs (ICML 2013); Chapelle, Li, An empirical evaluation of Thompson sampling (NIPS
  2011) for the reduction.
- `linucb`: all on the greatest upper bound mean + 1 * noise * sqrt(x' inverse x), beside the
  floor. Its prior is zero. Source: Li, Chu, Langford, Schapire, A contextual-bandit approach to
  personalized news article recommendation (WWW 2010), algorithm 1.

river's LinUCBDisjoint and ThompsonSampling are not used: asking them for an arm makes state (arms
by default dictionary, a generator's draws), so a replay that asks in another order learns another
model; they give no propensities; the bound holds the noise of a single reward, which is given (1)
and not estimated, so that it means nothing for rewards in fen; and there is one reward, where a
price needs value and cost apart. The estimates of both agree (test_linear.py).
"""

from array import array
from collections.abc import Sequence
from math import sqrt
from operator import mul
from typing import Final

from msgspec import Struct, field

from streams.engine.choices.choice import Candidate, Step, best_of, money, vector, with_floor
from streams.engine.choices.matching import best_probabilities
from streams.engine.choices.products import Trust, begun, products
from streams.learning import rows
from streams.learning.ridge import BayesianRidge

POOL_RIDGE: Final = 1.0  # prior precision of the regression over all arms, around zero
NOISE_EXAMPLES: Final = 100.0  # of the noise around the pool, beside an arm's own: rewards are
# rare, and an arm nobody has bought from yet must not look certain
# Of an even split's regret after 4 000 decisions (python -m streams.benchmarks.bandits, 5 seeds):
# 0.39 whole and 0.34 halved, with rewards 400 decisions late 0.48 and 0.41. Where products count
# (streams/benchmarks/bandit_worlds.py, `interactions`) less still explores enough: 0.3 had 4 % less
# regret than 0.4 (2 seeds, 8 000 decisions).
EXPLORING: Final = 0.3
WIDTH: Final = 1.0  # of LinUCB's bound, in standard deviations


class Regression(Struct, array_like=True):
    """Value and cost on the same vectors. Squares are of residuals.

    `ridge`: the prior precision of a coefficient, in units of the noise's.
    """

    ridge: float
    count: float
    inverse: list[list[float]]
    value: list[float]  # sum of x * value
    cost: list[float]
    value_square: float = 0.0
    value_cost: float = 0.0
    cost_square: float = 0.0

    def learn(self, x: list[float], value: float, cost: float, forgetting: float) -> None:
        if forgetting < 1.0:
            self._forget(forgetting)
        leaning = [sum(map(mul, row, x)) for row in self.inverse]
        leverage = 1.0 + sum(map(mul, leaning, x))
        value_error = value - sum(map(mul, leaning, self.value))
        cost_error = cost - sum(map(mul, leaning, self.cost))
        self.value_square += value_error * value_error / leverage
        self.value_cost += value_error * cost_error / leverage
        self.cost_square += cost_error * cost_error / leverage
        self.value = [total + part * value for total, part in zip(self.value, x, strict=True)]
        self.cost = [total + part * cost for total, part in zip(self.cost, x, strict=True)]
        scale = 1.0 / sqrt(leverage)
        part_of = [scale * part for part in leaning]  # so that the inverse stays symmetric
        for row, part in zip(self.inverse, part_of, strict=True):
            row[:] = [entry - part * other for entry, other in zip(row, part_of, strict=True)]
        self.count += 1.0

    def coefficients(self) -> tuple[list[float], list[float]]:
        """Of value and of cost."""
        value = [sum(map(mul, row, self.value)) for row in self.inverse]
        return value, [sum(map(mul, row, self.cost)) for row in self.inverse]

    def square(self, price: float) -> float:
        """Of the net reward's residuals."""
        net = self.value_square - price * (2.0 * self.value_cost - price * self.cost_square)
        return max(net, 0.0)

    def _forget(self, share: float) -> None:
        """Keep that share of the evidence, unless it is as little as the prior's already."""
        if max(row[place] for place, row in enumerate(self.inverse)) > share / self.ridge:
            return
        for row in self.inverse:
            row[:] = [entry / share for entry in row]
        self.value = [total * share for total in self.value]
        self.cost = [total * share for total in self.cost]
        self.value_square *= share
        self.value_cost *= share
        self.cost_square *= share
        self.count *= share


class RegressionRow(Struct, array_like=True):
    """`inverse`: its lower triangle in double precision, little-endian; of older rows, all of it
    in numbers."""

    ridge: float
    count: float
    inverse: bytes | list[list[float]]
    value: list[float]
    cost: list[float]
    value_square: float
    value_cost: float
    cost_square: float


class LinearRow(Struct, array_like=True, tag="linear"):
    width: int
    arms: list[str]
    regressions: list[RegressionRow]
    pool: RegressionRow
    bends: dict[str, bytes] = {}
    trust: Trust = field(default_factory=Trust)


class LinearThompson:
    """Propensity of an arm: the posterior probability that it is the best for this person."""

    ridge = 20.0  # a coefficient's difference to the pool's is about a fifth of the noise
    bending = True  # whether products of features count

    def __init__(self, step: Step) -> None:
        self.arms = step.arms
        self.width = step.width
        self.forgetting = step.forgetting
        self.regressions = {arm: _prior(step.width, self.ridge) for arm in step.arms}
        self.pool = _prior(step.width, POOL_RIDGE)
        self.bends: dict[str, BayesianRidge] = {}  # of arms that have learned
        self.trust = Trust()
        self._common: tuple[list[float], list[float]] | None = None

    def propensities(
        self,
        candidates: Sequence[Candidate],
        features: Sequence[float],
        *,
        floor: float,
        price: float,
    ) -> list[float]:
        means, deviations = self._posterior(candidates, features, price)
        reduced = [EXPLORING * deviation for deviation in deviations]
        return with_floor(best_probabilities(means, reduced) if means else [], floor)

    def expected(
        self, candidates: Sequence[Candidate], features: Sequence[float], *, price: float
    ) -> list[float]:
        return self._posterior(candidates, features, price)[0]

    def learn(
        self, arm: int, features: Sequence[float], *, value_fen: float, cost_fen: float
    ) -> None:
        x = vector(features, self.width)
        value, cost = money(value_fen), money(cost_fen)
        if self.bending:
            value -= self._bend(self.arms[arm], x, value)
        self.regressions[self.arms[arm]].learn(x, value, cost, self.forgetting)
        self.pool.learn(x, value, cost, self.forgetting)
        self._common = None

    def to_row(self) -> bytes:
        bends = {arm: self.bends[arm].to_row() for arm in self.arms if arm in self.bends}
        return rows.pack(self._row(bends))

    def head_row(self) -> bytes:
        """As `to_row` but for the products, which each arm keeps in a row of its own."""
        return rows.pack(self._row({}))

    def bend_row(self, arm: str) -> bytes | None:
        """What an arm's products have learned; None where they have learned nothing."""
        bend = self.bends.get(arm)
        return None if bend is None else bend.to_row()

    def take_bend(self, arm: str, row: bytes) -> None:
        """Raises ValueError for a row of a newer schema, a broken one or another size."""
        bend = begun(self.width)
        bend.from_row(row)
        self.bends[arm] = bend

    def from_row(self, row: bytes) -> None:
        """With another number of features all arms begin anew."""
        state = rows.unpack(row, LinearRow)
        self._common = None
        known: dict[str, RegressionRow] = {}
        bends: dict[str, bytes] = {}
        self.pool, self.trust = _prior(self.width, POOL_RIDGE), Trust()
        if state.width == self.width:
            known = dict(zip(state.arms, state.regressions, strict=True))
            bends = state.bends
            self.pool, self.trust = _of_row(state.pool), state.trust
        self.regressions = {
            arm: _of_row(known[arm]) if arm in known else _prior(self.width, self.ridge)
            for arm in self.arms
        }
        self.bends = {}
        for arm in self.arms:
            if arm in bends:
                self.take_bend(arm, bends[arm])

    def _row(self, bends: dict[str, bytes]) -> LinearRow:
        regressions = [_row_of(regression) for regression in self.regressions.values()]
        arms, pool = list(self.regressions), _row_of(self.pool)
        return LinearRow(self.width, arms, regressions, pool, bends, self.trust)

    def _centre(self) -> tuple[list[float], list[float]]:
        """The prior's coefficients of value and of cost."""
        if self._common is None:
            self._common = self.pool.coefficients()
        return self._common

    def _bend(self, name: str, x: list[float], value: float) -> float:
        """Teach the products what the straight line leaves over. What they had said of it, as far
        as they are trusted, is not for the line to learn."""
        arm, (centre, _) = self.regressions[name], self._centre()
        leaning = [sum(map(mul, row, x)) for row in arm.inverse]
        left_over = value - sum(map(mul, leaning, arm.value))
        left_over -= arm.ridge * sum(map(mul, leaning, centre))
        bend = self.bends.get(name)
        if bend is None:
            bend = self.bends[name] = begun(self.width)
        z = products(x)
        said, share = bend.expected(z), self._share()
        self.trust.add(left_over, said)
        bend.learn(z, left_over, self.forgetting)
        return share * said

    def _share(self) -> float:
        """How much of what the products say is added."""
        if not self.bending:
            return 0.0
        return self.trust.share(self.pool.square(0.0) / max(self.pool.count, 1.0))

    def _posterior(
        self, candidates: Sequence[Candidate], features: Sequence[float], price: float
    ) -> tuple[list[float], list[float]]:
        """Mean and standard deviation of each candidate's expected net reward."""
        x = vector(features, self.width)
        value_centre, cost_centre = self._centre()
        noise = self.pool.square(price) / max(self.pool.count, 1.0)
        share = self._share()
        z = products(x) if share else None
        means, deviations = [], []
        for candidate in candidates:
            arm = self.regressions[candidate.arm]
            leaning = [sum(map(mul, row, x)) for row in arm.inverse]
            mean = sum(map(mul, leaning, arm.value))
            mean += arm.ridge * sum(map(mul, leaning, value_centre))
            if candidate.cost_fen > 0:
                cost = sum(map(mul, leaning, arm.cost))
                cost += arm.ridge * sum(map(mul, leaning, cost_centre))
                mean -= price * min(max(cost, 0.0), candidate.cost_fen)
            means.append(mean)
            own = arm.square(price) + NOISE_EXAMPLES * noise
            spread = sum(map(mul, leaning, x))
            bend = self.bends.get(candidate.arm)
            if z is not None and bend is not None:
                means[-1] += share * bend.expected(z)
                spread += share * share * bend.spread(z)
            variance = own / (arm.count + NOISE_EXAMPLES) * spread
            deviations.append(sqrt(max(variance, 0.0)))
        return means, deviations


class LinUCB(LinearThompson):
    """All on the greatest upper confidence bound, beside the floor."""

    ridge = 1.0  # as in the paper
    bending = False

    def propensities(
        self,
        candidates: Sequence[Candidate],
        features: Sequence[float],
        *,
        floor: float,
        price: float,
    ) -> list[float]:
        means, deviations = self._posterior(candidates, features, price)
        bounds = [
            mean + WIDTH * deviation for mean, deviation in zip(means, deviations, strict=True)
        ]
        return with_floor(best_of(bounds) if bounds else [], floor)

    def _centre(self) -> tuple[list[float], list[float]]:
        nothing = [0.0] * (self.width + 1)
        return nothing, nothing


def _prior(width: int, ridge: float) -> Regression:
    size = width + 1
    inverse = [
        [1.0 / ridge if row == column else 0.0 for column in range(size)] for row in range(size)
    ]
    return Regression(ridge, 0.0, inverse, [0.0] * size, [0.0] * size)


def _row_of(regression: Regression) -> RegressionRow:
    triangle = array(
        "d", [entry for place, row in enumerate(regression.inverse, 1) for entry in row[:place]]
    )
    return RegressionRow(
        regression.ridge,
        regression.count,
        triangle.tobytes(),
        regression.value,
        regression.cost,
        regression.value_square,
        regression.value_cost,
        regression.cost_square,
    )


def _of_row(row: RegressionRow) -> Regression:
    inverse = row.inverse
    if isinstance(inverse, bytes):
        triangle, size = array("d", inverse), len(row.value)
        inverse = [[0.0] * size for _ in range(size)]
        entries = iter(triangle)
        for place, line in enumerate(inverse):
            for other in range(place + 1):
                line[other] = inverse[other][place] = next(entries)
    return Regression(
        row.ridge,
        row.count,
        inverse,
        row.value,
        row.cost,
        row.value_square,
        row.value_cost,
        row.cost_square,
    )
