"""Who gets which part of an account's money: leases that shrink as the money runs out.

An ask is met with the largest of: the largest single cost, a share of what is free, and what the
partition was asked for lately (up to half of what is free). So many asks are needed only near the
end, and money goes where the demand is. An ask that cannot be met recalls what other partitions
hold; only when nobody holds anything it is told so, and it stays first in line for what comes back.
Of a paced day no more is leased than is released by now.

What is leased is counted at its most: a partition not heard of owns its initial lease by whichever
version of the account it may know. So the sum of what is leased is never above a limit.
"""

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Final

from msgspec import Struct, field

from streams.engine.budget.account import (
    TOTAL,
    UNKNOWN_VERSION,
    Account,
    day_start_ms,
    drop_ms,
    ledger_of,
    row_key,
)
from streams.engine.budget.messages import DRY, GIVEN, PACED, Answer, Lease, Report
from streams.engine.budget.pacing import MIN_WAIT_MS, Curve, released_fen, wait_ms
from streams.engine.state import decode_row, encode_row

BOOK_PREFIX: Final = b"K:"
POT_PREFIX: Final = b"k:"

To = tuple[int, Lease]


class Holding(Struct, array_like=True, gc=False):
    """One partition's part of a ledger. Sums since the ledger began, the state of the talk."""

    initial_fen: int
    granted_fen: int = 0
    returned_fen: int = 0
    spent_fen: int = 0  # as last reported
    demand_fen: int = 0
    recent_fen: int = 0  # demand between the last two reports
    heard: int = 0
    sent: int = 0
    ask: int = 0
    answered: int = 0
    need_fen: int = 0
    unit_fen: int = 0
    recall: int = 0
    recalled: int = 0

    @property
    def leased_fen(self) -> int:
        return self.initial_fen + self.granted_fen - self.returned_fen


class Pot(Struct, array_like=True):
    """One ledger: what each partition has of it, who waits for money, in the order of asking."""

    holdings: list[Holding]
    queue: list[int] = []

    @property
    def leased_fen(self) -> int:
        return sum([holding.leased_fen for holding in self.holdings])


class Book(Struct, array_like=True):
    """One account. `versions`: those some partition may still go by, with the initial lease of a
    day; `confirmed`: the version each partition is known to have reached."""

    account: Account
    versions: list[tuple[int, int]]
    confirmed: list[int]
    curve: Curve = field(default_factory=Curve)

    def most_initial_fen(self, partition: int) -> int:
        """The largest initial lease of a day the partition may take."""
        confirmed = self.confirmed[partition]
        return max([fen for version, fen in self.versions if version >= confirmed], default=0)

    def confirm(self, partition: int, version: int) -> bool:
        """Whether that was new."""
        if version <= self.confirmed[partition]:
            return False
        self.confirmed[partition] = version
        oldest = min(self.confirmed)
        self.versions = [known for known in self.versions if known[0] >= oldest]
        return True


class Coordinator:
    """`changed` collects the keys of rows that changed; `row` gives None for those that are gone.

    Accounts must be opened in the order in which the partitions' purses open them.
    """

    def __init__(self, partitions: int, changed: dict[bytes, None]) -> None:
        self._partitions = partitions
        self._changed = changed
        self._books: dict[str, Book] = {}
        self._pots: dict[str, dict[int, Pot]] = {}
        self._days: list[tuple[int, str]] = []  # a heap of the day ledgers that are kept

    def open(self, account: Account, now_ms: int) -> list[To]:
        """A policy or journey was published; not a higher version than known: nothing happens."""
        self._drop_old(now_ms)
        book = self._book(account.id)
        if book.account.version >= account.version:
            return []
        book.account = account
        book.versions.append((account.version, account.initial_fen(TOTAL + 1, self._partitions)))
        self._changed[BOOK_PREFIX + account.id.encode()] = None
        pots = self._pots[account.id]
        if account.total_fen and TOTAL not in pots:
            self._pot(book, TOTAL)
        messages: list[To] = []
        for day, pot in pots.items():
            initial_fen = account.initial_fen(day, self._partitions)
            for holding in pot.holdings:
                if not holding.heard:
                    holding.initial_fen = max(holding.initial_fen, initial_fen)
            if pot.leased_fen > account.limit_fen(day):
                messages += self._recall_all(account.id, day, pot)
            messages += self._serve(book, day, pot, now_ms)
            self._changed[row_key(POT_PREFIX, account.id, day)] = None
        return messages

    def handle(self, report: Report, partition: int, now_ms: int) -> list[To]:
        """What a purse said; heard before or overtaken by a later one: nothing happens."""
        if not 0 <= partition < self._partitions:
            raise ValueError(
                f"budget report about {report.account!r} from partition {partition}: "
                f"this deployment has {self._partitions}"
            )
        self._drop_old(now_ms)
        if report.day != TOTAL and now_ms >= drop_ms(report.day):
            return []
        book = self._book(report.account)
        if book.confirm(partition, report.version):
            self._changed[BOOK_PREFIX + report.account.encode()] = None
        pot = self._pots[report.account].get(report.day) or self._pot(book, report.day)
        holding = pot.holdings[partition]
        if report.sequence <= holding.heard:
            return []
        self._learn(book, report, holding)
        _take_report(holding, report)
        if holding.ask > holding.answered and partition not in pot.queue:
            pot.queue.append(partition)
        elif not holding.need_fen and holding.ask == holding.answered and partition in pot.queue:
            pot.queue.remove(partition)
        self._changed[row_key(POT_PREFIX, report.account, report.day)] = None
        return self._serve(book, report.day, pot, now_ms)

    def leased_fen(self, account: str, day: int) -> int:
        """Granted less returned, over all partitions."""
        pot = self._pots.get(account, {}).get(day)
        return 0 if pot is None else pot.leased_fen

    def row(self, key: bytes) -> bytes | None:
        """The row as it stands, None where there is none."""
        if key.startswith(BOOK_PREFIX):
            book = self._books.get(key[2:].decode())
            return None if book is None else encode_row(book)
        name, day = ledger_of(key)
        pot = self._pots.get(name, {}).get(day)
        return None if pot is None else encode_row(pot)

    def load(self, key: bytes, row: bytes) -> None:
        if key.startswith(BOOK_PREFIX):
            name = key[2:].decode()
            self._books[name] = decode_row(key, row, Book)
            self._pots.setdefault(name, {})
            return
        name, day = ledger_of(key)
        self._keep(name, day, decode_row(key, row, Pot))

    def _book(self, name: str) -> Book:
        book = self._books.get(name)
        if book is None:
            unknown = Account(name, UNKNOWN_VERSION)
            book = self._books[name] = Book(unknown, [], [UNKNOWN_VERSION] * self._partitions)
            self._pots.setdefault(name, {})
            self._changed[BOOK_PREFIX + name.encode()] = None
        return book

    def _pot(self, book: Book, day: int) -> Pot:
        account = book.account
        initial_fen = account.initial_fen(TOTAL, self._partitions)
        pot = Pot(
            [
                Holding(initial_fen if day == TOTAL else book.most_initial_fen(partition))
                for partition in range(self._partitions)
            ]
        )
        self._keep(account.id, day, pot)
        return pot

    def _keep(self, name: str, day: int, pot: Pot) -> None:
        self._pots.setdefault(name, {})[day] = pot
        if day != TOTAL:
            heappush(self._days, (day, name))

    def _drop_old(self, now_ms: int) -> None:
        while self._days and now_ms >= drop_ms(self._days[0][0]):
            day, name = heappop(self._days)
            del self._pots[name][day]
            self._changed[row_key(POT_PREFIX, name, day)] = None

    def _learn(self, book: Book, report: Report, holding: Holding) -> None:
        demand_fen = report.demand_fen - holding.demand_fen
        if demand_fen > 0 and book.account.pacing == "demand" and report.day != TOTAL:
            # What is told after midnight was asked for before.
            ends_ms = day_start_ms(book.account.zone, report.day + 1)
            book.curve.count(book.account, demand_fen, min(report.at_ms, ends_ms - 1))
            self._changed[BOOK_PREFIX + report.account.encode()] = None

    def _serve(self, book: Book, day: int, pot: Pot, now_ms: int) -> list[To]:
        """Answer whoever waits, as far as the money goes."""
        if not pot.queue:
            return []
        account = book.account
        limit_fen = released = account.limit_fen(day)
        if account.is_paced(day) and not account.closed:
            released = released_fen(account, book.curve, day, now_ms)
        free_fen = released - pot.leased_fen
        messages: list[To] = []
        for partition in list(pot.queue):
            holding = pot.holdings[partition]
            need_fen = holding.need_fen
            grant_fen = self._grant_fen(holding, free_fen)
            if grant_fen:
                holding.granted_fen += grant_fen
                free_fen -= grant_fen
                answer, retry_ms, waits = GIVEN, 0, False
            elif holding.ask == holding.answered:
                continue
            elif account.version == UNKNOWN_VERSION:
                answer, retry_ms, waits = PACED, now_ms + MIN_WAIT_MS, False
            elif not need_fen:
                answer, retry_ms, waits = GIVEN, 0, False
            elif released < limit_fen:
                missing_fen = need_fen - free_fen
                wait = wait_ms(account, book.curve, missing_fen, now_ms)
                answer, retry_ms, waits = PACED, now_ms + wait, False
            else:
                messages += self._recall(account.id, day, pot, partition)
                if _awaits_recalled(pot, partition):
                    continue
                answer, retry_ms, waits = DRY, 0, True
            holding.answered = holding.ask
            if not waits:
                pot.queue.remove(partition)
            lease = _lease(account.id, day, holding, answer=answer, retry_ms=retry_ms)
            messages.append((partition, lease))
        return messages

    def _grant_fen(self, holding: Holding, free_fen: int) -> int:
        least_fen = holding.need_fen or holding.unit_fen
        if free_fen <= 0 or free_fen < least_fen:
            return 0
        share_fen = free_fen // (2 * self._partitions)
        recent_fen = min(holding.recent_fen, free_fen // 2)
        return min(free_fen, max(least_fen, holding.unit_fen, share_fen, recent_fen))

    def _recall(self, name: str, day: int, pot: Pot, asking: int) -> Iterator[To]:
        """From all who may hold money and are not asked for it already, but the one who asks."""
        for partition, holding in enumerate(pot.holdings):
            held_fen = holding.leased_fen - holding.spent_fen
            if partition != asking and held_fen > 0 and holding.recall == holding.recalled:
                holding.recall += 1
                yield partition, _lease(name, day, holding)

    def _recall_all(self, name: str, day: int, pot: Pot) -> Iterator[To]:
        for partition, holding in enumerate(pot.holdings):
            holding.recall += 1
            yield partition, _lease(name, day, holding, everything=True)


def _awaits_recalled(pot: Pot, asking: int) -> bool:
    return any(
        holding.recall > holding.recalled
        for partition, holding in enumerate(pot.holdings)
        if partition != asking
    )


def _take_report(holding: Holding, report: Report) -> None:
    holding.heard = report.sequence
    holding.initial_fen = report.initial_fen
    holding.returned_fen = report.returned_fen
    holding.spent_fen = report.spent_fen
    holding.recent_fen = report.demand_fen - holding.demand_fen
    holding.demand_fen = report.demand_fen
    holding.ask = report.ask
    holding.need_fen = report.need_fen
    holding.unit_fen = report.unit_fen
    holding.recalled = report.recalled


def _lease(
    name: str,
    day: int,
    holding: Holding,
    *,
    answer: Answer = GIVEN,
    retry_ms: int = 0,
    everything: bool = False,
) -> Lease:
    holding.sent += 1
    return Lease(
        account=name,
        day=day,
        sequence=holding.sent,
        granted_fen=holding.granted_fen,
        answered=holding.answered,
        answer=answer,
        need_fen=holding.need_fen,
        retry_ms=retry_ms,
        recall=holding.recall,
        everything=everything,
    )
