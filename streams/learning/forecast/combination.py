"""How much each expert counts at each horizon, from its own past errors there.

The weight of an expert is its discounted mean absolute error, to a negative power: near the best
one where one is clearly best, an average where they are alike. Horizons between those that are
followed take over the weights of the nearest. A forecast waits here until its truth comes.
Source: Bates, Granger, The combination of forecasts (1969); discounted, of absolute errors.
"""

from array import array
from collections.abc import Sequence
from typing import Final

POWER: Final = 8.0
KEEP: Final = 0.99
WORST: Final = 50.0  # an error counts at most so many times the mean change of the series
LEAST: Final = 1e-3


class Combination:
    """The errors of `size` experts at one horizon, and their forecasts that wait for truth.

    One of `stride` forecasts is followed: far horizons change slowly.
    """

    __slots__ = ("arrays", "errors", "horizon", "size", "slots", "stride", "waiting")

    def __init__(self, size: int, horizon: int, stride: int) -> None:
        self.size, self.horizon, self.stride = size, horizon, stride
        self.slots = -(-horizon // stride)
        self.errors = array("d", bytes(8 * (size + 1)))  # sums; the sum of what each counted
        self.waiting = array("f", bytes(4 * (size + 1) * self.slots))  # the combined one is last
        self.arrays = (self.errors, self.waiting)

    def weights(self) -> list[float]:
        counted = self.errors[self.size]
        if not counted:
            return [1.0 / self.size] * self.size
        means = [error / counted + LEAST for error in self.errors[: self.size]]
        least = min(means)
        found = [(least / mean) ** POWER for mean in means]
        total = sum(found)
        return [weight / total for weight in found]

    def issues(self, count: int) -> bool:
        """Whether a forecast made after `count` values is followed."""
        return count % self.stride == 0

    def issue(self, count: int, forecasts: Sequence[float], combined: float) -> None:
        start = count // self.stride % self.slots * (self.size + 1)
        for place, forecast in enumerate(forecasts, start):
            self.waiting[place] = forecast
        self.waiting[start + self.size] = combined

    def due(self, count: int) -> list[float] | None:
        """Forecasts of the value that comes after `count` values, the combined one last."""
        issued = count + 1 - self.horizon
        if issued < 1 or issued % self.stride:
            return None
        start = issued // self.stride % self.slots * (self.size + 1)
        return list(self.waiting[start : start + self.size + 1])

    def learn(self, forecasts: Sequence[float], value: float, scale: float) -> None:
        errors = self.errors
        for place in range(self.size):
            error = min(abs(forecasts[place] - value) / scale, WORST)
            errors[place] = KEEP * errors[place] + error
        errors[self.size] = KEEP * errors[self.size] + 1.0
