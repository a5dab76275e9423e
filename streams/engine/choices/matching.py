"""Probability matching: how likely each of some independent normals is the greatest of all.

Thompson sampling draws each arm with this probability without ever computing it; here it is
computed, because a decision must carry its propensity. P(i) is the integral of the product of the
others' distribution functions over arm i's own. All are taken at the same points, some of each
arm's quantiles, so that a narrow arm is resolved as well as a wide one; in between the trapezoid
rule. The points are fixed by means and deviations, so the result is the same everywhere. Within
0.01 of the truth for two to eight arms of whatever widths (test_matching.py); normalised, it is a
distribution in any case. Source: Thompson, On the likelihood that one unknown probability exceeds
another (Biometrika 1933).
"""

from collections.abc import Sequence
from math import erf, sqrt
from operator import add, mul, sub
from typing import Final

from streams.engine.choices.choice import best_of

_QUANTILES: Final = (-2.2, -1.3, -0.6, 0.0, 0.6, 1.3, 2.2)  # of z
_HALF: Final = sqrt(0.5)
_NARROWEST: Final = 1e-6  # relative to the widest, so that nothing is divided by zero
_NO_WIDTH: Final = 1e-200  # what is narrower cannot be divided by
_BEYOND: Final = 4.0  # standard deviations of both: who is further behind is never the best


def best_probabilities(means: Sequence[float], deviations: Sequence[float]) -> list[float]:
    """The probability of each to be the greatest; they sum to 1 (but for rounding).

    Deviations are standard deviations, at least 0; without any the greatest mean has it all.
    """
    widest = max(deviations)
    if widest < _NO_WIDTH:
        return best_of(means)
    widths = [max(deviation, _NARROWEST * widest) for deviation in deviations]
    bar = max(mean - _BEYOND * width for mean, width in zip(means, widths, strict=True))
    able = [place for place in range(len(means)) if means[place] + _BEYOND * widths[place] >= bar]
    points = [bar]
    for place in able:
        mean, width = means[place], widths[place]
        points += [point for z in _QUANTILES if (point := mean + z * width) > bar]
    points.sort()
    points.append(max(means[place] + _BEYOND * widths[place] for place in able))
    below = []
    for place in able:
        mean, scale = means[place], _HALF / widths[place]
        below.append([0.5 + 0.5 * erf((point - mean) * scale) for point in points])
    chances = [0.0] * len(means)
    for place, own, others in zip(able, below, _products_of_others(below), strict=True):
        steps = map(sub, own[1:], own)
        chances[place] = sum(map(mul, steps, map(add, others[1:], others)))
    total = sum(chances)
    return [chance / total for chance in chances] if total > 0.0 else best_of(means)


def _products_of_others(lists: list[list[float]]) -> list[list[float]]:
    """For each list the product of all others, point by point."""
    products = [[1.0] * len(lists[0])]
    for part in lists[:-1]:
        products.append(list(map(mul, products[-1], part)))
    after = lists[-1]
    for place in range(len(lists) - 2, -1, -1):
        products[place] = list(map(mul, products[place], after))
        after = list(map(mul, after, lists[place]))
    return products
