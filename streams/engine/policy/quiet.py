"""Quiet hours in the person's zone: what comes in them is released after their end, spread by a
keyed jitter, unless it would have expired by then. Summer time is the tz database's business.
"""

from datetime import UTC, datetime, timedelta

from streams.engine.chance import fraction
from streams.engine.config import QuietHours
from streams.engine.policy.case import Case
from streams.engine.profile import attributes
from streams.engine.profile.hours import offset_ms, zone_of

MINUTE_MS = 60_000
DAY_MINUTES = 1_440


def quiet(case: Case) -> str:
    expires_ms = case.now_ms + case.journey.expires_ms
    if case.release_ms < expires_ms:
        return ""
    case.seen["release_after_ms"] = float(case.release_ms - case.now_ms)
    return "EXPIRED"


def release(case: Case) -> int:
    """When the trigger may go out: now, or after the quiet hours."""
    hours, now_ms = case.config.policy.quiet, case.now_ms
    if not case.is_marketing:
        return now_ms
    zone = attributes.zone(case.state, hours.zone)
    if not is_quiet(hours, zone, now_ms):
        return now_ms
    loud_minutes = (hours.from_minute - hours.to_minute) % DAY_MINUTES
    jitter_ms = min(hours.jitter_ms, loud_minutes * MINUTE_MS // 2)
    share = fraction(case.seed, "jitter", case.due.decision_id)
    return quiet_end_ms(hours, zone, now_ms) + int(share * jitter_ms)


def is_quiet(hours: QuietHours, zone: str, time_ms: int) -> bool:
    minute = (time_ms + offset_ms(zone, time_ms)) // MINUTE_MS % DAY_MINUTES
    if hours.from_minute <= hours.to_minute:
        return hours.from_minute <= minute < hours.to_minute
    return minute >= hours.from_minute or minute < hours.to_minute


def quiet_end_ms(hours: QuietHours, zone: str, time_ms: int) -> int:
    """The end of the quiet hours that `time_ms` is in.

    Where the clocks jump, the local time of the end may exist twice or not at all: the later
    reading is right in both cases, since before it the clock still shows, or shows again, a quiet
    minute.
    """
    known = zone_of(zone) or UTC
    local = datetime.fromtimestamp(time_ms / 1000, known)
    day = local.date()
    if local.hour * 60 + local.minute >= hours.to_minute:
        day += timedelta(days=1)
    end = datetime(
        day.year, day.month, day.day, hours.to_minute // 60, hours.to_minute % 60, tzinfo=known
    )
    return int(max(end.timestamp(), end.replace(fold=1).timestamp()) * 1000)
