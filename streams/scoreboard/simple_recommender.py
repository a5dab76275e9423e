"""The simple peers of a recommender: what is popular, and what was met along with it."""

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Final

DAY_MS: Final = 86_400_000
BEST: Final = 10


class Simple:
    """Popularity, faded popularity (a day), and plain co-visitation: the last ten both ways,
    cosine-normalised, the last twenty with 0.9^rank."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.faded: dict[str, float] = {}
        self.pairs: dict[str, dict[str, int]] = {}
        self._start_ms: int | None = None

    def learn(self, film: str, time_ms: int, history: Sequence[str]) -> None:
        if self._start_ms is None:
            self._start_ms = time_ms
        gain = 2.0 ** ((time_ms - self._start_ms) / DAY_MS)
        self.counts[film] = self.counts.get(film, 0) + 1
        self.faded[film] = self.faded.get(film, 0.0) + gain
        mine = self.pairs.setdefault(film, {})
        for other in history[-10:]:
            mine[other] = mine.get(other, 0) + 1
            theirs = self.pairs[other]
            theirs[film] = theirs.get(film, 0) + 1

    def best(
        self, history: Sequence[str], among: Container[str] | None = None
    ) -> Iterator[tuple[str, list[str]]]:
        """Each peer's ten best for the person, of all films or only `among` some."""
        own = set(history)
        near: dict[str, float] = {}
        for rank, film in enumerate(reversed(history[-20:])):
            weight = 0.9**rank / self.counts[film] ** 0.5
            for other, count in self.pairs[film].items():
                near[other] = near.get(other, 0.0) + weight * count
        for film in near:
            near[film] /= self.counts[film] ** 0.5
        scores: dict[str, Mapping[str, float]] = {
            "popularity": self.counts,
            "popularity_1d": self.faded,
            "covisitation": near,
        }
        for name, found in scores.items():
            rest = [film for film in found if film not in own]
            if among is not None:
                rest = [film for film in rest if film in among]
            yield name, sorted(rest, key=found.__getitem__, reverse=True)[:BEST]
