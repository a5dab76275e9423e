"""Quiet hours in the person's zone: what comes in them is released after their end, spread by a
keyed jitter, unless it would have expired by then. Summer time is the tz database's business.
Public holidays: marketing goes on, waits for the next day that is none, or is silent.
"""

from datetime import UTC, datetime, timedelta

from streams.contract.policy import QuietHours
from streams.engine.calendars import day_start_ms
from streams.engine.chance import fraction
from streams.engine.policy.case import Case, Option
from streams.engine.profile.hours import local_day, offset_ms, zone_of

MINUTE_MS = 60_000
DAY_MINUTES = 1_440


def quiet(case: Case, option: Option) -> str:
    hours = case.terms.quiet(case.journey.purpose)
    if hours is not None and hours.on_holiday == "silent" and case.is_marketing:
        day = local_day(case.zone, case.release_ms)
        if day in case.terms.holidays:
            option.next_ms = day_start_ms(case.zone, _next_workday(case, day))
            return "HOLIDAY"
    if case.release_ms < case.now_ms + case.due.expires_ms:
        return ""
    option.seen["release_after_ms"] = float(case.release_ms - case.now_ms)
    option.next_ms = case.release_ms
    return "EXPIRED"


def release(case: Case) -> int:
    """When the trigger may go out: now, or after the quiet hours. Found once for all arms."""
    if not case.release_ms:
        hours = case.terms.quiet(case.journey.purpose)
        case.release_ms = case.now_ms if hours is None else _after(hours, case)
    return case.release_ms


def _after(hours: QuietHours, case: Case) -> int:
    end_ms = case.now_ms
    if is_quiet(hours, case.zone, end_ms):
        end_ms = quiet_end_ms(hours, case.zone, end_ms)
    if hours.on_holiday == "defer" and case.is_marketing:
        day = local_day(case.zone, end_ms)
        if day in case.terms.holidays:
            end_ms = day_start_ms(case.zone, _next_workday(case, day))
            if is_quiet(hours, case.zone, end_ms):
                end_ms = quiet_end_ms(hours, case.zone, end_ms)
    if end_ms == case.now_ms:
        return end_ms
    loud_minutes = (hours.from_minute - hours.to_minute) % DAY_MINUTES or DAY_MINUTES
    jitter_ms = min(hours.jitter_ms, loud_minutes * MINUTE_MS // 2)
    share = fraction(case.seed, "jitter", case.due.decision_id)
    return end_ms + int(share * jitter_ms)


def _next_workday(case: Case, day: int) -> int:
    while day in case.terms.holidays:
        day += 1
    return day


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
