"""Who shared what others open: pairs `share.initiated` with `share.opened` by their reference.

The two may be heard of in any order. A reference that two people share belongs to nobody: it is no
reference but a word a producer repeats. Shares are forgotten `KEPT_MS` after they were made, the
oldest first where there are too many.
"""

from bisect import insort
from typing import NamedTuple

from msgspec import Struct

KEPT_MS = 7 * 86_400_000
MOST = 2_048
MOST_WAITING = 8
AT_ONCE = 2  # expire: more than come in
NOBODY = "-"  # no user id


class Opening(Struct, array_like=True):
    opener: str
    at_ms: int


class Share(Struct, array_like=True):
    at_ms: int
    sharer: str = ""  # empty: not heard of yet
    waiting: list[Opening] = []


class Pair(NamedTuple):
    sharer: str
    opening: Opening


class Shares:
    """`changed` collects the references whose share did."""

    def __init__(self) -> None:
        self.shares: dict[str, Share] = {}
        self._ages: list[tuple[int, str]] = []  # the oldest first
        self.changed: dict[str, None] = {}

    def shared(self, ref: str, sharer: str, at_ms: int) -> list[Pair]:
        """Returns the openings that were heard of before."""
        share = self._share(ref, at_ms)
        if share.sharer not in ("", sharer):
            share.sharer, share.waiting = NOBODY, []
            return []
        share.sharer = sharer
        waiting, share.waiting = share.waiting, []
        return [Pair(sharer, opening) for opening in waiting if opening.opener != sharer]

    def opened(self, ref: str, opening: Opening) -> list[Pair]:
        """Returns the share it opened, where that was heard of before."""
        share = self._share(ref, opening.at_ms)
        if share.sharer:
            found = [Pair(share.sharer, opening)]
            return found if share.sharer not in (NOBODY, opening.opener) else []
        if len(share.waiting) < MOST_WAITING:
            share.waiting = [*share.waiting, opening]
        return []

    def is_word(self, ref: str) -> bool:
        """Whether several people share it."""
        return ref in self.shares and self.shares[ref].sharer == NOBODY

    def forget(self, alias: str) -> None:
        """Nothing is left of this person, of whichever generation (`alias.1`). Goes over all
        shares: erasures are seldom."""
        for ref, share in list(self.shares.items()):
            if _alias(share.sharer) == alias:
                self._drop(ref)
            elif any(_alias(opening.opener) == alias for opening in share.waiting):
                share.waiting = [one for one in share.waiting if _alias(one.opener) != alias]
                self.changed[ref] = None

    def load(self, ref: str, share: Share) -> None:
        self.shares[ref] = share
        insort(self._ages, (share.at_ms, ref))

    def _share(self, ref: str, at_ms: int) -> Share:
        share = self.shares.get(ref)
        if share is None:
            self._expire(at_ms)
            share = Share(at_ms)
            self.load(ref, share)
        self.changed[ref] = None
        return share

    def _expire(self, now_ms: int) -> None:
        for at_ms, ref in self._ages[:AT_ONCE]:
            if len(self.shares) >= MOST or at_ms + KEPT_MS < now_ms:
                self._drop(ref)

    def _drop(self, ref: str) -> None:
        self._ages.remove((self.shares.pop(ref).at_ms, ref))
        self.changed[ref] = None


def _alias(user_id: str) -> str:
    return user_id.partition(".")[0]
