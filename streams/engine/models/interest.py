"""What people of one partition are interested in, and how well next interests are foreseen.

Popularity is a decayed sum per category (forward decay, half-life 14 days) kept in order: a category that
gains moves up, so the best three need no sorting. Before a sign is learned, three lists of three are
checked for it: ours, the most popular, and the person's last distinct categories filled up by popularity.
"""

import msgspec
from msgspec import Struct

from streams.engine.profile.interests import SLOW_MS, WEIGHT, Interests, Population

POPULARITY = b"m:interest/popularity"
CATEGORIES = 64
BEST = 3
PERIODS = 64


class Popularity(Struct, array_like=True):
    """Sums at the landmark, the most popular first; `seen` signs and how many each list foresaw."""

    landmark_ms: int = 0
    names: list[str] = []
    sums: list[float] = []
    seen: float = 0.0
    hits: float = 0.0
    hits_popularity: float = 0.0
    hits_last_seen: float = 0.0


class InterestModel:
    def __init__(self) -> None:
        self._state = Popularity()
        self._population: Population | None = None
        self._changed = False

    def population(self, now_ms: int) -> Population:
        """The shares of categories; they decay alike, so they are the same at any time."""
        if self._population is None:
            state = self._state
            total = sum(state.sums)
            shares = [(name, part / total) for name, part in zip(state.names, state.sums, strict=True)]
            self._population = Population(shares, dict(shares))
        return self._population

    def observe(self, interests: Interests, category: str, weight: float, time_ms: int) -> None:
        """A sign of interest: validate, learn the population, then record it in `interests`."""
        if not category or not 0.0 < weight <= WEIGHT:
            return
        state = self._state
        names = state.names
        state.seen += 1.0
        state.hits_popularity += category in names[:BEST]
        last = list(reversed(interests.leanings))[:BEST]
        for name in names[:BEST]:
            if len(last) < BEST and name not in last:
                last.append(name)
        state.hits_last_seen += category in last
        state.hits += category in interests.top(time_ms, self.population(time_ms), BEST)
        self._learn(category, weight, time_ms)
        interests.record(category, weight, time_ms)
        self._changed = True

    def metrics(self) -> dict[str, float]:
        state = self._state
        seen = max(state.seen, 1.0)
        return {
            "hit_at_3": state.hits / seen,
            "hit_at_3_popularity": state.hits_popularity / seen,
            "hit_at_3_last_seen": state.hits_last_seen / seen,
            "seen": state.seen,
        }

    def changed_rows(self) -> list[tuple[bytes, bytes]]:
        if not self._changed:
            return []
        self._changed = False
        return [(POPULARITY, msgspec.msgpack.encode(self._state))]

    def load_row(self, key: bytes, value: bytes) -> None:
        if key != POPULARITY:
            raise ValueError(f"no row of the interest model: {key!r}")
        self._state = msgspec.msgpack.decode(value, type=Popularity)
        self._population = None

    def _learn(self, category: str, weight: float, time_ms: int) -> None:
        state = self._state
        periods = (time_ms - state.landmark_ms) / SLOW_MS
        if periods > PERIODS:
            whole = (time_ms - state.landmark_ms) // SLOW_MS
            state.sums = [part * 2.0**-whole for part in state.sums]
            state.landmark_ms += whole * SLOW_MS
            periods -= whole
        names, sums = state.names, state.sums
        if category in names:
            place = names.index(category)
        else:
            if len(names) >= CATEGORIES:
                names.pop()
                sums.pop()
            place = len(names)
            names.append(category)
            sums.append(0.0)
        part = sums[place] + weight * 2.0**periods
        while place and (part, names[place - 1]) > (sums[place - 1], category):
            names[place], sums[place] = names[place - 1], sums[place - 1]
            place -= 1
        names[place], sums[place] = category, part
        self._population = None
