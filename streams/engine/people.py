"""Who an event is about: aliases, merges and erasure generations, also across partitions.

A person's user id is the alias they were first seen with; after an erasure `.1`, `.2`, ...
follow. An alias that became part of another person forwards to it. Where the two live in
different partitions, mail does the rest: `move` asks a partition to hand a person over, `adopt`
brings the state, `event` brings later events.

Two partitions may move two people to each other at the same time, which closes forwards to a
loop. Mail carries the aliases it passed; the smallest alias of a loop that sees a mail for the
second time stops forwarding and is the person.
"""

from base64 import b64decode, b64encode
from typing import Any

from streams.contract.partitioning import base_alias, partition_of
from streams.contract.records import Mail, Observed, Origin
from streams.contract.topics import MAIL
from streams.engine.state import (
    NEVER_MS,
    AliasState,
    Counts,
    UserState,
    decode_row,
    decode_user,
    encode_row,
    encode_user,
)
from streams.engine.store import Store

PREFIX = b"a:"
MOST_LINKED = 64  # aliases of one person; a person has a few, a forger many


class People:
    """Rows of aliases exist only for those that were linked or erased: all others speak for
    themselves."""

    def __init__(self, store: Store, clock: Counts, *, partition: int, partitions: int) -> None:
        self._store = store
        self._clock = clock
        self._partition = partition
        self._partitions = partitions
        self._aliases: dict[str, AliasState] = {}

    # Finding people.

    def knows(self, alias: str) -> bool:
        """Whether there is more to say about an alias than that it is a user id."""
        return alias in self._aliases or "." in alias

    def follow(self, alias: str, path: list[str]) -> str:
        """The user id an alias or user id stands for now, perhaps in another partition."""
        alias = base_alias(alias)
        while True:
            row = self._aliases.get(alias)
            if row is None:
                return alias
            if not row.forward:
                return f"{alias}.{row.generation}" if row.generation else alias
            if alias in path and alias == min(path[path.index(alias) :]):
                row.forward = ""
                self._touch(alias)
                continue
            path.append(alias)
            user_id, alias = row.forward, base_alias(row.forward)
            if not self._is_here(alias):
                return user_id

    def stands_for(self, alias: str) -> str:
        """As `follow`, for who only asks: nothing changes, a loop ends where it began."""
        alias, passed = base_alias(alias), [""]
        while alias not in passed:
            passed.append(alias)
            row = self._aliases.get(alias)
            if row is None:
                return alias
            if not row.forward:
                return f"{alias}.{row.generation}" if row.generation else alias
            if not self._is_here(row.forward):
                return row.forward
            alias = base_alias(row.forward)
        return alias

    def is_forgotten(self, event: Observed) -> bool:
        """The event speaks of a person who has been erased since."""
        alias, _, generation = event.alias.partition(".")
        row = self._aliases.get(alias)
        if row is None:
            return bool(generation)  # of a user id we never gave
        if event.time_ms <= row.erased_ms:
            return True
        answers = bool(generation) or event.type.startswith("push.")
        return answers and not row.forward and generation != (str(row.generation or ""))

    def is_here(self, user_id: str) -> bool:
        return self._is_here(base_alias(user_id))

    def anchor_of(self, alias: str) -> int:
        """The control-group anchor that outlives an erasure; 0: the alias's own."""
        row = self._aliases.get(alias)
        return 0 if row is None else row.anchor

    # Mail.

    def forward(self, event: Observed, user_id: str, path: list[str]) -> Mail:
        return self._mail("event", user_id, user_id, {"event": event, "path": path})

    def ask(self, alias: str, person: str, time_ms: int, path: list[str]) -> Mail:
        """Ask the partition of `alias` to hand it over to `person`."""
        return self._mail("move", alias, person, {"time_ms": time_ms, "path": path})

    def hand_over(self, alias: str, state: UserState | None, to: str, time_ms: int) -> Mail:
        packed = b64encode(encode_user(state, NEVER_MS)).decode() if state is not None else ""
        return self.pass_on(to, {"from": alias, "state": packed, "time_ms": time_ms, "path": []})

    def pass_on(self, to: str, body: dict[str, Any]) -> Mail:
        return self._mail("adopt", to, to, body)

    def sever(self, alias: str, erased_ms: int) -> Mail:
        """Tell the partition of a linked alias that the person was erased."""
        return self._mail("move", alias, "", {"erased_ms": erased_ms})

    @staticmethod
    def unpack(body: dict[str, Any]) -> UserState | None:
        packed = body["state"]
        return decode_user(b64decode(packed)) if packed else None

    # Linking and erasing.

    def point(self, alias: str, user_id: str) -> None:
        """From now on the alias belongs to the person with this user id."""
        self._row(alias).forward = user_id
        self._touch(alias)

    def own(self, alias: str, linked: str) -> None:
        """Note that `linked` forwards to `alias`, so that an erasure reaches it."""
        row = self._row(alias)
        if linked != alias and linked not in row.linked and len(row.linked) < MOST_LINKED:
            row.linked.append(linked)
            self._touch(alias)

    def may_link(self, alias: str, linked: str, time_ms: int) -> bool:
        """Not what was erased since the link, and not more aliases than one person has."""
        row = self._aliases.get(linked)
        if row is not None and row.erased_ms >= time_ms:
            return False
        owner = self._aliases.get(alias)
        return owner is None or linked in owner.linked or len(owner.linked) < MOST_LINKED

    def erase(self, alias: str, erased_ms: int, anchor: int, gone: list[str]) -> list[Mail]:
        """Forget the alias and all that forward to it; each begins a new generation. `gone` gets
        those of this partition."""
        gone.append(alias)
        row = self._row(alias)
        linked, row.linked = row.linked, []
        row.generation += 1
        row.erased_ms = max(row.erased_ms, erased_ms)
        row.forward = ""
        row.anchor = anchor
        self._touch(alias)
        mail = []
        for other in linked:
            if self._is_here(other):
                mail += self.erase(other, erased_ms, 0, gone)
            else:
                mail.append(self.sever(other, erased_ms))
        return mail

    def erased_ms(self, alias: str) -> int:
        row = self._aliases.get(alias)
        return 0 if row is None else row.erased_ms

    def forwards(self, alias: str) -> bool:
        row = self._aliases.get(alias)
        return row is not None and bool(row.forward)

    # Rows.

    def row(self, key: bytes) -> bytes:
        return encode_row(self._aliases[key[len(PREFIX) :].decode()])

    def load(self, key: bytes, row: bytes) -> None:
        self._aliases[key[len(PREFIX) :].decode()] = decode_row(key, row, AliasState)

    def letter(self, to: int, kind: str, body: dict[str, Any]) -> Mail:
        """Mail to a partition, about nobody."""
        mail = self._mail(kind, "", "", body)
        mail.to = to
        return mail

    def _mail(self, kind: str, to: str, user_id: str, body: dict[str, Any]) -> Mail:
        """The origin numbers this partition's mail; the intake replaces it by the mail topic's
        offset."""
        sequence = self._clock.mail_sequence
        self._clock.mail_sequence = sequence + 1
        return Mail(
            at_ms=self._clock.now_ms,
            origin=Origin(MAIL, 0, self._partition, sequence),
            kind=kind,
            alias=base_alias(to),
            user_id=user_id,
            body=body,
        )

    def _is_here(self, alias: str) -> bool:
        return partition_of(alias, self._partitions) == self._partition

    def _row(self, alias: str) -> AliasState:
        row = self._aliases.get(alias)
        if row is None:
            row = self._aliases[alias] = AliasState()
        return row

    def _touch(self, alias: str) -> None:
        self._store.changed[PREFIX + alias.encode()] = None
