"""Discrete-time hazard: does it happen in the coming unit of time? And: not at all in the next n?

The unit (a day, a week) is the caller's: one example per person at risk and unit, whose label is
known a unit later, so what is learned is a unit old and not a horizon. The probability of silence
over a horizon is the product of the units' probabilities of silence, each on the features moved on
by the silent units before it, which is exact: silence is the only way there.
Source: Singer, Willett, It's about time: using discrete-time survival analysis (1993).
"""

from collections.abc import Iterable, Sequence
from math import exp, expm1, isfinite, log, log1p
from operator import mul
from zlib import crc32

import numpy as np
from msgspec import Struct

from streams.learning import rows
from streams.learning.logistic import BOUND, LogisticRow, OnlineLogistic, bounded, sigmoid

STEEP = 30.0  # bound of log-odds
PRIOR = 40.0  # information about a level before the first pair, in units of p(1-p)
MOST_INFORMATION = 20_000.0  # the last hundred thousand or so pairs count
VARIANCE = 1 / 3  # of a weight, before the first example of a seldom hazard
SHIFTS = 2.0  # bound of a level's correction


class Ahead(Struct, frozen=True, gc=False):
    features: list[float]  # of the coming unit
    next: float  # log-odds of the event in it
    silence: float  # log-odds of no event in any of the units


class Hazard(OnlineLogistic):
    """P(event in the coming unit | features): logistic regression with AdaGrad steps.

    A vector of features has those that silence moves first, then those it leaves as they are.
    """

    def ahead(self, moving: Iterable[Sequence[float]], steady: Sequence[float]) -> Ahead:
        """The outlook over as many units as `moving` has vectors, of equal length, one per unit.

        Raises ValueError where `moving` has none.
        """
        weights = self.weights
        still: float | None = None
        coming: list[float] = []
        log_silence = first = 0.0
        for features in moving:
            if still is None:
                still = self.intercept + sum(map(mul, weights[len(features) :], steady))
            logit = still + sum(map(mul, weights, features))
            if not -STEEP < logit < STEEP:
                logit = STEEP if logit > 0.0 else -STEEP
            log_silence -= log1p(exp(logit))
            if not coming:
                coming, first = [*features, *steady], logit
        if still is None:
            raise ValueError("an outlook needs the features of at least one unit of time ahead")
        return Ahead(coming, first, log_silence - log(-expm1(log_silence)))


class SeldomRow(Struct, array_like=True):
    logistic: LogisticRow  # its squares are empty: steps come from the covariance
    covariance: bytes  # float64, row by row; the intercept first
    crc32: int


class SeldomHazard(Hazard):
    """The same for what happens seldom and is checked seldom: second-order steps.

    AdaGrad needs some hundred thousand examples to find the weights of features that go together;
    this uses each example in full (a Bayesian update of a Gaussian, linearised at the prediction)
    at a cost that grows with the square of the features, so there are at most `capacity`.
    Source: Spiegelhalter, Lauritzen, Sequential updating of conditional probabilities (1990).
    """

    def __init__(self, capacity: int = 32) -> None:
        super().__init__(capacity=capacity)
        self._covariance = np.eye(1) * VARIANCE

    def begin(self, names: Sequence[str], weights: Sequence[float]) -> None:
        """Raises ValueError for more features than `capacity`."""
        if len(names) > self.capacity:
            raise ValueError(f"{len(names)} features, and there is room for {self.capacity}")
        super().begin(names, weights)
        self._covariance = np.eye(1 + len(weights)) * VARIANCE

    def widen(self, size: int) -> None:
        super().widen(min(size, self.capacity))
        missing = 1 + len(self.weights) - len(self._covariance)
        if missing > 0:
            wider = np.eye(1 + len(self.weights)) * VARIANCE
            wider[:-missing, :-missing] = self._covariance
            self._covariance = wider

    def learn(self, x: Sequence[float], y: bool) -> float:
        self.widen(len(x))
        size = len(self.weights)
        x = [bounded(value) for value in x[:size]]
        probability = sigmoid(self.logit(x))
        vector = np.array([1.0, *x, *[0.0] * (size - len(x))])
        along = (self._covariance * vector).sum(axis=1)
        weight = probability * (1.0 - probability)
        spread = 1.0 + weight * float((vector * along).sum())
        self._covariance -= np.outer(along, along) * (weight / spread)
        step = ((1.0 if y else 0.0) - probability) / spread
        first, *others = (step * along).tolist()
        self.intercept = _within(self.intercept + first)
        self.weights = [
            _within(old + change) for old, change in zip(self.weights, others, strict=True)
        ]
        self.examples += 1
        return probability

    def begin_sharing(self) -> None:
        """Always raises RuntimeError: only AdaGrad's sums are told to other learners."""
        raise RuntimeError("a seldom hazard learns alone: it has no sums to share")

    def to_row(self) -> bytes:
        weights = [*self.weights, self.intercept]
        logistic = LogisticRow(self.examples, self.ignored, list(self.index), weights, [])
        values = self._covariance.astype("<f8").tobytes()
        return rows.pack(SeldomRow(logistic, values, crc32(values)))

    def from_row(self, row: bytes) -> None:
        """Take over an earlier state. Raises ValueError for a newer schema, other features or a
        broken row."""
        state = rows.unpack(row, SeldomRow)
        logistic, size = state.logistic, len(state.logistic.weights)
        if self.index and logistic.names != list(self.index):
            raise ValueError(f"weights are of features {logistic.names}, not {list(self.index)}")
        if crc32(state.covariance) != state.crc32 or len(state.covariance) != 8 * size * size:
            raise ValueError("the covariance of a seldom hazard is broken; restore the row")
        self.examples, self.ignored = logistic.examples, logistic.ignored
        self.index = {name: place for place, name in enumerate(logistic.names)}
        *self.weights, self.intercept = logistic.weights
        self.squares = [self.start] * len(self.weights)
        values = np.frombuffer(state.covariance, dtype="<f8").astype(np.float64)
        self._covariance = values.reshape(size, size)


def _within(value: float) -> float:
    return min(max(value, -BOUND), BOUND)


class Level(Struct, array_like=True):
    """What to add to the log-odds of a long horizon so that their mean is right, from pairs that
    matured over a shorter one.

    One number and no slope: a horizon that never matured says little about how far apart people
    are, and a slope learned over a shorter one pulls them together too much. By Newton steps with a
    prior at no correction.
    """

    shift: float = 0.0
    information: float = PRIOR

    def apply(self, logit: float) -> float:
        """The corrected probability of the event that `logit` gives the odds of."""
        return sigmoid(logit + self.shift)

    def learn(self, logit: float, *, happened: bool) -> None:
        """A pair matured. Log-odds that are no finite number teach nothing."""
        if not isfinite(logit):
            return
        probability = sigmoid(logit + self.shift)
        weight = max(probability * (1.0 - probability), 1e-3)
        self.information = min(self.information + weight, MOST_INFORMATION)
        step = ((1.0 if happened else 0.0) - probability) / self.information
        self.shift = min(max(self.shift + step, -SHIFTS), SHIFTS)
