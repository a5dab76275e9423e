"""Prediction intervals whose coverage is held online, whatever the errors are like.

Errors at one horizon, relative to their usual size at that height of the forecast, have a lower
and an upper quantile followed by steps: a miss widens that side, a hit narrows it a little. So
in the long run each side is missed as often as it should be, also under drift and for any
distribution; no window of residuals is kept.
Source: Gibbs, Candes, Adaptive conformal inference under distribution shift (2021); the quantile
itself as what adapts: Angelopoulos, Candes, Tibshirani, Conformal PID control (2023).
"""

from array import array
from typing import Final

SIZE, LOWER, UPPER, COUNT, HEIGHT = range(5)
START: Final = 2.1  # of a quantile, in mean absolute errors: the normal distribution's at 90 %
STEP: Final = 0.2
FURTHEST: Final = 12.0
BY_HEIGHT: Final = 0.7  # errors grow with this power of the height
FOLLOW: Final = 0.02
SETTLED: Final = 10
LARGEST_ERROR: Final = 6.0  # usual sizes; what the usual size learns of one error at most


class Interval:
    """Of one horizon. `miss`: the share on each side outside."""

    __slots__ = ("arrays", "miss", "numbers")

    def __init__(self, level: float) -> None:
        self.miss = (1.0 - level) / 2.0
        self.numbers = array("d", (0.0, -START, START, 0.0, 0.0))
        self.arrays = (self.numbers,)

    def bounds(self, forecast: float) -> tuple[float, float]:
        unit = self._unit(forecast)
        return forecast + self.numbers[LOWER] * unit, forecast + self.numbers[UPPER] * unit

    def learn(self, forecast: float, value: float) -> None:
        numbers = self.numbers
        count = numbers[COUNT]
        error = value - forecast
        if numbers[SIZE]:
            score = error / self._unit(forecast)
            low = numbers[LOWER] + STEP * (self.miss - (score < numbers[LOWER]))
            high = numbers[UPPER] + STEP * ((score > numbers[UPPER]) - self.miss)
            numbers[LOWER] = min(max(low, -FURTHEST), 0.0)
            numbers[UPPER] = max(min(high, FURTHEST), 0.0)
        rate = max(FOLLOW, 1.0 / (count + 1.0))
        numbers[HEIGHT] += rate * (abs(forecast) - numbers[HEIGHT])
        size = abs(error) / self._relative(forecast)
        if count > SETTLED:
            size = min(size, LARGEST_ERROR * numbers[SIZE])
        numbers[SIZE] += rate * (size - numbers[SIZE])
        numbers[COUNT] = count + 1.0

    def _unit(self, forecast: float) -> float:
        return max(self.numbers[SIZE] * self._relative(forecast), 1e-12)

    def _relative(self, forecast: float) -> float:
        height = self.numbers[HEIGHT]
        relative = (abs(forecast) + 1e-9) / (height + 1e-9)
        return float(min(max(relative, 0.05), 20.0) ** BY_HEIGHT)
