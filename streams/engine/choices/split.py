"""Choosers that learn nothing: all on the first eligible arm, and a split by weights."""

from collections.abc import Sequence

from msgspec import Struct

from streams.engine.choices.choice import Candidate, Step, with_floor
from streams.learning import rows


class SplitRow(Struct, array_like=True, tag="split"):
    """There is nothing to remember."""


class Split:
    """Each eligible arm by its weight; no weights, or only zeros, are equal ones."""

    def __init__(self, step: Step) -> None:
        weights = step.weights or (1.0,) * len(step.arms)
        self.weights = dict(zip(step.arms, weights, strict=True))

    def propensities(
        self,
        candidates: Sequence[Candidate],
        features: Sequence[float],
        *,
        floor: float,
        price: float,
    ) -> list[float]:
        return with_floor([self.weights[candidate.arm] for candidate in candidates], floor)

    def expected(
        self, candidates: Sequence[Candidate], features: Sequence[float], *, price: float
    ) -> list[float]:
        return [0.0] * len(candidates)

    def learn(
        self, arm: int, features: Sequence[float], *, value_fen: float, cost_fen: float
    ) -> None:
        """Nothing: a split does not follow its results."""

    def to_row(self) -> bytes:
        return rows.pack(SplitRow())

    def from_row(self, row: bytes) -> None:
        rows.unpack(row, SplitRow)


class Fixed(Split):
    """All on the first eligible arm."""

    def propensities(
        self,
        candidates: Sequence[Candidate],
        features: Sequence[float],
        *,
        floor: float,
        price: float,
    ) -> list[float]:
        return with_floor([float(place == 0) for place in range(len(candidates))], floor)
