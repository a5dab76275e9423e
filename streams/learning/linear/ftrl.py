"""Logistic regression with FTRL-Proximal steps over hashed features: rare ones keep weight 0.

A weight follows from its sums z and n whenever it is asked for, so an example counts from the very
next prediction on, and a weight whose |z| is at most l1 is exactly 0.
Source: McMahan et al., Ad click prediction: a view from the trenches (KDD 2013), Algorithm 1.
"""

from collections.abc import Sequence
from math import sqrt

from streams.learning.linear.hashed import Buckets, HashedLinear, Kind, Values
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
        return self._intercept() + sum(self.contributions(buckets, values))

    def contributions(self, buckets: Buckets, values: Values) -> list[float]:
        return [self.weight(i) * value for i, value in zip(buckets, values, strict=True)]

    def weight(self, bucket: int) -> float:
        if not self.columns:
            return 0.0
        z = self.columns[0][bucket]
        if -self.l1 <= z <= self.l1:
            return 0.0
        toward = z - (self.l1 if z > 0.0 else -self.l1)
        return -toward / ((self.beta + sqrt(self.columns[1][bucket])) / self.alpha + self.l2)

    def learn(self, buckets: Buckets, values: Values, y: bool) -> None:
        self.open()
        slope = sigmoid(self.logit(buckets, values)) - (1.0 if y else 0.0)
        zs, ns = self.columns
        alpha = self.alpha
        for i, value in zip(buckets, values, strict=True):
            weight, gradient, n = self.weight(i), slope * value, ns[i]
            more = n + gradient * gradient
            zs[i] += gradient - (sqrt(more) - sqrt(n)) / alpha * weight
            ns[i] = more
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
