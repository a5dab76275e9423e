"""Least squares, learned one row at a time, that forgets; and the numbers it needs.

Source: Ljung, Soderstrom, Theory and practice of recursive identification (1983), ch. 2; the gain
matrix is kept bounded, so that what is never excited does not blow up when it forgets.
"""

from array import array
from collections.abc import Sequence
from typing import Final

LARGEST: Final = 1e4  # of the gain matrix, per diagonal entry


class RecursiveLeastSquares:
    """`start`: the coefficients believed in before any row; `trust`: rows they are worth."""

    __slots__ = ("arrays", "coefficients", "gains", "keep")

    def __init__(self, start: Sequence[float], *, keep: float = 0.995, trust: float = 1.0) -> None:
        size = len(start)
        self.keep = keep
        self.coefficients = array("d", start)
        self.gains = array("d", bytes(8 * size * size))
        for place in range(size):
            self.gains[place * (size + 1)] = 1.0 / trust
        self.arrays = (self.coefficients, self.gains)

    def predict(self, row: Sequence[float]) -> float:
        return sum(map(float.__mul__, self.coefficients, row))

    def learn(self, row: Sequence[float], target: float) -> float:
        """The error before the row was learned."""
        coefficients = self.coefficients
        gains = self.gains.tolist()  # plain lists are read and written faster
        size = len(coefficients)
        error = target - self.predict(row)
        direction = [
            sum(map(float.__mul__, gains[start : start + size], row))
            for start in range(0, size * size, size)
        ]
        total = self.keep + sum(map(float.__mul__, direction, row))
        step = error / total
        for place, part in enumerate(direction):
            coefficients[place] += step * part
        shrink = 1.0 / total
        growth = 1.0 / self.keep
        for one in range(size):
            scaled, start = direction[one] * shrink, one * size
            for other in range(one, size):
                value = (gains[start + other] - scaled * direction[other]) * growth
                gains[start + other] = gains[other * size + one] = value
        most = max(gains[:: size + 1])
        if most > LARGEST:
            scale = LARGEST / most
            gains = [gain * scale for gain in gains]
        self.gains[:] = array("d", gains)
        return error
