"""A deployment's money in memory: purses, the coordinator, mail that takes its time."""

from collections import deque

from streams.engine.budget.account import TOTAL, Account
from streams.engine.budget.coordinator import Coordinator
from streams.engine.budget.messages import Lease, Report, from_body, to_body
from streams.engine.budget.purse import Purse

DAY = 20_500
MIDNIGHT_MS = DAY * 86_400_000 - 8 * 3_600_000  # in Shanghai
HOUR_MS = 3_600_000


class World:
    """Mail of one direction and partition keeps its order; what comes when is up to the test."""

    def __init__(self, partitions: int = 4, now_ms: int = MIDNIGHT_MS) -> None:
        self.partitions = partitions
        self.now_ms = now_ms
        self.day = DAY
        self.purse_changed: list[dict[bytes, None]] = [{} for _ in range(partitions)]
        self.purses = [Purse(partitions, changed) for changed in self.purse_changed]
        self.coordinator_changed: dict[bytes, None] = {}
        self.coordinator = Coordinator(partitions, self.coordinator_changed)
        self.reports: list[deque[tuple[int, object]]] = [deque() for _ in range(partitions)]
        self.leases: list[deque[tuple[int, object]]] = [deque() for _ in range(partitions)]
        self.stored: list[dict[bytes, bytes]] = [{} for _ in range(partitions + 1)]
        self.spent: dict[tuple[str, int], list[int]] = {}
        self.messages = 0

    def publish(self, account: Account) -> None:
        self.open_coordinator(account)
        for partition in range(self.partitions):
            self.open_purse(partition, account)

    def open_coordinator(self, account: Account) -> None:
        self._post(self.coordinator.open(account, self.now_ms))

    def open_purse(self, partition: int, account: Account) -> None:
        self.purses[partition].open(account)
        self.turn(partition)

    def spend(self, partition: int, fen: int, accounts: tuple[str, ...] = ("policy",)) -> str:
        """One attempt; the code of the refusal, empty where the money is spent."""
        purse, code = self.purses[partition], ""
        if purse.can_spend(accounts, self.day, fen):
            purse.spend(accounts, self.day, fen, self.now_ms)
            for account in accounts:
                for day in (TOTAL, self.day):
                    self.spent.setdefault((account, day), [0] * self.partitions)[partition] += fen
        else:
            code, _ = purse.refusal(accounts, self.day, fen)
        self.turn(partition)
        return code

    def turn(self, partition: int) -> None:
        """What ends each record: the purse speaks."""
        for report in self.purses[partition].wants(self.now_ms):
            self.reports[partition].append((self.now_ms, to_body(report)))
            self.messages += 1

    def deliver_report(self, partition: int, copies: int = 1) -> None:
        if self.reports[partition]:
            report = from_body(self.reports[partition].popleft()[1])
            assert isinstance(report, Report)
            for _ in range(copies):
                self._post(self.coordinator.handle(report, partition, self.now_ms))

    def deliver_lease(self, partition: int, copies: int = 1) -> None:
        if self.leases[partition]:
            lease = from_body(self.leases[partition].popleft()[1])
            assert isinstance(lease, Lease)
            for _ in range(copies):
                self.purses[partition].receive(lease, self.now_ms)
            self.turn(partition)

    def deliver_older_than(self, age_ms: int) -> None:
        for partition in range(self.partitions):
            self.turn(partition)
            for box, deliver in (
                (self.reports, self.deliver_report),
                (self.leases, self.deliver_lease),
            ):
                while box[partition] and box[partition][0][0] <= self.now_ms - age_ms:
                    deliver(partition)

    def settle(self) -> None:
        """Deliver until nobody has anything more to say; time stands still."""
        for _ in range(1_000):
            self.deliver_older_than(0)
            if not any(self.reports) and not any(self.leases):
                return
        raise AssertionError("the talk does not end")

    def crash(self) -> None:
        """Everything is read back from its rows, as they were written change by change."""
        owners = [*self.purses, self.coordinator]
        changes = [*self.purse_changed, self.coordinator_changed]
        for owner, changed, stored in zip(owners, changes, self.stored, strict=True):
            for key in changed:
                row = owner.row(key)
                if row is None:
                    stored.pop(key, None)
                else:
                    stored[key] = row
            changed.clear()
        self.purses = [Purse(self.partitions, changed) for changed in self.purse_changed]
        self.coordinator = Coordinator(self.partitions, self.coordinator_changed)
        for owner, stored in zip([*self.purses, self.coordinator], self.stored, strict=True):
            for key, row in stored.items():
                owner.load(key, row)

    def spent_fen(self, day: int = TOTAL, account: str = "policy") -> int:
        return sum(self.spent.get((account, day), [0]))

    def held_fen(self, day: int = TOTAL, account: str = "policy") -> int:
        """What all purses could still spend of one ledger."""
        return sum(
            ledger.held_fen
            for purse in self.purses
            for key, ledger in purse._ledgers.items()
            if key == (account, day)
        )

    def _post(self, messages: list[tuple[int, Lease]]) -> None:
        for partition, lease in messages:
            self.leases[partition].append((self.now_ms, to_body(lease)))
            self.messages += 1
