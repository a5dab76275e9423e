"""How a day's visits spread over its hours: exact to sample from and exact to integrate."""

from bisect import bisect_right
from itertools import accumulate

HOUR_MS = 3_600_000
HABITS = (-2, -1, 0, 0, 0, 1, 2)  # people live some hours earlier or later than the crowd


class Hours:
    """Relative visit frequency by local hour, shifted by a person's habit."""

    def __init__(self, weights: tuple[int, ...], habit_hours: int) -> None:
        self.weights = tuple(weights[(hour - habit_hours) % 24] for hour in range(24))
        self._total = sum(self.weights)
        self._before = (0, *accumulate(self.weights))

    def time_ms(self, uniform: int) -> int:
        """A time of the local day from a uniform integer of at least 48 bits."""
        slot = uniform % self._total
        hour = bisect_right(self._before, slot) - 1
        return hour * HOUR_MS + (uniform >> 16) % HOUR_MS

    def share_before(self, time_ms: int) -> float:
        """Share of a day's visits before this time of the local day, in [0, 1]."""
        if time_ms >= 24 * HOUR_MS:
            return 1.0
        hour, rest_ms = divmod(max(time_ms, 0), HOUR_MS)
        return (self._before[hour] + self.weights[hour] * rest_ms / HOUR_MS) / self._total
