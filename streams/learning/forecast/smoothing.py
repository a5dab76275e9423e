"""Exponential smoothing: a level, a damped trend and up to two seasons that add up.

A long season (a week of hours) lies over a short one (a day of hours): it holds only what the
weekday changes. The short one is seeded by the first season's differences from its mean; places
average what they have seen until the rate of the season is reached, so one round is enough.
Source: Holt (1957), Winters (1960), Gardner, McKenzie, Forecasting trends in time series (1985);
two seasons: Taylor, Short-term electricity demand forecasting (2003); the bounded influence of
outliers: Gelper, Fried, Croux, Robust forecasting with exponential and Holt-Winters smoothing
(2010).
"""

from array import array
from typing import Final, NamedTuple

LEVEL, TREND, DEVIATION, COUNT = range(4)
BOUND: Final = 4.0  # deviations; what an error beyond teaches is that much
SPREAD_RATE: Final = 0.05
SETTLED: Final = 10  # errors before any is bounded


class Rates(NamedTuple):
    """How fast level, trend and seasons follow, each in [0, 1]; `damping` in (0, 1]."""

    level: float
    trend: float = 0.0
    season: float = 0.1
    damping: float = 0.95
    long_season: float = 0.2


class Smoothing:
    """Learns finite numbers one a period. `places`: periods of each season, 0 for none."""

    __slots__ = ("arrays", "long", "numbers", "rates", "short")

    def __init__(self, rates: Rates, short: int = 0, long: int = 0) -> None:
        self.rates = rates
        self.numbers = array("d", bytes(8 * 4))
        self.short = array("f", bytes(4 * short))
        self.long = array("f", bytes(4 * long))
        self.arrays = (self.numbers, self.short, self.long)

    def learn(self, value: float) -> None:
        numbers, rates = self.numbers, self.rates
        count = int(numbers[COUNT])
        numbers[COUNT] = count + 1
        if count < len(self.short):
            self._seed(count, value)
            return
        if not count:
            numbers[LEVEL] = value
            return
        expected = numbers[LEVEL] + rates.damping * numbers[TREND]
        error = value - expected - self._season(count)
        since = count - len(self.short)
        deviation = numbers[DEVIATION]
        numbers[DEVIATION] += max(SPREAD_RATE, 1.0 / (since + 1)) * (abs(error) - deviation)
        if since > SETTLED:
            error = min(max(error, -BOUND * deviation), BOUND * deviation)
        level_rate = max(rates.level, 1.0 / (count + 1))
        numbers[LEVEL] = expected + level_rate * error
        numbers[TREND] = rates.damping * numbers[TREND] + rates.trend * level_rate * error
        self._follow(count, (1.0 - level_rate) * error)

    def _seed(self, count: int, value: float) -> None:
        """The first season: its values, and in the end their differences from their mean."""
        level = self.numbers[LEVEL] + (value - self.numbers[LEVEL]) / (count + 1)
        self.numbers[LEVEL] = level
        short = self.short
        short[count] = value
        if count + 1 == len(short):
            for place in range(len(short)):
                short[place] -= level

    def _follow(self, count: int, rest: float) -> None:
        """The seasons take over what the level has left of an error."""
        if self.short:
            place = count % len(self.short)
            rate = max(self.rates.season, 1.0 / (count // len(self.short) + 1))
            self.short[place] += rate * rest
            rest *= 1.0 - rate
        if self.long:
            rate = max(self.rates.long_season, 1.0 / (count // len(self.long) + 2))
            self.long[count % len(self.long)] += rate * rest

    def forecast(self, horizon: int) -> list[float]:
        numbers, damping = self.numbers, self.rates.damping
        count = int(numbers[COUNT])
        found, level, step = [], numbers[LEVEL], numbers[TREND]
        for ahead in range(horizon):
            step *= damping
            level += step
            found.append(level + self._season(count + ahead))
        return found

    def _season(self, count: int) -> float:
        if self.numbers[COUNT] < len(self.short):
            return 0.0
        season = self.short[count % len(self.short)] if self.short else 0.0
        if self.long:
            season += self.long[count % len(self.long)]
        return season
