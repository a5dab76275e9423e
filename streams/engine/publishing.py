"""Commands on the log: journeys, policy and content that replace those in force, pauses.

Each partition applies a command at its place in its log and reports what became of it. A command
that is refused changes nothing.

    g:policy, g:content   the command in force, where there was one since the genesis record
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from streams.contract.content import Library
from streams.contract.control import digest
from streams.contract.policy import Policy
from streams.contract.records import Control
from streams.contract.reports import Applied
from streams.engine.content.library import Shelf
from streams.engine.journeys.book import ALL, Book
from streams.engine.journeys.proposals import Proposer
from streams.engine.money import Money, account_of, account_of_policy
from streams.engine.outcome import Effect
from streams.engine.policy.stage import PolicyStage
from streams.engine.state import decode_row, encode_row

POLICY_KEY: Final = b"g:policy"
CONTENT_KEY: Final = b"g:content"


class InForce(Struct, array_like=True):
    """A policy or content library that was published."""

    version: int
    sha256: str
    body: Any


class Publishing:
    def __init__(
        self,
        *,
        book: Book,
        policy: PolicyStage,
        proposer: Proposer,
        money: Money,
        changed: dict[bytes, None],
        partition: int,
        zone: str,
    ) -> None:
        self._book = book
        self._policy = policy
        self._proposer = proposer
        self._money = money
        self._changed = changed
        self._partition = partition
        self._zone = zone
        self._in_force: dict[bytes, InForce] = {}

    def begin(self, policy: Policy, now_ms: int) -> None:
        """Open the accounts of what the genesis record says."""
        self._money.open(account_of_policy(policy), now_ms)
        for journey in self._book:
            account = account_of(journey.spec, self._zone)
            if account is not None:
                self._money.open(account, now_ms)
        self.ready()

    def ready(self) -> None:
        """Other journeys are in force: what the policy must remember for them."""
        self._policy.remember(self._book.remembers_ms)

    def apply(self, command: Control, now_ms: int) -> list[Effect]:
        effects: list[Effect] = []
        problem = self._apply(command, now_ms, effects)
        effects.append(
            Applied(
                partition=self._partition,
                at_ms=now_ms,
                kind=command.kind,
                id=command.id,
                version=command.version,
                sha256=command.sha256,
                problem=problem,
            )
        )
        return effects

    def row(self, key: bytes) -> bytes:
        return encode_row(self._in_force[key])

    def load(self, key: bytes, row: bytes) -> None:
        in_force = decode_row(key, row, InForce)
        self._in_force[key] = in_force
        if key == POLICY_KEY:
            self._policy.put(msgspec.convert(in_force.body, Policy))
        else:
            self._proposer.put(Shelf(msgspec.convert(in_force.body, Library)))

    def _apply(self, command: Control, now_ms: int, effects: list[Effect]) -> str:
        kind = command.kind
        if kind in ("pause", "resume"):
            if kind == "resume" and command.id == ALL:
                self._policy.resume(now_ms)
            return self._book.hold(command.id, paused=kind == "pause")
        if kind == "journey":
            problem = self._book.publish(command.body, command.sha256, now_ms)
            self.ready()
            newest = self._book.newest(command.id)
            if not problem and newest is not None:
                account = account_of(newest.spec, self._zone)
                if account is not None:
                    effects += self._money.open(account, now_ms)
            return problem
        if kind not in ("policy", "content"):
            return f"no command {kind!r}: it is of a newer version"
        key = POLICY_KEY if kind == "policy" else CONTENT_KEY
        known = self._in_force.get(key)
        if known is not None and command.version <= known.version:
            if command.sha256 == known.sha256:
                return ""
            return f"version {known.version} is in force already; raise the version above it"
        if digest(command.body) != command.sha256:
            return "its digest is not that of its body"
        try:
            if kind == "policy":
                policy = msgspec.convert(command.body, Policy)
                self._policy.put(policy)
                effects += self._money.open(account_of_policy(policy), now_ms)
            else:
                self._proposer.put(Shelf(msgspec.convert(command.body, Library)))
        except ValueError as error:
            return f"is no {kind}: {error}"
        self._in_force[key] = InForce(command.version, command.sha256, command.body)
        self._changed[key] = None
        return ""
