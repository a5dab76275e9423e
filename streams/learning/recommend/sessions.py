"""What people with a like history met: the most recent sessions, compared by their items.

A session is the last items of one person. Those that share items with the history asked for are
weighed by how rare and how recent the shared items are; the nearest of them lend their items.
Source: Jannach, Ludewig, When recurrent neural networks meet the neighborhood for session-based
recommendation (RecSys 2017).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Items = NDArray[np.int32]
NOTHING: Final = -1


class Sessions:
    """The latest `most` sessions of `length` items each; `nearest` lend their items."""

    def __init__(self, most: int, length: int, nearest: int) -> None:
        self.most, self.length, self.nearest = most, length, nearest
        self.items = np.full((most, length), NOTHING, dtype=np.int32)
        self.rows: dict[int, int] = {}  # person's key -> row, the one active last at the end
        self.ends = [0] * most  # where the next item of a row goes
        self.filled: Floats = np.ones(most)  # how many places of a row were used, at least 1

    def learn(self, person: int, place: int) -> int:
        """Returns the row that changed. With as many people as rows, who was away longest goes."""
        row = self.rows.pop(person, NOTHING)
        if row < 0:
            if len(self.rows) >= self.most:
                row = self.rows.pop(next(iter(self.rows)))
                self._clear(row)
            else:
                row = self.ends.index(0)
        self.rows[person] = row
        end = self.ends[row]
        self.items[row, end % self.length] = place
        self.ends[row] = end + 1
        self.filled[row] = min(end + 1, self.length)
        return row

    def load(self, first: int, items: Items, ends: list[int]) -> None:
        """Rows as they were stored, from the row `first` on."""
        last = first + len(ends)
        self.items[first:last] = items
        self.ends[first:last] = ends
        self.filled[first:last] = np.clip(np.array(ends), 1, self.length)

    def scores(self, weights: Floats, person: int) -> Floats:
        """For each place how much the nearest sessions speak for it, in [0, 1]. `weights` of the
        places of the history asked for; the last of them is of no item and must be 0. The
        person's own session does not count."""
        size = len(weights) - 1
        known = weights[self.items]  # -1 is the last place; several times as fast as `take`
        likeness = np.einsum("ij->i", known)
        own = self.rows.get(person, NOTHING)
        if own >= 0:
            likeness[own] = 0.0
        likeness /= np.sqrt(self.filled)
        order = np.argsort(-likeness, kind="stable")[: self.nearest]
        likeness = likeness[order]
        items = self.items[order]
        total = float(likeness.sum())
        if total <= 0.0:
            return np.zeros(size)
        spread = np.repeat(likeness, self.length)
        flat = items.ravel()
        found = np.bincount(np.where(flat >= 0, flat, size), weights=spread, minlength=size + 1)
        return found[:size] / total

    def forget(self, person: int) -> int:
        """Returns the row that was cleared, or -1."""
        row = self.rows.pop(person, NOTHING)
        if row >= 0:
            self._clear(row)
        return row

    def remove(self, place: int) -> list[int]:
        """Forget the item; returns the rows that changed."""
        changed = np.flatnonzero((self.items == place).any(axis=1)).tolist()
        self.items[self.items == place] = NOTHING
        return list(map(int, changed))

    def _clear(self, row: int) -> None:
        self.items[row] = NOTHING
        self.ends[row] = 0
        self.filled[row] = 1.0
