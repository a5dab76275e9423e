"""What is met along with what: decayed counts of pairs within a person's last items.

Each item keeps a bounded number of neighbours: when there is no room, the weakest of them leave,
some at once, which is cheaper than one by one. The weight of a pair falls with how many items lay
between the two.
Source: Manku, Motwani, Approximate frequency counts over data streams (VLDB 2002); Linden, Smith,
York, Amazon.com recommendations (2003).
"""

from array import array
from collections.abc import Sequence
from math import ldexp
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.uint16]

LEAVING: Final = 8  # one neighbour in so many leaves when there is no room


class Neighbours:
    """Of one item: the places of others, their weights, and where in both each other stands."""

    __slots__ = ("index", "others", "weights")

    def __init__(self, others: bytes = b"", weights: bytes = b"") -> None:
        self.others = array("H", others)
        self.weights = array("d", weights)
        self.index = {other: at for at, other in enumerate(self.others)}

    def add(self, other: int, weight: float, most: int) -> None:
        """A neighbour that is not there yet."""
        if len(self.others) >= most:
            self._leave(max(most // LEAVING, 1))
        self.index[other] = len(self.others)
        self.others.append(other)
        self.weights.append(weight)

    def remove(self, other: int) -> None:
        at = self.index[other]
        del self.others[at], self.weights[at]
        self.index = {each: place for place, each in enumerate(self.others)}

    def fade(self, periods: int) -> None:
        self.weights = array("d", [ldexp(weight, -periods) for weight in self.weights])

    def _leave(self, count: int) -> None:
        weights = self.weights
        kept = sorted(range(len(weights)), key=weights.__getitem__)[count:]
        self.others = array("H", [self.others[at] for at in kept])
        self.weights = array("d", [weights[at] for at in kept])
        self.index = {other: at for at, other in enumerate(self.others)}


NOBODY: Final = Neighbours()


class _Near(dict[int, Neighbours]):
    """By place; made when an item is first met along with another."""

    def __missing__(self, place: int) -> Neighbours:
        made = self[place] = Neighbours()
        return made


class Covisits:
    """`most` neighbours an item."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.near = _Near()

    def learn(self, place: int, before: Sequence[int], weights: Sequence[float]) -> None:
        """`place` came after these, each with the weight of the pair; both directions count."""
        near, most = self.near, self.most
        mine = near[place]
        for other, weight in zip(before, weights, strict=False):
            if other == place:
                continue
            theirs = near[other]
            # Most pairs are known already: no call for those.
            if (at := mine.index.get(other)) is not None:
                mine.weights[at] += weight
            else:
                mine.add(other, weight, most)
            if (at := theirs.index.get(place)) is not None:
                theirs.weights[at] += weight
            else:
                theirs.add(place, weight, most)

    def of(self, places: Sequence[int]) -> tuple[Places, Floats, list[int]]:
        """The neighbours of these places one after the other, weights, and how many of each."""
        found = [self.near.get(place, NOBODY) for place in places]
        others = np.frombuffer(b"".join([one.others for one in found]), np.uint16)
        weights = np.frombuffer(b"".join([one.weights for one in found]), np.float64)
        return others, weights, [len(one.others) for one in found]

    def weights(self, place: int, others: Sequence[int]) -> list[float]:
        """Of its pairs with these, as either of the two remembers them."""
        near = self.near
        mine = near.get(place, NOBODY)
        found = []
        for other in others:
            of = mine
            at = mine.index.get(other)
            if at is None:
                of = near.get(other, NOBODY)
                at = of.index.get(place)
            found.append(0.0 if at is None else of.weights[at])
        return found

    def remove(self, place: int) -> list[int]:
        """Forget the item; returns whose neighbour it was."""
        self.near.pop(place, None)
        changed = [other for other in sorted(self.near) if place in self.near[other].index]
        for other in changed:
            self.near[other].remove(place)
        return changed

    def fade(self, periods: int) -> None:
        """The landmark of all weights moved by so many half-lives."""
        if periods:
            for near in self.near.values():
                near.fade(periods)
