"""How much privacy rounds have cost: Rényi differential privacy of the sampled Gaussian mechanism.

Sources: Mironov, Rényi differential privacy (CSF 2017), for the Gaussian mechanism: a / (2 s^2) at
order a; Mironov, Talwar, Zhang, Rényi differential privacy of the sampled Gaussian mechanism
(2019), for people drawn independently with probability q, at whole orders; Canonne, Kamath,
Steinke, The discrete Gaussian for differential privacy (NeurIPS 2020), for epsilon at delta.
"""

from math import exp, inf, lgamma, log, log1p
from typing import Final

from msgspec import Struct

FRACTIONS: Final = tuple(1.0 + tenth / 10.0 for tenth in range(1, 10))
ORDERS: Final = (*FRACTIONS, *map(float, range(2, 65)), 80.0, 96.0, 128.0, 192.0, 256.0, 512.0)


class Spent(Struct, array_like=True):
    """Rounds of one kind. `noise`: standard deviation of the noise over the clipping length;
    `sampled`: chance of each person to take part."""

    noise: float
    sampled: float
    rounds: int


class Budget(Struct, frozen=True):
    """What may be spent: epsilon at delta. An epsilon of infinity is no limit."""

    epsilon: float
    delta: float = 1e-5

    def __post_init__(self) -> None:
        if not self.epsilon > 0.0:
            raise ValueError(f"epsilon is {self.epsilon}, must be above 0")
        if not 0.0 < self.delta < 1.0:
            raise ValueError(f"delta is {self.delta}, must be between 0 and 1")


def renyi(noise: float, sampled: float, order: float) -> float:
    """The Rényi divergence of one round at this order (> 1); infinity without noise."""
    if not 0.0 <= sampled <= 1.0:
        raise ValueError(f"sampled is {sampled}, must be from 0 to 1")
    if sampled == 0.0:
        return 0.0
    if not noise > 0.0:
        return inf
    everybody = order / (2.0 * noise * noise)
    # Sampling mixes the neighbours and so never takes them further apart (quasi-convexity).
    if sampled == 1.0 or order != int(order):
        return everybody
    whole = int(order)
    terms = [
        lgamma(whole + 1)
        - lgamma(k + 1)
        - lgamma(whole - k + 1)
        + k * log(sampled)
        + (whole - k) * log1p(-sampled)
        + (k * k - k) / (2.0 * noise * noise)
        for k in range(whole + 1)
    ]
    most = max(terms)
    found = (most + log(sum(exp(term - most) for term in terms))) / (whole - 1)
    return min(max(found, 0.0), everybody)


def epsilon(spent: list[Spent], delta: float) -> float:
    """The least epsilon known to hold at `delta` after these rounds; infinity without noise."""
    best = inf
    for order in ORDERS:
        total = sum(part.rounds * renyi(part.noise, part.sampled, order) for part in spent)
        if total < inf:
            found = total + log1p(-1.0 / order) - log(delta * order) / (order - 1.0)
            best = min(best, max(found, 0.0))
    return best if any(part.rounds for part in spent) else 0.0


def noise_for(budget: Budget, rounds: int, sampled: float = 1.0) -> float:
    """The least noise (to a thousandth) with which so many rounds stay within the budget."""
    if budget.epsilon == inf:
        return 0.0
    low, high = 0.0, 1.0
    while epsilon([Spent(high, sampled, rounds)], budget.delta) > budget.epsilon:
        low, high = high, 2.0 * high
    while high - low > 1e-3 * high:
        middle = 0.5 * (low + high)
        if epsilon([Spent(middle, sampled, rounds)], budget.delta) > budget.epsilon:
            low = middle
        else:
            high = middle
    return high
