"""What a treatment changed: the treated against those held out at random.

Randomised groups make the difference of means an unbiased estimate; its interval is Welch's with
the normal quantile, good from some dozens of people a group on. Source: Welch, The generalization
of "Student's" problem (Biometrika 1947).
"""

from collections.abc import Sequence
from math import inf, sqrt
from typing import NamedTuple

Z_95 = 1.959964  # the normal quantile of 0.975


class Lift(NamedTuple):
    """`effect` is treated minus held out, within [low, high] with 95 %."""

    treated: int
    held_out: int
    mean_treated: float
    mean_held_out: float
    effect: float
    low: float
    high: float


def lift(treated: Sequence[float], held_out: Sequence[float]) -> Lift:
    """Outcomes of each person in the two groups; the interval is infinite below two in a group."""
    mean_treated, error_treated = _mean(treated)
    mean_held_out, error_held_out = _mean(held_out)
    effect = mean_treated - mean_held_out
    margin = Z_95 * sqrt(error_treated + error_held_out)
    return Lift(
        treated=len(treated),
        held_out=len(held_out),
        mean_treated=mean_treated,
        mean_held_out=mean_held_out,
        effect=effect,
        low=effect - margin,
        high=effect + margin,
    )


def _mean(values: Sequence[float]) -> tuple[float, float]:
    """The mean, and the variance of its estimate."""
    count = len(values)
    mean = sum(values) / count if count else 0.0
    if count < 2:
        return mean, inf
    return mean, sum((value - mean) ** 2 for value in values) / (count - 1) / count
