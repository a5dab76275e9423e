"""What a chooser is, and how an arm is drawn from propensities.

The propensities given are the distribution drawn from, not an estimate of it: off-policy
evaluation divides by them.
"""

from collections.abc import Sequence
from math import isnan
from typing import NamedTuple, Protocol

MONEY_MOST_FEN = 1e9  # of one value or cost; beyond it something else is wrong
FEATURE_MOST = 10.0  # of a feature's magnitude; standardised ones stay within 3


class Candidate(NamedTuple):
    """An arm the person is eligible for. `cost_fen`: the most it can cost, as a coupon's worth."""

    arm: str
    cost_fen: int


class Step(NamedTuple):
    """A `decide` step: its arms in the file's order, weights alike, how many features it sees.

    `forgetting` in (0.5, 1] multiplies what a linear chooser knows of an arm before each example
    of it: 0.999 remembers about the last thousand. At 1 nothing is forgotten, and the order of
    examples does not matter but for products of features (products.py), where it does a little.
    """

    arms: tuple[str, ...]
    width: int = 0
    weights: tuple[float, ...] = ()
    forgetting: float = 1.0


class Chooser(Protocol):
    """Gives propensities and learns; only `learn` and `from_row` change it."""

    def propensities(
        self,
        candidates: Sequence[Candidate],
        features: Sequence[float],
        *,
        floor: float,
        price: float,
    ) -> list[float]:
        """One per candidate, each at least `floor` (or all equal); they sum to 1.

        `price`: what a fen of cost counts in fen of value, at least 1; scarce money costs more.
        Raises ValueError without candidates or for another number of features.
        """
        ...

    def expected(
        self, candidates: Sequence[Candidate], features: Sequence[float], *, price: float
    ) -> list[float]:
        """Expected net reward of each candidate in fen: value - price * cost."""
        ...

    def learn(
        self, arm: int, features: Sequence[float], *, value_fen: float, cost_fen: float
    ) -> None:
        """What came of a decision for the arm at this place of the step's arms.

        `features` as they were at the decision. `value_fen` is gross, 0 where the goal was not
        reached; `cost_fen` is what it did cost: a coupon costs when it is redeemed.
        """
        ...

    def to_row(self) -> bytes: ...

    def from_row(self, row: bytes) -> None:
        """Take over an earlier state: arms that are new begin anew, arms that are gone are left.

        Raises ValueError for a row of a newer schema or of another kind of chooser.
        """
        ...


def draw(propensities: Sequence[float], u: float) -> int:
    """The place that `u`, uniform in [0, 1), falls on; never one of propensity 0."""
    reached = 0.0
    last = 0
    for place, propensity in enumerate(propensities):
        if propensity > 0.0:
            reached += propensity
            last = place
            if u < reached:
                return place
    return last  # u lies in what rounding left over


def with_floor(propensities: Sequence[float], floor: float) -> list[float]:
    """Each at least `floor`, or all equal where there is not enough for that; the sum is 1.

    What lies above the floor keeps its proportions, so nothing changes if all lie above it.
    Raises ValueError if there are none, or for a negative or NaN propensity or floor.
    """
    count = len(propensities)
    if not count:
        raise ValueError("no candidates: give at least one eligible arm")
    if not floor >= 0.0 or not min(propensities) >= 0.0:
        raise ValueError(f"floor {floor} or propensities {list(propensities)} below 0 or NaN")
    floor = min(floor, 1.0 / count)
    total = sum(propensities)
    if total > 0.0:
        shares = [propensity / total for propensity in propensities]
    else:
        shares = [1.0 / count] * count
    above = [max(share - floor, 0.0) for share in shares]
    surplus = sum(above)
    if surplus <= 0.0:
        return [1.0 / count] * count
    scale = max(1.0 - count * floor, 0.0) / surplus
    return [floor + scale * share for share in above]


def best_of(means: Sequence[float]) -> list[float]:
    """All on the greatest; ties share."""
    greatest = max(means)
    ties = [float(mean == greatest) for mean in means]
    share = 1.0 / sum(ties)
    return [share * tie for tie in ties]


def money(fen: float) -> float:
    """Within +-MONEY_MOST_FEN; NaN becomes 0."""
    return within(fen, MONEY_MOST_FEN)


def within(number: float, most: float) -> float:
    if -most <= number <= most:
        return float(number)
    return 0.0 if isnan(number) else most if number > 0.0 else -most


def vector(features: Sequence[float], width: int) -> list[float]:
    """The features, bounded, and the intercept's 1. Raises ValueError for another number of
    them.
    """
    if len(features) != width:
        raise ValueError(f"{len(features)} features where this step has {width}")
    return [*(within(feature, FEATURE_MOST) for feature in features), 1.0]
