"""The items that are known: in numbered places, with how popular each is on several time scales.

Bounded: an item beyond the room must be met more often, while it waits, than the weakest item
inside still counts; then it takes its place. Sums use forward decay (see `fading.py`), so they
compare without being decayed.
"""

from array import array
from bisect import insort
from collections.abc import Sequence
from math import isfinite
from operator import neg
from typing import Final
from zlib import crc32

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from streams.learning.recommend.fading import MOST, Fading

DAY_MS: Final = 86_400_000
HALF_LIVES_MS: Final = (DAY_MS // 4, 7 * DAY_MS, 56 * DAY_MS)
LONGEST: Final = len(HALF_LIVES_MS) - 1
WAITING: Final = 512  # newcomers counted while there is no room
MOST_TEXT: Final = 128  # characters of an id; longer ones are no items
MOST_TAGS: Final = 8
MOST_TAG: Final = 32  # characters
TAGS: Final = 1_024  # hashed numbers of tags
LATEST_MS: Final = 2**52

AKIN: Final = 2.0  # the power of the share of tags two items have in common
LEAST: Final = 1e-9

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


class Item(Struct, array_like=True):
    """`tags` say what it is; the first is its category, where it has one."""

    id: str
    tags: list[str]
    first_ms: int
    last_ms: int


def key_of(item_id: str) -> int:
    """32 bits that stand for an id; an id whose bits are taken by another is not admitted."""
    return crc32(item_id.encode("utf-8", "surrogatepass"))


def proper_time(time_ms: float) -> bool:
    return isfinite(time_ms) and 0 <= time_ms <= LATEST_MS


class Catalogue:
    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.items: list[Item | None] = [None] * capacity
        self.places: dict[int, int] = {}  # key of an id -> place
        self.keys = [0] * capacity  # by place
        self._ids: dict[str, int] = {}  # id -> place
        self.fading = [Fading(half_life_ms) for half_life_ms in HALF_LIVES_MS]
        # Counted in arrays of Python's, for one number at a time is quicker there; read as numpy's.
        self._sums = [array("d", bytes(8 * capacity)) for _ in HALF_LIVES_MS]
        self._visits = array("d", bytes(8 * capacity))
        self._topics = array("d", bytes(8 * TAGS))
        self.sums: list[Floats] = [np.frombuffer(sums) for sums in self._sums]
        self.visits: Floats = np.frombuffer(self._visits)
        self.topics: Floats = np.frombuffer(self._topics)  # how much of all visits each tag had
        self.first_ms: Floats = np.zeros(capacity)
        self.tags = np.zeros((capacity, MOST_TAGS), dtype=np.int64)  # hashed, 0: none
        self._numbers: list[Sequence[int]] = [()] * capacity
        self._shares = [1.0] * capacity  # an item's tags share one visit
        self._unit: Floats = np.ones(capacity)  # the same
        self.waiting: dict[int, int] = {}
        self._free = list(range(capacity - 1, -1, -1))

    def place(self, item_id: str) -> int | None:
        return self._ids.get(item_id)

    def admit(self, item_id: str, time_ms: int) -> tuple[int, int] | None:
        """Where an unknown item stands from now on, and the place somebody had to leave for it
        (else -1); None: it is not admitted, or not yet."""
        if not 0 < len(item_id) <= MOST_TEXT:
            return None
        key = key_of(item_id)
        if key in self.places:
            return None
        left = -1
        if not self._free:
            left = self._weakest(key, time_ms)
            if left < 0:
                return None
            self.remove(left)
        place = self._free.pop()
        self.items[place] = Item(item_id, [], time_ms, time_ms)
        self.places[key] = self._ids[item_id] = place
        self.keys[place] = key
        self.first_ms[place] = time_ms
        return place, left

    def describe(self, place: int, tags: Sequence[str]) -> None:
        """What the item is about. A visit that says only a part of what is known changes nothing:
        an order tells less than a view."""
        item = self.items[place]
        assert item is not None
        if tags == item.tags:
            return
        known = [tag[:MOST_TAG] for tag in tags[:MOST_TAGS] if tag]
        if not all(tag in item.tags for tag in known):
            self._describe(item, place, known)

    def akin(self, place: int) -> tuple[Places, Floats]:
        """The items that share tags with this one, and their weights, which add up to 1."""
        numbers = self._numbers[place]
        if not numbers:
            return np.zeros(0, dtype=np.int64), np.zeros(0)
        asked = np.zeros(TAGS)
        asked[list(numbers)] = 1.0
        places = np.flatnonzero(self.visits > 0.0)
        shared = asked[self.tags[places]].sum(axis=1) * self._unit[places]
        weights = shared**AKIN
        return places, weights / max(float(weights.sum()), LEAST)

    def alike(self, history: Sequence[int], weights: Floats, places: Places) -> Floats:
        """How much each place is about what the history is about, less what everybody meets; a
        row for each row of `weights`."""
        owned = [self._numbers[place] for place in history]
        flat = np.array([number for numbers in owned for number in numbers], dtype=np.int64)
        shares = weights[:, : len(history)] * self._unit[history]
        spread = np.repeat(shares, [len(numbers) for numbers in owned], axis=1)
        about = np.stack([np.bincount(flat, row, TAGS) for row in spread]).astype(np.float64)
        about /= np.maximum(about.sum(axis=1, keepdims=True), LEAST)
        about -= self.topics / max(float(self.topics.sum()), LEAST)
        about[:, 0] = 0.0
        found: Floats = about[:, self.tags[places]].sum(axis=2) * self._unit[places]
        return found

    def count(self, place: int, weight: float, time_ms: int) -> bool:
        """Returns whether a landmark moved, and with it the sums of all items."""
        moved = False
        self._visits[place] += weight
        numbers = self._numbers[place]
        if numbers:
            share, topics = weight * self._shares[place], self._topics
            for number in numbers:
                topics[number] += share
        item = self.items[place]
        assert item is not None
        item.last_ms = max(item.last_ms, time_ms)
        for scale, sums in enumerate(self._sums):
            fading = self.fading[scale]
            periods = (time_ms - fading.landmark_ms) / fading.half_life_ms
            if periods > MOST:
                view = self.sums[scale]
                np.ldexp(view, -fading.move(time_ms), out=view)
                moved = True
            if -MOST < periods <= MOST:
                sums[place] += weight * 2.0**periods
            else:
                sums[place] += weight * fading.gain(time_ms)
        return moved

    def remove(self, place: int) -> None:
        item = self.items[place]
        if item is None:
            return
        self.items[place] = None
        self.tags[place] = 0
        self._numbers[place] = ()
        self._unit[place] = self._shares[place] = 1.0
        del self.places[key_of(item.id)], self._ids[item.id]
        self.visits[place] = 0.0
        for sums in self.sums:
            sums[place] = 0.0
        insort(self._free, place, key=neg)  # so that the free places follow from the taken ones

    def put(self, place: int, item: Item, visits: float, sums: Sequence[float]) -> None:
        """An item as it was stored."""
        if self.items[place] is None:
            self._free.remove(place)
        self.items[place] = item
        key = key_of(item.id)
        self.places[key] = self._ids[item.id] = place
        self.keys[place] = key
        self.visits[place] = visits
        self.first_ms[place] = item.first_ms
        for own, value in zip(self.sums, sums, strict=True):
            own[place] = value
        if item.tags:
            self._describe(item, place, item.tags)

    def _describe(self, item: Item, place: int, tags: list[str]) -> None:
        item.tags = tags
        numbers = sorted({1 + key_of(tag) % (TAGS - 1) for tag in tags})
        self.tags[place] = numbers + [0] * (MOST_TAGS - len(numbers))
        self._numbers[place] = numbers
        self._unit[place] = self._shares[place] = len(numbers) ** -0.5

    def _weakest(self, key: int, time_ms: int) -> int:
        """The place to leave for a newcomer met once more; -1: it has to wait."""
        met = self.waiting.pop(key, 0) + 1
        sums = self.sums[LONGEST]
        place = int(np.argmin(sums))
        if met > sums[place] / self.fading[LONGEST].gain(time_ms):
            return place
        if len(self.waiting) >= WAITING:
            del self.waiting[next(iter(self.waiting))]
        self.waiting[key] = met
        return -1
