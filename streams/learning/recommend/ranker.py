"""Which of the candidates is taken: a conditional logit over features of candidates, online.

P(candidate) = softmax of the weighted features over all that could have been taken. Features are
standardised by the running mean and variance within a choice; steps are AdaGrad's. NaN and infinite
features count as 0, so weights stay finite.
Source: McFadden, Conditional logit analysis of qualitative choice behavior (1973); Duchi, Hazan,
Singer, Adaptive subgradient methods (JMLR 2011).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from streams.learning import rows

Floats = NDArray[np.float64]

LEAST_VARIANCE: Final = 1e-6
BOUND: Final = 16.0  # of one standardised feature
SLOWEST: Final = 0.01  # the share of one choice in the running mean and variance
START: Final = 0.1  # initial sum of squared gradients


class RankerRow(Struct, array_like=True):
    names: list[str]
    choices: int
    weights: list[float]
    squares: list[float]
    means: list[float]
    variances: list[float]


class Ranker:
    """`weights`: what standardised features count for before anything was learned."""

    def __init__(self, names: Sequence[str], weights: Sequence[float], rate: float = 0.05) -> None:
        self.names = list(names)
        self.rate = rate
        self.choices = 0
        self.weights: Floats = np.array(weights, dtype=np.float64)
        self.squares: Floats = np.full(len(self.names), START)
        self.means: Floats = np.zeros(len(self.names))
        self.variances: Floats = np.ones(len(self.names))

    def scores(self, features: Floats) -> Floats:
        """Of each candidate, a column of `features`: log-odds up to a constant."""
        scores: Floats = self.weights @ self._standardised(features)
        return scores

    def parts(self, features: Floats) -> Floats:
        """What each feature adds to each candidate's score."""
        parts: Floats = self.weights[:, None] * self._standardised(features)
        return parts

    def learn(self, features: Floats, taken: int) -> None:
        """The candidate in column `taken` was taken, the others were not."""
        if not 0 <= taken < features.shape[1]:
            return
        features = np.nan_to_num(features, nan=0.0, posinf=0.0, neginf=0.0)
        share = max(1.0 / (self.choices + 1), SLOWEST)
        np.clip(features, -1e9, 1e9, out=features)
        self.means += share * (features.mean(axis=1) - self.means)
        self.variances += share * (features.var(axis=1) - self.variances)
        known = self._standardised(features)
        scores = self.weights @ known
        chances = np.exp(scores - scores.max())
        chances /= chances.sum()
        slopes = known @ chances - known[:, taken]
        self.squares += slopes * slopes
        self.weights -= self.rate * slopes / np.sqrt(self.squares)
        self.choices += 1

    def to_row(self) -> bytes:
        return rows.pack(
            RankerRow(
                self.names,
                self.choices,
                self.weights.tolist(),
                self.squares.tolist(),
                self.means.tolist(),
                self.variances.tolist(),
            )
        )

    def from_row(self, row: bytes) -> None:
        """Raises ValueError for a newer schema or other features."""
        found = rows.unpack(row, RankerRow)
        if found.names != self.names:
            raise ValueError(f"weights are of features {found.names}, not {self.names}")
        self.choices = found.choices
        self.weights = np.array(found.weights)
        self.squares = np.array(found.squares)
        self.means = np.array(found.means)
        self.variances = np.array(found.variances)

    def _standardised(self, features: Floats) -> Floats:
        spread = np.sqrt(np.maximum(self.variances, LEAST_VARIANCE))
        known = (features - self.means[:, None]) / spread[:, None]
        np.clip(known, -BOUND, BOUND, out=known)
        if np.isnan(known.sum()):
            known[np.isnan(known)] = 0.0
        return known
