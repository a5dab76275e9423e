"""Chance as a keyed hash: the same question has the same answer, and its probability is exact.

No generator object, hence no order of draws: replay, retries and merges cannot shift anybody's
draw.
"""

from hashlib import blake2b

SEPARATOR = "\x1f"  # stands in no id, so no two lists of parts give one message
TO_FRACTION = 2.0**-53


def fraction(seed: bytes, *what: str) -> float:
    """Uniform in [0, 1)."""
    return (number(seed, *what) >> 11) * TO_FRACTION


def number(seed: bytes, *what: str) -> int:
    """Uniform over 64 bits."""
    message = SEPARATOR.join(what).encode()
    return int.from_bytes(blake2b(message, digest_size=8, key=seed).digest(), "big")


def identifier(seed: bytes, *what: str) -> str:
    """128 bits as hex: the name of what `what` says, the same wherever it is asked."""
    message = SEPARATOR.join(what).encode()
    return blake2b(message, digest_size=16, key=seed).hexdigest()


def key_of(seed: str) -> bytes:
    """A deployment's seed as a hash key; blake2b takes at most 64 bytes."""
    raw = seed.encode()
    return raw if len(raw) <= 64 else blake2b(raw, digest_size=64).digest()
