"""The rules of lint about what is sent: texts, coupons, money, caps, rights, hours."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from streams.contract.content import Library, Template
from streams.contract.journeys import Send, Step
from streams.contract.policy import Cap, Entitlement, Policy, QuietHours
from streams.engine.content.fairness import LadderArm, ladder, value_discrimination_faults
from streams.engine.journeys.compiled import Journey
from streams.engine.policy.consent import AUTO
from streams.expressions import Expression, not_known, show_duration
from streams.journey_files.findings import Finding
from streams.journey_files.ways import reached, since

DAY_MINUTES: Final = 1_440
SHOWN: Final = ("entry", "interest", "recommended")


class Sent(NamedTuple):
    """One send of the journey: of a `send` step, or an arm of a `decide` step."""

    number: int  # of the step
    place: str
    what: Send


def lint_content(journey: Journey, library: Library, policy: Policy) -> Iterator[Finding]:
    sends = list(_sends(journey))
    for sent in sends:
        yield from _references(sent, library)
        yield from _template(sent, library, journey.spec.purpose)
        yield from _rights(journey, sent, library, policy)
    yield from _expiry(journey, sends, policy)
    yield from _fair(journey, library)
    yield from _budget(journey, sends, library)
    yield from _caps(journey.spec.limits.caps, policy)


def _sends(journey: Journey) -> Iterator[Sent]:
    for number, step in enumerate(journey.spec.steps):
        if step.send is not None:
            yield Sent(number, f"step.{step.id}.send", step.send)
        for arm in step.arms:
            if arm.sends:
                yield Sent(number, f"step.{step.id}.arm.{arm.id}", arm)


def _references(sent: Sent, library: Library) -> Iterator[Finding]:
    what = sent.what
    if not (what.template or what.coupon or what.show or what.ad):
        message = "names no template, coupon, show or ad"
        yield Finding("EMPTY_SEND", sent.place, message, "say what goes out")
        return
    named = {
        "template": (what.template.partition("/")[0], [one.id for one in library.templates]),
        "coupon": (what.coupon, [one.sku for one in library.coupons]),
        "ad": (what.ad, [one.ad_id for one in library.ads]),
    }
    if what.show not in SHOWN:
        items = [one.article_id for one in library.articles]
        named["show"] = (what.show, [*items, *(one.item_id for one in library.goods), *SHOWN])
    for field, (name, known) in named.items():
        if name and name not in known:
            yield _unknown(f"{sent.place}.{field}", name, known, field)
    template = _template_of(what, library)
    variant = what.template.partition("/")[2]
    if template is not None and variant not in ("", "*"):
        ids = [one.id for one in template.variants]
        if variant not in ids:
            yield _unknown(f"{sent.place}.template", variant, ids, "variant")


def _unknown(place: str, name: str, known: Iterable[str], what: str) -> Finding:
    message, _, remedy = str(not_known(name, list(known), what=what)).partition("; ")
    return Finding("UNKNOWN_REFERENCE", place, message, remedy[:200])


def _template(sent: Sent, library: Library, purpose: str) -> Iterator[Finding]:
    what, template = sent.what, _template_of(sent.what, library)
    if template is None:
        return
    place = f"{sent.place}.template"
    if template.kind != what.kind:
        message = f"{template.id} is for a {template.kind}, and this sends a {what.kind}"
        yield Finding("TEMPLATE_KIND", place, message, f"take one whose kind is {what.kind}")
    if template.purpose == "marketing" and purpose == "service":
        message = f"{template.id} is marketing, and the journey is service: its caps and consent"
        message += " would not be asked"
        yield Finding("TEMPLATE_PURPOSE", place, message, 'set purpose = "marketing"')
    if template.coupon and template.coupon != what.coupon:
        message = f"{template.id} promises {template.coupon}, and this sends {what.coupon}"
        yield Finding("TEMPLATE_COUPON", place, message, f'set coupon = "{template.coupon}"')
    if what.channel == "auto":
        return
    without = [channel for channel in what.channel if channel not in template.channels]
    if without:
        code = "CHANNEL_WITHOUT_TEXT"
        if len(without) == len(what.channel):
            code = "TEMPLATE_CHANNEL"
        message = f"{template.id} has no wording for {', '.join(without)}"
        remedy = f"it has one for {', '.join(template.channels)}"
        yield Finding(code, f"{sent.place}.channel", message, remedy)


def _rights(journey: Journey, sent: Sent, library: Library, policy: Policy) -> Iterator[Finding]:
    """Whether, when the send comes, there can be a right to it by one of its channels."""
    number = sent.number
    if number not in reached(journey):
        return
    asked = [one for one in policy.entitlements if journey.spec.purpose in one.purposes]
    verdicts = {
        channel: _right(journey, number, [one for one in asked if one.channel == channel])
        for channel in channels_of(sent.what, library)
    }
    if not verdicts or "possible" in verdicts.values():
        return
    names = ", ".join(verdicts)
    grants = sorted({kind for one in asked if one.channel in verdicts for kind in one.grant_on})
    if all(verdict == "over" for verdict in verdicts.values()):
        yield Finding(
            "IMPOSSIBLE_ENTITLEMENT",
            sent.place,
            f"by {names} a message may only follow {' or '.join(grants)}, and by then that is over",
            "wait_for one of these events first, or add a channel that needs none",
        )
    else:
        yield Finding(
            "LUCKY_ENTITLEMENT",
            sent.place,
            f"by {names} a message may only follow {' or '.join(grants)}, which need not happen",
            "wait_for one of these events first, or add another channel",
        )


def _right(journey: Journey, number: int, rules: list[Entitlement]) -> str:
    """possible, over (what the journey waited for grants it no longer), or luck."""
    if not rules or any(not rule.grant_on or not rule.ttl_ms for rule in rules):
        return "possible"
    longest_ms = max(rule.ttl_ms for rule in rules)
    for rule in rules:
        for passed_ms in since(journey, number, frozenset(rule.grant_on)):
            if passed_ms < rule.ttl_ms:
                return "possible"
    least_ms = reached(journey)[number]
    return "over" if least_ms >= longest_ms else "luck"


def channels_of(what: Send, library: Library) -> list[str]:
    """The channels by which it can go out at all."""
    if what.kind == "ad":
        return ["ads"]
    channels: list[str] = list(AUTO) if what.channel == "auto" else list(what.channel)
    template = _template_of(what, library)
    if template is None:
        return channels
    return [channel for channel in channels if channel in template.channels]


def _template_of(what: Send, library: Library) -> Template | None:
    name = what.template.partition("/")[0]
    return next((one for one in library.templates if one.id == name), None) if name else None


def _expiry(journey: Journey, sends: list[Sent], policy: Policy) -> Iterator[Finding]:
    marketing = journey.spec.purpose == "marketing"
    hours = policy.quiet if marketing else policy.quiet_service
    if hours is None or hours.from_minute == hours.to_minute:
        return
    quiet_ms = (hours.to_minute - hours.from_minute) % DAY_MINUTES * 60_000 + hours.jitter_ms
    for number in dict.fromkeys(sent.number for sent in sends):
        step = journey.steps[number]
        if step.expires_ms <= quiet_ms and not _set_by_the_clock(journey, number, hours):
            message = (
                f"expire = {show_duration(step.expires_ms)}, and quiet hours last up to "
                f"{show_duration(quiet_ms)}"
            )
            remedy = "raise expire, or come at a time of the day by until"
            yield Finding("EXPIRES_IN_QUIET", f"step.{step.id}.expire", message, remedy)


def _set_by_the_clock(journey: Journey, number: int, hours: QuietHours) -> bool:
    """Whether the step before is an `until` outside the quiet hours."""
    earlier = journey.steps[number - 1] if number else None
    if earlier is None or earlier.kind != "until" or earlier.until == "best":
        return False
    minute = int(earlier.until[:2]) * 60 + int(earlier.until[3:])
    if hours.from_minute <= hours.to_minute:
        return not hours.from_minute <= minute < hours.to_minute
    return hours.to_minute <= minute < hours.from_minute


def _fair(journey: Journey, library: Library) -> Iterator[Finding]:
    """A coupon's value never follows what the person would pay: PIPL art. 24."""
    values = {coupon.sku: coupon.face_value_fen for coupon in library.coupons}
    conditions = dict(journey.expressions)
    faults = []
    for step in journey.spec.steps:
        arms = [
            _ladder_arm(step, arm.id, values.get(arm.coupon, 1), conditions)
            for arm in step.arms
            if arm.coupon
        ]
        faults += ladder(arms, f"step.{step.id}")
    if any(_has_coupon(step) for step in journey.spec.steps):
        for place, found in conditions.items():
            if place.endswith(".if") or place in ("entry.where", "entry.guard"):
                paths = [".".join(path) for path in found.paths]
                faults += value_discrimination_faults(paths, found.calls, place)
    for fault in faults:
        yield Finding("VALUE_DISCRIMINATION", fault.where, fault.message, fault.remedy)


def _ladder_arm(
    step: Step, arm: str, value_fen: int, conditions: dict[str, Expression]
) -> LadderArm:
    found = conditions.get(f"step.{step.id}.arm.{arm}.when")
    if found is None:
        return LadderArm(arm, value_fen)
    return LadderArm(arm, value_fen, [".".join(path) for path in found.paths], found.calls)


def _has_coupon(step: Step) -> bool:
    sends = [*step.arms, *([step.send] if step.send else [])]
    return any(one.coupon for one in sends)


def _budget(journey: Journey, sends: list[Sent], library: Library) -> Iterator[Finding]:
    budget = journey.spec.budget
    costs = {coupon.sku: coupon.cost_fen for coupon in library.coupons}
    coupons = dict.fromkeys(sent.what.coupon for sent in sends if sent.what.coupon in costs)
    said = {
        "total_fen": budget.total_fen,
        "daily_fen": budget.daily_fen,
        "person.fen": budget.person.fen if budget.person else 0,
    }
    if not coupons:
        if any(said.values()):
            message = "nothing in the journey costs money"
            yield Finding("BUDGET_UNUSED", "budget", message, "take it out")
        return
    if not (budget.total_fen or budget.daily_fen):
        message = f"{', '.join(coupons)} without total_fen or daily_fen: only the policy's limit"
        yield Finding("NO_BUDGET", "budget", message, "add [budget] with total_fen and daily_fen")
    for sku in coupons:
        for name, fen in said.items():
            if 0 < fen < costs[sku]:
                message = f"{fen} fen do not pay for one {sku}, which costs {costs[sku]}"
                yield Finding("BUDGET_TOO_SMALL", f"budget.{name}", message, "raise it")


def _caps(caps: Iterable[Cap], policy: Policy) -> Iterator[Finding]:
    for number, cap in enumerate(caps, start=1):
        for other in policy.caps:
            if _covers(other, cap):
                yield Finding(
                    "CAP_LOOSER",
                    f"limits.caps[{number}]",
                    f"{cap.most} per {_window(cap)}, and the policy allows {other.most} per "
                    f"{_window(other)} anyway",
                    "lower it, or take it out",
                )
                break


def _covers(policy: Cap, cap: Cap) -> bool:
    """Whether the policy's cap already allows no more than the journey's own."""
    if not policy.limits or policy.most > cap.most:
        return False
    if policy.purpose not in (cap.purpose, "*") or policy.channel not in (cap.channel, "*"):
        return False
    if policy.per or cap.per:
        return policy.per == cap.per
    return policy.window_ms >= cap.window_ms


def _window(cap: Cap) -> str:
    return cap.per or show_duration(cap.window_ms)
