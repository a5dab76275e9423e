"""At which hours of their own day people are active. The tz database gives the offsets, DST
included.
"""

from datetime import UTC, datetime
from functools import lru_cache
from itertools import compress
from zoneinfo import ZoneInfo

HOUR_MS = 3_600_000
HOURS = range(24)
QUARTER_MS = 900_000  # no zone changes its offset within a quarter of an hour
OFFSETS_KEPT = 8_192

_offsets: dict[tuple[str, int], int] = {}


@lru_cache(maxsize=1_024)
def zone_of(name: str) -> ZoneInfo | None:
    """The zone of that name; None where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def offset_ms(zone: str, time_ms: int) -> int:
    """What to add to the time for the local time; an unknown zone counts as UTC."""
    key = (zone, time_ms // QUARTER_MS)
    found = _offsets.get(key)
    if found is None:
        known = zone_of(zone)
        moment = datetime.fromtimestamp(key[1] * (QUARTER_MS // 1000), known or UTC)
        offset = moment.utcoffset()
        assert offset is not None
        found = int(offset.total_seconds()) * 1000
        if len(_offsets) >= OFFSETS_KEPT:
            _offsets.clear()
        _offsets[key] = found
    return found


def local_day(zone: str, time_ms: int) -> int:
    """Days since the epoch, in the zone."""
    return (time_ms + offset_ms(zone, time_ms)) // (24 * HOUR_MS)


def count_hour(hours: bytearray, zone: str, time_ms: int) -> None:
    """Count one activity; when a count is full, all are halved, so recent habits win."""
    hour = (time_ms + offset_ms(zone, time_ms)) // HOUR_MS % 24
    if hours[hour] == 255:
        halve(hours)
    hours[hour] += 1


def halve(counts: bytearray) -> None:
    for place, count in enumerate(counts):
        counts[place] = count >> 1


def add_counts(into: bytearray, other: bytearray) -> None:
    """Sums of two people's counts, halved until they fit."""
    sums = [ours + theirs for ours, theirs in zip(into, other, strict=True)]
    while max(sums) > 255:
        sums = [count >> 1 for count in sums]
    into[:] = bytes(sums)


def best_hours(hours: bytearray, most: int = 3) -> list[int]:
    """The most active hours, best first, ties by hour."""
    return sorted(compress(HOURS, hours), key=hours.__getitem__, reverse=True)[:most]
