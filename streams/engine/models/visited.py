"""The last few items a person met, in the fewest bytes: 32 bits of each id, the latest first."""

from collections.abc import Sequence
from typing import Final

MOST: Final = 8
BYTES: Final = 4
NOTHING: Final = b""


def keys(visited: bytes) -> Sequence[int]:
    """Keys of items as `learning.recommend.catalogue.key_of` makes them, the latest first."""
    return memoryview(visited).cast("I") if visited else ()


def met(visited: bytes, key: int) -> bytes:
    """With one item more; the same item again moves to the front."""
    mark = key.to_bytes(BYTES, "little")
    at = visited.find(mark)
    while at % BYTES and at >= 0:  # the end of one key and the beginning of the next
        at = visited.find(mark, at + 1)
    if at < 0:
        return mark + visited[: (MOST - 1) * BYTES]
    return mark + visited[:at] + visited[at + BYTES :]


def merge(ours: bytes, theirs: bytes) -> bytes:
    """Of one person known as two: ours first, for we know not whose are later."""
    found = ours
    for at in range(0, len(theirs), BYTES):
        mark = theirs[at : at + BYTES]
        if len(found) < MOST * BYTES and mark not in [
            found[place : place + BYTES] for place in range(0, len(found), BYTES)
        ]:
            found += mark
    return found
