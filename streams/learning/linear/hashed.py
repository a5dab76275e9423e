"""What linear learners over hashed features have in common: buckets, bounds, river's protocol.

A feature is a bucket in [0, size) and a value; names are hashed to buckets, so memory is fixed and
a name is forgotten as soon as it is hashed. Two names may share a bucket; with n names in use the
share of those that do is about n / size.
"""

from abc import abstractmethod
from collections.abc import Hashable, Sequence
from typing import Any, Literal
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from river.base import Classifier

from streams.learning.logistic import bounded, sigmoid

Kind = Literal["d", "f"]  # double or single precision
Places = NDArray[np.intp]
Buckets = Sequence[int] | Places
Values = Sequence[float] | NDArray[np.float64]
Column = NDArray[np.floating[Any]]  # one number per bucket
Floats = NDArray[np.float64]


class HashedLinear(Classifier):
    """Binary. Arrays are made at the first example: a learner that has learned nothing is small.

    Parameters
    ----------
    size
        Buckets.
    kind
        Precision of the arrays: single halves the state.

    """

    COLUMNS = 2  # arrays of one number per bucket

    def __init__(self, size: int = 2**18, kind: Kind = "d") -> None:
        self.size = size
        self.kind = kind
        self.examples = 0
        self.columns: list[Column] = []

    @abstractmethod
    def contributions(self, buckets: Buckets, values: Values) -> Floats:
        """What each feature adds to the log-odds; the rest is the intercept. Buckets are distinct
        and in [0, size), values finite."""

    @abstractmethod
    def learn(self, buckets: Buckets, values: Values, y: bool, logit: float | None = None) -> None:
        """One step towards `y`. `logit`: the log-odds of before, where the caller has it."""

    def logit(self, buckets: Buckets, values: Values) -> float:
        """Log-odds of True."""
        return float(self.contributions(buckets, values).sum())

    def open(self) -> None:
        """Make the arrays, of zeros."""
        if not self.columns:
            self.columns = [np.zeros(self.size, self.kind) for _ in range(self.COLUMNS)]

    @property
    def intercepts(self) -> list[float]:
        """Numbers beside the arrays; they and the arrays are the whole state."""
        return []

    @intercepts.setter
    def intercepts(self, numbers: Sequence[float]) -> None:
        pass

    def learn_one(self, x: dict[Hashable, Any], y: bool | str | int) -> None:
        self.learn(*hashed(x, self.size), bool(y))

    def predict_proba_one(
        self, x: dict[Hashable, Any], **kwargs: Any
    ) -> dict[bool | str | int, float]:
        probability = sigmoid(self.logit(*hashed(x, self.size)))
        return {False: 1.0 - probability, True: probability}


def hashed(x: dict[Hashable, Any], size: int) -> tuple[list[int], list[float]]:
    """Buckets, upwards, and values within +-BOUND; features in one bucket add up."""
    found: dict[int, float] = {}
    for name in sorted(x, key=str):
        bucket = crc32(str(name).encode("utf-8", "surrogatepass")) % size
        found[bucket] = found.get(bucket, 0.0) + bounded(x[name])
    buckets = sorted(found)
    return buckets, [bounded(found[bucket]) for bucket in buckets]
