"""Online logistic regression over a fixed vector of features, with AdaGrad steps.

Bounded inputs (NaN counts as 0), bounded steps and finite weights by construction, so no example
can break it. Behind river's protocol it learns from dictionaries as well: each new name takes the
next place in the vector, up to `capacity`; names beyond it are ignored and counted.
Source: Duchi, Hazan, Singer, Adaptive subgradient methods (JMLR 2011), diagonal case.
"""

from collections.abc import Hashable, Sequence
from math import exp, isnan, sqrt
from operator import mul
from typing import Any

from msgspec import Struct
from river.base import Classifier

from streams.learning import rows

BOUND = 1e3  # of one feature's magnitude; transformed features stay below 10


class LogisticRow(Struct, array_like=True):
    examples: int
    ignored: int
    names: list[str]
    weights: list[float]  # the intercept last
    squares: list[float]  # sums of squared gradients, likewise


class OnlineLogistic(Classifier):
    """P(True | features).

    Parameters
    ----------
    rate
        The length of AdaGrad's steps.
    start
        Initial sum of squared gradients: the larger, the shorter the first steps.
    capacity
        Most features by name.

    """

    def __init__(self, rate: float = 0.1, start: float = 1.0, capacity: int = 4_096) -> None:
        self.rate = rate
        self.start = start
        self.capacity = capacity
        self.examples = 0
        self.ignored = 0
        self.index: dict[str, int] = {}
        self.weights: list[float] = []
        self.squares: list[float] = []
        self.intercept = 0.0
        self.intercept_square = start

    def begin(self, names: Sequence[str], weights: Sequence[float]) -> None:
        """Fix the features and the weights before the first example."""
        self.index = {name: place for place, name in enumerate(names)}
        self.weights = list(weights)
        self.squares = [self.start] * len(weights)

    def widen(self, size: int) -> None:
        """Make room for vectors of `size` features."""
        missing = size - len(self.weights)
        if missing > 0:
            self.weights += [0.0] * missing
            self.squares += [self.start] * missing

    def logit(self, x: Sequence[float]) -> float:
        """Log-odds for a vector of finite features, no longer than the weights."""
        total: float = sum(map(mul, self.weights, x))
        return self.intercept + total

    def learn(self, x: Sequence[float], y: bool) -> float:
        """One step towards `y`; returns the probability before it. NaN counts as 0."""
        if not sum(map(abs, x)) <= BOUND:  # so that NaN is caught as well
            x = [bounded(value) for value in x]
        if len(x) > len(self.weights):
            self.widen(len(x))
        probability = sigmoid(self.logit(x))
        slope = probability - (1.0 if y else 0.0)
        rate = self.rate
        weights, squares = self.weights, self.squares
        for place, value in enumerate(x):
            if value:
                gradient = slope * value
                squares[place] = square = squares[place] + gradient * gradient
                weights[place] -= rate * gradient / sqrt(square)
        self.intercept_square += slope * slope
        self.intercept -= rate * slope / sqrt(self.intercept_square)
        self.examples += 1
        return probability

    def learn_one(self, x: dict[Hashable, Any], y: bool | str | int) -> None:
        for name in sorted(map(str, x)):
            if name not in self.index:
                if len(self.index) >= self.capacity:
                    self.ignored += 1
                    continue
                self.index[name] = len(self.index)
        self.widen(len(self.index))
        self.learn(self._vector(x), bool(y))

    def predict_proba_one(
        self, x: dict[Hashable, Any], **kwargs: Any
    ) -> dict[bool | str | int, float]:
        probability = sigmoid(self.logit(self._vector(x)))
        return {False: 1.0 - probability, True: probability}

    def _vector(self, x: dict[Hashable, Any]) -> list[float]:
        vector = [0.0] * len(self.weights)
        index = self.index
        for name, value in x.items():
            place = index.get(str(name))
            if place is not None:
                vector[place] = bounded(value)
        return vector

    def to_row(self) -> bytes:
        names = list(self.index)
        weights = [*self.weights, self.intercept]
        squares = [*self.squares, self.intercept_square]
        return rows.pack(LogisticRow(self.examples, self.ignored, names, weights, squares))

    def from_row(self, row: bytes) -> None:
        """Take over an earlier state. Raises ValueError for a newer schema or other features."""
        state = rows.unpack(row, LogisticRow)
        if self.index and state.names != list(self.index):
            raise ValueError(f"weights are of features {state.names}, not {list(self.index)}")
        self.examples, self.ignored = state.examples, state.ignored
        self.index = {name: place for place, name in enumerate(state.names)}
        *self.weights, self.intercept = state.weights
        *self.squares, self.intercept_square = state.squares


def sigmoid(logit: float) -> float:
    if logit >= 0.0:
        return 1.0 / (1.0 + exp(-min(logit, 700.0)))
    growth = exp(max(logit, -700.0))
    return growth / (1.0 + growth)


def bounded(value: float) -> float:
    """The value as a float within +-BOUND; NaN becomes 0."""
    if -BOUND <= value <= BOUND:
        return float(value)
    return 0.0 if isnan(value) else BOUND if value > 0.0 else -BOUND
