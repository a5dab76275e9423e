"""A policy as the gates ask it, made once whenever one is published."""

from typing import Final

from streams.contract.policy import DAY_MS, MOST_SENDS, Cap, Policy, QuietHours
from streams.engine.calendars import EPOCH
from streams.engine.entitlements import Entitlements

KEPT_MS: Final = 7 * DAY_MS  # sends are remembered so long for the answers to them, caps or not
CALENDAR_MS: Final = {
    "calendar day": 2 * DAY_MS,
    "calendar week": 8 * DAY_MS,
    "calendar month": 32 * DAY_MS,
}


class Terms:
    """`remember_ms`: how long journeys ask for sends, beside the policy's own caps."""

    def __init__(self, policy: Policy, remember_ms: int = 0) -> None:
        self.policy = policy
        self.entitlements = Entitlements(policy)
        self.caps = {purpose: applying(policy.caps, purpose) for purpose in PURPOSES}
        self.holidays = frozenset(
            (EPOCH.fromisoformat(text) - EPOCH).days for text in policy.quiet.holidays
        )
        lengths = (length_ms(cap) for cap in policy.caps)
        self.keep_ms = max(KEPT_MS, remember_ms, policy.gap_ms, *lengths)
        # What cannot be remembered cannot be counted: so many are the most there can be.
        self.memory = Cap(most=MOST_SENDS, window_ms=self.keep_ms)

    def quiet(self, purpose: str) -> QuietHours | None:
        return self.policy.quiet if purpose == "marketing" else self.policy.quiet_service


PURPOSES: Final = ("marketing", "service")


def applying(caps: tuple[Cap, ...], purpose: str) -> tuple[Cap, ...]:
    return tuple(cap for cap in caps if cap.limits and cap.purpose in (purpose, "*"))


def length_ms(cap: Cap) -> int:
    """How long a send counts at most."""
    if not cap.limits:
        return 0
    return CALENDAR_MS[cap.per] if cap.per else cap.window_ms
