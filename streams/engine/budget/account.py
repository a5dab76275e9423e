"""What may be spent: an account, its ledgers, and the lease each partition owns from the start.

A ledger is one limit of an account: its total (day `TOTAL`) or the money of one day (days since the
epoch in the account's zone). The initial lease follows from the account alone, so that a purse and
the coordinator agree on it without a message and the first spend needs no round trip.
"""

from functools import lru_cache
from typing import Final, Literal

from msgspec import Struct

from streams.engine.profile.hours import HOUR_MS, offset_ms

DAY_MS: Final = 24 * HOUR_MS
NEVER_MS: Final = 2**63 - 1
TOTAL: Final = 0  # the day number of the ledger that has no day
UNKNOWN_VERSION: Final = -1  # of an account someone else speaks of before it is opened here
KEPT_DAYS: Final = 3  # in UTC: at least two whole days after a day is over, in any zone
INITIAL_PART: Final = 4  # a quarter of a limit is leased from the start, all partitions together
SLACK_PART: Final = 100  # of a paced day a hundredth runs ahead: half of the 2 % allowed

Pacing = Literal["none", "even", "demand"]


class Account(Struct, array_like=True, frozen=True):
    """`id`: "policy" or a journey's id. A limit of 0 fen is none. A version that is not higher than
    the one before changes nothing; the first is 0 or higher. The accounts of one spend share the
    zone."""

    id: str
    version: int
    total_fen: int = 0
    daily_fen: int = 0
    pacing: Pacing = "none"
    zone: str = "Asia/Shanghai"
    closed: bool = False  # nothing is spent any more and what is leased goes back

    def limit_fen(self, day: int) -> int:
        """Of the ledger; 0 where the account is closed or has no such limit."""
        if self.closed:
            return 0
        return self.total_fen if day == TOTAL else self.daily_fen

    def is_paced(self, day: int) -> bool:
        return day != TOTAL and self.pacing != "none"

    def initial_fen(self, day: int, partitions: int) -> int:
        """What each partition owns of the ledger from the start."""
        part = SLACK_PART if self.is_paced(day) else INITIAL_PART
        return self.limit_fen(day) // (part * partitions)


@lru_cache(maxsize=1_024)
def day_start_ms(zone: str, day: int) -> int:
    """When the day begins in the zone; a day of a clock change has 23 or 25 hours."""
    midnight_ms = day * DAY_MS
    near_ms = midnight_ms - offset_ms(zone, midnight_ms)
    return midnight_ms - offset_ms(zone, near_ms)


def drop_ms(day: int) -> int:
    """From when on the ledger of the day is forgotten, by purses and coordinator alike."""
    return (day + 1 + KEPT_DAYS) * DAY_MS


def row_key(prefix: bytes, account: str, day: int) -> bytes:
    return prefix + f"{day}/{account}".encode()


def ledger_of(key: bytes) -> tuple[str, int]:
    """Account and day of a ledger's row."""
    day, _, account = key[2:].decode().partition("/")
    return account, int(day)
