"""Do estimates of who changes by a treatment order people rightly? Asked of a randomised one.

Each outcome gives an unbiased, very noisy estimate of its person's effect (`own_effects`), for it
was drawn with a known probability whether the person is treated. Treating people in the order of
their estimates, best first, gains its running mean; the Qini coefficient is the area between that
curve and the straight line of a random order, in outcomes per person. People whose estimates are
equal share their ranks, so an estimate that is the same for everybody has exactly 0.

Sources: Radcliffe, Using control groups to target on predicted lift (2007); Horvitz, Thompson, A
generalization of sampling without replacement (JASA 1952) for the weights.
"""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def own_effects(outcomes: Numbers, treated: NDArray[np.bool_], shares: Numbers) -> Numbers:
    """Unbiased for each person's effect; `shares` are the probabilities of being treated.

    The mean outcome is taken off first: it says nothing about effects and adds noise.
    """
    apart = outcomes - outcomes.mean()
    weighted: Numbers = np.where(treated, apart / shares, -apart / (1.0 - shares))
    return weighted


def qini(estimates: Numbers, effects: Numbers) -> float:
    """The area between the curve of this order and that of a random one; `effects` as of
    `own_effects`, or the true ones.
    """
    count = len(estimates)
    from_the_best = count + 1.0 - ranks(estimates)
    return float(((count + 1.0) / 2.0 - from_the_best) @ effects) / count**2


def auuc(estimates: Numbers, effects: Numbers) -> float:
    """The whole area below the curve: the Qini coefficient and a random order's."""
    count = len(estimates)
    return qini(estimates, effects) + float(effects.mean()) * (count + 1.0) / (2.0 * count)


def gains(estimates: Numbers, effects: Numbers, parts: int = 20) -> list[tuple[float, float]]:
    """Points of the curve: share of people treated, outcomes gained per person of all."""
    order = np.argsort(-estimates, kind="stable")
    curve = np.concatenate([[0.0], np.cumsum(effects[order])]) / len(effects)
    places = [round(part * len(effects) / parts) for part in range(parts + 1)]
    return [(place / len(effects), float(curve[place])) for place in places]


def rank_correlation(left: Numbers, right: Numbers) -> float:
    """Spearman's; 0 where one of them is the same for everybody."""
    if np.ptp(left) == 0.0 or np.ptp(right) == 0.0:
        return 0.0
    return float(np.corrcoef(ranks(left), ranks(right))[0, 1])


def ranks(values: Numbers) -> Numbers:
    """From 1 for the smallest; equal ones share their mean rank."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    found: Numbers = (last - (count - 1) / 2.0)[place]
    return found
