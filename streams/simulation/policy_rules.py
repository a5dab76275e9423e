"""The rules a trigger must keep, each asked of the person's whole history at the trigger's place.

A window of a cap is closed on both sides and holds on two clocks: the times at which triggers were
created and those from which they may be released. So does the gap. Consent and relations: the last
word by event time decides; of several at one time the stricter decides for consent, any may for
relations and the zone.
"""

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from streams.contract.journeys import HOLD, JourneySpec
from streams.contract.policy import Cap, Policy, QuietHours
from streams.contract.triggers import Trigger
from streams.expressions.durations import duration_ms
from streams.simulation.policy_commands import InForce
from streams.simulation.policy_decisions import cause_faults
from streams.simulation.policy_entitlements import calendar_unit
from streams.simulation.policy_history import (
    ATTRIBUTES,
    CONSENT,
    CONTACT,
    FOLLOW,
    REFUSAL,
    Person,
    Said,
)

DEPARTING = ("user.unfollowed", "contact.removed_by_customer")


def trigger_faults(in_force: InForce, person: Person, trigger: Trigger) -> list[str]:
    """What is wrong with it at this place of the log."""
    spec = in_force.version(trigger.campaign, trigger.campaign_version)
    if spec is None:
        return [f"{trigger.campaign}@{trigger.campaign_version} was not published"]
    policy = in_force.policy
    return [
        *_allowed(in_force, spec, trigger),
        *cause_faults(person, trigger.cause_event_id),
        *_caps(policy, spec, person, trigger),
        *_gap(policy, person, trigger),
        *_consent(policy, person, trigger),
        *_ended(person, trigger),
        *_refused(person, trigger),
        *_personal(policy, person, trigger),
        *_quiet(policy, person, trigger),
        *_entitled(policy, person, trigger),
        *_person_budget(spec, person, trigger),
    ]


def _allowed(in_force: InForce, spec: JourneySpec, trigger: Trigger) -> list[str]:
    faults = []
    if in_force.is_paused(spec.id):
        faults.append("its journey is paused")
    if spec.status != "live":
        faults.append(f"its journey is {spec.status}: nothing of it may go out")
    if trigger.purpose != spec.purpose:
        faults.append(f"is for {trigger.purpose}, its journey for {spec.purpose}")
    if trigger.tenant != in_force.tenant:
        faults.append(f"is of the tenant {trigger.tenant}")
    if trigger.experiment.holdout or trigger.experiment.arm == HOLD:
        faults.append("sent to a control group")
    return faults


def _caps(policy: Policy, spec: JourneySpec, person: Person, trigger: Trigger) -> list[str]:
    """The policy's caps, and the journey's own, which count its own sends only."""
    own = [one for one in person.sends if one.campaign == trigger.campaign]
    return [
        fault
        for rules, sends in ((policy.caps, person.sends), (spec.limits.caps, own))
        for rule in rules
        if rule.limits and _applies(rule, trigger)
        for fault in _cap(
            policy, rule, person, [one for one in sends if _applies(rule, one)], trigger
        )
    ]


def _applies(rule: Cap, trigger: Trigger) -> bool:
    return rule.purpose in (trigger.purpose, "*") and rule.channel in (trigger.channel, "*")


def _cap(
    policy: Policy, rule: Cap, person: Person, sends: Sequence[Trigger], trigger: Trigger
) -> list[str]:
    faults = []
    for clock, times_ms in (
        ("created", [one.created_at_ms for one in (*sends, trigger)]),
        ("released", [one.not_before_ms for one in (*sends, trigger)]),
    ):
        here_ms = times_ms[-1]
        if rule.per:
            most = min(
                sum(
                    calendar_unit(rule.per, zone, at_ms) == calendar_unit(rule.per, zone, here_ms)
                    for at_ms in times_ms
                )
                for zone in zones_of(policy, person)
            )
            window = f"one {rule.per}"
        else:
            most = max(
                sum(start_ms <= at_ms <= start_ms + rule.window_ms for at_ms in times_ms)
                for start_ms in times_ms
                if start_ms <= here_ms <= start_ms + rule.window_ms
            )
            window = f"{rule.window_ms} ms"
        if most > rule.most:
            faults.append(f"{most} {clock} within {window}, the cap is {rule.most}")
    return faults


def _gap(policy: Policy, person: Person, trigger: Trigger) -> list[str]:
    if trigger.purpose != "marketing":
        return []
    faults = []
    others = [one for one in person.sends if one.purpose == "marketing"]
    for clock, here_ms, times_ms in (
        ("created", trigger.created_at_ms, [one.created_at_ms for one in others]),
        ("released", trigger.not_before_ms, [one.not_before_ms for one in others]),
    ):
        apart_ms = min((abs(here_ms - at_ms) for at_ms in times_ms), default=policy.gap_ms)
        if apart_ms < policy.gap_ms:
            faults.append(f"{clock} {apart_ms} ms apart from another, the gap is {policy.gap_ms}")
    return faults


def _consent(policy: Policy, person: Person, trigger: Trigger) -> list[str]:
    said = [
        one
        for one in person.said
        if one.kind in CONSENT
        and one.data.purpose in (trigger.purpose, "*")
        and one.data.channel in (trigger.channel, "*")
    ]
    if not said:
        free = policy.default_consent or trigger.purpose != "marketing"
        return [] if free else [f"no consent to {trigger.purpose} by {trigger.channel}"]
    granted = all(one.kind == "consent.granted" for one in _latest(said))
    return [] if granted else [f"consent to {trigger.purpose} by {trigger.channel} was withdrawn"]


def _ended(person: Person, trigger: Trigger) -> list[str]:
    """Nothing goes through a relation that has ended; no marketing to whom has ended one."""
    faults = []
    for kinds, channel in ((FOLLOW, "official_account"), (CONTACT, "wecom")):
        latest = {one.kind for one in _latest([one for one in person.said if one.kind in kinds])}
        departed = bool(latest) and latest <= set(DEPARTING)
        if trigger.purpose == "marketing" and departed:
            faults.append(f"marketing after {', '.join(sorted(latest))}")
        elif trigger.channel == channel and latest and kinds[0] not in latest:
            faults.append(f"by {channel} after {', '.join(sorted(latest))}")
    return faults


def _refused(person: Person, trigger: Trigger) -> list[str]:
    if trigger.purpose != "marketing":
        return []
    item, category = "", ""
    if trigger.content is not None:
        item, category = trigger.content.item_id, trigger.content.category
    elif trigger.message is not None:
        params = trigger.message.params
        item, category = params.get("item_id", ""), params.get("category", "")
    for one in person.said:
        if one.kind == REFUSAL:
            no = one.data
            if no.campaign in (trigger.campaign, trigger.kind, "*"):
                return [f"not interested in {no.campaign} was said"]
            if (no.category and no.category == category) or (no.item_id and no.item_id == item):
                return [f"not interested in {no.category or no.item_id} was said"]
            if not (no.campaign or no.category or no.item_id):
                return ["not interested in anything was said"]
    return []


def _personal(policy: Policy, person: Person, trigger: Trigger) -> list[str]:
    """Nothing personalised to whom refused that (PIPL art. 24)."""
    rules = policy.personalisation
    if not trigger.personalised:
        return []
    said = [
        one
        for one in person.said
        if one.kind in CONSENT and one.data.purpose in (rules.purpose, "*")
        if one.data.channel == "*"
    ]
    refused = any(
        one.kind == REFUSAL and one.data.campaign in rules.refusals for one in person.said
    )
    withdrawn = any(one.kind == "consent.withdrawn" for one in _latest(said))
    if refused or withdrawn or not (said or rules.by_default):
        return ["personalised for somebody who does not allow that"]
    return []


def zones_of(policy: Policy, person: Person) -> list[str]:
    """The person's zone; several where they told several at one time."""
    given = [
        one
        for one in person.said
        if one.kind == ATTRIBUTES and zone_of(one.data.attributes.get("zone", ""))
    ]
    return [one.data.attributes["zone"] for one in _latest(given)] or [policy.quiet.zone]


def _quiet(policy: Policy, person: Person, trigger: Trigger) -> list[str]:
    if not trigger.created_at_ms <= trigger.not_before_ms <= trigger.expires_at_ms:
        return ["is not created, released and expired in this order"]
    marketing = trigger.purpose == "marketing"
    hours = policy.quiet if marketing else policy.quiet_service
    if hours is None:
        return []
    faults = []
    zones = zones_of(policy, person)
    if all(_is_quiet(hours, zone, trigger.not_before_ms) for zone in zones):
        faults.append(f"released in the quiet hours of {', '.join(zones)}")
    if marketing and hours.on_holiday != "send":
        days = [local_date(zone, trigger.not_before_ms).isoformat() for zone in zones]
        if all(day in hours.holidays for day in days):
            faults.append(f"released on the holiday {', '.join(days)}")
    return faults


def _is_quiet(hours: QuietHours, zone: str, time_ms: int) -> bool:
    local = _local(zone, time_ms)
    minute = local.hour * 60 + local.minute
    if hours.from_minute <= hours.to_minute:
        return hours.from_minute <= minute < hours.to_minute
    return not hours.to_minute <= minute < hours.from_minute


def local_date(zone: str, time_ms: int) -> date:
    return _local(zone, time_ms).date()


def _local(zone: str, time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms // 1000, zone_of(zone))


def _entitled(policy: Policy, person: Person, trigger: Trigger) -> list[str]:
    unit = person.rights.unit(policy, trigger)
    if unit is None:
        return [f"no unit to send by {trigger.channel} is left"]
    if bool(unit.needs) != trigger.awaits_staff:
        return [f"a unit that needs {unit.needs or 'nobody'}, awaits_staff {trigger.awaits_staff}"]
    return []


def _person_budget(spec: JourneySpec, person: Person, trigger: Trigger) -> list[str]:
    budget = spec.budget.person
    if budget is None or not budget.fen or not cost_of(trigger):
        return []
    since_ms = trigger.created_at_ms - duration_ms(budget.per)
    spent_fen = cost_of(trigger) + sum(
        cost_of(one)
        for one in person.sends
        if one.campaign == trigger.campaign and one.created_at_ms > since_ms
    )
    if spent_fen > budget.fen:
        return [f"{spent_fen} fen for this person within {budget.per}, {budget.fen} are allowed"]
    return []


def cost_of(trigger: Trigger) -> int:
    return 0 if trigger.coupon is None else trigger.coupon.cost_fen


def zone_of(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _latest(said: Sequence[Said]) -> list[Said]:
    """The last word by event time; several where the times are equal."""
    last_ms = max((one.time_ms for one in said), default=0)
    return [one for one in said if one.time_ms == last_ms]
