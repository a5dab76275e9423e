"""What products of features add to a linear estimate, and how far to trust that.

Per arm a regression of what the linear one leaves over on the products x_i * x_j (i <= j), with a
diagonal covariance: a mean and a variance per product, in units of the noise's. `Trust` is the
share of it that is added: the regression of what was left over on what the products said of it
beforehand, shrunk to 0 and within [0, 1]. So where nothing but straight lines is to be found they
add next to nothing, and where features act together they count in full within a few hundred
examples. Sources: Crammer, Kulesza, Dredze, Adaptive regularization of weight vectors (NIPS 2009)
for the diagonal filter; Breiman, Stacked regressions (Machine Learning 1996) for the share.
"""

from array import array
from collections.abc import Sequence
from operator import mul
from typing import Final

from msgspec import Struct

MOST_FEATURES: Final = 8  # the first of them have products
PRIOR: Final = 0.02  # a coefficient's variance before the first example
LASTING: Final = 0.999  # trust follows about the last thousand examples
DOUBTING: Final = 0.3  # examples' noise that is taken off the trust


def products(x: Sequence[float]) -> list[float]:
    """Of the features without the intercept."""
    first = x[:MOST_FEATURES]
    return [one * other for place, one in enumerate(first) for other in first[place:]]


def count(width: int) -> int:
    features = min(width, MOST_FEATURES)
    return features * (features + 1) // 2


class Products:
    """Of one arm. Kept with single precision, in memory as in the row."""

    __slots__ = ("means", "variances")

    def __init__(self, size: int) -> None:
        self.means = array("f", [0.0] * size)
        self.variances = array("f", [PRIOR] * size)

    def mean(self, z: Sequence[float]) -> float:
        return sum(map(mul, self.means, z))

    def variance(self, z: Sequence[float]) -> float:
        """Of the mean, in units of the noise's."""
        return sum(map(mul, map(mul, self.variances, z), z))

    def learn(self, z: Sequence[float], left_over: float, forgetting: float) -> None:
        means, variances = self.means, self.variances
        if forgetting < 1.0:
            for place, variance in enumerate(variances):
                variances[place] = min(variance / forgetting, PRIOR)
        leaning = list(map(mul, variances, z))
        spread = 1.0 + sum(map(mul, leaning, z))
        step = (left_over - sum(map(mul, means, z))) / spread
        for place, part in enumerate(leaning):
            means[place] += part * step
            variances[place] -= part * part / spread

    def to_bytes(self) -> bytes:
        return self.means.tobytes() + self.variances.tobytes()

    @classmethod
    def from_bytes(cls, raw: bytes, size: int) -> "Products":
        """Begins anew where they are of another size."""
        found = cls(size)
        if len(raw) == 8 * size:
            found.means = array("f", raw[: 4 * size])
            found.variances = array("f", raw[4 * size :])
        return found


class Trust(Struct, array_like=True):
    """Sums over examples of what was left over, squared, times and by what products said of it."""

    left: float = 0.0
    both: float = 0.0
    said: float = 0.0

    def add(self, left_over: float, said: float) -> None:
        self.left = LASTING * self.left + left_over * left_over
        self.both = LASTING * self.both + left_over * said
        self.said = LASTING * self.said + said * said

    def share(self, noise: float) -> float:
        """What to add of the products, within [0, 1]; `noise` is the variance of an example."""
        if self.both <= 0.0:
            return 0.0
        return min(self.both / (self.said + DOUBTING * noise), 1.0)

    def noise_kept(self, share: float) -> float:
        """The part of the noise that is left when that share is added."""
        if self.left <= 0.0:
            return 1.0
        less = share * (2.0 * self.both - share * self.said)
        return min(max(1.0 - less / self.left, 0.0), 1.0)
