"""Units of the calendar in a zone: which one a time is in, and when the next begins.

Days follow the zone's clock, so the days of its changes have 23 or 25 hours; weeks begin on Monday.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

from streams.engine.profile.hours import local_day, zone_of

EPOCH: Final = date(1970, 1, 1)
EPOCH_WEEKDAY: Final = 3  # a Thursday, counted from Monday


def unit_of(per: str, zone: str, time_ms: int) -> int:
    """A number that is the same for all times of one unit; an unknown zone counts as UTC."""
    day = local_day(zone, time_ms)
    if per == "calendar day":
        return day
    if per == "calendar week":
        return (day + EPOCH_WEEKDAY) // 7
    on = EPOCH + timedelta(days=day)
    return on.year * 12 + on.month - 1


def next_unit_ms(per: str, zone: str, time_ms: int) -> int:
    """When the unit after that of `time_ms` begins."""
    return _ends(per, zone, local_day(zone, time_ms))


@lru_cache(maxsize=4_096)
def _ends(per: str, zone: str, day: int) -> int:
    if per == "calendar day":
        return day_start_ms(zone, day + 1)
    if per == "calendar week":
        return day_start_ms(zone, day + 7 - (day + EPOCH_WEEKDAY) % 7)
    return day_start_ms(zone, day + _left_in_month(day))


def day_start_ms(zone: str, day: int) -> int:
    """The first millisecond of a day: later than midnight where the clocks jump over it."""
    on = EPOCH + timedelta(days=day)
    start = datetime(on.year, on.month, on.day, tzinfo=zone_of(zone) or UTC)
    start_ms = int(start.timestamp() * 1000)
    if local_day(zone, start_ms) == day:
        return start_ms
    return int(start.replace(fold=1).timestamp() * 1000)


def days_in_month(zone: str, time_ms: int) -> int:
    day = local_day(zone, time_ms)
    return (EPOCH + timedelta(days=day)).day - 1 + _left_in_month(day)


@lru_cache(maxsize=1_024)
def _left_in_month(day: int) -> int:
    """Days until the next month begins."""
    on = EPOCH + timedelta(days=day)
    following = date(on.year + on.month // 12, on.month % 12 + 1, 1)
    return (following - on).days
