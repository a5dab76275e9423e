"""The rules a trigger must keep, each asked of the person's whole history at the trigger's place.

A window of a cap is closed on both sides and holds on two clocks: the times at which triggers were
created and those from which they may be released. So does the gap. Consent and relations: the last
word by event time decides; of several at one time the stricter decides for consent, any may for
relations and the zone.
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from streams.contract.decisions import Decision
from streams.contract.triggers import Trigger
from streams.engine.config import Policy
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


def trigger_faults(
    policy: Policy, person: Person, trigger: Trigger, held: Sequence[Decision]
) -> list[str]:
    return [
        *_cause(person, trigger),
        *_caps(policy, person, trigger),
        *_consent(policy, person, trigger),
        *_ended(person, trigger),
        *_refused(person, trigger),
        *_quiet(policy, person, trigger),
        *_holdout(person, trigger, held),
    ]


def _cause(person: Person, trigger: Trigger) -> list[str]:
    """What led to it is something of this person: nothing older than an erasure, no backfill."""
    if trigger.cause_event_id.startswith(f"check:{person.user_id}:"):
        return []
    backfill = person.causes.get(trigger.cause_event_id)
    if backfill is None:
        return ["its cause is no event of this person"]
    return ["its cause is a backfill"] if backfill else []


def _caps(policy: Policy, person: Person, trigger: Trigger) -> list[str]:
    faults = []
    clocks = {
        "created": [(one, one.created_at_ms) for one in (*person.sends, trigger)],
        "released": [(one, one.not_before_ms) for one in (*person.sends, trigger)],
    }
    for clock, times in clocks.items():
        here_ms = times[-1][1]
        for rule in policy.caps:
            if rule.purpose not in (trigger.purpose, "*"):
                continue
            if rule.channel not in (trigger.channel, "*"):
                continue
            counted = [
                at_ms
                for one, at_ms in times
                if rule.purpose in (one.purpose, "*") and rule.channel in (one.channel, "*")
            ]
            most = max(
                sum(start_ms <= at_ms <= start_ms + rule.window_ms for at_ms in counted)
                for start_ms in counted
                if start_ms <= here_ms <= start_ms + rule.window_ms
            )
            if most > rule.most:
                faults.append(f"{most} {clock} within {rule.window_ms} ms, the cap is {rule.most}")
        gaps = [
            abs(here_ms - at_ms)
            for one, at_ms in times[:-1]
            if one.purpose == trigger.purpose == "marketing"
        ]
        if gaps and min(gaps) < policy.gap_ms:
            faults.append(f"{clock} {min(gaps)} ms apart from another, the gap is {policy.gap_ms}")
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


def _quiet(policy: Policy, person: Person, trigger: Trigger) -> list[str]:
    if not trigger.created_at_ms <= trigger.not_before_ms <= trigger.expires_at_ms:
        return ["is not created, released and expired in this order"]
    if trigger.purpose != "marketing":
        return []
    given = [
        one
        for one in person.said
        if one.kind == ATTRIBUTES and zone_of(one.data.attributes.get("zone", ""))
    ]
    zones = [one.data.attributes["zone"] for one in _latest(given)] or [policy.quiet.zone]
    if all(_is_quiet(policy, zone, trigger.not_before_ms) for zone in zones):
        return [f"released in the quiet hours of {', '.join(zones)}"]
    return []


def _is_quiet(policy: Policy, zone: str, time_ms: int) -> bool:
    local = datetime.fromtimestamp(time_ms // 1000, zone_of(zone))
    minute, hours = local.hour * 60 + local.minute, policy.quiet
    if hours.from_minute <= hours.to_minute:
        return hours.from_minute <= minute < hours.to_minute
    return not hours.to_minute <= minute < hours.from_minute


def zone_of(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _holdout(person: Person, trigger: Trigger, held: Sequence[Decision]) -> list[str]:
    """A control group is for good; only a merge may put the person into another one."""
    if trigger.experiment.holdout:
        return ["sent to a control group"]
    if person.held_out:
        return ["sent to a control group: the last profile says so"]
    for decision in held:
        earlier = person.merged_ms < decision.decided_at_ms <= trigger.created_at_ms
        everything = decision.outcome == "HOLDOUT_GLOBAL"
        if earlier and (everything or decision.journey == trigger.campaign):
            return [f"sent to a control group: {decision.outcome} was decided before"]
    return []


def _latest(said: Sequence[Said]) -> list[Said]:
    """The last word by event time; several where the times are equal."""
    last_ms = max((one.time_ms for one in said), default=0)
    return [one for one in said if one.time_ms == last_ms]
