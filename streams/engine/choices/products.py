"""What products of features add to a linear estimate, and how far to trust that.

Per arm a Bayesian ridge regression, with its whole covariance, of what the linear estimate leaves
over, on the products x_i * x_j, the features and 1. `Trust` is the share of it that is added: the
regression of what was left over on what was said of it beforehand, shrunk to 0 and within [0, 1].
So where nothing but straight lines is to be found products add next to nothing, and where features
act together they count in full within a few hundred examples. Source: Breiman, Stacked regressions
(Machine Learning 1996) for the share.

A diagonal covariance, which needs a twentieth of the memory, was tried: after 20 000 decisions
regret in `interactions` (streams/benchmarks/bandit_worlds.py) was 319 fen with it and 252 with the
whole one, in `offers` 174 and 87 (one seed), for who is offered what makes products go together.
"""

from typing import Final

import numpy as np
from msgspec import Struct

from streams.learning.ridge import BayesianRidge, Vector

MOST_FEATURES: Final = 8  # the first of them have products
PRECISION: Final = 70.0  # of a coefficient's prior, in units of the noise's
LASTING: Final = 0.999  # trust follows about the last thousand examples
DOUBTING: Final = 0.3  # examples' noise that is taken off the trust

_PLACES: Final = tuple(np.triu_indices(size) for size in range(MOST_FEATURES + 1))


def products(x: list[float]) -> Vector:
    """Of features with the intercept's 1 at the end. Squares less 1: so what they have in common
    with the intercept stays with that, features being about standardised."""
    found = np.array(x)
    one, other = _PLACES[min(len(x) - 1, MOST_FEATURES)]
    crossed = found[one] * found[other] - (one == other)
    return np.concatenate([crossed, found])


def size(width: int) -> int:
    """How many there are of so many features."""
    features = min(width, MOST_FEATURES)
    return features * (features + 1) // 2 + width + 1


def begun(width: int) -> BayesianRidge:
    """One arm's, before its first example."""
    bend = BayesianRidge()
    bend.begin([PRECISION] * size(width))
    return bend


class Trust(Struct, array_like=True):
    """Sums over examples of what was left over times what products said of it, and that squared."""

    both: float = 0.0
    said: float = 0.0

    def add(self, left_over: float, said: float) -> None:
        self.both = LASTING * self.both + left_over * said
        self.said = LASTING * self.said + said * said

    def share(self, noise: float) -> float:
        """What to add of the products, within [0, 1]; `noise` is the variance of an example."""
        if self.both <= 0.0:
            return 0.0
        return min(self.both / (self.said + DOUBTING * noise), 1.0)
