"""Where a value stands among all values seen: a histogram of logarithmic bins that fades.

Bins are fixed, so histograms of partitions add, and adding is exact: counts are whole numbers,
halved by whole periods, which floating point does without rounding for the last fifty periods.
Ranks are read from what was counted before the last `close`, so they do not move with each value
and do not depend on the order of values within a period.
"""

from itertools import accumulate
from math import ldexp, log2
from typing import Self

from msgspec import Struct

from streams.learning import rows

RESOLUTION = 8  # bins an octave of 1 + value: 9 % wide
OCTAVES = 40  # values up to 1e12; larger ones share the last bin
BINS = RESOLUTION * OCTAVES
MOST = 2.0**OCTAVES
LEAST_COUNT = 2.0**-40  # what has faded below this is gone

Bins = dict[int, float]


class QuantilesRow(Struct, array_like=True):
    """Counts by bin: those ranks are read from, those of the open period of our own and from
    others, and our own that were not shared yet."""

    settled: Bins = {}
    fresh: Bins = {}
    arrived: Bins = {}
    unshared: Bins = {}


class Quantiles:
    """Of values from 0 on; negative ones and NaN count as 0."""

    def __init__(self) -> None:
        self._settled: Bins = {}
        self._fresh: Bins = {}
        self._arrived: Bins = {}
        self._unshared: Bins = {}
        self._ranks: list[float] = []  # by bin; empty while nothing is settled
        self.fresh = 0  # values since the last close
        self.settled = 0.0  # the faded number of values that ranks are read from

    def observe(self, value: float) -> None:
        place = bin_of(value)
        self._fresh[place] = self._fresh.get(place, 0.0) + 1.0
        self.fresh += 1

    def rank(self, value: float) -> float:
        """The share of values below this one, those of its bin counted half; 0.5 while unknown."""
        return self._ranks[bin_of(value)] if self._ranks else 0.5

    def close(self, *, halve: bool) -> None:
        """End the period: what was counted in it becomes readable, what was before it fades."""
        if halve:
            faded = {place: ldexp(count, -1) for place, count in self._settled.items()}
            self._settled = {place: count for place, count in faded.items() if count >= LEAST_COUNT}
        add(self._settled, self._fresh)
        add(self._settled, self._arrived)
        add(self._unshared, self._fresh)
        self._fresh, self._arrived = {}, {}
        self._refresh()

    def share(self) -> Bins:
        """What was observed in closed periods and not shared before."""
        found, self._unshared = self._unshared, {}
        return found

    def merge(self, other: Self) -> None:
        """Add what another one counted."""
        add(self._settled, other._settled)
        add(self._fresh, other._fresh)
        add(self._arrived, other._arrived)
        self._refresh()

    def absorb(self, counts: Bins) -> None:
        """What others observed: readable after the next close."""
        add(self._arrived, counts)

    def to_row(self) -> bytes:
        parts = (self._settled, self._fresh, self._arrived, self._unshared)
        return rows.pack(QuantilesRow(*parts))

    def from_row(self, row: bytes) -> None:
        """Raises ValueError for a newer schema."""
        state = rows.unpack(row, QuantilesRow)
        self._settled, self._fresh = state.settled, state.fresh
        self._arrived, self._unshared = state.arrived, state.unshared
        self._refresh()

    def _refresh(self) -> None:
        self.fresh = int(sum(self._fresh.values()))
        counts = [self._settled.get(place, 0.0) for place in range(BINS)]
        self.settled = sum(counts)
        self._ranks = []
        if self.settled:
            below = accumulate(counts, initial=0.0)
            self._ranks = [
                (under + 0.5 * count) / self.settled
                for under, count in zip(below, counts, strict=False)
            ]


def bin_of(value: float) -> int:
    if not value > 0.0:  # so that NaN is caught as well
        return 0
    return BINS - 1 if value >= MOST - 1.0 else int(RESOLUTION * log2(1.0 + value))


def add(into: Bins, counts: Bins) -> None:
    for place, count in counts.items():
        into[place] = into.get(place, 0.0) + count
