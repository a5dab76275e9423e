"""Caps, gaps, consent, quiet hours, budget, control groups and erasure, recomputed from the logs.

Every trigger, decision and profile is put to the place of the log it claims to come from: the
clock must have shown its time there. Several records may share a time; an output is right if it is
right at one of their places (the timers fire before a record, the rest happens after it).

A budget day is one of the policy's zone and counts triggers when they are created.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

from msgspec import Struct

from streams.contract.codec import decode, decode_record
from streams.contract.decisions import OUTCOMES, Decision
from streams.contract.profiles import Profile
from streams.contract.records import Genesis, Mail, Observed, Rejected
from streams.contract.topics import DECISIONS, PROFILES, TRIGGERS
from streams.contract.triggers import Trigger
from streams.engine.config import Config
from streams.simulation.policy_history import Parcels, People, Person
from streams.simulation.policy_rules import trigger_faults, zone_of

HELD = {"HOLDOUT_GLOBAL", "HOLDOUT_JOURNEY"}
EMITTED = {"SENT", "QUIET_DEFERRED"}
Claim = Trigger | Decision | Profile
T = TypeVar("T", bound=Struct)


class Keyed(Protocol):
    """A record of a topic: fold.Output and runtime.port.Stored both are."""

    @property
    def key(self) -> bytes | None: ...

    @property
    def value(self) -> bytes | None: ...


class Partition(NamedTuple):
    """One partition's log from its genesis on, what was emitted by short topic name, and, where it
    is to be checked, the state as the last value per key.
    """

    log: Sequence[Keyed]
    outputs: Mapping[str, Sequence[Keyed]]
    rows: Mapping[bytes, bytes] | None = None


def check_policy(config: Config, partitions: Sequence[Partition]) -> list[str]:
    """What is wrong, in words; [] is good. Give all partitions: people move between them."""
    parcels: Parcels = {}
    walks = [_Walk(config, partition, parcels) for partition in partitions]
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
    return [
        f"partition {walk.number}: {fault}"
        for walk in walks
        for fault in (*walk.wrong, *walk.people.wrong, *_pairs(walk), *_budget(config, walk))
    ]


class _Walk:
    """One partition's log in order, each output tried at its places."""

    def __init__(self, config: Config, given: Partition, parcels: Parcels) -> None:
        first = decode_record(given.log[0].value or b"") if given.log else None
        if not isinstance(first, Genesis):
            raise ValueError("a log to check begins with its genesis record; dump it from there")
        self.number = first.partition
        self.people = People(first.partition, first.partitions, config.late_ms, parcels)
        self.triggers = [
            trigger
            for topic in TRIGGERS.values()
            for trigger in _decoded(given.outputs.get(topic, ()), Trigger)
        ]
        self.decisions = _decoded(given.outputs.get(DECISIONS, ()), Decision)
        self.wrong: list[str] = []
        self.folded = 0
        self._config = config
        self._given = given
        self._held: dict[str, list[Decision]] = defaultdict(list)
        for decision in self.decisions:
            if decision.outcome in HELD:
                self._held[decision.user_id].append(decision)
        self._claims: dict[int, list[Claim]] = defaultdict(list)
        claims: list[Claim] = [*self.triggers, *self.decisions]
        for claim in (*claims, *_decoded(given.outputs.get(PROFILES, ()), Profile)):
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
            new = isinstance(record, Observed | Rejected | Mail) and people.is_new(record.origin)
            if new and isinstance(record, Mail):
                while people.waits_for(record):
                    yield True
                people.deliver(record)
            elif new and isinstance(record, Observed):
                people.observe(record, [])
            self.folded += 1
            self._try()
        self._report()
        for time_ms in self._claims:
            never = self._claims[time_ms]
            self.wrong += [f"{_name(one)}: the clock never showed its time" for one in never]
        self._end()

    def _move_clock(self, now_ms: int) -> None:
        self._report()
        self.people.now_ms = now_ms
        self._open = self._claims.pop(now_ms, [])
        self._best = {}
        self._try()

    def _try(self) -> None:
        """Settle the open claims that are right at this place."""
        for place, claim in enumerate(self._open):
            if self._best.get(place) == []:
                continue
            faults = self._faults(claim)
            if place not in self._best or len(faults) < len(self._best[place]):
                self._best[place] = faults
            if faults:
                continue
            if isinstance(claim, Trigger):
                self.people.living[claim.user_id].sends.append(claim)
            elif isinstance(claim, Profile):
                self.people.living[claim.user_id].held_out = claim.holdout

    def _report(self) -> None:
        for place, claim in enumerate(self._open):
            self.wrong += [f"{_name(claim)}: {fault}" for fault in self._best[place]]

    def _faults(self, claim: Claim) -> list[str]:
        person = self.people.living.get(claim.user_id)
        if person is None:
            return [f"its person is {self.people.gone.get(claim.user_id, 'unknown')}"]
        if isinstance(claim, Trigger):
            return trigger_faults(self._config.policy, person, claim, self._held[claim.user_id])
        if isinstance(claim, Profile):
            return _profile_faults(person, claim)
        return []

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


def _profile_faults(person: Person, profile: Profile) -> list[str]:
    """Nothing older than an erasure is attributed to the person."""
    faults = []
    if profile.first_seen_ms < person.first_ms:
        faults.append(f"first seen {person.first_ms - profile.first_seen_ms} ms too early")
    if profile.events != person.events:
        faults.append(f"has {profile.events} events, {person.events} are known")
    return faults


def _pairs(walk: _Walk) -> Iterator[str]:
    """Each trigger has its decision, each decision that emits its trigger; ids are unique."""
    decided = {one.trigger_id: one for one in walk.decisions if one.trigger_id}
    for kind, ids in (
        ("trigger", [one.trigger_id for one in walk.triggers]),
        ("decision", [one.decision_id for one in walk.decisions]),
        ("decided trigger", [one.trigger_id for one in walk.decisions if one.trigger_id]),
    ):
        for name, times in Counter(ids).items():
            if times > 1:
                yield f"{kind} {name}: stands there {times} times"
    for trigger in walk.triggers:
        decision = decided.pop(trigger.trigger_id, None)
        if decision is None:
            yield f"{_name(trigger)}: has no decision"
        elif _told(decision) != _expected(trigger):
            yield f"{_name(trigger)}: its decision says {_told(decision)}, not {_expected(trigger)}"
    for decision in decided.values():
        yield f"{_name(decision)}: its trigger {decision.trigger_id} is missing"
    for decision in walk.decisions:
        if decision.outcome not in OUTCOMES:
            yield f"{_name(decision)}: the outcome {decision.outcome!r} is unknown"
        elif (decision.outcome in EMITTED) != bool(decision.trigger_id):
            yield f"{_name(decision)}: {decision.outcome} with trigger {decision.trigger_id!r}"


def _told(decision: Decision) -> tuple[object, ...]:
    return (
        decision.outcome,
        decision.decision_id,
        decision.user_id,
        decision.journey,
        decision.channel,
        decision.decided_at_ms,
        decision.cause_event_id,
        decision.cost_fen,
    )


def _expected(trigger: Trigger) -> tuple[object, ...]:
    return (
        "SENT" if trigger.not_before_ms == trigger.created_at_ms else "QUIET_DEFERRED",
        trigger.decision_id,
        trigger.user_id,
        trigger.campaign,
        trigger.channel,
        trigger.created_at_ms,
        trigger.cause_event_id,
        0 if trigger.coupon is None else trigger.coupon.cost_fen,
    )


def _budget(config: Config, walk: _Walk) -> Iterator[str]:
    """Costs are not negative: a day's sum within the share means that every prefix is."""
    share_fen = config.policy.daily_budget_fen // config.partitions
    spent_fen: Counter[str] = Counter()
    zone = zone_of(config.policy.quiet.zone)
    for trigger in walk.triggers:
        if trigger.coupon is not None:
            day = datetime.fromtimestamp(trigger.created_at_ms // 1000, zone).date().isoformat()
            spent_fen[day] += trigger.coupon.cost_fen
    for day, fen in spent_fen.items():
        if fen > share_fen:
            yield f"on {day} {fen} fen were spent, the budget is {share_fen}"


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
