"""Caps, gaps, consent, quiet hours, entitlements, money, control groups, pauses, erasure and the
bookkeeping of decisions, recomputed from the logs: by the contract alone, without the engine.

Every trigger, decision and profile is put to the place of the log it claims to come from: the
clock must have shown its time there. Several records may share a time; an output is right if it is
right at one of their places (the timers fire before a record, the rest happens after it).

A budget day is one of the policy's zone and counts triggers when they are created.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple, Protocol, TypeVar

import msgspec
from msgspec import Struct

from streams.contract.codec import decode, decode_record
from streams.contract.decisions import Decision
from streams.contract.profiles import Profile
from streams.contract.records import Control, Genesis, Mail, Observed, Rejected
from streams.contract.reports import Applied, Report
from streams.contract.topics import DECISIONS, MAIL, PROFILES, REPORTS, TRIGGERS
from streams.contract.triggers import Trigger
from streams.simulation.policy_commands import POLICY_ACCOUNT, InForce, Limits, has_budget
from streams.simulation.policy_decisions import (
    Sides,
    count_faults,
    decision_faults,
    note_decision,
    pair_faults,
    sides_of_decision,
    sides_of_profile,
    standing_faults,
)
from streams.simulation.policy_history import Parcels, People, Person
from streams.simulation.policy_money import Purse, Spend, money_faults
from streams.simulation.policy_rules import cost_of, local_date, trigger_faults

EPOCH = date(1970, 1, 1)
Sourced = Observed | Rejected | Mail | Control
Claim = Trigger | Decision | Profile
T = TypeVar("T", bound=Struct)


class Keyed(Protocol):
    """A record of a topic: fold.Output and runtime.port.Stored both are."""

    @property
    def key(self) -> bytes | None: ...

    @property
    def value(self) -> bytes | None: ...


class Partition(NamedTuple):
    """One partition's log from its genesis on and what was emitted by short topic name. Where they
    are to be checked too: the state as the last value per key, the fold's counters, and how many
    instances of journeys are still open in the state.
    """

    log: Sequence[Keyed]
    outputs: Mapping[str, Sequence[Keyed]]
    rows: Mapping[bytes, bytes] | None = None
    counters: Mapping[str, float] | None = None
    inside: int | None = None


def check_policy(partitions: Sequence[Partition]) -> list[str]:
    """What is wrong, in words; [] is good. Give all partitions: people move between them."""
    parcels: Parcels = {}
    sides = Sides()
    walks = [_Walk(partition, parcels, sides) for partition in partitions]
    running = {place: walk.run() for place, walk in enumerate(walks)}
    while running:
        before = [walk.folded for walk in walks]
        for place, steps in list(running.items()):
            if next(steps, None) is None:
                del running[place]
        if running and before == [walk.folded for walk in walks]:
            for place in running:
                walks[place].wrong.append("adopts a person whom no given log handed over")
            break
    limits: dict[str, list[Limits]] = {}
    for walk in walks:
        for account, known in walk.in_force.limits.items():
            limits.setdefault(account, []).extend(known)
    return [
        *(f"partition {walk.number}: {fault}" for walk in walks for fault in walk.faults()),
        *money_faults([walk.purse for walk in walks], limits),
    ]


class _Walk:
    """One partition's log in order, each output tried at its places."""

    def __init__(self, given: Partition, parcels: Parcels, sides: Sides) -> None:
        first = decode_record(given.log[0].value or b"") if given.log else None
        if not isinstance(first, Genesis):
            raise ValueError("a log to check begins with its genesis record; dump it from there")
        outputs = given.outputs
        self.number = first.partition
        self.in_force = InForce(first, _applied(outputs.get(REPORTS)))
        self.people = People(first.partition, first.partitions, self.in_force, parcels)
        self.purse = Purse(first.partition)
        self.purse.say(_decoded(outputs.get(MAIL, ()), Mail))
        self.triggers = [
            trigger
            for topic in TRIGGERS.values()
            for trigger in _decoded(outputs.get(topic, ()), Trigger)
        ]
        self.decisions = _decoded(outputs.get(DECISIONS, ()), Decision)
        self.wrong: list[str] = []
        self.folded = 0
        self._given = given
        self._sides = sides
        self._claims: dict[int, list[Claim]] = defaultdict(list)
        claims: list[Claim] = [*self.triggers, *self.decisions]
        for claim in (*claims, *_decoded(outputs.get(PROFILES, ()), Profile)):
            self._claims[_time_of(claim)].append(claim)
        self._open: list[Claim] = []
        self._best: dict[int, list[str]] = {}  # place in _open -> the least that is wrong with it

    def run(self) -> Iterator[bool]:
        """Yields where it has to wait for another partition's walk."""
        people = self.people
        for stored in self._given.log:
            record = decode_record(stored.value or b"")
            if record.at_ms > people.now_ms:
                self._move_clock(record.at_ms)
            if isinstance(record, Sourced) and people.is_new(record.origin):
                while isinstance(record, Mail) and people.waits_for(record):
                    yield True
                self._take(record)
            self.folded += 1
            self._try()
        self._report()
        for time_ms in self._claims:
            never = self._claims[time_ms]
            self.wrong += [f"{_name(one)}: the clock never showed its time" for one in never]
        self._end()

    def faults(self) -> Iterator[str]:
        yield from self.wrong
        yield from self.people.wrong
        yield from self.in_force.end()
        yield from pair_faults(self.triggers, self.decisions)
        yield from standing_faults(self.decisions)
        if self._given.counters is not None:
            yield from count_faults(self.decisions, self._given.counters)

    def _take(self, record: Sourced) -> None:
        if isinstance(record, Mail):
            if record.kind == "budget":
                self.purse.hear(record)
            elif record.kind != "model":  # what models tell each other allows nothing
                self.people.deliver(record)
        elif isinstance(record, Observed):
            self.people.observe(record, [])
        elif isinstance(record, Control):
            self.in_force.apply(record)

    def _move_clock(self, now_ms: int) -> None:
        self._report()
        self.people.now_ms = now_ms
        self._open = self._claims.pop(now_ms, [])
        self._best = {}
        self._try()

    def _spend(self, trigger: Trigger) -> None:
        """Its cost counts whatever else is wrong with it."""
        if not cost_of(trigger):
            return
        spec = self.in_force.version(trigger.campaign, trigger.campaign_version)
        own = (trigger.campaign,) if spec is not None and has_budget(spec) else ()
        today = local_date(self.in_force.policy.quiet.zone, trigger.created_at_ms)
        spend = Spend((*own, POLICY_ACCOUNT), (today - EPOCH).days, cost_of(trigger))
        self.purse.spends.append(spend)

    def _try(self) -> None:
        """Settle the open claims that are right at this place."""
        for place, claim in enumerate(self._open):
            if self._best.get(place) == []:
                continue
            faults = self._faults(claim)
            if place not in self._best or len(faults) < len(self._best[place]):
                self._best[place] = faults
            if not faults:
                self._settle(claim, self.people.living[claim.user_id])

    def _settle(self, claim: Claim, person: Person) -> None:
        in_force = self.in_force
        if isinstance(claim, Trigger):
            unit = person.rights.unit(in_force.policy, claim)
            assert unit is not None, "a trigger without one has a fault"
            person.rights.burn(claim, unit)
            person.sends.append(claim)
            self._spend(claim)
        elif isinstance(claim, Decision):
            self._sides.note(sides_of_decision(in_force, person, claim))
            note_decision(person, claim)
        else:
            self._sides.note(sides_of_profile(in_force, person, claim))

    def _report(self) -> None:
        for place, claim in enumerate(self._open):
            faults = self._best[place]
            self.wrong += [f"{_name(claim)}: {fault}" for fault in faults]
            if faults and isinstance(claim, Trigger):
                self._spend(claim)

    def _faults(self, claim: Claim) -> list[str]:
        person, in_force = self.people.living.get(claim.user_id), self.in_force
        if person is None:
            return [f"its person is {self.people.gone.get(claim.user_id, 'unknown')}"]
        if isinstance(claim, Trigger):
            return trigger_faults(in_force, person, claim)
        if isinstance(claim, Decision):
            sides = sides_of_decision(in_force, person, claim)
            return decision_faults(in_force, person, claim) + self._sides.faults(sides)
        sides = sides_of_profile(in_force, person, claim)
        return _profile_faults(person, claim) + self._sides.faults(sides)

    def _end(self) -> None:
        """What is left at the end is of the living."""
        living = self.people.living
        last = {one.key: one.value for one in self._given.outputs.get(PROFILES, ())}
        for key, value in last.items():
            if value is not None and (key or b"").decode() not in living:
                self.wrong.append(f"profile of {key!r}: no tombstone")
        for row in self._given.rows or {}:
            if row.startswith(b"u:") and row[2:].decode() not in living:
                self.wrong.append(f"state row {row!r}: its person is gone or never was")
        inside = sum(person.inside.total() for person in living.values())
        if self._given.inside not in (None, inside):
            self.wrong.append(
                f"{inside} instances of journeys have begun and not ended, "
                f"{self._given.inside} are in the state"
            )


def _profile_faults(person: Person, profile: Profile) -> list[str]:
    """Nothing older than an erasure is attributed to the person."""
    faults = []
    if profile.first_seen_ms < person.first_ms:
        faults.append(f"first seen {person.first_ms - profile.first_seen_ms} ms too early")
    if profile.events != person.events:
        faults.append(f"has {profile.events} events, {person.events} are known")
    return faults


def _applied(reports: Sequence[Keyed] | None) -> list[Applied] | None:
    """The reports of commands, in order; None where no reports are given."""
    if reports is None:
        return None
    found: list[Report] = [
        msgspec.json.decode(one.value, type=Report) for one in reports if one.value is not None
    ]
    return [one for one in found if isinstance(one, Applied)]


def _decoded(records: Sequence[Keyed], what: type[T]) -> list[T]:
    return [decode(one.value, what) for one in records if one.value is not None]


def _time_of(claim: Claim) -> int:
    if isinstance(claim, Trigger):
        return claim.created_at_ms
    return claim.decided_at_ms if isinstance(claim, Decision) else claim.updated_at_ms


def _name(claim: Claim) -> str:
    if isinstance(claim, Trigger):
        return f"trigger {claim.trigger_id} of {claim.user_id}"
    if isinstance(claim, Decision):
        return f"decision {claim.decision_id} of {claim.user_id}"
    return f"profile of {claim.user_id} at {claim.updated_at_ms}"
