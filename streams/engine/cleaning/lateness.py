"""Lateness against the log's time. What a person decides about their data is never late."""

from streams.contract.records import Observed

NEVER_LATE = frozenset({"consent.granted", "consent.withdrawn", "user.erasure_requested"})


def never_late(event: Observed) -> bool:
    """A backfill is old by nature and not late."""
    return event.backfill or event.type in NEVER_LATE
