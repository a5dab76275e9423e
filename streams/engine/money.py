"""Money between partitions: every partition's purse, and on partition 0 the coordinator as well.

Their messages are mail, committed with the batch that caused them. The coordinator stands on a log
like everything else, so what was granted is as exact as any other state.
"""

from collections.abc import Sequence
from typing import Final

from streams.contract.journeys import JourneySpec
from streams.contract.policy import Policy
from streams.contract.records import Mail
from streams.engine.budget.account import TOTAL, Account, row_key
from streams.engine.budget.coordinator import BOOK_PREFIX, POT_PREFIX, Coordinator
from streams.engine.budget.messages import Lease, from_body, to_body
from streams.engine.budget.purse import ACCOUNT_PREFIX, LEDGER_PREFIX, Purse
from streams.engine.people import People

COORDINATOR: Final = 0  # the partition it lives on
POLICY: Final = "policy"
KINDS: Final = (ACCOUNT_PREFIX, LEDGER_PREFIX, BOOK_PREFIX, POT_PREFIX)


class Money:
    def __init__(
        self, people: People, changed: dict[bytes, None], *, partition: int, partitions: int
    ) -> None:
        self.purse = Purse(partitions, changed)
        self._people = people
        self._coordinator = Coordinator(partitions, changed) if partition == COORDINATOR else None
        self._partition = partition
        self._partitions = partitions

    def open(self, account: Account, now_ms: int) -> list[Mail]:
        """A policy or journey with money of its own is in force from now on."""
        self.purse.open(account)
        if self._coordinator is None:
            return []
        found = self._coordinator.open(account, now_ms)
        return [self._letter(to, lease) for to, lease in found]

    def settle(self, now_ms: int) -> list[Mail]:
        """What the purse has to say by now: at the end of each record."""
        if self.purse.next_due_ms() > now_ms:
            return []
        return [self._letter(COORDINATOR, report) for report in self.purse.wants(now_ms)]

    def copy_of(self, accounts: Sequence[str], day: int) -> Purse:
        """A purse with what these accounts have on that day, for who only asks."""
        copy = Purse(self._partitions, {})
        for name in accounts:
            for key in (
                ACCOUNT_PREFIX + name.encode(),
                row_key(LEDGER_PREFIX, name, TOTAL),
                row_key(LEDGER_PREFIX, name, day),
            ):
                row = self.purse.row(key)
                if row is not None:
                    copy.load(key, row)
        return copy

    def receive(self, mail: Mail, now_ms: int) -> list[Mail]:
        message = from_body(mail.body["message"])
        if isinstance(message, Lease):
            self.purse.receive(message, now_ms)
            return []
        assert self._coordinator is not None, "reports are for the coordinator's partition"
        found = self._coordinator.handle(message, int(mail.body["from"]), now_ms)
        return [self._letter(to, lease) for to, lease in found]

    def row(self, key: bytes) -> bytes | None:
        if key[:2] in (ACCOUNT_PREFIX, LEDGER_PREFIX):
            return self.purse.row(key)
        assert self._coordinator is not None
        return self._coordinator.row(key)

    def load(self, key: bytes, row: bytes) -> None:
        if key[:2] in (ACCOUNT_PREFIX, LEDGER_PREFIX):
            self.purse.load(key, row)
        else:
            assert self._coordinator is not None, "the coordinator's rows are in its partition"
            self._coordinator.load(key, row)

    def _letter(self, to: int, message: object) -> Mail:
        body = {"from": self._partition, "message": to_body(message)}  # type: ignore[arg-type]
        return self._people.letter(to, "budget", body)


def account_of_policy(policy: Policy) -> Account:
    """A day's budget of 0 closes it: nothing that costs money is sent."""
    return Account(
        POLICY,
        policy.version,
        policy.total_budget_fen,
        policy.daily_budget_fen,
        policy.pacing,
        policy.quiet.zone,
        closed=not policy.daily_budget_fen,
    )


def account_of(spec: JourneySpec, zone: str) -> Account | None:
    """A journey's own; None where it has no limit of its own."""
    budget = spec.budget
    if not budget.total_fen and not budget.daily_fen:
        return None
    return Account(
        spec.id, spec.version, budget.total_fen, budget.daily_fen, budget.pacing, zone,
        spec.status == "retired",
    )  # fmt: skip
