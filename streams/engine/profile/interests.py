"""What a person is interested in: two decayed sums per category, one of a visit and one of weeks.

Sums use forward decay (see activity.py): they compare without being decayed, late events commute,
and the landmark moves by multiples of both half-lives, so no rounding depends on when it moved.
A score mixes the person's recent share, the long share shrunk to the population by evidence, and
the population's own share. Categories are at most 12; the weakest leaves.
"""

from collections.abc import Mapping, Sequence
from math import ldexp
from types import MappingProxyType

from msgspec import Struct

FAST_MS = 3_600_000  # one visit; 6 hours foresaw the next category less often
SLOW_MS = 14 * 86_400_000
FASTER = SLOW_MS // FAST_MS
PERIODS = 2  # 28 days: 672 fast half-lives, far from the largest float
CATEGORIES = 12
FORGIVEN_AFTER = 3  # positive signs until a refused category may come back
WEIGHT = 1_000.0  # bound of one event's weight; real ones are 1 to 10


class Population(Struct, frozen=True, gc=False):
    """What the scores of one person lean on: a live view of the interest model, or nothing."""

    names: Sequence[str] = ()  # the most popular first, ties by name
    sums: Mapping[str, float] = MappingProxyType({})
    total: float = 1.0  # of the sums
    evidence: float = 4.0  # how much weight of one's own counts as much as the population
    recent: float = 0.85  # most that the recent share can count for
    settle: float = 1.0  # recent weight at which it counts for half of that


class Leaning(Struct, array_like=True, gc=False):
    """One category; sums at the landmark. `debt`: positive signs still owed after a refusal."""

    fast: float = 0.0
    slow: float = 0.0
    debt: int = 0


class Interests(Struct, array_like=True):
    """Categories in the order last seen, latest last."""

    landmark_ms: int = 0
    leanings: dict[str, Leaning] = {}

    def record(self, category: str, weight: float, time_ms: int) -> None:
        """Add a sign of interest. No sign: an empty category, a weight outside (0, 1000]."""
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
        leaning.fast += weight * 2.0 ** (periods * FASTER)

    def refuse(self, category: str) -> None:
        """The person is not interested: the category scores 0 until several positive signs."""
        if not category:
            return
        leaning = self.leanings.pop(category, None) or self._admit()
        leaning.fast = leaning.slow = 0.0
        leaning.debt = FORGIVEN_AFTER
        self.leanings[category] = leaning

    def last_seen(self, most: int) -> list[str]:
        """The last distinct categories with a sign of interest, latest first."""
        found = []
        for name in reversed(self.leanings):
            if not self.leanings[name].debt:
                found.append(name)
                if len(found) == most:
                    break
        return found

    def scores(self, now_ms: int, population: Population) -> list[tuple[str, float]]:
        """(category, score) best first, ties by name; scores in [0, 1], summing to at most 1."""
        most = len(self.leanings) + len(population.names)
        return [(name, abs(negated)) for negated, name in self._best(now_ms, population, most)]

    def top(self, now_ms: int, population: Population, most: int) -> list[str]:
        """The names of the best `most` categories with a score, as `scores` orders them."""
        return [name for negated, name in self._best(now_ms, population, most) if negated < 0.0]

    def top_scores(self, now_ms: int, population: Population, most: int) -> list[tuple[str, float]]:
        """The best `most` of `scores`, at less cost."""
        return [(name, abs(negated)) for negated, name in self._best(now_ms, population, most)]

    def score(self, category: str, now_ms: int, population: Population) -> float:
        """The score of one category, as `scores` gives it."""
        return self._score(category, self._mixture(now_ms, population), population)

    def at_least(
        self, least: float, categories: list[str], now_ms: int, population: Population
    ) -> list[str]:
        """Those of the categories that score at least so much."""
        mixture = self._mixture(now_ms, population)
        return [name for name in categories if self._score(name, mixture, population) >= least]

    def own_scores(self, now_ms: int, population: Population, most: int) -> list[tuple[str, float]]:
        """As `top_scores`, of the categories the person has shown an interest in."""
        found, _ = self._own(now_ms, population)
        found.sort()
        return [(name, abs(negated)) for negated, name in found[:most]]

    def _score(
        self, category: str, mixture: tuple[float, float, float], population: Population
    ) -> float:
        fast, slow, prior = mixture
        leaning = self.leanings.get(category)
        popular = prior * population.sums.get(category, 0.0)
        if leaning is None:
            return popular
        return 0.0 if leaning.debt else fast * leaning.fast + slow * leaning.slow + popular

    def _best(self, now_ms: int, population: Population, most: int) -> list[tuple[float, str]]:
        """The best `most` as (negated score, name), which sorts as scores are ordered."""
        found, prior = self._own(now_ms, population)
        leanings, sums = self.leanings, population.sums
        wanted = most
        for name in population.names:
            if name not in leanings:
                found.append((-prior * sums[name], name))
                wanted -= 1
                if not wanted:
                    break
        found.sort()
        return found[:most]

    def _own(self, now_ms: int, population: Population) -> tuple[list[tuple[float, str]], float]:
        """(negated score, name) of the person's own categories, and what a unit of popularity
        adds to any."""
        if not self.leanings:
            return [], 1.0 / population.total
        fast, slow, prior = self._mixture(now_ms, population)
        popular = population.sums.get
        return [
            (
                0.0
                if leaning.debt
                else -(fast * leaning.fast + slow * leaning.slow + prior * popular(name, 0.0)),
                name,
            )
            for name, leaning in self.leanings.items()
        ], prior

    def _mixture(self, now_ms: int, population: Population) -> tuple[float, float, float]:
        """What a unit of the recent sum, of the long sum and of popularity adds to a score."""
        fast = slow = 0.0
        for leaning in self.leanings.values():
            fast += leaning.fast
            slow += leaning.slow
        if slow <= 0.0:
            return 0.0, 0.0, 1.0 / population.total
        age = min((self.landmark_ms - now_ms) / SLOW_MS, 0.0)
        evidence = slow * 2.0**age
        freshness = fast * 2.0 ** (age * FASTER)
        recent = population.recent * freshness / (freshness + population.settle)
        long = (1.0 - recent) * evidence / (evidence + population.evidence)
        prior = max(1.0 - recent - long, 0.0) / population.total
        return recent / fast if fast else 0.0, long / slow, prior

    def _admit(self) -> Leaning:
        leanings = self.leanings
        if len(leanings) >= CATEGORIES:
            del leanings[min(leanings, key=lambda name: _strength(leanings[name]))]
        return Leaning()

    def _rebase(self, time_ms: int) -> None:
        periods = (time_ms - self.landmark_ms) // SLOW_MS
        for leaning in self.leanings.values():
            leaning.slow = ldexp(leaning.slow, -periods)
            leaning.fast = ldexp(leaning.fast, -periods * FASTER)
        self.landmark_ms += periods * SLOW_MS


def _strength(leaning: Leaning) -> tuple[bool, float, float]:
    """Refusals stay longest: forgetting one would offer what was refused."""
    return leaning.debt > 0, leaning.slow, leaning.fast
