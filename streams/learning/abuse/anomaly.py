"""How unusual a vector is among those before it: densities of many random grids.

Each grid cuts a few random features into cells of a random width, counts in a small table how many
examples fell into which cell (cells share a place where their hashes do) and forgets slowly. The
score is the mean over the grids of -log2 of the share of the cell. It is known from the second
example on, needs no limits of the features, and what comes in bursts does not mask itself for
long: counts before the burst still count.
Features are centred by the median and scaled by the quartiles of the first examples, then squeezed
by asinh, so far tails stay apart. Source: Sathe, Aggarwal, Subspace outlier detection in linear
time with randomized hashing (ICDM 2016), with forward decay in the place of its samples.
"""

from array import array
from collections.abc import Hashable, Sequence
from hashlib import blake2b
from math import asinh, exp, floor, isnan, log, log2
from typing import Any, Final, NamedTuple
from zlib import crc32

from msgspec import Struct
from river.base import AnomalyDetector

from streams.learning import rows
from streams.learning.logistic import bounded

CELLS: Final = (0.1, 0.3)  # widths of cells, of a squeezed range that holds most in [0, 1]
SQUEEZE: Final = 0.3
MOST_DIMENSIONS: Final = 3
PRIOR: Final = 0.5  # of an example in each cell
HEAVY: Final = 2.0**20  # an example's weight at which all are scaled down
_MIX: Final = (2_654_435_761, 40_503, 2_246_822_519)


class _Grid(NamedTuple):
    features: tuple[int, ...]
    width: float
    shifts: tuple[float, ...]
    salt: int


class GridRow(Struct, array_like=True):
    examples: int
    weight: float
    total: float
    names: list[str]
    centres: list[float]
    scales: list[float]
    warm: list[list[float]]  # the first examples, until there are enough to scale by
    counts: bytes  # float32, grid after grid
    checksum: int


class GridDensity(AnomalyDetector):
    """Unusualness in bits; 0 until `warm` examples fixed the scales (with `warm` 0 features are
    taken to lie in [0, 1]).

    Parameters
    ----------
    grids
        How many; about 2 us each and example.
    places
        Of each grid's table.
    warm
        Examples that fix centre and scale of each feature.
    kept
        How much an example still counts 256 examples later.
    seed
        Of the grids.

    """

    def __init__(
        self,
        grids: int = 40,
        places: int = 1_024,
        warm: int = 256,
        kept: float = 0.99,
        seed: int = 0,
    ) -> None:
        self.grids = grids
        self.places = places
        self.warm = warm
        self.kept = kept
        self.seed = seed
        self.examples = 0
        self._growth = exp(-log(kept) / 256.0)
        self._weight = 1.0
        self._total = 0.0
        self._names: dict[str, int] = {}
        self._first: list[list[float]] = []
        self._centres: list[float] = []
        self._scales: list[float] = []
        self._grids: list[_Grid] = []
        self._counts = array("f", bytes(4 * grids * places))

    def begin(self, names: Sequence[str]) -> None:
        """Fix the features, which lie in [0, 1]: nothing has to be scaled."""
        self._names = {name: place for place, name in enumerate(names)}
        self._ready([0.5] * len(names), [0.0] * len(names))

    def score(self, x: Sequence[float]) -> float:
        """Bits; 0 while nothing is known."""
        return self._bits(self._cells(x)) if self._grids else 0.0

    def learn(self, x: Sequence[float]) -> float:
        """Returns the score before it."""
        self.examples += 1
        if self._grids:
            cells = self._cells(x)
            bits = self._bits(cells)
            self._count(cells)
            return bits
        self._first.append([bounded(value) for value in x])
        if len(self._first) >= self.warm:
            self._scale()
        return 0.0

    def score_one(self, x: dict[Hashable, Any]) -> float:
        return self.score(self._vector(x))

    def learn_one(self, x: dict[Hashable, Any]) -> None:
        if not self._grids:
            for name in sorted(map(str, x)):
                self._names.setdefault(name, len(self._names))
        self.learn(self._vector(x))

    def to_row(self) -> bytes:
        counts = self._counts.tobytes()
        return rows.pack(
            GridRow(
                self.examples, self._weight, self._total, list(self._names), self._centres,
                self._scales, self._first, counts, crc32(counts),
            )
        )  # fmt: skip

    def from_row(self, row: bytes) -> None:
        """Take over an earlier state. Raises ValueError for one that is broken or of other
        grids."""
        state = rows.unpack(row, GridRow)
        if crc32(state.counts) != state.checksum or len(state.counts) != 4 * len(self._counts):
            raise ValueError("the counts of the grids are broken or of other grids")
        self.examples, self._weight, self._total = state.examples, state.weight, state.total
        self._names = {name: place for place, name in enumerate(state.names)}
        self._first = state.warm
        if state.centres:
            self._ready(state.centres, state.scales)
        self._counts = array("f", state.counts)

    def _vector(self, x: dict[Hashable, Any]) -> list[float]:
        vector = [0.0] * len(self._names)
        for name, value in x.items():
            place = self._names.get(str(name))
            if place is not None:
                vector[place] = value
        return vector

    def _scale(self) -> None:
        size = max(map(len, self._first))
        centres, scales = [], []
        for place in range(size):
            column = sorted(row[place] for row in self._first if place < len(row))
            quarter, twentieth = len(column) // 4, len(column) // 20
            centres.append(column[len(column) // 2])
            middle = column[-1 - quarter] - column[quarter]
            scales.append(middle or (column[-1 - twentieth] - column[twentieth]) / 2.0 or 1.0)
        first, self._first = self._first, []
        self._ready(centres, scales)
        for x in first:
            self._count(self._cells(x))

    def _ready(self, centres: list[float], scales: list[float]) -> None:
        self._centres, self._scales = centres, scales
        if centres:
            self._grids = _grids(self.seed, self.grids, len(centres))

    def _bits(self, cells: list[int]) -> float:
        if not self._total:
            return 0.0
        counts, scale, bits = self._counts, 1.0 / self._weight, 0.0
        for place in cells:
            bits -= log2(counts[place] * scale + PRIOR)
        return max(bits / self.grids + log2(self._total * scale + PRIOR), 0.0)

    def _count(self, cells: list[int]) -> None:
        counts, weight = self._counts, self._weight
        for place in cells:
            counts[place] += weight
        self._total += weight
        self._weight = weight * self._growth
        if self._weight > HEAVY:
            self._counts = array("f", [count / HEAVY for count in counts])
            self._total /= HEAVY
            self._weight /= HEAVY

    def _cells(self, x: Sequence[float]) -> list[int]:
        u = [
            _squeezed(x[place] if place < len(x) else 0.0, centre, scale)
            for place, (centre, scale) in enumerate(zip(self._centres, self._scales, strict=True))
        ]
        found, base, places = [], 0, self.places
        for features, width, shifts, salt in self._grids:
            cell = salt
            for feature, shift, mix in zip(features, shifts, _MIX, strict=False):
                cell += (floor(u[feature] / width + shift) + 64) * mix
            found.append(base + (cell ^ cell >> 15) % places)
            base += places
        return found


class Tail(Struct, array_like=True):
    """How seldom a score is as high: a histogram of bits that forgets slowly."""

    bins: list[float] = []
    weight: float = 1.0
    total: float = 0.0

    def share(self, bits: float) -> float:
        """The share of scores in its bin or above; 1 before any."""
        if not self.bins:
            return 1.0
        above = sum(self.bins[_bin(bits) :])
        return min((above + self.weight) / (self.total + self.weight), 1.0)

    def add(self, bits: float) -> None:
        if not self.bins:
            self.bins = [0.0] * BINS
        self.bins[_bin(bits)] += self.weight
        self.total += self.weight
        self.weight *= 1.0005
        if self.weight > HEAVY:
            self.bins = [count / HEAVY for count in self.bins]
            self.total /= HEAVY
            self.weight /= HEAVY


BINS: Final = 96  # of a sixth of a bit


def _bin(bits: float) -> int:
    return min(max(int(bits * 6.0), 0), BINS - 1)


def _squeezed(value: float, centre: float, scale: float) -> float:
    if not -1e300 < value < 1e300:
        value = centre if isnan(value) else 1e300 if value > 0.0 else -1e300
    if not scale:  # in [0, 1] already
        return min(max(value, 0.0), 1.0)
    apart = (value - centre) / scale
    return asinh(SQUEEZE * min(max(apart, -1e300), 1e300)) / 10.0 + 0.5


def _grids(seed: int, count: int, features: int) -> list[_Grid]:
    """One, two and three features in turn, dealt from shuffled decks: all are met equally often."""
    low, high = log(CELLS[0]), log(CELLS[1])
    deck: list[int] = []
    made = []
    for number in range(count):
        drawn = _draws(seed, number)
        chosen: list[int] = []
        for _ in range(min(1 + number % MOST_DIMENSIONS, features)):
            if not set(deck) - set(chosen):
                order = _draws(seed, -1 - number - len(chosen) * count, features)
                deck += sorted(range(features), key=order.__getitem__)
            place = next(i for i, feature in enumerate(deck) if feature not in chosen)
            chosen.append(deck.pop(place))
        width = exp(low + drawn[0] * (high - low))
        shifts = tuple(drawn[2 : 2 + len(chosen)])
        made.append(_Grid(tuple(chosen), width, shifts, int(drawn[1] * 2.0**31)))
    return made


def _draws(seed: int, number: int, count: int = 8) -> list[float]:
    """Numbers of [0, 1)."""
    found: list[float] = []
    while len(found) < count:
        digest = blake2b(f"{seed}/{number}/{len(found)}".encode(), digest_size=32).digest()
        found += [int.from_bytes(digest[i : i + 4], "big") / 2.0**32 for i in range(0, 32, 4)]
    return found[:count]
