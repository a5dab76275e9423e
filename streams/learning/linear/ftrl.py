"""Logistic regression with FTRL-Proximal steps over hashed features: rare ones keep weight 0.

A weight follows from its sums z and n whenever it is asked for, so an example counts from the very
next prediction on, and a weight whose |z| is at most l1 is exactly 0.
Source: McMahan et al., Ad click prediction: a view from the trenches (KDD 2013), Algorithm 1.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from streams.learning.linear.hashed import Buckets, Floats, HashedLinear, Kind, Values
from streams.learning.logistic import sigmoid


class HashedFTRL(HashedLinear):
    """P(True | features). The intercept is a feature of value 1 that is not regularised.

    Parameters
    ----------
    alpha
        The length of the steps.
    beta
        The larger, the shorter the first steps.
    l1
        At least this much evidence before a weight leaves 0.
    l2
        Shrinkage.
    size
        Buckets.
    kind
        Precision of the arrays.

    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 1.0,
        l1: float = 0.0,
        l2: float = 0.0,
        size: int = 2**18,
        kind: Kind = "d",
    ) -> None:
        super().__init__(size, kind)
        self.alpha = alpha
        self.beta = beta
        self.l1 = l1
        self.l2 = l2
        self.intercept_z = 0.0
        self.intercept_n = 0.0

    def logit(self, buckets: Buckets, values: Values) -> float:
        return self._intercept() + super().logit(buckets, values)

    def contributions(self, buckets: Buckets, values: Values) -> Floats:
        found: Floats = self.weights(buckets) * np.asarray(values)
        return found

    def weights(self, buckets: Buckets) -> Floats:
        if not self.columns:
            return np.zeros(len(buckets))
        zs, ns = (column[buckets].astype(np.float64) for column in self.columns)
        toward = np.copysign(np.maximum(np.abs(zs) - self.l1, 0.0), zs)
        found: Floats = -toward / ((self.beta + np.sqrt(ns)) / self.alpha + self.l2)
        return found

    def learn(self, buckets: Buckets, values: Values, y: bool, logit: float | None = None) -> None:
        self.open()
        logit = self.logit(buckets, values) if logit is None else logit
        slope = sigmoid(logit) - (1.0 if y else 0.0)
        zs, ns = self.columns
        alpha, before = self.alpha, ns[buckets].astype(np.float64)
        gradients = slope * np.asarray(values)
        sums = before + gradients * gradients
        strengths = (np.sqrt(sums) - np.sqrt(before)) / alpha
        zs[buckets] += gradients - strengths * self.weights(buckets)
        ns[buckets] = sums
        n = self.intercept_n
        more = n + slope * slope
        self.intercept_z += slope - (sqrt(more) - sqrt(n)) / alpha * self._intercept()
        self.intercept_n = more
        self.examples += 1

    def _intercept(self) -> float:
        return -self.intercept_z / ((self.beta + sqrt(self.intercept_n)) / self.alpha)

    @property
    def intercepts(self) -> list[float]:
        return [self.intercept_z, self.intercept_n]

    @intercepts.setter
    def intercepts(self, numbers: Sequence[float]) -> None:
        self.intercept_z, self.intercept_n = numbers
