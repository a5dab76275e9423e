"""Robust scale of one positive quantity, learned online, to clip what is out of all proportion.

Centre and spread of the logarithm follow the median and the mean absolute deviation by small
steps, so one outlier moves them by no more than any other value. Nothing is clipped before 200
values were seen.
"""

from math import exp, log

from msgspec import Struct

WARM = 200
WIDTH = 8.0  # spreads beyond the centre; 8 mean absolute deviations are 6.4 sigma of a normal
FIRST_SPREAD = 1.0
LEAST_SPREAD = 0.05
RATE = 0.05
SLOWEST_RATE = 0.002


class Scale(Struct, array_like=True):
    seen: int = 0
    centre: float = 0.0  # of the natural logarithm
    spread: float = FIRST_SPREAD

    def clip(self, value: int) -> int:
        """The value, at most a bound learned so far; then learn from it. `value` is at least 1."""
        logged = log(value)
        high = self.centre + WIDTH * self.spread
        clipped = int(exp(high)) if self.seen >= WARM and logged > high else value
        self._learn(logged)
        return clipped

    def scaled(self, value: int) -> float:
        """How far from usual, in spreads, within [-3, 3]; 0 for an unknown value."""
        if value < 1 or not self.seen:
            return 0.0
        spreads = (log(value) - self.centre) / self.spread
        return -3.0 if spreads < -3.0 else 3.0 if spreads > 3.0 else spreads

    def _learn(self, logged: float) -> None:
        self.seen += 1
        if self.seen == 1:
            self.centre = logged
            return
        rate = max(SLOWEST_RATE, RATE / (1.0 + self.seen / 1_000.0))
        spread = self.spread
        gap = logged - self.centre
        spread += rate * (min(abs(gap), 3.0 * spread) - spread)
        self.spread = spread = max(spread, LEAST_SPREAD)
        self.centre += rate * spread if gap > 0.0 else -rate * spread
