"""What segment models write to each other: counts by value, and what moves the centres."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from streams.engine.models.letters import Amount, Name, check_size
from streams.engine.models.model import Body
from streams.learning.segments.clusters import Common, Statistics
from streams.learning.segments.quantiles import BINS

VALUES: Final = 3  # recency, frequency, money

Bin = Annotated[int, Meta(ge=0, lt=BINS)]


class Bins(Struct):
    """By value, the bins and what was counted in each."""

    bins: list[list[tuple[Bin, Amount]]]

    def __post_init__(self) -> None:
        check_size("values", len(self.bins), VALUES)


class Batch(Struct):
    """To who gathers: what was counted for the centres of one version."""

    batch: Statistics


class Centres(Struct):
    """From who gathers: the centres of the coming day and what they are called."""

    common: Common
    names: list[Name]


def read(letter: Body, *, gathers: bool, clusters: int, features: int) -> Batch | Centres:
    """A letter to who `gathers`, or to another. Raises ValueError for one of other clusters or
    features, or that is for others."""
    if gathers:
        found = msgspec.convert(letter, Batch)
        batch = found.batch
        check_size("clusters", len(batch.counts), clusters)
        _check_grid(batch.sums, clusters, features)
        check_size("features", len(batch.squares), features)
        if batch.version < 0 or min(*batch.counts, *batch.squares) < 0.0:
            raise ValueError("less than nothing was counted")
        return found
    centres = msgspec.convert(letter, Centres)
    common = centres.common
    check_size("names", len(centres.names), clusters)
    _check_grid(common.centres, clusters, features)
    check_size("means", len(common.means), features)
    check_size("variances", len(common.variances), features)
    if common.version < 1 or min(common.variances) < 0.0:
        raise ValueError("no centres of a version have less than no variance")
    return centres


def _check_grid(grid: list[list[float]], rows: int, columns: int) -> None:
    check_size("clusters", len(grid), rows)
    for row in grid:
        check_size("features", len(row), columns)
