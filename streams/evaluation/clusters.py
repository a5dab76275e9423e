"""Intervals and effective sizes where the person is the unit, not the decision.

A linear (or linearised) estimate is a sum of what each row contributes. The contributions of one
person are added first; the variance is that of the sums over people, each inflated by one over one
minus the person's share of all weight: the delete-one jackknife, which stays honest when few
people carry much. The quantile is Student's, with as many degrees of freedom as effective people
less one.

Sources: Bell & McCaffrey, Bias reduction in standard errors for linear regression with multi-stage
samples (Survey Methodology 2002); Kish, Survey Sampling (1965) for the effective size.
"""

from math import inf, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVEL = 0.95


class People(NamedTuple):
    """Which row belongs to whom: `of_row` (n) in [0, number)."""

    of_row: Ints
    number: int

    def sums(self, rows: Floats) -> Floats:
        """Rows (n) added up by person (number)."""
        added = np.bincount(self.of_row, weights=rows, minlength=self.number)
        return added.astype(np.float64, copy=False)


def people_of(person: Ints | None, rows: int) -> People:
    """From ids of people, in any order; without ids each row is a person of its own."""
    if person is None:
        return People(of_row=np.arange(rows, dtype=np.int64), number=rows)
    ids, of_row = np.unique(person, return_inverse=True)
    return People(of_row=of_row.astype(np.int64), number=len(ids))


def effective_size(weights: Floats) -> float:
    """Kish's (sum w)^2 / sum w^2: how many equally weighted ones tell as much; 0 without weight."""
    squares = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def margin(
    contributions: Floats, weights: Floats, people: People, *, level: float = LEVEL
) -> float:
    """Half the width of the interval around an estimate.

    Args:
        contributions: (n) linearised, so that the estimate is off by about their sum.
        weights: (n) >= 0, what each row weighs in the estimate, in any scale.
        level: of the interval, in (0, 1).

    Returns:
        Infinite where one person carries all the weight: then nothing is known of the spread.
    """
    weight = people.sums(weights)
    total = float(weight.sum())
    share = weight / total if total else np.ones(people.number)
    if people.number < 2 or float(share.max()) > 1 - 1e-9:
        return inf
    sums = people.sums(contributions) / (1 - share)
    variance = float(np.square(sums).sum()) * (people.number - 1) / people.number
    freedom = max(effective_size(weight) - 1, 1.0)
    return float(stdtrit(freedom, (1 + level) / 2)) * sqrt(variance)
