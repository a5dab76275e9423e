"""The money a partition may spend without asking, and when it asks for more or gives back.

A spend must fit the total and the day of every account it is charged to. What a purse does next
(ask, give back, forget a day) follows from its rows and the log's time alone, so a purse read back
from its rows goes on as if nothing had happened. It asks when less than half of the last grant
is left or a spend was refused; of each ledger one ask is open at most. What is unspent goes back
after ten idle minutes, down to the initial lease; all of it when the day is over or the account
closed.
"""

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Final

from streams.engine.budget.account import (
    NEVER_MS,
    TOTAL,
    UNKNOWN_VERSION,
    Account,
    day_start_ms,
    drop_ms,
    ledger_of,
    row_key,
)
from streams.engine.budget.ledger import PurseLedger, miss, take_denial
from streams.engine.budget.messages import Lease, Report
from streams.engine.state import decode_row, encode_row

IDLE_MS: Final = 600_000
BUSY_MS: Final = 10_000  # who spent so recently keeps half of what is recalled
UNLIMITED_FEN: Final = 2**62
ACCOUNT_PREFIX: Final = b"B:"
LEDGER_PREFIX: Final = b"b:"

Key = tuple[str, int]


class Purse:
    """`changed` collects the keys of rows that changed; `row` gives None for those that are gone.

    Call `wants` at the end of each record, before rows are taken.
    """

    def __init__(self, partitions: int, changed: dict[bytes, None]) -> None:
        self._partitions = partitions
        self._changed = changed
        self._accounts: dict[str, Account] = {}
        self._ledgers: dict[Key, PurseLedger] = {}
        self._row_keys: dict[Key, bytes] = {}
        self._timers: list[tuple[int, Key]] = []  # a heap, at or before each ledger's due time
        self._timer_of: dict[Key, int] = {}
        self._timers_ready = True
        self._soonest_ms: int | None = None  # found again after each change

    def open(self, account: Account) -> None:
        """A policy or journey was published; not a higher version than known: nothing happens."""
        known = self._accounts.get(account.id)
        if known is not None and known.version >= account.version:
            return
        self._accounts[account.id] = account
        self._changed[ACCOUNT_PREFIX + account.id.encode()] = None
        self._soonest_ms = None
        if known is not None or account.total_fen:
            self._ledger(account.id, TOTAL)
        if known is None:
            return
        for key, ledger in self._ledgers.items():
            if key[0] == account.id:
                ledger.republished = True
                self._stir(key, ledger)

    def account(self, name: str) -> Account | None:
        return self._accounts.get(name)

    def asked(self, account: str, day: int) -> tuple[int, int, int]:
        """Of a day's money: what was asked for, what was spent, what can be spent now."""
        ledger = self._ledgers.get((account, day))
        if ledger is None:
            return 0, 0, 0
        return ledger.demand_fen, ledger.spent_fen, ledger.held_fen

    def available_fen(self, account: str, day: int) -> int:
        """What can be spent without asking; UNLIMITED_FEN where there is no limit.

        Raises: LookupError where the account was never opened.
        """
        found = self._account(account)
        if found.closed:
            return 0
        held_fen = UNLIMITED_FEN
        if found.total_fen:
            held_fen = self._ledger(account, TOTAL).held_fen
        if found.daily_fen:
            held_fen = min(held_fen, self._ledger(account, day).held_fen)
        return held_fen

    def can_spend(self, accounts: Sequence[str], day: int, fen: int) -> bool:
        if not fen:
            return True
        return all(self.available_fen(account, day) >= fen for account in accounts)

    def spend(self, accounts: Sequence[str], day: int, fen: int, now_ms: int) -> None:
        """Raises: ValueError where `can_spend` says no."""
        if not self.can_spend(accounts, day, fen):
            raise ValueError(
                f"a spend of {fen} fen does not fit {', '.join(accounts)} on day {day}: "
                "ask can_spend first"
            )
        if not fen:
            return
        for account in accounts:
            for key, ledger in self._limits(account, day):
                ledger.spent_fen += fen
                ledger.demand_fen += fen
                ledger.active_ms = now_ms
                ledger.unit_fen = max(ledger.unit_fen, fen)
                self._touch(key)
                if ledger.wishes():
                    self._stir(key, ledger)

    def refusal(self, accounts: Sequence[str], day: int, fen: int) -> tuple[str, dict[str, int]]:
        """Why `can_spend` said no, as outcome code and values; the purse asks for what is missing.

        Call it once for each refused spend. BUDGET_TOTAL and BUDGET_DAY are final until money comes
        back or the account changes; PACED may be tried again.

        Raises: ValueError where the spend is possible.
        """
        codes = dict.fromkeys(("BUDGET_TOTAL", "BUDGET_DAY", "PACED"), False)
        seen = {"cost_fen": fen}
        for name in accounts:
            account = self._account(name)
            if account.closed:
                codes["BUDGET_TOTAL"] = True
                seen[f"{name}.total_limit_fen"] = 0
            for key, ledger in self._limits(name, day):
                ledger.demand_fen += fen
                self._touch(key)
                if ledger.held_fen >= fen:
                    continue
                limit, code = (
                    ("total", "BUDGET_TOTAL") if key[1] == TOTAL else ("day", "BUDGET_DAY")
                )
                seen[f"{name}.{limit}_limit_fen"] = account.limit_fen(key[1])
                seen[f"{name}.{limit}_left_fen"] = ledger.held_fen
                impossible = fen > account.limit_fen(key[1])
                final = impossible or miss(ledger, fen)
                codes[code if final else "PACED"] = True
                if not final:
                    self._stir(key, ledger)
        for code, applies in codes.items():
            if applies:
                return code, seen
        raise ValueError(f"a spend of {fen} fen fits {', '.join(accounts)}: nothing to refuse")

    def receive(self, lease: Lease, now_ms: int) -> None:
        """What the coordinator said; heard before or overtaken by a later one: nothing happens."""
        if lease.day != TOTAL and now_ms >= drop_ms(lease.day):
            return
        ledger = self._ledger(lease.account, lease.day)
        if lease.sequence <= ledger.heard:
            return
        ledger.heard = lease.sequence
        more_fen = lease.granted_fen - ledger.granted_fen
        ledger.granted_fen = lease.granted_fen
        if more_fen:
            ledger.last_grant_fen = more_fen
            ledger.active_ms = now_ms
            ledger.dry_fen = ledger.retry_ms = 0
            if ledger.wanted_fen <= ledger.held_fen:
                ledger.wanted_fen = 0
        if lease.answered > ledger.answered:
            ledger.answered = lease.answered
            if not more_fen:
                take_denial(ledger, lease)
        if lease.recall > ledger.recall:
            ledger.recall = lease.recall
            ledger.everything = ledger.everything or lease.everything
        key = (lease.account, lease.day)
        self._touch(key)
        self._stir(key, ledger)

    def wants(self, now_ms: int) -> list[Report]:
        """What the coordinator has to be told by now, by account and day."""
        if self._timers_ready and (not self._timers or self._timers[0][0] > now_ms):
            return []
        due: list[Key] = []
        while self.next_due_ms() <= now_ms < NEVER_MS:
            _, key = heappop(self._timers)
            self._soonest_ms = None
            del self._timer_of[key]
            due.append(key)
        reports = []
        for key in sorted(due):
            report = self._attend(key, now_ms)
            if report is not None:
                reports.append(report)
            if key in self._ledgers:
                self._stir(key, self._ledgers[key])
        return reports

    def next_due_ms(self) -> int:
        """When `wants` has something to do, NEVER_MS where it has not."""
        if self._soonest_ms is None:
            self._soonest_ms = self._find_soonest()
        return self._soonest_ms

    def _find_soonest(self) -> int:
        if not self._timers_ready:
            self._timers_ready = True
            for key, ledger in self._ledgers.items():
                self._stir(key, ledger)
        while self._timers:
            timer_ms, key = self._timers[0]
            if timer_ms == self._timer_of.get(key):
                ledger = self._ledgers[key]
                if timer_ms >= self._due_ms(key, ledger):
                    return timer_ms
                del self._timer_of[key]
                self._stir(key, ledger)
            heappop(self._timers)
        return NEVER_MS

    def row(self, key: bytes) -> bytes | None:
        """The row as it stands, None where there is none."""
        if key.startswith(ACCOUNT_PREFIX):
            account = self._accounts.get(key[2:].decode())
            return None if account is None else encode_row(account)
        ledger = self._ledgers.get(ledger_of(key))
        return None if ledger is None else encode_row(ledger)

    def load(self, key: bytes, row: bytes) -> None:
        if key.startswith(ACCOUNT_PREFIX):
            self._accounts[key[2:].decode()] = decode_row(key, row, Account)
        else:
            self._ledgers[ledger_of(key)] = decode_row(key, row, PurseLedger)
            self._row_keys[ledger_of(key)] = key
            self._timers_ready = False
        self._soonest_ms = None

    def _account(self, name: str) -> Account:
        account = self._accounts.get(name)
        if account is None:
            raise LookupError(f"account {name!r} was never opened: publish its policy or journey")
        return account

    def _limits(self, name: str, day: int) -> list[tuple[Key, PurseLedger]]:
        account = self._account(name)
        days = [TOTAL] if account.total_fen else []
        if account.daily_fen:
            days.append(day)
        return [((name, each), self._ledger(name, each)) for each in days]

    def _ledger(self, name: str, day: int) -> PurseLedger:
        key = (name, day)
        ledger = self._ledgers.get(key)
        if ledger is None:
            # Where the coordinator speaks of an account before it was published here, there is no
            # initial lease: the first report says so.
            account = self._accounts.get(name)
            initial_fen = account.initial_fen(day, self._partitions) if account else 0
            ledger = PurseLedger(initial_fen, last_grant_fen=initial_fen)
            self._ledgers[key] = ledger
            self._row_keys[key] = row_key(LEDGER_PREFIX, name, day)
            self._touch(key)
            self._stir(key, ledger)
        return ledger

    def _attend(self, key: Key, now_ms: int) -> Report | None:
        """Do what is due for one ledger; the report of it, None where there is nothing to tell."""
        name, day = key
        ledger = self._ledgers[key]
        self._touch(key)
        if day != TOTAL and now_ms >= drop_ms(day):
            del self._ledgers[key], self._row_keys[key]
            return None
        if self._is_over(key, now_ms):
            ledger.wanted_fen = ledger.last_grant_fen = 0
        spare_fen = self._spare_fen(key, ledger, now_ms)
        tells = spare_fen > 0 or ledger.recall > ledger.recalled or ledger.republished
        ledger.returned_fen += spare_fen
        if spare_fen:
            ledger.last_grant_fen = 0  # or it would at once ask for it again
        if ledger.wishes() and now_ms >= ledger.retry_ms:
            ledger.ask += 1
            tells = True
        ledger.recalled = ledger.recall
        ledger.everything = ledger.republished = False
        if not tells:
            return None
        ledger.sequence += 1
        account = self._accounts.get(name)
        return Report(
            account=name,
            day=day,
            sequence=ledger.sequence,
            version=account.version if account else UNKNOWN_VERSION,
            at_ms=now_ms,
            initial_fen=ledger.initial_fen,
            returned_fen=ledger.returned_fen,
            spent_fen=ledger.spent_fen,
            demand_fen=ledger.demand_fen,
            ask=ledger.ask,
            need_fen=ledger.need_fen,
            unit_fen=ledger.unit_fen,
            recalled=ledger.recalled,
        )

    def _spare_fen(self, key: Key, ledger: PurseLedger, now_ms: int) -> int:
        held_fen = ledger.held_fen
        if ledger.everything or self._is_over(key, now_ms):
            return held_fen
        if ledger.recall > ledger.recalled:
            busy = now_ms < ledger.active_ms + BUSY_MS
            # What does not pay for the next spend is of more use elsewhere.
            enough = held_fen >= ledger.unit_fen and not ledger.need_fen
            return held_fen - held_fen // 2 if busy and enough else held_fen
        if ledger.republished or now_ms >= ledger.active_ms + IDLE_MS:
            return max(0, held_fen - self._reserve_fen(key))
        return 0

    def _reserve_fen(self, key: Key) -> int:
        """What stays for the first spend after a pause."""
        account = self._accounts.get(key[0])
        return account.initial_fen(key[1], self._partitions) if account else 0

    def _is_over(self, key: Key, now_ms: int) -> bool:
        return now_ms >= self._end_ms(key)

    def _end_ms(self, key: Key) -> int:
        """From when on nothing is spent; 0 for a closed account."""
        name, day = key
        account = self._accounts.get(name)
        if account is not None and account.closed:
            return 0
        if account is None or day == TOTAL:
            return NEVER_MS
        return day_start_ms(account.zone, day + 1)

    def _due_ms(self, key: Key, ledger: PurseLedger) -> int:
        """When this ledger has something to do: a function of rows alone."""
        if ledger.recall > ledger.recalled or ledger.republished:
            return 0
        due_ms = drop_ms(key[1]) if key[1] != TOTAL else NEVER_MS
        held_fen = ledger.held_fen
        if held_fen:
            due_ms = min(due_ms, self._end_ms(key))
            if held_fen > self._reserve_fen(key):
                due_ms = min(due_ms, ledger.active_ms + IDLE_MS)
        if ledger.wishes():
            due_ms = min(due_ms, ledger.retry_ms)
        return due_ms

    def _touch(self, key: Key) -> None:
        self._changed[self._row_keys[key]] = None
        self._soonest_ms = None

    def _stir(self, key: Key, ledger: PurseLedger) -> None:
        due_ms = self._due_ms(key, ledger)
        if due_ms < self._timer_of.get(key, NEVER_MS):
            self._timer_of[key] = due_ms
            heappush(self._timers, (due_ms, key))
