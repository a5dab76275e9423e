"""How people speak of each brand: a level of late, and a slow baseline to see it fall from.

Both are decayed means of tones in [0, 1], with half-lives of one and of fourteen days. A fall is
worth an alert where it is large and more than chance makes of so few voices: three standard errors.
"""

from math import sqrt
from typing import Final, NamedTuple

from msgspec import Struct, field

FAST_MS: Final = 86_400_000
SLOW_MS: Final = 14 * FAST_MS
BRANDS: Final = 32  # the least spoken of leaves for a new one
LEAST_FALL: Final = 0.15
LEAST_FAST: Final = 10.0  # voices of late
LEAST_SLOW: Final = 50.0
ERRORS: Final = 3.0  # standard errors


class Fall(NamedTuple):
    level: float
    reference: float


class BrandMood(Struct, array_like=True):
    """Sums at `at_ms`. `alerted_day`: the day of the last alert, 0: none."""

    at_ms: int = 0
    fast: float = 0.0
    fast_weight: float = 0.0
    slow: float = 0.0
    slow_weight: float = 0.0
    alerted_day: int = 0
    told: float = 0.0  # what other partitions have not heard yet: sum of tones,
    told_weight: float = 0.0  # and voices

    def add(self, tone: float, weight: float, now_ms: int) -> None:
        """`weight` voices whose tones, in [0, 1], sum up to `tone`."""
        elapsed_ms = max(now_ms - self.at_ms, 0) if self.at_ms else 0
        fast, slow = 2.0 ** (-elapsed_ms / FAST_MS), 2.0 ** (-elapsed_ms / SLOW_MS)
        self.fast = fast * self.fast + tone
        self.fast_weight = fast * self.fast_weight + weight
        self.slow = slow * self.slow + tone
        self.slow_weight = slow * self.slow_weight + weight
        self.at_ms = max(self.at_ms, now_ms)

    def tell(self, tone: float) -> None:
        """One voice, for the next letter to other partitions."""
        self.told += tone
        self.told_weight += 1.0

    @property
    def level(self) -> float:
        """Of late; one half while nobody has spoken."""
        return self.fast / self.fast_weight if self.fast_weight > 0.0 else 0.5

    @property
    def reference(self) -> float:
        """What it was before the voices of late."""
        before = self.slow_weight - self.fast_weight
        return (self.slow - self.fast) / before if before > 1.0 else 0.5

    def fall(self) -> Fall | None:
        """Where the level is well below the baseline."""
        if self.fast_weight < LEAST_FAST or self.slow_weight - self.fast_weight < LEAST_SLOW:
            return None
        level, reference = self.level, min(max(self.reference, 0.0), 1.0)
        error = sqrt(max(reference * (1.0 - reference), 0.01) / self.fast_weight)
        if reference - level < max(LEAST_FALL, ERRORS * error):
            return None
        return Fall(level, reference)


class Brands(Struct, array_like=True):
    moods: dict[str, BrandMood] = field(default_factory=dict)

    def of(self, name: str) -> BrandMood:
        """The brand's, made where it is new."""
        found = self.moods.get(name)
        if found is None:
            if len(self.moods) >= BRANDS:
                del self.moods[min(self.moods, key=lambda one: (self.moods[one].at_ms, one))]
            found = self.moods[name] = BrandMood()
        return found

    def untold(self) -> dict[str, list[float]]:
        """By brand the sum of tones and the voices for a letter; from now on they are told."""
        found = {}
        for name, mood in self.moods.items():
            if mood.told_weight:
                found[name] = [mood.told, mood.told_weight]
                mood.told = mood.told_weight = 0.0
        return found
