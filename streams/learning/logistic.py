"""Online logistic regression over a fixed vector of features, with AdaGrad steps.

Bounded inputs (NaN counts as 0), bounded steps and finite weights by construction, so no example
can break it. Behind river's protocol it learns from dictionaries as well: each new name takes the
next place in the vector, up to `capacity`; names beyond it are ignored and counted.
Learners of one law over different people tell each other what they learned as natural parameters:
the sum of squared gradients is an estimate of the information about a weight (they are equal in
expectation), so information and information times weight add up over learners, whatever the order
and the delay. Where each knows little the moves are averaged, where much they are summed.
Source: Duchi, Hazan, Singer, Adaptive subgradient methods (JMLR 2011), diagonal case; Broderick et
al., Streaming variational Bayes (NIPS 2013) for the sums.
"""

from collections.abc import Hashable, Sequence
from math import exp, isnan, sqrt
from operator import mul
from typing import Any

from msgspec import Struct
from river.base import Classifier

from streams.learning import rows

BOUND = 1e3  # of one feature's magnitude; transformed features stay below 10
INTERCEPT = -1  # its place: it stands last
MOST_TOLD = 1e15  # of information: a thousand million examples at the bound


class LogisticRow(Struct, array_like=True):
    examples: int
    ignored: int
    names: list[str]
    weights: list[float]  # the intercept last
    squares: list[float]  # sums of squared gradients, likewise
    absorbed: int = 0
    told: int = 0
    told_sums: list[float] = []  # as OnlineLogistic.begin_sharing has it; empty: not shared
    told_squares: list[float] = []


class LogisticDelta(Struct, array_like=True):
    """What a learner learned since it last told: for the features that changed, information (sums
    of squared gradients) and information times weight. The intercept stands under INTERCEPT."""

    examples: int
    places: list[int]
    names: list[str]  # empty where features have none
    sums: list[float]
    squares: list[float]


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
        self.absorbed = 0  # examples of other learners
        self.ignored = 0
        self.index: dict[str, int] = {}
        self.weights: list[float] = []
        self.squares: list[float] = []
        self.intercept = 0.0
        self.intercept_square = start
        self._fixed = False
        self._sharing = False
        self._told = 0
        self._told_sums: list[float] = []
        self._told_squares: list[float] = []

    def begin(self, names: Sequence[str], weights: Sequence[float]) -> None:
        """Fix the features and the weights before the first example."""
        self.index = {name: place for place, name in enumerate(names)}
        self.weights = list(weights)
        self.squares = [self.start] * len(weights)
        self._fixed = True

    def widen(self, size: int) -> None:
        """Make room for vectors of `size` features."""
        missing = size - len(self.weights)
        if missing > 0:
            self.weights += [0.0] * missing
            self.squares += [self.start] * missing
            if self._told_squares:
                self._told_sums[-1:-1] = [0.0] * missing
                self._told_squares[-1:-1] = [self.start] * missing

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

    def begin_sharing(self) -> None:
        """What is learned from here on is for `share`. To be called once the start is set."""
        self._sharing = True
        if not self._told_squares:
            self._told = self.examples
            self._told_sums, self._told_squares = self._natural()

    def share(self) -> LogisticDelta | None:
        """What was learned since the last call and not absorbed from others; None: nothing.

        Raises RuntimeError before `begin_sharing`.
        """
        if not self._sharing:
            raise RuntimeError("nothing is kept to be shared: call begin_sharing() at the start")
        if self.examples == self._told:
            return None
        sums, squares = self._natural()
        told_sums, told_squares = self._told_sums, self._told_squares
        last = len(squares) - 1
        places = [place for place in range(last + 1) if squares[place] > told_squares[place]]
        names = list(self.index)
        delta = LogisticDelta(
            examples=self.examples - self._told,
            places=[INTERCEPT if place == last else place for place in places],
            names=[names[place] for place in places if place < last] if names else [],
            sums=[sums[place] - told_sums[place] for place in places],
            squares=[squares[place] - told_squares[place] for place in places],
        )
        self._told = self.examples
        for place in places:
            told_sums[place], told_squares[place] = sums[place], squares[place]
        return delta

    def absorb(self, delta: LogisticDelta) -> None:
        """Take over what another learner learned. What is no number or of unknown features
        changes nothing. Raises ValueError for a delta that does not fit together."""
        places = self._places(delta)
        for place, summed, square in zip(places, delta.sums, delta.squares, strict=True):
            if place is not None and 0.0 < square < MOST_TOLD and abs(summed) < MOST_TOLD:
                self._add(place, summed, square)
        self.absorbed += max(delta.examples, 0)

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

    def _natural(self) -> tuple[list[float], list[float]]:
        """Information times weight, and information; the intercept last."""
        squares = [*self.squares, self.intercept_square]
        return list(map(mul, [*self.weights, self.intercept], squares)), squares

    def _places(self, delta: LogisticDelta) -> list[int | None]:
        """Where the features of a delta stand here; None: unknown, and no room or not wanted."""
        names = iter(delta.names)
        found: list[int | None] = []
        for told in delta.places:
            if told == INTERCEPT:
                found.append(INTERCEPT)
            elif delta.names:
                found.append(self._place(next(names, "")))
            else:
                found.append(told if 0 <= told < self.capacity and not self.index else None)
        most = max((place for place in found if place is not None), default=INTERCEPT)
        self.widen(max(most + 1, len(self.index)))
        return found

    def _place(self, name: str) -> int | None:
        place = self.index.get(name)
        if place is None and name and not self._fixed and len(self.index) < self.capacity:
            place = self.index[name] = len(self.index)
        return place

    def _add(self, place: int, summed: float, square: float) -> None:
        intercept = place == INTERCEPT
        before = self.intercept_square if intercept else self.squares[place]
        weight = self.intercept if intercept else self.weights[place]
        after = before + square
        weight = (before * weight + summed) / after
        if intercept:
            self.intercept, self.intercept_square = weight, after
        else:
            self.weights[place], self.squares[place] = weight, after
        if self._told_squares:
            self._told_sums[place] += summed
            self._told_squares[place] += square

    def to_row(self) -> bytes:
        names = list(self.index)
        weights = [*self.weights, self.intercept]
        squares = [*self.squares, self.intercept_square]
        shared = (self.absorbed, self._told, self._told_sums, self._told_squares)
        return rows.pack(LogisticRow(self.examples, self.ignored, names, weights, squares, *shared))

    def from_row(self, row: bytes) -> None:
        """Take over an earlier state. Raises ValueError for a newer schema or other features."""
        state = rows.unpack(row, LogisticRow)
        if self.index and state.names != list(self.index):
            raise ValueError(f"weights are of features {state.names}, not {list(self.index)}")
        self.examples, self.ignored = state.examples, state.ignored
        self.index = {name: place for place, name in enumerate(state.names)}
        *self.weights, self.intercept = state.weights
        *self.squares, self.intercept_square = state.squares
        self.absorbed, self._told = state.absorbed, state.told
        self._told_sums, self._told_squares = state.told_sums, state.told_squares
        if self._sharing:
            self.begin_sharing()  # for a row of before

    def restore(self, row: bytes) -> None:
        """Set back to a row of its own; what was learned until that row is not shared again.
        Raises ValueError as `from_row`."""
        self.from_row(row)
        self._told_squares = []
        if self._sharing:
            self.begin_sharing()


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
