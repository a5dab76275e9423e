"""Money over all partitions: what triggers spent against the limits of each account, and against
what the budget mails on the logs say was leased.

An account is the policy's or a journey's own. Where its limits changed, the highest that was in
force counts, for leases go back by mail. The coordinator lives on partition 0.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from streams.contract.records import Mail
from streams.simulation.policy_commands import POLICY_ACCOUNT, Limits

TOTAL = 0  # the day number of the ledger of a total
COORDINATOR = 0
Ledger = tuple[str, int]  # account, day


class Report(Struct, array_like=True, tag="report"):
    """What a partition tells the coordinator: the beginning of it that matters here."""

    account: str
    day: int
    sequence: int
    version: int
    at_ms: int
    initial_fen: int
    returned_fen: int
    spent_fen: int


class Lease(Struct, array_like=True, tag="lease"):
    """What the coordinator tells a partition: the beginning of it that matters here."""

    account: str
    day: int
    sequence: int
    granted_fen: int


class Spend(NamedTuple):
    accounts: Sequence[str]
    day: int  # days since the epoch, in the policy's zone
    fen: int


class Told(NamedTuple):
    """A message of the budget: when, and from or to which partition."""

    at_ms: int
    partition: int
    message: Report | Lease


class Purse:
    """One partition's: what it spent, and the budget mails on its log and among its outputs."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.spends: list[Spend] = []
        self.heard: list[Told] = []
        self.said: list[Told] = []

    def hear(self, mail: Mail) -> None:
        self.heard.append(Told(mail.at_ms, int(mail.body["from"]), _message(mail.body["message"])))

    def say(self, mails: Iterable[Mail]) -> None:
        for mail in mails:
            if mail.kind == "budget":
                self.said.append(Told(mail.at_ms, mail.to, _message(mail.body["message"])))

    def spent(self) -> dict[Ledger, int]:
        sums: dict[Ledger, int] = defaultdict(int)
        for spend in self.spends:
            for account in spend.accounts:
                sums[account, spend.day] += spend.fen
                sums[account, TOTAL] += spend.fen
        return sums


def money_faults(purses: Sequence[Purse], limits: dict[str, list[Limits]]) -> Iterator[str]:
    spent: dict[Ledger, int] = defaultdict(int)
    for purse in purses:
        for ledger, fen in purse.spent().items():
            spent[ledger] += fen
        yield from _beyond_lease(purse, limits)
    for ledger, fen in spent.items():
        most = _most(ledger, limits)
        if most is not None and fen > most:
            yield f"{_named(ledger)}: {fen} fen were spent, the budget is {most}"
    yield from _overleased(purses, limits)


def _most(ledger: Ledger, limits: dict[str, list[Limits]]) -> int | None:
    """The highest limit of the ledger that was in force; None where there was none."""
    account, day = ledger
    known = limits.get(account, [])
    fens = [one.total_fen if day == TOTAL else one.daily_fen for one in known]
    if account == POLICY_ACCOUNT and day != TOTAL:
        return max(fens)  # 0: nothing may be spent
    return max(fens) if fens and all(fens) else None


def _beyond_lease(purse: Purse, limits: dict[str, list[Limits]]) -> Iterator[str]:
    """What a partition spent of a limit is within what it told that it has, and was granted."""
    initial: dict[Ledger, int] = {}
    back: dict[Ledger, int] = {}
    granted: dict[Ledger, int] = defaultdict(int)
    told: dict[Ledger, int] = {}
    for _, _, message in purse.said:
        if isinstance(message, Report):
            ledger = message.account, message.day
            initial[ledger] = message.initial_fen
            back[ledger] = message.returned_fen
            told[ledger] = message.spent_fen
    for _, _, message in purse.heard:
        if isinstance(message, Lease):
            ledger = message.account, message.day
            granted[ledger] = max(granted[ledger], message.granted_fen)
    spent = purse.spent()
    for ledger, fen in initial.items():
        leased = fen + granted[ledger] - back[ledger]
        used = spent.get(ledger, 0)
        if _most(ledger, limits) is None:
            continue  # without a limit nobody counts
        if used > leased:
            yield (
                f"partition {purse.partition}: {_named(ledger)}: {used} fen were spent, "
                f"{leased} were leased"
            )
        if told[ledger] > used:
            yield (
                f"partition {purse.partition}: {_named(ledger)}: told that {told[ledger]} fen were "
                f"spent, its triggers cost {used}"
            )


def _overleased(purses: Sequence[Purse], limits: dict[str, list[Limits]]) -> Iterator[str]:
    """At no place of the coordinator's log more is leased than the limit. What comes back counts
    from where the coordinator has read it."""
    steps: list[tuple[int, int, int, Report | Lease]] = []
    for purse in purses:
        if purse.partition == COORDINATOR:
            steps += [(at_ms, 0, p, m) for at_ms, p, m in purse.heard if isinstance(m, Report)]
            steps += [(at_ms, 1, p, m) for at_ms, p, m in purse.said if isinstance(m, Lease)]
    steps.sort(key=lambda step: step[:2])
    holds: dict[Ledger, dict[tuple[int, str], int]] = defaultdict(dict)
    found: set[Ledger] = set()
    for _, _, partition, message in steps:
        ledger = message.account, message.day
        hold = holds[ledger]
        if isinstance(message, Report):
            hold[partition, "initial"] = message.initial_fen
            returned = hold.get((partition, "returned"), 0)
            hold[partition, "returned"] = min(returned, -message.returned_fen)
        else:
            granted = hold.get((partition, "granted"), 0)
            hold[partition, "granted"] = max(granted, message.granted_fen)
        leased, most = sum(hold.values()), _most(ledger, limits)
        if most is not None and leased > most and ledger not in found:
            found.add(ledger)
            yield f"{_named(ledger)}: {leased} fen are leased, the budget is {most}"


def _message(body: Any) -> Report | Lease:
    return msgspec.convert(body, Report | Lease)


def _named(ledger: Ledger) -> str:
    account, day = ledger
    return f"account {account}" if day == TOTAL else f"account {account} on day {day}"
