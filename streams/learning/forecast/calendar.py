"""What days known in advance do to demand: promotions, festivals, paydays, month ends.

A regression on the log scale of what the other parts did not expect: an effect is a factor. The
series is learned without these effects, so that a promotion of last week does not look like a
habit of this weekday, and forecasts get them back.
Source: regression with time series errors, as in Hyndman, Athanasopoulos, Forecasting: principles
and practice (2021), ch. 10; recursive least squares as in regression.py.
"""

from collections.abc import Mapping, Sequence
from math import exp, isfinite
from typing import Final

from streams.learning.forecast.regression import RecursiveLeastSquares

KEEP: Final = 0.998
TRUST: Final = 0.3  # periods that no effect at all is worth
LARGEST: Final = 3.0  # of an effect on the log scale: a factor of twenty
SURPRISE: Final = 2.0  # of one period on the log scale: what it teaches at most


class Calendar:
    """Effects of `names`; a period is given as numbers by name, most often 1 for "on". `trust`:
    periods that no effect at all is worth."""

    __slots__ = ("arrays", "names", "squares")

    def __init__(self, names: Sequence[str], trust: float = TRUST) -> None:
        self.names = tuple(names)
        self.squares = RecursiveLeastSquares([0.0] * len(names), keep=KEEP, trust=trust)
        self.arrays = self.squares.arrays

    def row(self, period: Mapping[str, float] | None) -> list[float]:
        """Numbers in the order of names, within +-10; empty where nothing is on."""
        if not period:
            return []
        found = [bounded(period.get(name, 0.0)) for name in self.names]
        return found if any(found) else []

    def effect(self, row: Sequence[float]) -> float:
        """On the log scale."""
        if not row:
            return 0.0
        return min(max(self.squares.predict(row), -LARGEST), LARGEST)

    def factor(self, row: Sequence[float]) -> float:
        return exp(self.effect(row))

    def learn(self, row: Sequence[float], surprise: float) -> None:
        """`surprise`: log of the value over what was expected without any effect."""
        if row:
            expected = self.squares.predict(row)
            error = min(max(surprise - expected, -SURPRISE), SURPRISE)
            self.squares.learn(row, expected + error)


def bounded(value: float) -> float:
    return min(max(float(value), -10.0), 10.0) if isfinite(value) else 0.0
