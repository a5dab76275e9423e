"""Bayesian ridge regression, exact after every example, over a vector of bounded features.

Recursive least squares: the posterior's mean and its covariance in units of the noise's variance,
which is estimated from the residuals. One pass gives what solving the whole system at the end
would. Behind river's protocol it learns from dictionaries as well: each new name takes the next
place, up to `capacity`; names beyond it are ignored.
Source: Bishop, Pattern recognition and machine learning (2006), section 3.3; Plackett, Some
theorems in least squares (Biometrika 1950) for the recursion.
"""

from collections.abc import Hashable, Sequence
from math import isnan, sqrt
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from river.base import Regressor

from streams.learning import rows

Vector = NDArray[np.float64]

FEATURE_MOST = 10.0  # of a feature's magnitude
TARGET_MOST = 1e9


class Estimate(NamedTuple):
    """A posterior's mean and standard deviation, without the noise of a single outcome."""

    mean: float
    deviation: float


class RidgeRow(Struct, array_like=True):
    examples: int
    square: float
    names: list[str]
    mean: bytes  # double precision
    covariance: bytes  # its lower triangle, likewise
    checksum: int  # CRC-32 of the two


class BayesianRidge(Regressor):
    """E[y | x], linear in x without an intercept: give it a feature that is always 1.

    Parameters
    ----------
    precision
        Of each coefficient's prior around 0, in units of the noise's.
    capacity
        Most features by name.

    """

    def __init__(self, precision: float = 1.0, capacity: int = 64) -> None:
        self.precision = precision
        self.capacity = capacity
        self.examples = 0
        self.square = 0.0  # of the residuals
        self.index: dict[str, int] = {}
        self.mean: Vector = np.zeros(0)
        self.covariance: Vector = np.zeros((0, 0))

    def begin(self, precisions: Sequence[float]) -> None:
        """Fix the number of features and each one's own precision before the first example."""
        self.precision = min(precisions)
        self.mean = np.zeros(len(precisions))
        self.covariance = np.diag(1.0 / np.array(precisions, dtype=np.float64))

    @property
    def noise(self) -> float:
        """The variance of an outcome around its expectation."""
        return self.square / max(self.examples, 1)

    def learn(self, x: Vector, y: float, forgetting: float = 1.0) -> float:
        """One finite and bounded example; returns the error of the prediction before it.

        `forgetting` below 1 keeps that share of what is known, down to about the prior.
        """
        if forgetting < 1.0 and self.covariance.diagonal().max() * self.precision <= forgetting:
            self.covariance /= forgetting
        leaning = self._leaning(x)
        spread = 1.0 + total(leaning * x)
        error = within(y, TARGET_MOST) - self.expected(x)
        self.mean += leaning * (error / spread)
        scaled = leaning * (1.0 / sqrt(spread))  # so that the covariance stays symmetric
        self.covariance -= scaled[:, None] * scaled
        self.square += error * error / spread
        self.examples += 1
        return error

    def estimate(self, x: Vector) -> Estimate:
        variance = self.noise * self.spread(x)
        return Estimate(self.expected(x), sqrt(max(variance, 0.0)))

    def expected(self, x: Vector) -> float:
        return total(self.mean * x)

    def spread(self, x: Vector) -> float:
        """The variance of what is expected, in units of the noise's."""
        return total(self._leaning(x) * x)

    def learn_one(self, x: dict[Hashable, Any], y: float) -> None:
        for name in sorted(map(str, x)):
            if name not in self.index and len(self.index) < self.capacity:
                self.index[name] = len(self.index)
        self._widen(len(self.index))
        self.learn(self._vector(x), y)

    def predict_one(self, x: dict[Hashable, Any], **kwargs: Any) -> float:
        return self.expected(self._vector(x))

    def to_row(self) -> bytes:
        size = len(self.mean)
        mean, covariance = self.mean.tobytes(), self.covariance[np.tril_indices(size)].tobytes()
        check = crc32(covariance, crc32(mean))
        names = list(self.index)
        return rows.pack(RidgeRow(self.examples, self.square, names, mean, covariance, check))

    def from_row(self, row: bytes) -> None:
        """Take over an earlier state. Raises ValueError for a newer schema, a broken row, or one
        of another number of features than `begin` fixed."""
        state = rows.unpack(row, RidgeRow)
        if crc32(state.covariance, crc32(state.mean)) != state.checksum:
            raise ValueError("the row of a ridge regression is broken: its checksum is another")
        mean = np.frombuffer(state.mean)
        size = len(mean)
        if len(self.mean) and not self.index and len(self.mean) != size:
            raise ValueError(f"the row is of {size} features, not of {len(self.mean)}")
        lower = np.zeros((size, size))
        lower[np.tril_indices(size)] = np.frombuffer(state.covariance)
        self.mean = mean.copy()
        # Rows one after the other in memory, as sums are taken in that order.
        self.covariance = np.ascontiguousarray(lower + np.tril(lower, -1).T)
        self.examples, self.square = state.examples, state.square
        self.index = {name: place for place, name in enumerate(state.names)}

    def _leaning(self, x: Vector) -> Vector:
        """Covariance times x; rows are added one after the other, whatever the machine's linear
        algebra would do."""
        leaning: Vector = np.add.reduce(self.covariance * x[:, None], axis=0)
        return leaning

    def _vector(self, x: dict[Hashable, Any]) -> Vector:
        vector = np.zeros(len(self.mean))
        for name, value in x.items():
            place = self.index.get(str(name))
            if place is not None:
                vector[place] = within(value, FEATURE_MOST)
        return vector

    def _widen(self, size: int) -> None:
        old = len(self.mean)
        if size > old:
            self.mean = np.concatenate([self.mean, np.zeros(size - old)])
            covariance = np.eye(size) / self.precision
            covariance[:old, :old] = self.covariance
            self.covariance = covariance


def total(vector: Vector) -> float:
    return float(np.add.reduce(vector))


def within(number: float, most: float) -> float:
    """The number within +-most; NaN becomes 0."""
    if -most <= number <= most:
        return float(number)
    return 0.0 if isnan(number) else most if number > 0.0 else -most
