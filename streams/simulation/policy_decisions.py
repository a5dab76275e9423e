"""Decisions on their own and beside each other: every one of a journey the person is inside, exact
probabilities, control groups nobody changes, every trigger with its decision.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from streams.contract.decisions import OUTCOMES, Decision
from streams.contract.journeys import HOLD, JourneySpec
from streams.contract.policy import Policy
from streams.contract.profiles import Profile
from streams.contract.triggers import Trigger
from streams.expressions.durations import duration_ms
from streams.simulation.policy_commands import InForce
from streams.simulation.policy_history import Person

ENTRY = "enter"
ENDS = ("EXITED", "COMPLETED", "ERASED")
EMITTED = ("SENT", "QUIET_DEFERRED", "AWAITING_STAFF")
HELD = ("HOLDOUT_GLOBAL", "HOLDOUT_JOURNEY")
EXACT = 1e-9


class Side(NamedTuple):
    """Of a control group: which draw, of whom, and whether it held the person."""

    group: tuple[object, ...]
    anchor: str
    held: bool


class Sides:
    """On which side of each control group everybody was seen, over all partitions."""

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[object, ...], str], bool] = {}

    def faults(self, sides: Sequence[Side]) -> list[str]:
        return [
            f"is {'in' if side.held else 'outside'} the control group {side.group}, "
            f"and was {'outside' if side.held else 'in'}"
            for side in sides
            if self._known.get(side[:2], side.held) != side.held
        ]

    def note(self, sides: Sequence[Side]) -> None:
        for side in sides:
            self._known[side[:2]] = side.held


def sides_of_decision(in_force: InForce, person: Person, decision: Decision) -> list[Side]:
    """Which groups the decision shows the person in, and outside of."""
    spec = in_force.version(decision.journey, decision.journey_version)
    if spec is None or not _asked_groups(decision):
        return []
    everyone = decision.outcome == "HOLDOUT_GLOBAL"
    sides = []
    if spec.holdout.everyone and (in_force.policy.global_holdout or everyone):
        group = _everyone(in_force.policy, decision.decided_at_ms)
        sides.append(Side(group, person.anchor, everyone))
    if not everyone and (spec.holdout.share or decision.outcome in HELD):
        name = ("salt", spec.holdout.salt) if spec.holdout.salt else ("journey", spec.id)
        held = decision.outcome == "HOLDOUT_JOURNEY"
        sides.append(Side((*name, spec.holdout.share), person.anchor, held))
    return sides


def _asked_groups(decision: Decision) -> bool:
    drawn = any(one.arm == HOLD for one in decision.candidates)
    return drawn or decision.outcome in (*HELD, *EMITTED)


def sides_of_profile(in_force: InForce, person: Person, profile: Profile) -> list[Side]:
    group = _everyone(in_force.policy, profile.updated_at_ms)
    return [Side(group, person.anchor, profile.holdout)]


def decision_faults(in_force: InForce, person: Person, decision: Decision) -> list[str]:
    """What is wrong with it at this place of the log."""
    spec = in_force.version(decision.journey, decision.journey_version)
    if spec is None:
        return [f"{decision.journey}@{decision.journey_version} was not published"]
    if decision.step == ENTRY:
        return _entry_faults(in_force, spec, person, decision)
    if not person.inside[decision.journey, decision.cause_event_id]:
        return ["the person is not inside of that journey by that cause"]
    return _hold_faults(in_force, spec, decision)


def note_decision(person: Person, decision: Decision) -> None:
    """The person begins or ends a journey."""
    place = (decision.journey, decision.cause_event_id)
    if decision.step == ENTRY:
        person.inside[place] += decision.outcome == "ENTERED"
    elif decision.outcome in ENDS:
        person.inside[place] -= 1


def cause_faults(person: Person, cause_event_id: str) -> list[str]:
    """What led to it is something of this person: nothing older than an erasure, no backfill."""
    if cause_event_id.startswith("check:"):
        return []
    cause = person.causes.get(cause_event_id)
    if cause is None:
        return ["its cause is no event of this person"]
    return ["its cause is a backfill"] if cause.backfill else []


def _entry_faults(
    in_force: InForce, spec: JourneySpec, person: Person, decision: Decision
) -> list[str]:
    if decision.outcome != "ENTERED":
        known = decision.cause_event_id.startswith("check:")
        known = known or decision.cause_event_id in person.causes
        return [] if known else ["its cause is no event of this person"]
    faults = cause_faults(person, decision.cause_event_id)
    if in_force.is_paused(spec.id):
        faults.append("entered a journey that is paused")
    cause = person.causes.get(decision.cause_event_id)
    if cause is not None:
        late_ms = decision.decided_at_ms - cause.time_ms
        if late_ms > duration_ms(spec.entry.late):
            faults.append(f"entered {late_ms} ms after its cause, {spec.entry.late} is allowed")
    return faults


def _hold_faults(in_force: InForce, spec: JourneySpec, decision: Decision) -> list[str]:
    """The chance of the control groups: the two are drawn independently."""
    if not _asked_groups(decision):
        return []
    everyone = in_force.policy.global_holdout if spec.holdout.everyone else 0.0
    right = 1.0 - (1.0 - everyone) * (1.0 - spec.holdout.share)
    told = sum(one.propensity for one in decision.candidates if one.arm == HOLD)
    if abs(told - right) > EXACT:
        return [f"the control groups have a propensity of {told}, not {right}"]
    return []


def _everyone(policy: Policy, at_ms: int) -> tuple[object, ...]:
    rotate_ms = policy.control.rotate_ms
    period = at_ms // rotate_ms if rotate_ms else 0
    return "everyone", policy.control.salt, period, policy.global_holdout


def standing_faults(decisions: Iterable[Decision]) -> Iterator[str]:
    """What is wrong wherever it stands: outcomes and probabilities."""
    for decision in decisions:
        name = f"decision {decision.decision_id} of {decision.user_id}"
        if decision.outcome not in OUTCOMES:
            yield f"{name}: the outcome {decision.outcome!r} is unknown"
        elif (decision.outcome in EMITTED) != bool(decision.trigger_id):
            yield f"{name}: {decision.outcome} with trigger {decision.trigger_id!r}"
        for fault in _chances(decision):
            yield f"{name}: {fault}"


def _chances(decision: Decision) -> Iterator[str]:
    """One of the arms was drawn, `hold` or none among them: the chances sum to 1."""
    candidates = decision.candidates
    if not 0.0 < decision.propensity <= 1.0:
        yield f"its propensity is {decision.propensity}"
    if not candidates:
        return
    total = sum(one.propensity for one in candidates)
    if abs(total - 1.0) > EXACT:
        yield f"its propensities sum to {total}, not 1"
    if any(one.refused_by and one.propensity for one in candidates):
        yield "an arm that was refused has a propensity"
    if any(not 0.0 <= one.propensity <= 1.0 for one in candidates):
        yield "a propensity is not within 0 and 1"
    chosen = [one for one in candidates if one.arm == decision.arm]
    if decision.arm and (not chosen or chosen[0].propensity <= 0.0):
        yield f"the arm {decision.arm!r} was drawn, which had no chance"
    elif decision.arm and abs(chosen[0].propensity - decision.propensity) > EXACT:
        yield f"its propensity is {decision.propensity}, its arm's {chosen[0].propensity}"


def pair_faults(triggers: Sequence[Trigger], decisions: Sequence[Decision]) -> Iterator[str]:
    """Each trigger has its decision, each decision that emits its trigger; ids are unique."""
    decided = {one.trigger_id: one for one in decisions if one.trigger_id}
    for kind, ids in (
        ("trigger", [one.trigger_id for one in triggers]),
        ("decision", [one.decision_id for one in decisions]),
        ("decided trigger", [one.trigger_id for one in decisions if one.trigger_id]),
    ):
        for name, times in Counter(ids).items():
            if times > 1:
                yield f"{kind} {name}: stands there {times} times"
    for trigger in triggers:
        name = f"trigger {trigger.trigger_id} of {trigger.user_id}"
        decision = decided.pop(trigger.trigger_id, None)
        if decision is None:
            yield f"{name}: has no decision"
        elif _told(decision) != _expected(trigger):
            yield f"{name}: its decision says {_told(decision)}, not {_expected(trigger)}"
    for decision in decided.values():
        name = f"decision {decision.decision_id} of {decision.user_id}"
        yield f"{name}: its trigger {decision.trigger_id} is missing"


def _told(decision: Decision) -> tuple[object, ...]:
    return (
        decision.outcome,
        decision.decision_id,
        decision.user_id,
        decision.journey,
        decision.journey_version,
        decision.channel,
        decision.decided_at_ms,
        decision.cause_event_id,
        decision.cost_fen,
        decision.arm,
        decision.propensity,
        decision.tenant,
    )


def _expected(trigger: Trigger) -> tuple[object, ...]:
    outcome = "SENT" if trigger.not_before_ms == trigger.created_at_ms else "QUIET_DEFERRED"
    return (
        "AWAITING_STAFF" if trigger.awaits_staff else outcome,
        trigger.decision_id,
        trigger.user_id,
        trigger.campaign,
        trigger.campaign_version,
        trigger.channel,
        trigger.created_at_ms,
        trigger.cause_event_id,
        0 if trigger.coupon is None else trigger.coupon.cost_fen,
        trigger.experiment.arm,
        trigger.experiment.propensity,
        trigger.tenant,
    )


def count_faults(decisions: Sequence[Decision], counters: Mapping[str, float]) -> Iterator[str]:
    """Counted in equals counted out: each match and each due step has its decision."""
    entries = sum(one.step == ENTRY for one in decisions)
    ends = sum(one.step != ENTRY and one.outcome in ENDS for one in decisions)
    for name, found in (
        ("journey.matched", entries),
        ("journey.ended", ends),
        ("journey.due", len(decisions) - entries - ends),
    ):
        counted = int(counters.get(name, 0))
        if counted != found:
            yield f"{name} is {counted}, there are {found} decisions"
