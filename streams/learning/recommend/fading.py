"""Forward decay: what comes later weighs more, so sums compare without being decayed.

The landmark moves by whole half-lives, which is a multiplication by a power of two: no rounding
depends on when it moved. Source: Cormode, Shkapenyuk, Srivastava, Xu, Forward decay (ICDE 2009).
"""

from typing import Final

from msgspec import Struct

FARTHEST: Final = 512.0  # half-lives somebody may ask ahead; later nothing is left anyway
MOST: Final = 64.0  # half-lives from the landmark until it moves


class Fading(Struct, array_like=True):
    half_life_ms: int
    landmark_ms: int = 0

    def gain(self, time_ms: int) -> float:
        """What one unit at this time adds. Very early ones add as good as nothing."""
        periods = (time_ms - self.landmark_ms) / self.half_life_ms
        if not -MOST <= periods <= FARTHEST:
            periods = min(max(periods, -MOST), FARTHEST)
        gain: float = 2.0**periods
        return gain

    def is_due(self, time_ms: int) -> bool:
        return time_ms - self.landmark_ms > MOST * self.half_life_ms

    def move(self, time_ms: int) -> int:
        """Move the landmark; sums must be multiplied by 2 to the minus of what comes back."""
        periods = (time_ms - self.landmark_ms) // self.half_life_ms
        self.landmark_ms += periods * self.half_life_ms
        return periods
