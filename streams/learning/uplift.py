"""Who changes because of a treatment: its effect on each person, learned from randomised choices.

An outcome is y = main(x) + (w - e) * effect(x) + noise, where w is 1 for the treated and 0 for
those held out, and e the probability with which the person was to be treated. Because e is known
exactly (it was drawn from) and w - e has mean 0 whatever x is, what `main` misses makes estimates
noisier and not wrong. Both parts are one Bayesian ridge regression: `main` is linear in the
features, the effect also in their products, which must show themselves against a stronger prior.
Estimates come with standard deviations, and contributions of the features add up to them.

`Share` is how far the products are trusted: the regression of what everything else leaves over on
what the products said of it beforehand, within [0, 1].

`Check` tells while it learns whether the estimates order people at all: the covariance of an
estimate, given before, with the outcome's own unbiased estimate of the effect, over the last few
thousand results. Where that is not clearly above 0 nobody should be chosen by it.

Sources: Robins, Optimal structural nested models for optimal sequential decisions (2004) for the
regression on w - e; Nie, Wager, Quasi-oracle estimation of heterogeneous treatment effects
(Biometrika 2021); Athey, Imbens, Recursive partitioning for heterogeneous causal effects (PNAS
2016) for the outcome's own estimate.
"""

from collections.abc import Sequence
from math import sqrt
from typing import Final

import numpy as np
from msgspec import Struct, field

from streams.learning import rows
from streams.learning.ridge import (
    FEATURE_MOST,
    TARGET_MOST,
    BayesianRidge,
    Estimate,
    Vector,
    total,
    within,
)

CROSSED: Final = 8  # so many features, the first ones, have products
MAIN_PRECISION: Final = 1.0
EVERYBODY_PRECISION: Final = 1.0  # of the effect that all have in common
EFFECT_PRECISION: Final = 20.0
PRODUCT_PRECISION: Final = 100.0
LASTING: Final = 0.9998  # the check follows about the last 5 000 results
LEAST_SHARE: Final = 0.01  # probabilities of treatment are taken no closer to 0 or 1
LEAST_RESULTS: Final = 200  # before them the check says nothing
DOUBTING: Final = 0.1  # of an outcome's noise, taken off the trust in products
SURE: Final = 1.645  # standard errors above 0 that count as above


class Check(Struct, array_like=True):
    """Whether estimates go with effects. Sums fade."""

    results: int = 0
    weight: float = 0.0
    estimate: float = 0.0  # sum of estimates
    gain: float = 0.0  # sum of (estimate - mean estimate) * the outcome's own estimate
    gain_square: float = 0.0
    spread: float = 0.0  # sum of (estimate - mean estimate) squared

    def add(self, estimate: float, own: float) -> None:
        """An estimate given before its outcome, and the outcome's own unbiased one."""
        apart = estimate - (self.estimate / self.weight if self.weight else estimate)
        gain = apart * own
        self.results += 1
        self.weight = LASTING * self.weight + 1.0
        self.estimate = LASTING * self.estimate + estimate
        self.gain = LASTING * self.gain + gain
        self.gain_square = LASTING * self.gain_square + gain * gain
        self.spread = LASTING * self.spread + apart * apart

    def mean(self) -> float:
        """The covariance of estimates and effects."""
        return self.gain / self.weight if self.weight else 0.0

    def error(self) -> float:
        """The standard error of that."""
        return sqrt(self.gain_square) / self.weight if self.weight else 0.0

    def slope(self) -> float:
        """How much effects rise with estimates: 1 where these are calibrated."""
        return self.gain / self.spread if self.spread > 0.0 else 0.0

    def holds(self) -> bool:
        """Whether choosing by the estimates is clearly better than choosing by chance."""
        return self.results >= LEAST_RESULTS and self.mean() > SURE * self.error()


class Share(Struct, array_like=True):
    """Sums that fade: what was left over times what products said of it, and that squared."""

    both: float = 0.0
    said: float = 0.0

    def add(self, left_over: float, said: float) -> None:
        self.both = LASTING * self.both + left_over * said
        self.said = LASTING * self.said + said * said

    def of(self, noise: float) -> float:
        if self.both <= 0.0:
            return 0.0
        return min(self.both / (self.said + DOUBTING * noise), 1.0)


class UpliftRow(Struct, array_like=True):
    names: list[str]
    regression: bytes
    check: Check = field(default_factory=Check)
    share: Share = field(default_factory=Share)


class Uplift:
    """The effect of a treatment on people with features by these names, in the outcome's unit."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.width = len(names)
        self.check = Check()
        self._share = Share()
        crossed = min(self.width, CROSSED)
        self._one, self._other = np.triu_indices(crossed)
        self._main = self.width + 1
        self._regression = BayesianRidge()
        self._regression.begin(
            [MAIN_PRECISION] * self._main
            + [EVERYBODY_PRECISION]
            + [EFFECT_PRECISION] * self.width
            + [PRODUCT_PRECISION] * len(self._one)
        )

    @property
    def results(self) -> int:
        return self._regression.examples

    def learn(self, features: Sequence[float], treated: bool, share: float, outcome: float) -> None:
        """What came of a choice: whether the person was treated, the probability it was drawn
        with, and the outcome. Raises ValueError for another number of features."""
        x = self._features(features)
        share = min(max(within(share, 1.0), LEAST_SHARE), 1.0 - LEAST_SHARE)
        apart = (1.0 if treated else 0.0) - share
        outcome = within(outcome, TARGET_MOST)
        main = np.concatenate([[1.0], x])
        effect = self._effect_features(x)
        coefficients = self._coefficients()
        left_over = outcome - total(self._regression.mean[: self._main] * main)
        straight = total(coefficients[: self._main] * effect[: self._main])
        bent = total(coefficients[self._main :] * effect[self._main :])
        estimate = straight + self._trusted() * bent
        self.check.add(estimate, left_over * apart / (share * (1.0 - share)))
        self._share.add(left_over - apart * straight, apart * bent)
        self._regression.learn(np.concatenate([main, apart * effect]), outcome)

    def predict(self, features: Sequence[float]) -> Estimate:
        """The effect of treating rather than not."""
        effect = self._effect_features(self._features(features))
        effect[self._main :] *= self._trusted()
        return self._regression.estimate(np.concatenate([np.zeros(self._main), effect]))

    def untreated(self, features: Sequence[float], share: float) -> float:
        """The expected outcome of who is not treated; `share` is the usual one of the treated."""
        main = np.concatenate([[1.0], self._features(features)])
        return (
            total(self._regression.mean[: self._main] * main) - share * self.predict(features).mean
        )

    def explain(self, features: Sequence[float]) -> dict[str, float]:
        """Contributions that add up to the effect: "" is what everybody has, a product's counts
        half for each of its features."""
        x = self._features(features)
        parts = self._coefficients() * self._effect_features(x)
        parts[self._main :] *= self._trusted()
        each = parts[1 : self._main].tolist()
        for one, other, part in zip(
            self._one.tolist(), self._other.tolist(), parts[self._main :].tolist(), strict=True
        ):
            each[one] += part / 2.0
            each[other] += part / 2.0
        return {"": float(parts[0]), **dict(zip(self.names, each, strict=True))}

    def to_row(self) -> bytes:
        regression = self._regression.to_row()
        return rows.pack(UpliftRow(list(self.names), regression, self.check, self._share))

    def from_row(self, row: bytes) -> None:
        """Take over an earlier state. Raises ValueError for a newer schema, a broken row or other
        features."""
        state = rows.unpack(row, UpliftRow)
        if tuple(state.names) != self.names:
            raise ValueError(f"the row is of features {state.names}, not {list(self.names)}")
        self._regression.from_row(state.regression)
        self.check, self._share = state.check, state.share

    def _trusted(self) -> float:
        return self._share.of(self._regression.noise)

    def _coefficients(self) -> Vector:
        return self._regression.mean[self._main :]

    def _features(self, features: Sequence[float]) -> Vector:
        if len(features) != self.width:
            raise ValueError(f"{len(features)} features where there are {self.width}")
        return np.array([within(feature, FEATURE_MOST) for feature in features])

    def _effect_features(self, x: Vector) -> Vector:
        return np.concatenate([[1.0], x, x[self._one] * x[self._other]])
