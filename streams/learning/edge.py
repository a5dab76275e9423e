"""A logistic model small enough for a mini-programme: weights in 8 or 4 bits, scored at the edge.

Weights are cut into blocks of neighbours; each block has a scale (single precision) and its weights
are whole multiples of it, rounded to the nearest. Features are known by name, or by the CRC-32 of
their name modulo a number of buckets, so that no names need to travel. Small weights may be
dropped; then only the places of the others are kept. What does not fit the checksum is refused.
docs/examples/edge_scorer.js scores the same file.
"""

import struct
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Final, Literal
from zlib import crc32

import msgspec
from msgspec import Struct

from streams.learning.logistic import bounded, sigmoid

FORMAT: Final = "streams.edge"
VERSION: Final = 1
BLOCK: Final = 32
MOST_WEIGHTS: Final = 1 << 20

Bits = Literal[4, 8]


class EdgeModel(Struct, frozen=True, kw_only=True):
    """`codes`: weights in multiples of their block's scale, two to a byte where `bits` is 4, the
    first in the lower half. `gaps`: how far each weight stands from the one before it (the first
    from 0), 255 meaning that and what the next byte says; empty: one weight after the other.
    Probability = sigmoid(slope * logit + shift)."""

    model: str
    names: list[str]  # empty where features are hashed
    buckets: int  # 0 where features are named
    bits: Bits
    scales: bytes  # single precision, least byte first
    codes: bytes
    gaps: bytes
    intercept: float
    slope: float = 1.0
    shift: float = 0.0
    block: int = BLOCK
    crc32: int = 0
    format: str = FORMAT
    version: int = VERSION


def compress(
    model: str,
    weights: Sequence[float],
    intercept: float,
    *,
    names: Sequence[str] = (),
    bits: Bits = 8,
    keep: float = 1.0,
    slope: float = 1.0,
    shift: float = 0.0,
) -> EdgeModel:
    """The model in few bits. `keep`: the share of weights kept, largest first; without `names`,
    weights are those of buckets. Raises ValueError for weights that are not finite or too many."""
    if names and len(names) != len(weights):
        raise ValueError(f"{len(weights)} weights for {len(names)} names")
    if not 0 < len(weights) <= MOST_WEIGHTS:
        raise ValueError(f"a model has 1 to {MOST_WEIGHTS:,} weights, not {len(weights):,}")
    if not all(map(isfinite, (*weights, intercept, slope, shift))):
        raise ValueError("weights must be finite")
    if not 0.0 < keep <= 1.0:
        raise ValueError(f"keep is {keep}, must be above 0 and at most 1")
    places: list[int] = []
    if keep < 1.0:
        order = sorted(range(len(weights)), key=lambda place: (-abs(weights[place]), place))
        places = sorted(order[: max(int(keep * len(weights)), 1)])
    kept = [weights[place] for place in places] if places else list(weights)
    scales, codes = _quantised(kept, bits)
    found = EdgeModel(
        model=model,
        names=list(names),
        buckets=0 if names else len(weights),
        bits=bits,
        scales=scales,
        codes=codes,
        gaps=_gaps(places),
        intercept=intercept,
        slope=slope,
        shift=shift,
    )
    return msgspec.structs.replace(found, crc32=checksum(found))


def hashed(names: Sequence[str], weights: Sequence[float], buckets: int) -> list[float]:
    """Weights by bucket for weights by name; those that fall together share their mean."""
    sums, counts = [0.0] * buckets, [0] * buckets
    for name, weight in zip(names, weights, strict=True):
        place = bucket(name, buckets)
        sums[place] += weight
        counts[place] += 1
    return [total / max(count, 1) for total, count in zip(sums, counts, strict=True)]


def bucket(name: str, buckets: int) -> int:
    return crc32(name.encode("utf-8", "surrogatepass")) % buckets


class EdgeScorer:
    """The reference: what any scorer of the file must give, to 1e-12."""

    def __init__(self, model: EdgeModel) -> None:
        size = model.buckets or len(model.names)
        self.model = model
        self.weights = [0.0] * size
        for place, weight in zip(places_of(model), unquantised(model), strict=True):
            self.weights[place] = weight
        self._index = {name: place for place, name in enumerate(model.names)}

    def logit(self, x: Mapping[str, float]) -> float:
        """Unknown names count nothing; values are bounded to +-1000, NaN is 0."""
        total = self.model.intercept
        for name, value in x.items():
            if self.model.buckets:
                place: int | None = bucket(name, self.model.buckets)
            else:
                place = self._index.get(name)
            if place is not None:
                total += self.weights[place] * bounded(value)
        return total

    def probability(self, x: Mapping[str, float]) -> float:
        return sigmoid(self.model.slope * self.logit(x) + self.model.shift)


def encode(model: EdgeModel) -> bytes:
    return msgspec.json.encode(model)


def decode(text: bytes) -> EdgeModel:
    """Raises ValueError for what is no such file, is of a newer version, or damaged."""
    try:
        found = msgspec.json.decode(text, type=EdgeModel)
    except msgspec.DecodeError as error:
        raise ValueError(f"is no edge model: {error}") from None
    if found.format != FORMAT or found.version > VERSION:
        raise ValueError(f"is {found.format} {found.version}, not {FORMAT} {VERSION} or older")
    if checksum(found) != found.crc32:
        raise ValueError("damaged: the checksum differs")
    size = found.buckets or len(found.names)
    if not 0 < size <= MOST_WEIGHTS:
        raise ValueError(f"has {size:,} weights, not 1 to {MOST_WEIGHTS:,}")
    places = places_of(found)
    kept = len(places)
    blocks = -(-kept // found.block) if found.block > 0 else -1
    if len(found.codes) != -(-kept * found.bits // 8) or len(found.scales) != 4 * blocks:
        raise ValueError(f"holds no {kept} weights")
    if kept and places[-1] >= size:
        raise ValueError(f"has weights at places that do not exist, of {size}")
    return found


def checksum(model: EdgeModel) -> int:
    """CRC-32 of everything that scores."""
    numbers = struct.pack(
        "<3d3I", model.intercept, model.slope, model.shift, model.buckets, model.bits, model.block
    )
    text = "\n".join(model.names).encode("utf-8", "surrogatepass")
    return crc32(numbers + model.gaps + model.scales + model.codes + text)


def places_of(model: EdgeModel) -> Sequence[int]:
    """Where the weights kept stand, rising."""
    if not model.gaps:
        return range(model.buckets or len(model.names))
    found, place = [], 0
    for gap in model.gaps:
        place += gap
        if gap < 255:
            found.append(place)
    return found


def unquantised(model: EdgeModel) -> list[float]:
    """The weights kept, in the order of their places."""
    scales = struct.unpack(f"<{len(model.scales) // 4}f", model.scales)
    if model.bits == 8:
        codes = [code - 256 if code > 127 else code for code in model.codes]
    else:
        halves = [half for byte in model.codes for half in (byte & 15, byte >> 4)]
        codes = [half - 16 if half > 7 else half for half in halves]
    kept = len(places_of(model))
    return [code * scales[place // model.block] for place, code in enumerate(codes[:kept])]


def _gaps(places: Sequence[int]) -> bytes:
    found, before = bytearray(), 0
    for place in places:
        far, near = divmod(place - before, 255)
        found += b"\xff" * far + bytes((near,))
        before = place
    return bytes(found)


def _quantised(weights: Sequence[float], bits: int) -> tuple[bytes, bytes]:
    most = (1 << (bits - 1)) - 1
    scales, codes = b"", []
    for start in range(0, len(weights), BLOCK):
        part = weights[start : start + BLOCK]
        scale = struct.unpack("<f", struct.pack("<f", min(max(map(abs, part)) / most, 1e30)))[0]
        scales += struct.pack("<f", scale)
        codes += [max(-most, min(most, round(w / scale))) if scale else 0 for w in part]
    if bits == 8:
        return scales, bytes(code & 255 for code in codes)
    codes += [0] * (len(codes) % 2)
    pairs = zip(codes[::2], codes[1::2], strict=True)
    return scales, bytes((low & 15) | (high & 15) << 4 for low, high in pairs)
