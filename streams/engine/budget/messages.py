"""What purses and the coordinator tell each other, one ledger and one partition at a time.

Amounts are sums since the ledger began and each message supersedes those before it, so what comes
twice, late or not at all moves no money: the next message makes it good.
"""

from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

Answer = Literal["", "paced", "dry"]
GIVEN: Final[Answer] = ""  # granted, or nothing beyond what is held is to be had in advance
PACED: Final[Answer] = "paced"  # there is money, it is not released yet
DRY: Final[Answer] = "dry"  # what was asked for is not to be had from anyone


class Report(Struct, array_like=True, frozen=True, tag="report"):
    """From a purse. The ask of the highest number counts; `need_fen` 0 asks in advance."""

    account: str
    day: int
    sequence: int  # of this partition's reports about this ledger
    version: int  # of the account, as the partition knows it; -1: not at all
    at_ms: int
    initial_fen: int  # what the partition took as its initial lease
    returned_fen: int
    spent_fen: int
    demand_fen: int  # spent or refused
    ask: int
    need_fen: int  # missing for the smallest spend refused
    unit_fen: int  # the largest single cost
    recalled: int  # the recall that is answered


class Lease(Struct, array_like=True, frozen=True, tag="lease"):
    """From the coordinator. `recall` asks for what the purse can spare, or for everything."""

    account: str
    day: int
    sequence: int  # of the leases about this ledger to this partition
    granted_fen: int  # beyond the initial lease
    answered: int  # the ask that is answered
    answer: Answer
    need_fen: int  # as it was asked for
    retry_ms: int  # when asking again may help; log time
    recall: int
    everything: bool


Message = Report | Lease


def to_body(message: Message) -> Any:
    """Plain values, for the body of a mail."""
    return msgspec.to_builtins(message)


def from_body(body: Any) -> Message:
    """Raises: msgspec.ValidationError where the body is no message of the budget."""
    return msgspec.convert(body, Message)  # type: ignore[no-any-return]
