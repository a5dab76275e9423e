"""Chance of the simulation: keyed, so that a draw depends on what it is for and on nothing before
it.
"""

from hashlib import blake2b

_MASK = (1 << 64) - 1


def keyed(*words: object) -> int:
    """64 bits from words, the same in every process."""
    return int.from_bytes(blake2b("\x1f".join(map(str, words)).encode(), digest_size=8).digest())


def mixed(key: int, number: int) -> int:
    """64 bits from a key and a small number; much faster than `keyed`.

    Source: Steele, Lea, Flood: Fast splittable pseudorandom number generators (OOPSLA 2014).
    """
    z = (key + number * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def uniform(bits: int) -> float:
    """A number in [0, 1) from 64 bits."""
    return (bits >> 11) * 2.0**-53
