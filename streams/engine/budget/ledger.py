"""One ledger of a purse: what the partition holds of it, and how its talk with the coordinator
stands."""

from msgspec import Struct

from streams.engine.budget.account import NEVER_MS
from streams.engine.budget.messages import DRY, PACED, Lease


class PurseLedger(Struct, array_like=True, gc=False):
    """Sums since the ledger began, the state of the talk with the coordinator."""

    initial_fen: int
    active_ms: int = 0  # the last spend or grant
    granted_fen: int = 0
    returned_fen: int = 0
    spent_fen: int = 0
    demand_fen: int = 0
    last_grant_fen: int = 0  # 0: asking in advance is of no use
    wanted_fen: int = 0  # the smallest spend refused and not yet possible
    unit_fen: int = 0  # the largest single cost
    dry_fen: int = 0  # so much more is not to be had from anyone; 0: not known
    sequence: int = 0
    heard: int = 0
    ask: int = 0
    answered: int = 0
    retry_ms: int = 0
    recall: int = 0
    recalled: int = 0
    everything: bool = False  # is recalled
    republished: bool = False  # the account changed and the coordinator was not told so

    @property
    def held_fen(self) -> int:
        return self.initial_fen + self.granted_fen - self.returned_fen - self.spent_fen

    @property
    def need_fen(self) -> int:
        return max(0, self.wanted_fen - self.held_fen) if self.wanted_fen else 0

    def wishes(self) -> bool:
        if self.ask > self.answered:
            return False
        held_fen = self.held_fen
        return self.wanted_fen > held_fen or 2 * held_fen < self.last_grant_fen


def take_denial(ledger: PurseLedger, lease: Lease) -> None:
    ledger.last_grant_fen = 0
    if lease.answer == DRY:
        ledger.dry_fen = lease.need_fen
        ledger.retry_ms = NEVER_MS
    elif lease.answer == PACED:
        ledger.retry_ms = lease.retry_ms


def miss(ledger: PurseLedger, fen: int) -> bool:
    """Note that the spend was refused; whether it is known that the money is not to be had."""
    need_fen = fen - ledger.held_fen
    if ledger.dry_fen and need_fen >= ledger.dry_fen:
        return True
    if ledger.retry_ms == NEVER_MS:
        ledger.retry_ms = 0
    ledger.unit_fen = max(ledger.unit_fen, fen)
    if not ledger.held_fen < ledger.wanted_fen <= fen:
        ledger.wanted_fen = fen
    return False
