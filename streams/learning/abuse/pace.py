"""How fast and how regularly somebody acts, in 24 bytes; how they take coupons, in 20.

Counts of the last minute, ten minutes, hour and day: two neighbouring buckets of each window's
length, the older one weighed by how much of it the window still covers, so a count is exact to a
bucket's inner unevenness. Gaps between events: moving mean and variance of their logarithm, which
tell a machine's beat (deviation near 0) from people (near 1). `b""` is who did nothing yet.
Source of the window counter: the sliding window of rate limiters; of the moving variance: Finch,
Incremental calculation of weighted mean and variance (2009).
"""

from math import log, sqrt
from struct import Struct as Layout
from typing import Any, Final, NamedTuple

WINDOWS_S: Final = (60, 600, 3_600, 86_400)
PAUSE_MS: Final = 1_800_000  # a longer gap begins a new visit and says nothing of the rhythm
MEMORY: Final = 32  # gaps the moving mean and variance look back on
HALF_LIFE_S: Final = 28 * 86_400  # of the decayed number of claims
LONGEST: Final = 16.0  # of a gap's logarithm

# When in seconds and 256ths; older and newer bucket of each window; mean and variance of the
# logarithm of gaps in ms, in 4096ths; how many gaps.
_PACE: Final = Layout("<IB2B6HHHB")
# When; buckets; decayed claims; coupons used, orders paid with one, orders refunded; the last
# unusualness in 255ths.
_CLAIMS: Final = Layout("<I8BfBBBB")
PACE_BYTES: Final = _PACE.size
CLAIMS_BYTES: Final = _CLAIMS.size
LOOK_VARIANCE: Final = 800  # of the logarithm, in 4096ths: a deviation of 0.44
LOOK_GAPS: Final = 16
_UNIT: Final = 4_096.0
_NO_CLAIMS: Final = (0,) * 9 + (0.0, 0, 0, 0, 0)


class Pace(NamedTuple):
    """Events within each of WINDOWS_S, and the rhythm: how many gaps were measured, the mean of
    their logarithm (of milliseconds) and its standard deviation."""

    counts: tuple[float, ...]
    gaps: int
    mean: float
    deviation: float


class Claims(NamedTuple):
    """Coupons claimed within each of WINDOWS_S and with a half-life of 28 days; coupons used, by
    what is told of coupons or of orders; orders refunded; `unusual` in [0, 1]."""

    counts: tuple[float, ...]
    total: float
    used: int
    refunded: int
    unusual: float


def paced(packed: bytes, time_ms: int) -> tuple[bytes, bool]:
    """One more event; one that is late counts as of the latest. Also whether it is worth a closer
    look: a window may hold as many as LOOK_COUNTS, or the rhythm is as even as LOOK_DEVIATION."""
    # On every event of everybody, hence written out.
    now_s = time_ms // 1_000
    if not packed:
        return _PACE.pack(
            now_s, time_ms % 1_000 * 256 // 1_000, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0
        ), False
    s, part, a1, a2, b1, b2, c1, c2, d1, d2, mean, variance, gaps = _PACE.unpack(packed)
    gap_ms = time_ms - s * 1_000 - part * 1_000 // 256
    if gap_ms < 0:
        gap_ms, now_s = 0, s
    else:
        part = time_ms % 1_000 * 256 // 1_000
    apart = now_s // 60 - s // 60
    if apart == 0:
        a2, b2, c2, d2 = a2 + 1, b2 + 1, c2 + 1, d2 + 1
    else:
        a1, a2 = (a2 if apart == 1 else 0), 1
        apart = now_s // 600 - s // 600
        b1, b2 = (b1, b2 + 1) if apart == 0 else ((b2 if apart == 1 else 0), 1)
        apart = now_s // 3_600 - s // 3_600
        c1, c2 = (c1, c2 + 1) if apart == 0 else ((c2 if apart == 1 else 0), 1)
        apart = now_s // 86_400 - s // 86_400
        d1, d2 = (d1, d2 + 1) if apart == 0 else ((d2 if apart == 1 else 0), 1)
    if d2 > 255:
        a2, b2, c2, d2 = min(a2, 255), min(b2, 65_535), min(c2, 65_535), min(d2, 65_535)
    if gap_ms < PAUSE_MS:
        said = log(gap_ms + 4.0) * _UNIT  # a 256th of a second is the clock's step
        if gaps:
            memory = gaps + 1 if gaps < MEMORY else MEMORY
            off = said - mean
            mean = int(mean + off / memory + 0.5)
            variance = int((memory - 1.0) / memory * (variance + off * off / memory / _UNIT) + 0.5)
            variance = min(variance, 65_535)
        else:
            mean = int(said)
        if gaps < 255:
            gaps += 1
    look = a1 + a2 >= 60 or b1 + b2 >= 240 or c1 + c2 >= 700 or d1 + d2 >= 2_500
    look = look or (variance <= LOOK_VARIANCE and gaps >= LOOK_GAPS)
    packed = _PACE.pack(now_s, part, a1, a2, b1, b2, c1, c2, d1, d2, mean, variance, gaps)
    return packed, look


def pace(packed: bytes, now_ms: int) -> Pace:
    if not packed:
        return Pace((0.0,) * len(WINDOWS_S), 0, 0.0, 0.0)
    state = _PACE.unpack(packed)
    counts = _counts(state[2:10], state[0], now_ms // 1_000)
    return Pace(counts, state[12], state[10] / _UNIT, sqrt(state[11] / _UNIT))


def is_idle(packed: bytes, now_ms: int) -> bool:
    """Whether it says nothing any more: the longest window has passed."""
    return not packed or now_ms // 1_000 - _PACE.unpack(packed)[0] >= 2 * WINDOWS_S[-1]


def claimed(packed: bytes, time_ms: int) -> bytes:
    """One more coupon claimed."""
    before_s, *buckets, total, used, paid, refunded, unusual = _claims_of(packed)
    now_s = min(max(time_ms // 1_000, before_s), 0xFFFFFFFF)
    total = _left(total, before_s, now_s) + 1.0
    counts = [min(count, 255) for count in _rolled(buckets, before_s, now_s)]
    return _CLAIMS.pack(now_s, *counts, total, used, paid, refunded, unusual)


def noted(
    packed: bytes, *, used: int = 0, paid: int = 0, refunded: int = 0, unusual: float = -1.0
) -> bytes:
    """Coupons used, orders paid with one and orders refunded since; how unusual the person is now,
    in [0, 1]."""
    state = list(_claims_of(packed))
    for place, more in ((10, used), (11, paid), (12, refunded)):
        state[place] = min(state[place] + more, 255)
    if 0.0 <= unusual <= 1.0:
        state[13] = int(unusual * 255.0)
    return _CLAIMS.pack(*state)


def claims(packed: bytes, now_ms: int) -> Claims:
    if not packed:
        return Claims((0.0,) * len(WINDOWS_S), 0.0, 0, 0, 0.0)
    state, now_s = _CLAIMS.unpack(packed), now_ms // 1_000
    counts, total = _counts(state[1:9], state[0], now_s), _left(state[9], state[0], now_s)
    return Claims(counts, total, max(state[10], state[11]), state[12], state[13] / 255.0)


def added(into: bytes, other: bytes) -> bytes:
    """Claims of two who turn out to be one: sums, and the windows of who claimed last."""
    if not into or not other:
        return into or other
    older, newer = sorted((_CLAIMS.unpack(into), _CLAIMS.unpack(other)))
    total = newer[9] + _left(older[9], older[0], newer[0])
    sums = [min(older[place] + newer[place], 255) for place in (10, 11, 12)]
    return _CLAIMS.pack(*newer[:9], total, *sums, max(older[13], newer[13]))


def _left(total: float, from_s: int, to_s: int) -> float:
    apart_s = to_s - from_s
    return total if apart_s <= 0 else float(total * 2.0 ** (-apart_s / HALF_LIFE_S))


def _rolled(buckets: list[int], before_s: int, now_s: int) -> list[int]:
    """The buckets moved on to now, with one more counted."""
    found = []
    for place, window_s in enumerate(WINDOWS_S):
        older, newer = buckets[2 * place], buckets[2 * place + 1]
        apart = now_s // window_s - before_s // window_s
        if apart == 0:
            found += [older, newer + 1]
        else:
            found += [newer if apart == 1 else 0, 1]
    return found


def _claims_of(packed: bytes) -> tuple[Any, ...]:
    return _CLAIMS.unpack(packed) if packed else _NO_CLAIMS


def _counts(buckets: tuple[int, ...], last_s: int, now_s: int) -> tuple[float, ...]:
    now_s = max(now_s, last_s)
    found = []
    for place, window_s in enumerate(WINDOWS_S):
        older, newer = buckets[2 * place], buckets[2 * place + 1]
        apart = now_s // window_s - last_s // window_s
        covered = 1.0 - now_s % window_s / window_s
        if apart == 0:
            found.append(older * covered + newer)
        else:
            found.append(newer * covered if apart == 1 else 0.0)
    return tuple(found)
