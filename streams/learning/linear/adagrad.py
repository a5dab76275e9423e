"""Logistic regression with AdaGrad steps over hashed features.

Source: Duchi, Hazan, Singer, Adaptive subgradient methods (JMLR 2011), diagonal case; `start` is
the square of a gradient before the first one, in place of the paper's delta.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from streams.learning.linear.hashed import Buckets, Floats, HashedLinear, Kind, Values
from streams.learning.logistic import sigmoid


class HashedAdaGrad(HashedLinear):
    """P(True | features).

    Parameters
    ----------
    rate
        The length of the steps.
    start
        Initial sum of squared gradients, above 0: the larger, the shorter the first steps.
    size
        Buckets.
    kind
        Precision of the arrays.

    """

    def __init__(
        self, rate: float = 0.5, start: float = 1e-8, size: int = 2**18, kind: Kind = "d"
    ) -> None:
        super().__init__(size, kind)
        self.rate = rate
        self.start = start
        self.intercept = 0.0
        self.intercept_square = start

    def logit(self, buckets: Buckets, values: Values) -> float:
        return self.intercept + super().logit(buckets, values)

    def contributions(self, buckets: Buckets, values: Values) -> Floats:
        if not self.columns:
            return np.zeros(len(buckets))
        found: Floats = self.columns[0][buckets] * np.asarray(values)
        return found

    def learn(self, buckets: Buckets, values: Values, y: bool, logit: float | None = None) -> None:
        self.open()
        logit = self.logit(buckets, values) if logit is None else logit
        slope = sigmoid(logit) - (1.0 if y else 0.0)
        weights, squares = self.columns
        step = self.rate * slope
        gradients = slope * np.asarray(values)
        sums = squares[buckets] + gradients * gradients
        squares[buckets] = sums
        weights[buckets] -= self.rate * gradients / np.sqrt(self.start + sums)
        self.intercept_square += slope * slope
        self.intercept -= step / sqrt(self.intercept_square)
        self.examples += 1

    @property
    def intercepts(self) -> list[float]:
        return [self.intercept, self.intercept_square]

    @intercepts.setter
    def intercepts(self, numbers: Sequence[float]) -> None:
        self.intercept, self.intercept_square = numbers
