"""What a person's row keeps of growth: nothing for those who neither came by nor brought anybody.

Inviter and invited know each other's user ids while the invitation is open, at most `OPEN_MS`;
then only numbers are left.
"""

from typing import Final

from msgspec import Struct

OPEN_MS: Final = 14 * 86_400_000
MOST_OPEN: Final = 16  # invitations of one person; those beyond count, and nothing follows of them


class Invitation(Struct, array_like=True, gc=False):
    """That the person came by somebody, while it is not known yet what becomes of it."""

    inviter: str  # user id
    invited: str  # the user id it was made with: the person may have become another since
    channel: int  # place in growth.CHANNELS
    at_ms: int
    settled: int = 0  # the inviter's invitations whose outcome was known at that time,
    succeeded: int = 0  # and how many of those people ordered
    group: int = 0  # mark of the group that was joined; 0: none
    converted: bool = False


class Grown(Struct, array_like=True):
    invited_by: bool = False
    open: Invitation | None = None  # of this person
    invited: int = 0  # people who came by this one
    converted: int = 0  # of them ordered in time
    settled: int = 0  # of them whose window is over,
    succeeded: int = 0  # and of those who ordered in time
    waiting: list[str] = []  # user ids of those whose window is open
    shared_ms: int = 0  # the latest share of this person


def merge(into: Grown | None, other: Grown | None) -> Grown | None:
    """Two people turn out to be one."""
    if into is None or other is None:
        return into or other
    return Grown(
        into.invited_by or other.invited_by,
        into.open or other.open,
        into.invited + other.invited,
        into.converted + other.converted,
        into.settled + other.settled,
        into.succeeded + other.succeeded,
        [*into.waiting, *other.waiting][:MOST_OPEN],
        max(into.shared_ms, other.shared_ms),
    )
