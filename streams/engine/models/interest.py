"""What people of one partition are interested in, and how well their next interests are foreseen.

Popularity is a decayed sum per category (forward decay, half-life 14 days) kept in order: a
category that gains moves up, so the best three need no sorting. Before a sign is learned, three
lists of three are checked for it: ours, the most popular ones, and the person's last distinct
categories filled up by popularity, which is the stronger baseline.
"""

from math import ldexp
from typing import Final

from msgspec import Struct

from streams.engine.profile.interests import SLOW_MS, WEIGHT, Interests, Population
from streams.learning import rows

POPULARITY = b"m:interest/popularity"
CATEGORIES: Final = 64  # the least popular leaves for a new one
BEST: Final = 3
PERIODS = 64  # half-lives until the landmark moves
FADING = 1.0 - 1.0 / 20_000  # hits are counted over the last twenty thousand validated signs
ALL_VALIDATED = 1_000  # of the first signs, then
EVERY = 4  # one in so many is: enough to know the share of hits, at a quarter of the time


class PopularityRow(Struct, array_like=True):
    """Sums at the landmark, most popular first; signs and hits of each list, fading."""

    landmark_ms: int = 0
    total: float = 0.0
    names: list[str] = []
    sums: list[float] = []
    observed: int = 0
    signs: float = 0.0
    hits: float = 0.0
    hits_popularity: float = 0.0
    hits_last_seen: float = 0.0


class InterestModel:
    def __init__(self) -> None:
        self._row = PopularityRow()
        self._sums: dict[str, float] = {}
        self._changed = False

    def population(self, now_ms: int) -> Population:
        """What scores lean on. Shares decay alike, so they are the same at any time."""
        return Population(self._row.names, self._sums, self._row.total or 1.0)

    def observe(self, interests: Interests, category: str, weight: float, time_ms: int) -> None:
        """A sign of interest: validate, learn the population, then record it in `interests`.

        `weight` in (0, 1000]; anything else, or no category, is not a sign.
        """
        if not category or not 0.0 < weight <= WEIGHT:
            return
        row = self._row
        row.observed += 1
        if row.observed <= ALL_VALIDATED or row.observed % EVERY == 0:
            self._validate(interests, category, time_ms)
        self._learn(category, weight, time_ms)
        interests.record(category, weight, time_ms)
        self._changed = True

    def metrics(self) -> dict[str, float]:
        """Shares of signs that were among three foreseen categories, over the last signs."""
        row = self._row
        signs = max(row.signs, 1.0)
        return {
            "hit_at_3": row.hits / signs,
            "hit_at_3_popularity": row.hits_popularity / signs,
            "hit_at_3_last_seen": row.hits_last_seen / signs,
            "observed": float(row.observed),
        }

    def changed_rows(self) -> list[tuple[bytes, bytes]]:
        """Rows changed since the last call, each once."""
        if not self._changed:
            return []
        self._changed = False
        self._row.sums = [self._sums[name] for name in self._row.names]
        return [(POPULARITY, rows.pack(self._row))]

    def load_row(self, key: bytes, value: bytes) -> None:
        """Take over an earlier state. Raises ValueError for an unknown key or a newer schema."""
        if key != POPULARITY:
            raise ValueError(f"the interest model has no row {key!r}")
        row = rows.unpack(value, PopularityRow)
        self._row = row
        self._sums = dict(zip(row.names, row.sums, strict=True))

    def _validate(self, interests: Interests, category: str, time_ms: int) -> None:
        row = self._row
        popular = row.names[:BEST]
        last = interests.last_seen(BEST)
        for name in popular:
            if len(last) < BEST and name not in last:
                last.append(name)
        row.signs = FADING * row.signs + 1.0
        row.hits_popularity = FADING * row.hits_popularity + (category in popular)
        row.hits_last_seen = FADING * row.hits_last_seen + (category in last)
        best = interests.top(time_ms, self.population(time_ms), BEST)
        row.hits = FADING * row.hits + (category in best)

    def _learn(self, category: str, weight: float, time_ms: int) -> None:
        row, sums, names = self._row, self._sums, self._row.names
        periods = (time_ms - row.landmark_ms) / SLOW_MS
        if periods > PERIODS:
            self._rebase(time_ms)
            periods = (time_ms - row.landmark_ms) / SLOW_MS
        if category not in sums:
            if len(names) >= CATEGORIES:
                row.total -= sums.pop(names.pop())
            names.append(category)
            sums[category] = 0.0
        gain = weight * 2.0**periods
        row.total += gain
        sums[category] = part = sums[category] + gain
        place = names.index(category)
        while place and _ahead(part, category, sums[names[place - 1]], names[place - 1]):
            names[place] = names[place - 1]
            place -= 1
        names[place] = category

    def _rebase(self, time_ms: int) -> None:
        row = self._row
        periods = (time_ms - row.landmark_ms) // SLOW_MS
        for name in row.names:
            self._sums[name] = ldexp(self._sums[name], -periods)
        row.total = ldexp(row.total, -periods)
        row.landmark_ms += periods * SLOW_MS


def _ahead(part: float, name: str, other_part: float, other_name: str) -> bool:
    return part > other_part or (part == other_part and name < other_name)
