"""Lateness against the log's time. What a person decides about their data is never late."""

from streams.contract.records import Observed

NEVER_LATE = frozenset({"consent.granted", "consent.withdrawn", "user.erasure_requested"})


def late(event: Observed, now_ms: int, late_ms: int) -> bool:
    """A backfill is old by nature and not late."""
    return event.time_ms < now_ms - late_ms and not event.backfill and event.type not in NEVER_LATE
