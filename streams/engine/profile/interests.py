"""What a person is interested in: two decayed sums per category, one of hours and one of weeks.

Sums use forward decay (see activity.py): they compare without being decayed, late events commute, and
the landmark moves by multiples of both half-lives, so no rounding depends on when it moved.
A score mixes the person's recent share, the long share shrunk to the population by evidence, and the
population's own share. Categories are at most 12; the weakest leaves.
"""

from collections.abc import Iterator
from math import ldexp
from typing import NamedTuple

from msgspec import Struct

FAST_MS = 6 * 3_600_000
SLOW_MS = 14 * 86_400_000
PERIODS = 12  # 168 days: 672 fast half-lives, far from the largest float
CATEGORIES = 12
FORGIVEN_AFTER = 3  # positive signs until a refused category may come back
WEIGHT = 1_000.0  # bound of one event's weight; real ones are 1 to 10


class Population(NamedTuple):
    """What the scores of one person lean on. Shares sum to at most 1, best first, ties by name."""

    shares: list[tuple[str, float]] = []
    of: dict[str, float] = {}  # the same by name
    evidence: float = 4.0  # how many weight units of one's own count as much as the population
    recent: float = 0.6  # most that the recent share can count for
    settle: float = 2.0  # recent weight at which it counts for half of that


class Leaning(Struct, array_like=True):
    """One category; sums at the landmark. `debt`: positive signs still owed after a refusal."""

    fast: float = 0.0
    slow: float = 0.0
    debt: int = 0


class Interests(Struct, array_like=True):
    """Categories in the order last seen, latest last."""

    landmark_ms: int = 0
    leanings: dict[str, Leaning] = {}

    def record(self, category: str, weight: float, time_ms: int) -> None:
        """Add a sign of interest; `weight` in (0, 1000], others are ignored. Empty category: no sign."""
        if not category or not 0.0 < weight <= WEIGHT:
            return
        leanings = self.leanings
        leaning = leanings.pop(category, None)
        if leaning is None:
            leaning = self._admit()
        leanings[category] = leaning
        if leaning.debt:
            leaning.debt -= 1
            return
        periods = (time_ms - self.landmark_ms) / SLOW_MS
        if periods > PERIODS:
            self._rebase(time_ms)
            periods = (time_ms - self.landmark_ms) / SLOW_MS
        leaning.slow += weight * 2.0**periods
        leaning.fast += weight * 2.0 ** (periods * (SLOW_MS // FAST_MS))

    def refuse(self, category: str) -> None:
        """The person is not interested: the category scores 0 until several positive signs."""
        if not category:
            return
        leaning = self.leanings.pop(category, None) or self._admit()
        leaning.fast = leaning.slow = 0.0
        leaning.debt = FORGIVEN_AFTER
        self.leanings[category] = leaning

    def scores(self, now_ms: int, population: Population) -> list[tuple[str, float]]:
        """(category, score) best first, ties by name; scores in [0, 1], summing to at most 1."""
        found = list(self._own(now_ms, population))
        others = self._others(now_ms, population)
        leanings = self.leanings
        found += [(name, others * share) for name, share in population.shares if name not in leanings]
        found.sort(key=_best_first)
        return found

    def top(self, now_ms: int, population: Population, most: int) -> list[str]:
        """The names of the best `most` categories, as `scores` orders them, at less cost."""
        found = [pair for pair in self._own(now_ms, population) if pair[1] > 0.0]
        others = self._others(now_ms, population)
        leanings = self.leanings
        taken = 0
        for name, share in population.shares:
            if taken == most:
                break
            if name not in leanings:
                found.append((name, others * share))
                taken += 1
        found.sort(key=_best_first)
        return [name for name, _ in found[:most]]

    def _own(self, now_ms: int, population: Population) -> Iterator[tuple[str, float]]:
        recent, long, prior = self._mixture(now_ms, population)
        of = population.of
        for name, leaning in self.leanings.items():
            if leaning.debt:
                yield name, 0.0
            else:
                own = recent * leaning.fast + long * leaning.slow
                yield name, own + prior * of.get(name, 0.0)

    def _others(self, now_ms: int, population: Population) -> float:
        return self._mixture(now_ms, population)[2]

    def _mixture(self, now_ms: int, population: Population) -> tuple[float, float, float]:
        """Factors of the fast sum, the slow sum (both at the landmark) and the population's share."""
        fast = slow = 0.0
        for leaning in self.leanings.values():
            fast += leaning.fast
            slow += leaning.slow
        age = (self.landmark_ms - now_ms) / SLOW_MS
        evidence = slow * 2.0 ** min(age, 0.0) if age < 0 else slow
        freshness = fast * 2.0 ** max(age * (SLOW_MS // FAST_MS), -1e4) if age < 0 else fast
        recent = population.recent * freshness / (freshness + population.settle)
        long = (1.0 - recent) * evidence / (evidence + population.evidence)
        prior = 1.0 - recent - long
        return recent / fast if fast else 0.0, long / slow if slow else 0.0, prior

    def _admit(self) -> Leaning:
        leanings = self.leanings
        if len(leanings) >= CATEGORIES:
            del leanings[min(leanings, key=lambda name: _strength(leanings[name]))]
        return Leaning()

    def _rebase(self, time_ms: int) -> None:
        periods = (time_ms - self.landmark_ms) // SLOW_MS
        for leaning in self.leanings.values():
            leaning.slow = ldexp(leaning.slow, -periods)
            leaning.fast = ldexp(leaning.fast, -periods * (SLOW_MS // FAST_MS))
        self.landmark_ms += periods * SLOW_MS


def _strength(leaning: Leaning) -> tuple[bool, float, float]:
    """Refusals stay longest: forgetting one would offer what was refused."""
    return leaning.debt > 0, leaning.slow, leaning.fast


def _best_first(pair: tuple[str, float]) -> tuple[float, str]:
    return -pair[1], pair[0]
