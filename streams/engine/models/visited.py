"""The last few items a person met and when, in the fewest bytes, the latest first.

32 bits of each id; the second of the latest visit; and between each visit and the one before it the
gap, on a logarithmic scale of one byte (within 3 %, up to 18 hours). It is padded to one more than
a multiple of four bytes: earlier there were keys alone, whose times count as long ago.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import log2
from operator import sub
from struct import Struct
from typing import Final

MOST: Final = 8
BYTES: Final = 4
LAST_BYTES: Final = MOST * BYTES  # of keys
NOTHING: Final = b""

STEPS: Final = 16.0  # of the scale, for each doubling
LONGEST: Final = 255
MOST_SECONDS: Final = 2**32 - 1
SECOND_MS: Final = 1_000
GAPS_MS: Final = tuple(
    SECOND_MS * (round(2.0 ** (step / STEPS)) - 1) for step in range(LONGEST + 1)
)
COUNTS: Final = {(5 * count + 5) // 4 * 4 + 1: count for count in range(1, MOST + 1)}  # by length
UNPACK: Final = [Struct(f"<{count}I").unpack_from for count in range(MOST + 2)]
LENGTHS: Final = {count: length for length, count in COUNTS.items()}


def read(visited: bytes) -> tuple[Sequence[int], Sequence[int]]:
    """Keys of items as `learning.recommend.catalogue.key_of` makes them, the latest first; and
    when each was met, to the second; 0: long ago."""
    if not visited:
        return (), ()
    count = COUNTS.get(len(visited))
    if count is None:
        earlier = UNPACK[len(visited) // BYTES](visited)
        return earlier, [0] * len(earlier)
    *found, at_s = UNPACK[count + 1](visited)
    after = BYTES * (count + 1)
    gaps = map(GAPS_MS.__getitem__, visited[after : after + count - 1])
    return found, list(accumulate(gaps, sub, initial=at_s * SECOND_MS))


def keys(visited: bytes) -> Sequence[int]:
    """The first of the two."""
    return read(visited)[0]


def met(visited: bytes, key: int, at_s: int) -> bytes:
    """With one item more; the same item again moves to the front. What comes late counts as met
    with the latest."""
    if not visited:
        return _packed([(key, max(at_s, 0))])
    if len(visited) % BYTES == 0:
        visited = _packed([(other, 0) for other in keys(visited)])
    count = COUNTS[len(visited)]
    middle = BYTES * count
    others, gaps = visited[:middle], visited[middle + BYTES : middle + BYTES + count - 1]
    last_s = int.from_bytes(visited[middle : middle + BYTES], "little")
    at_s = min(max(at_s, last_s), MOST_SECONDS)
    mark = key.to_bytes(BYTES, "little")
    if others[:BYTES] == mark:
        if gaps:
            gaps = _gap(at_s - last_s + GAPS_MS[gaps[0]] // SECOND_MS) + gaps[1:]
    else:
        if mark in others:
            others, gaps = _without(others, gaps, mark)
        others = mark + others[: LAST_BYTES - BYTES]
        gaps = _gap(at_s - last_s) + gaps[: MOST - 2]
    found = others + at_s.to_bytes(BYTES, "little") + gaps
    return found.ljust(LENGTHS[len(others) // BYTES], b"\0")


def _without(others: bytes, gaps: bytes, mark: bytes) -> tuple[bytes, bytes]:
    """Keys and gaps but those of this key, which is not in front; the gaps on its two sides become
    one."""
    place = _place(others, mark)
    if place < 0:
        return others, gaps
    both = sum(GAPS_MS[gap] for gap in gaps[place - 1 : place + 1]) // SECOND_MS
    joined = _gap(both) if place < len(gaps) else b""
    others = others[: BYTES * place] + others[BYTES * place + BYTES :]
    return others, gaps[: place - 1] + joined + gaps[place + 1 :]


def merge(ours: bytes, theirs: bytes) -> bytes:
    """Of one person known as two: the latest of both, ours first where times are the same."""
    both = [*zip(*read(ours), strict=True), *zip(*read(theirs), strict=True)]
    latest: dict[int, int] = {}
    for key, time_ms in sorted(both, key=_newest):
        latest.setdefault(key, time_ms // SECOND_MS)
    return _packed(list(latest.items())[:MOST])


def _place(others: bytes, mark: bytes) -> int:
    """Of a key among keys; -1: it is not there."""
    at = others.find(mark)
    while at % BYTES and at >= 0:  # the end of one key and the beginning of the next
        at = others.find(mark, at + 1)
    return at // BYTES


def _step(gap_s: int) -> int:
    return min(round(STEPS * log2(1 + max(gap_s, 0))), LONGEST)


def _gap(gap_s: int) -> bytes:
    return SHORT[gap_s] if 0 <= gap_s < len(SHORT) else bytes((_step(gap_s),))


SHORT: Final = tuple(bytes((_step(gap_s),)) for gap_s in range(1_024))  # most gaps, looked up


def _newest(visit: tuple[int, int]) -> int:
    return -visit[1]


def _packed(visits: list[tuple[int, int]]) -> bytes:
    if not visits:
        return NOTHING
    parts = [key.to_bytes(BYTES, "little") for key, _ in visits]
    times = [time_s for _, time_s in visits]
    parts.append(min(times[0], MOST_SECONDS).to_bytes(BYTES, "little"))
    gaps = [_step(later - earlier) for later, earlier in pairwise(times)]
    return b"".join((*parts, bytes(gaps))).ljust(LENGTHS[len(visits)], b"\0")
