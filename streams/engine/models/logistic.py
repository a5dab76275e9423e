"""Online logistic regression over a fixed vector of features, with AdaGrad steps.

Bounded inputs (NaN counts as 0), bounded steps and finite weights by construction, so no example can
break it. Behind river's protocol it learns from dictionaries as well: each new name takes the next place
in the vector, up to `capacity`; names beyond it are ignored and counted.
Source: Duchi, Hazan, Singer, Adaptive subgradient methods (JMLR 2011), diagonal case.
"""

from collections.abc import Mapping, Sequence
from math import exp, inf, sqrt
from operator import mul

import msgspec
from msgspec import Struct
from river.base import Classifier

SCHEMA = 1
BOUND = 1e3  # of one feature's magnitude; transformed features stay below 10
WEIGHT = 1e3  # of a weight's magnitude


class LogisticRow(Struct, array_like=True):
    schema: int
    examples: int
    names: list[str]
    weights: list[float]  # the intercept last
    squares: list[float]  # sums of squared gradients, likewise


class OnlineLogistic(Classifier):  # type: ignore[misc]
    """P(True | features).

    Parameters
    ----------
    rate
        The length of AdaGrad's steps.
    ridge
        L2 penalty of a weight, per example.
    start
        Initial sum of squared gradients: the larger, the shorter the first steps.
    capacity
        Most features by name.

    """

    def __init__(
        self, rate: float = 0.1, ridge: float = 1e-6, start: float = 1.0, capacity: int = 4_096
    ) -> None:
        self.rate = rate
        self.ridge = ridge
        self.start = start
        self.capacity = capacity
        self.examples = 0
        self.ignored = 0
        self.index: dict[str, int] = {}
        self.weights: list[float] = []
        self.squares: list[float] = []
        self.intercept = 0.0
        self.intercept_square = start

    def widen(self, size: int) -> None:
        """Make room for vectors of `size` features."""
        missing = size - len(self.weights)
        if missing > 0:
            self.weights += [0.0] * missing
            self.squares += [self.start] * missing

    def logit(self, x: Sequence[float]) -> float:
        """Log-odds for a vector of finite features, no longer than the weights."""
        return self.intercept + sum(map(mul, self.weights, x))

    def learn(self, x: Sequence[float], y: bool) -> float:
        """One step towards `y`; returns the probability before it. Non-finite features count as 0."""
        vector = [bounded(value) for value in x]
        self.widen(len(vector))
        probability = sigmoid(self.logit(vector))
        slope = probability - (1.0 if y else 0.0)
        rate, ridge = self.rate, self.ridge
        weights, squares = self.weights, self.squares
        for place, value in enumerate(vector):
            if value:
                gradient = slope * value + ridge * weights[place]
                squares[place] += gradient * gradient
                weights[place] -= rate * gradient / sqrt(squares[place])
        self.intercept_square += slope * slope
        self.intercept -= rate * slope / sqrt(self.intercept_square)
        self.examples += 1
        return probability

    def learn_one(self, x: Mapping[str, float], y: bool) -> None:
        for name in sorted(x, key=str):
            if name not in self.index:
                if len(self.index) >= self.capacity:
                    self.ignored += 1
                    continue
                self.index[name] = len(self.index)
        self.widen(len(self.index))
        self.learn(self._vector(x), bool(y))

    def predict_proba_one(self, x: Mapping[str, float]) -> dict[bool, float]:  # type: ignore[override]
        probability = sigmoid(self.logit(self._vector(x)))
        return {False: 1.0 - probability, True: probability}

    def _vector(self, x: Mapping[str, float]) -> list[float]:
        vector = [0.0] * len(self.weights)
        index = self.index
        for name, value in x.items():
            place = index.get(name)
            if place is not None:
                vector[place] = bounded(value)
        return vector

    def to_row(self) -> bytes:
        names = list(self.index)
        weights = [*self.weights, self.intercept]
        squares = [*self.squares, self.intercept_square]
        return msgspec.msgpack.encode(LogisticRow(SCHEMA, self.examples, names, weights, squares))

    def from_row(self, row: bytes) -> None:
        """Take over an earlier state. Raises ValueError for a row of a newer schema."""
        state = msgspec.msgpack.decode(row, type=LogisticRow)
        if state.schema > SCHEMA:
            raise ValueError(f"logistic row has schema {state.schema}, known is up to {SCHEMA}")
        self.examples = state.examples
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
    return 0.0 if value != value else BOUND if value > 0.0 else -BOUND
