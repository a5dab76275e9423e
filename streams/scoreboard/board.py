"""One figure of a model beside its peers', with its interval; and how figures become a table."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

LEVEL = 0.95
RESAMPLES = 1_000

Indices = NDArray[np.int64]


class Score(Struct, frozen=True, kw_only=True):
    """One line of the board. `low` and `high` bound `ours` with 95 %; `bar` is what was aimed at,
    None where nothing was. `cases`: how many predictions were measured."""

    task: str
    data: str
    metric: str
    ours: float
    low: float
    high: float
    better: Literal["higher", "lower", "within"] = "higher"  # within: [bar, bar_high]
    bar: float | None = None
    bar_high: float | None = None
    cases: int = 0
    peers: dict[str, float] = {}
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the bar is reached; None where there is none."""
        if self.bar is None:
            return None
        if self.better == "within":
            return self.bar <= self.ours <= (self.bar if self.bar_high is None else self.bar_high)
        return self.ours >= self.bar if self.better == "higher" else self.ours <= self.bar

    @property
    def leads(self) -> bool | None:
        """Whether ours is better than every peer; None without peers."""
        if not self.peers or self.better == "within":
            return None
        if self.better == "higher":
            return self.ours > max(self.peers.values())
        return self.ours < min(self.peers.values())


def interval(
    statistic: Callable[[Indices], float], groups: Sequence[object], *, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """A 95 % percentile bootstrap of a statistic of cases.

    Args:
        statistic: of the cases at these places (with repetitions).
        groups: for each case whose it is; whole groups are drawn, for the cases of one are alike.
    """
    members: dict[object, list[int]] = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    parts = [np.array(places, dtype=np.int64) for places in members.values()]
    rng = np.random.default_rng(len(groups))
    found = []
    for _ in range(resamples):
        drawn = rng.integers(0, len(parts), len(parts))
        found.append(statistic(np.concatenate([parts[place] for place in drawn])))
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def write(scores: Sequence[Score], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {**msgspec.to_builtins(score), "reached": score.reached, "leads": score.leads}
        for score in scores
    ]
    path.write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=2) + b"\n")
