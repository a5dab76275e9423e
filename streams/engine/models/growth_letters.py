"""What growth models write to each other: of one person to another, wherever they live.

`to`: the user id it is for; `of`: whom it speaks of; `hops`: how often it was sent on to whom the
person has become.
"""

from msgspec import Struct

from streams.engine.models.letters import Count, TimeMs, UserId


class _Letter(Struct, tag_field="said", kw_only=True):
    to: UserId
    hops: Count = 0


class Invited(_Letter, tag="invited", kw_only=True):
    """To the inviter: the person `of` came by them."""

    of: UserId
    at_ms: TimeMs


class Answer(_Letter, tag="answer", kw_only=True):
    """To the invited: how the inviter's earlier invitations ended; not `known`: there is no such
    inviter, or too many wait for them."""

    known: bool
    settled: Count
    succeeded: Count


class Converted(_Letter, tag="converted", kw_only=True):
    """To the inviter: the invited person ordered in time."""

    of: UserId
    at_ms: TimeMs


class Settled(_Letter, tag="settled", kw_only=True):
    """To the inviter: the invitation's window is over."""

    of: UserId
    converted: bool


class Gone(_Letter, tag="gone", kw_only=True):
    """To the inviter: the invited person is not known by this user id any more."""

    of: UserId


class Left(_Letter, tag="left", kw_only=True):
    """To the invited: the inviter was erased, or waits for others."""


class Brought(_Letter, tag="brought", kw_only=True):
    """To the invited: they opened what the person `of` had shared, on their first day."""

    of: UserId
    at_ms: TimeMs


GrowthLetter = Invited | Answer | Converted | Settled | Gone | Left | Brought
