"""BG/NBD, the peer of churn: expected purchases, P(at least one), and its fit by likelihood.

Rates of buying are Gamma(r, scale 1/alpha); after each purchase but the first a customer leaves
with a chance of their own, Beta(a, b). So somebody who never came back is never taken to have left.
Source: Fader, Hardie, Lee, "Counting your customers" the easy way (Marketing Science 2005).
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1

Floats = NDArray[np.float64]
LEAST: Final = 1e-4  # of a parameter
STEPS: Final = 2_000


class Histories(NamedTuple):
    """Per customer: purchases after the first, the time of the last and the age, since the first,
    in one unit of time."""

    repeats: Floats
    last: Floats
    age: Floats


class BgNbd(NamedTuple):
    r: float
    alpha: float
    a: float
    b: float

    def alive(self, known: Histories) -> Floats:
        """P(a customer still)."""
        r, alpha, a, b = self
        x = known.repeats
        grown = ((alpha + known.age) / (alpha + known.last)) ** (r + x)
        found: Floats = 1.0 / (
            1.0 + np.where(x > 0, a / np.maximum(b + x - 1.0, LEAST) * grown, 0.0)
        )
        return found

    def expected(self, known: Histories, time: float) -> Floats:
        """E[purchases in the coming `time`]."""
        r, alpha, a, b = self
        x, age = known.repeats, alpha + known.age
        series = hyp2f1(r + x, b + x, a + b + x - 1.0, time / (age + time))
        new = (a + b + x - 1.0) / (a - 1.0) * (1.0 - (age / (age + time)) ** (r + x) * series)
        found: Floats = new * self.alive(known)
        return found

    def any(self, known: Histories, time: float) -> Floats:
        """P(at least one purchase in the coming `time`)."""
        age = self.alpha + known.age
        found: Floats = 1.0 - (age / (age + time)) ** (self.r + known.repeats)
        return found * self.alive(known)


PUBLISHED: Final = BgNbd(0.243, 4.414, 0.793, 2.426)  # of CDNOW's sample, in weeks


def fitted(known: Histories) -> BgNbd:
    """The parameters of greatest likelihood."""

    def cost(logs: Floats) -> float:
        r, alpha, a, b = np.exp(np.clip(logs, -9.0, 9.0))
        x, last, age = known
        common = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        stays = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + age)
        leaves = np.where(
            x > 0,
            betaln(a + 1.0, np.maximum(b + x - 1.0, LEAST))
            - betaln(a, b)
            - (r + x) * np.log(alpha + last),
            -np.inf,
        )
        return -float(np.mean(common + np.logaddexp(stays, leaves)))

    start = np.log([1.0, max(float(np.mean(known.age)), 1.0), 1.0, 1.0])
    best = minimize(cost, start, method="Nelder-Mead", options={"maxiter": STEPS})
    return BgNbd(*(float(value) for value in np.exp(np.clip(best.x, -9.0, 9.0))))
