"""Per-person deduplication over the fingerprints of the latest 32 events.

A fingerprint is the event's second in four bytes, then four of its own. Two different events of one
person are taken for one with a probability of 32 / 2**32. An event from before the latest second
that was forgotten cannot be told from one that is delivered again, so it counts as late.
"""

from hashlib import blake2b

SECOND = 4
WIDTH = 8
KEPT = 32 * WIDTH
LAST_SECOND = 2**32 - 1


def fingerprint(source: str, event_id: str, time_ms: int) -> bytes:
    """Of one event: an id is unique within its source."""
    own = blake2b(f"{source}\x1f{event_id}".encode(), digest_size=WIDTH - SECOND).digest()
    return min(time_ms // 1000, LAST_SECOND).to_bytes(SECOND, "big") + own


def seen(fingerprints: bytes, fingerprint: bytes) -> bool:
    own = fingerprint[SECOND:]
    place = fingerprints.find(own)
    while place >= 0:
        if place % WIDTH == SECOND:
            return True
        place = fingerprints.find(own, place + 1)
    return False


def untellable(forgotten: bytes, fingerprint: bytes) -> bool:
    """Whether the event may have been applied already: it is as old as what was forgotten."""
    return fingerprint[:SECOND] < forgotten[:SECOND] or fingerprint == forgotten


def remember(fingerprints: bytes, fingerprint: bytes) -> tuple[bytes, bytes]:
    """The latest fingerprints with this one, and the one forgotten for it, if any."""
    if len(fingerprints) < KEPT:
        return fingerprints + fingerprint, b""
    return fingerprints[WIDTH:] + fingerprint, fingerprints[:WIDTH]


def later(forgotten: bytes, gone: bytes) -> bytes:
    """Which of two forgotten ones to keep: that of the later second, of one second the second."""
    return gone if gone[:SECOND] >= forgotten[:SECOND] else forgotten


def union(older: bytes, newer: bytes, forgotten: bytes) -> tuple[bytes, bytes]:
    """Of two people who turn out to be one; and what of both was forgotten latest."""
    both = older + newer
    lost = max(0, len(both) - KEPT)
    for at in range(0, lost, WIDTH):
        forgotten = later(forgotten, both[at : at + WIDTH])
    return both[lost:], forgotten
