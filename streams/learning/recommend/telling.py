"""What a recommender tells its like elsewhere: how often items were met, and which two together.

These are sums of what was counted here since the last letter, before any fading, so letters may
arrive in any order. Told are the heaviest pairs first, as many as the letter holds; the rest waits
and grows. Of people a letter says nothing.
"""

from typing import Final

import msgspec
from msgspec import Struct

from streams.learning import rows
from streams.learning.recommend.catalogue import Catalogue

MOST_PAIRS: Final = 8_192  # that wait; pairs beyond are dropped
PLACE_BITS: Final = 16  # a pair is known by its two places, the lower one in front
PLACE_MASK: Final = 2**PLACE_BITS - 1
EMPTY_BYTES: Final = 64  # of a letter that says nothing
YOUNG: Final = 32.0  # visits below which an item is told with its tags
UNIT: Final = 1_000  # weights of pairs are told in thousandths
ROW_PAIRS, ROW_ITEMS = 512, 256  # of a row of 16 KB, at most

_json = msgspec.json.Encoder()


class Told(Struct):
    """Sums as of `at_ms`. `items`: id and sum of the weights of visits. `young`: place in `items`,
    when first met, and tags. `pairs`: two places in `items`, and their weight in thousandths."""

    at_ms: int
    items: list[tuple[str, float]]
    young: list[tuple[int, int, list[str]]]
    pairs: list[tuple[int, int, int]]


class WaitingRow(Struct, array_like=True):
    last_ms: int
    items: list[tuple[int, float]]  # place, visits
    pairs: list[tuple[int, float]]


class Waiting:
    """What was counted here and not told yet."""

    def __init__(self) -> None:
        self.last_ms = 0  # when something was counted
        self.visits: dict[int, float] = {}  # by place
        self.pairs: dict[int, float] = {}
        self._rows = 0  # as stored last

    def count(self, place: int, weight: float, time_ms: int) -> None:
        self.visits[place] = self.visits.get(place, 0.0) + weight
        self.last_ms = max(self.last_ms, time_ms)

    def pair(self, one: int, other: int, weight: float) -> None:
        pairs = self.pairs
        key = one << PLACE_BITS | other if one < other else other << PLACE_BITS | one
        known = pairs.get(key)
        if known is not None:
            pairs[key] = known + weight
        elif len(pairs) < MOST_PAIRS:
            pairs[key] = weight

    def remove(self, place: int) -> None:
        """Another item stands here from now on."""
        self.visits.pop(place, None)
        gone = [key for key in self.pairs if place in (key >> PLACE_BITS, key & PLACE_MASK)]
        for key in gone:
            del self.pairs[key]

    def take(self, catalogue: Catalogue, most_bytes: int) -> Told | None:
        """A letter of at most so many bytes of JSON; what it tells waits no more."""
        letter = _Letter(self, catalogue, most_bytes)
        for key in sorted(self.pairs, key=lambda key: (-self.pairs[key], key)):
            if not letter.tell_pair(key):
                break
        for place in sorted(self.visits):
            if not letter.tell(place):
                break
        for place in letter.places:
            self.visits.pop(place, None)
        for key in letter.keys:
            del self.pairs[key]
        return letter.told if letter.told.items else None

    def to_rows(self) -> list[tuple[int, bytes | None]]:
        """By number; None deletes one stored earlier."""
        items = sorted(self.visits.items())
        pairs = sorted(self.pairs.items())
        needed = -(-len(items) // ROW_ITEMS), -(-len(pairs) // ROW_PAIRS)
        count = max(*needed, self.last_ms > 0)
        found: list[tuple[int, bytes | None]] = []
        for number in range(count):
            some = items[number * ROW_ITEMS : (number + 1) * ROW_ITEMS]
            both = pairs[number * ROW_PAIRS : (number + 1) * ROW_PAIRS]
            found.append((number, rows.pack(WaitingRow(self.last_ms, some, both))))
        found += [(number, None) for number in range(count, self._rows)]
        self._rows = count
        return found

    def load(self, number: int, row: bytes) -> None:
        """In any order. Raises ValueError for a row that is broken or newer."""
        found = rows.unpack(row, WaitingRow)
        self._rows = max(self._rows, number + 1)
        self.last_ms = max(self.last_ms, found.last_ms)
        self.visits |= dict(found.items)
        self.pairs |= dict(found.pairs)


class _Letter:
    """One that is being written, within its bytes."""

    def __init__(self, waiting: Waiting, catalogue: Catalogue, most_bytes: int) -> None:
        self._waiting, self._catalogue = waiting, catalogue
        self._left = most_bytes - EMPTY_BYTES
        self.told = Told(waiting.last_ms, [], [], [])
        self.places: dict[int, int] = {}  # place of the catalogue -> place in the letter
        self.keys: list[int] = []  # of the pairs told

    def tell_pair(self, key: int) -> bool:
        """False: there is no room for it."""
        one, other = key >> PLACE_BITS, key & PLACE_MASK
        if not self.tell(one) or not self.tell(other):
            return False
        weight = round(self._waiting.pairs[key] * UNIT)
        pair = (self.places[one], self.places[other], weight)
        if not self._takes(pair):
            return False
        self.told.pairs.append(pair)
        self.keys.append(key)
        return True

    def tell(self, place: int) -> bool:
        """The item that stands there. False: there is no room for it."""
        if place in self.places:
            return True
        item = self._catalogue.items[place]
        assert item is not None
        told = (item.id, self._waiting.visits.get(place, 0.0))
        is_young = self._catalogue.visits[place] < YOUNG
        young = [(len(self.places), item.first_ms, item.tags)] if is_young else []
        if not self._takes(told, *young):
            return False
        self.places[place] = len(self.places)
        self.told.items.append(told)
        self.told.young += young
        return True

    def _takes(self, *parts: object) -> bool:
        size = sum(len(_json.encode(part)) + 1 for part in parts)
        fits = size <= self._left
        self._left -= size * fits
        return fits
