"""Per-person deduplication over the fingerprints of the latest 32 events.

Two different events of one person share a fingerprint with a probability of 32 / 2**64.
"""

from hashlib import blake2b

WIDTH = 8
KEPT = 32 * WIDTH


def fingerprint(source: str, event_id: str) -> bytes:
    """Eight bytes for one event: an id is unique within its source."""
    return blake2b(f"{source}\x1f{event_id}".encode(), digest_size=WIDTH).digest()


def seen(fingerprints: bytes, fingerprint: bytes) -> bool:
    place = fingerprints.find(fingerprint)
    while place >= 0:
        if place % WIDTH == 0:
            return True
        place = fingerprints.find(fingerprint, place + 1)
    return False


def remember(fingerprints: bytes, fingerprint: bytes) -> bytes:
    return fingerprints[-(KEPT - WIDTH) :] + fingerprint


def union(older: bytes, newer: bytes) -> bytes:
    """Of two people who turn out to be one."""
    return (older + newer)[-KEPT:]
