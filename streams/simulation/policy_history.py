"""What was known of each person at each place of a partition's log: the ground the policy checker
stands on.

A second, naive telling of the contract: whole histories in plain lists, nothing bounded, forgotten
or encoded, and nothing of the engine's code. What a person brings from another partition is taken
from the walk over that partition's log, never from the state the mail carries.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from streams.contract.events import TYPES
from streams.contract.partitioning import base_alias, partition_of
from streams.contract.records import Mail, Observed, Origin
from streams.contract.triggers import Trigger
from streams.simulation.policy_commands import InForce
from streams.simulation.policy_entitlements import Rights

NEVER_LATE = ("consent.granted", "consent.withdrawn", "user.erasure_requested")
MOST_LINKED = 64  # aliases one person may have
REMEMBERED = 32  # events of a person among which one that is told again is known
CONSENT = ("consent.granted", "consent.withdrawn")
FOLLOW = ("user.followed", "user.unfollowed")
CONTACT = ("contact.added", "contact.removed_by_customer", "contact.removed_by_staff")
ATTRIBUTES = "user.attributes_given"
REFUSAL = "feedback.not_interested"
STANDING = frozenset((*CONSENT, *FOLLOW, *CONTACT, ATTRIBUTES, REFUSAL))


class Said(NamedTuple):
    """Something the person said or did that stands until they say otherwise."""

    time_ms: int
    kind: str
    data: Any


class Cause(NamedTuple):
    """Of all events of one id: whether all were from a backfill, and the latest time."""

    backfill: bool
    time_ms: int


class Person(Struct):
    """All that is known of one generation of one user id; merged people bring theirs along."""

    user_id: str
    first_ms: int
    anchor: str  # the alias the control groups know the person as
    events: int = 0  # applied ones
    recent: list[tuple[tuple[str, str], int]] = []  # ((source, event id), second)
    forgotten: tuple[tuple[str, str], int] = (("", ""), -1)  # the latest not in `recent` any more
    causes: dict[str, Cause] = {}
    said: list[Said] = []
    sends: list[Trigger] = []
    rights: Rights = msgspec.field(default_factory=Rights)
    inside: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)  # journey, cause

    def forget(self) -> None:
        """Only the latest marks are known as duplicates; of the others the one of latest time."""
        for gone in self.recent[:-REMEMBERED]:
            if gone[1] >= self.forgotten[1]:
                self.forgotten = gone
        del self.recent[:-REMEMBERED]


class Alias(Struct):
    generation: int = 0
    erased_ms: int = -1
    forward: str = ""
    linked: list[str] = []
    anchor: str = ""  # it outlives an erasure; empty: the alias itself


Parcels = dict[tuple[str, int], Person | None]


class People:
    """The people of one partition. `parcels` is shared by the walks: who is on the way to where."""

    def __init__(
        self, partition: int, partitions: int, in_force: InForce, parcels: Parcels
    ) -> None:
        self.living: dict[str, Person] = {}
        self.gone: dict[str, str] = {}  # user id -> why
        self.now_ms = 0
        self.wrong: list[str] = []
        self._partition = partition
        self._partitions = partitions
        self._in_force = in_force
        self._parcels = parcels
        self._aliases: dict[str, Alias] = {}
        self._marks: dict[tuple[str, int, int], int] = {}
        self._mail: dict[str, Callable[[Mail], None]] = {
            "event": self._forwarded,
            "move": self._move,
            "adopt": self._adopt,
        }

    def is_new(self, origin: Origin) -> bool:
        source = (origin.topic, origin.epoch, origin.partition)
        if origin.offset <= self._marks.get(source, -1):
            return False
        self._marks[source] = origin.offset
        return True

    def waits_for(self, mail: Mail) -> bool:
        """Whether the mail brings a person whose other partition has not been walked so far."""
        return mail.kind == "adopt" and _label(mail) not in self._parcels

    def deliver(self, mail: Mail) -> None:
        self._mail[mail.kind](mail)

    def observe(self, event: Observed, path: list[str]) -> None:
        if self._is_forgotten(event):
            return
        user_id = self._who(event.alias, path)
        if not self._is_here(user_id):
            return  # the mail that forwards it is on another log
        person = self.living.get(user_id)
        mark = (event.source, event.id)
        late = event.time_ms < self.now_ms - self._in_force.late_ms
        if person is not None:
            if any(mark == one for one, _ in person.recent):
                return
            second, forgotten = event.time_ms // 1000, person.forgotten
            late = late or second < forgotten[1] or (mark, second) == forgotten
        if late and not event.backfill and event.type not in NEVER_LATE:
            return
        if event.type == "user.erasure_requested":
            self._end_of(user_id)
            name = base_alias(user_id)
            anchor = self._alias(name).anchor if person is None else person.anchor
            self._erase(name, event.time_ms)
            self._alias(name).anchor = anchor
            return
        if person is None:
            person = self._new(user_id, event.time_ms)
        person.events += 1
        person.recent.append((mark, event.time_ms // 1000))
        person.forget()
        known = person.causes.get(event.id, Cause(True, event.time_ms))
        backfill = event.backfill and known.backfill
        person.causes[event.id] = Cause(backfill, max(event.time_ms, known.time_ms))
        person.first_ms = min(person.first_ms, event.time_ms)
        person.rights.hear(
            self._in_force.policy, event.type, event.data, event.time_ms, self.now_ms
        )
        if event.type in STANDING:
            person.said.append(Said(event.time_ms, event.type, event.data))
        if event.type == "identity.linked":
            self._link(person, event.data.other, event.time_ms)

    # Who an alias is.

    def _is_here(self, user_id: str) -> bool:
        return partition_of(user_id, self._partitions) == self._partition

    def _who(self, alias: str, path: list[str]) -> str:
        """Follow the forwards to the end, or to where they leave the partition. Of a loop the
        smallest alias is the person, once it is passed for the second time.
        """
        name = base_alias(alias)
        while True:
            known = self._aliases.get(name)
            if known is not None and known.forward:
                if name in path and name == min(path[path.index(name) :]):
                    known.forward = ""
                    continue
                path.append(name)
                if not self._is_here(known.forward):
                    return known.forward
                name = base_alias(known.forward)
                continue
            return f"{name}.{known.generation}" if known and known.generation else name

    def _is_forgotten(self, event: Observed) -> bool:
        name, _, generation = event.alias.partition(".")
        known = self._aliases.get(name)
        if known is None:
            return bool(generation)
        if event.time_ms <= known.erased_ms:
            return True
        answers = bool(generation) or event.type.startswith("push.")
        return answers and not known.forward and generation != str(known.generation or "")

    def _alias(self, name: str) -> Alias:
        return self._aliases.setdefault(name, Alias())

    def _erased_ms(self, name: str) -> int:
        return self._aliases[name].erased_ms if name in self._aliases else -1

    def _new(self, user_id: str, time_ms: int) -> Person:
        name = base_alias(user_id)
        known = self._aliases.get(name)
        anchor = known.anchor if known is not None and known.anchor else name
        person = self.living[user_id] = Person(user_id, time_ms, anchor)
        return person

    # Merges and erasures.

    def _end_of(self, user_id: str) -> None:
        """An erasure: what the person was inside of has ended before."""
        person = self._bury(user_id, "erased")
        for journey, cause in person.inside.elements() if person else ():
            self.wrong.append(f"{user_id} was erased, {journey} of {cause} has no end")

    def _bury(self, user_id: str, why: str) -> Person | None:
        self.gone[user_id] = why
        return self.living.pop(user_id, None)

    def _erase(self, name: str, erased_ms: int) -> None:
        alias = self._alias(name)
        linked, alias.linked = alias.linked, []
        alias.generation += 1
        alias.erased_ms = max(alias.erased_ms, erased_ms)
        alias.forward = ""
        alias.anchor = ""
        for other in linked:
            if self._is_here(other):
                self._erase(other, erased_ms)

    def _own(self, name: str, linked: str) -> None:
        owner = self._alias(name)
        if linked not in (name, *owner.linked) and len(owner.linked) < MOST_LINKED:
            owner.linked.append(linked)

    def _link(self, person: Person, other: str, time_ms: int) -> None:
        user_id = self._who(other, [])
        name, owner = base_alias(user_id), base_alias(person.user_id)
        linked = self._alias(owner).linked
        may = self._erased_ms(name) < time_ms and (name in linked or len(linked) < MOST_LINKED)
        if name == owner or not may or not self._is_here(user_id):
            return
        self._alias(name).forward = person.user_id
        self._merge(person, name, self._bury(user_id, "merged into another"))

    def _merge(self, person: Person, name: str, other: Person | None) -> None:
        self._own(base_alias(person.user_id), name)
        if other is None:
            return
        if other.first_ms < person.first_ms:
            person.anchor = other.anchor
        person.first_ms = min(person.first_ms, other.first_ms)
        person.events += other.events
        person.recent = other.recent + person.recent
        if other.forgotten[1] > person.forgotten[1]:
            person.forgotten = other.forgotten
        person.forget()
        for cause, theirs in other.causes.items():
            ours = person.causes.get(cause, theirs)
            backfill = ours.backfill and theirs.backfill
            person.causes[cause] = Cause(backfill, max(ours.time_ms, theirs.time_ms))
        person.said += other.said
        person.sends += other.sends
        person.rights.merge(other.rights, self.now_ms)
        person.inside.update(other.inside)

    # Mail.

    def _forwarded(self, mail: Mail) -> None:
        event = msgspec.convert(mail.body["event"], Observed)
        event.alias = mail.user_id
        data = TYPES.get(event.type)
        event.data = {} if data is None else msgspec.convert(event.data, data)
        self.observe(event, list(mail.body["path"]))

    def _move(self, mail: Mail) -> None:
        if not mail.user_id:
            if mail.alias in self._aliases and self._aliases[mail.alias].forward:
                self._erase(mail.alias, mail.body["erased_ms"])
            return
        path, time_ms, to = list(mail.body["path"]), mail.body["time_ms"], mail.user_id
        user_id = self._who(mail.alias, path)
        name = base_alias(user_id)
        if self._is_here(to):
            to = self._who(to, [])
        if name == base_alias(to) or not self._is_here(user_id):
            return
        if self._is_here(to):
            if to in self.living:
                self._link(self.living[to], name, time_ms)
        elif self._erased_ms(name) < time_ms:
            self._alias(name).forward = to
            person = self._bury(user_id, "moved to another partition")
            self._parcels[name, time_ms] = person

    def _adopt(self, mail: Mail) -> None:
        body = mail.body
        user_id = self._who(mail.user_id, list(body["path"]))
        if not self._is_here(user_id):
            return  # it goes on to where that person lives
        other = self._parcels[_label(mail)]
        if self._erased_ms(base_alias(user_id)) >= body["time_ms"]:
            return
        if (other is None) == bool(body["state"]):
            self.wrong.append(f"{user_id} adopts {body['from']}: history and state disagree")
        if other is not None and user_id not in self.living:
            self._new(user_id, other.first_ms + 1)
        if user_id in self.living:
            self._merge(self.living[user_id], body["from"], other)
        else:
            self._own(base_alias(user_id), body["from"])


def _label(mail: Mail) -> tuple[str, int]:
    return mail.body["from"], mail.body["time_ms"]
