"""Noise, sampling and masks out of a secret key: unpredictable to others, the same when repeated.

BLAKE2b with a key is the source of bits. Noise is on a grid: a real Gaussian rounded to whole
units of it. What it is added to is whole units as well, so rounding is done after the noise, and
the low bits of floating-point numbers tell nothing (Mironov, On significance of the least
significant bits, CCS 2012).
"""

from collections.abc import Iterator
from hashlib import blake2b
from math import cos, log, pi, sin, sqrt
from struct import unpack

KEY_BYTES = 32
WHOLE = 1 << 64  # masked values are counted modulo this


def check_key(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes, this one {len(key)}")
    return key


def words(key: bytes, purpose: str, about: bytes) -> Iterator[int]:
    """An endless stream of 64-bit words."""
    number = 0
    start = blake2b(about, key=key, person=purpose.encode()[:16]).digest()
    while True:
        block = blake2b(number.to_bytes(8, "big"), key=start, digest_size=64).digest()
        yield from unpack(">8Q", block)
        number += 1


def gaussians(key: bytes, about: bytes) -> Iterator[float]:
    """Independent standard normal numbers (Box, Muller 1958), from 53 bits each."""
    source = words(key, "noise", about)
    while True:
        radius = sqrt(-2.0 * log(((next(source) >> 11) + 1) / (1 << 53)))
        angle = 2.0 * pi * (next(source) >> 11) / (1 << 53)
        yield radius * cos(angle)
        yield radius * sin(angle)


def drawn(key: bytes, about: bytes, person: str, sampled: float) -> bool:
    """Whether a person takes part, each with the chance `sampled` independently."""
    name = person.encode("utf-8", "surrogatepass")
    return next(words(key, "sample", about + name)) < int(sampled * WHOLE)


def pair_mask(key: bytes, about: bytes, size: int) -> list[int]:
    """What one of a pair of sites adds and the other takes away; `key` is known to these two."""
    source = words(key, "mask", about)
    return [next(source) for _ in range(size)]
