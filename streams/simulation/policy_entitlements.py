"""The right to send, unit by unit: what each event granted, and which unit each send burnt.

A naive ledger: single units with the time they were granted at and the time they end. Of units that
would do, the one that ends first is burnt. Of two people who are one the units add; of two windows
that are open the one open longer stands, with the fewer units.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple, get_args
from zoneinfo import ZoneInfo

from msgspec import Struct

from streams.contract.events import Credit, PushResult
from streams.contract.policy import DAYS_IN_MONTH, Entitlement, Policy
from streams.contract.triggers import Channel, Trigger

NEVER_MS = 2**62
CHANNELS = get_args(Channel)


class Burnt(NamedTuple):
    """The unit a send used: of which rules and template; free where the channel needs none."""

    channel: str = ""
    span: str = ""  # the length of a window in milliseconds, or the calendar's unit
    template: str = ""
    until_ms: int = NEVER_MS
    needs: str = ""


FREE = Burnt()


class Units(Struct):
    granted_ms: int
    until_ms: int
    left: int


class Revoked(NamedTuple):
    channel: str
    span: str
    template: str  # empty: of all
    time_ms: int

    def covers(self, channel: str, span: str, template: str) -> bool:
        same = (self.channel, self.span) == (channel, span)
        return same and (not self.template or template in (self.template, ""))


Windows = dict[tuple[str, str, str], list[Units]]


class Rights(Struct):
    """Of one person: units by channel, span and template, and what was used of calendars."""

    windows: Windows = {}
    revoked: list[Revoked] = []
    used: list[tuple[Burnt, int]] = []  # with the time of the send
    templates: dict[str, str] = {}  # trigger id -> the template whose unit it used

    def hear(self, policy: Policy, kind: str, data: object, time_ms: int, now_ms: int) -> None:
        """An event of the person that may grant or revoke."""
        template = data.template_id if isinstance(data, Credit) else ""
        for rule in policy.entitlements:
            if kind in rule.revoke_events:
                self._revoke(rule, template, time_ms)
        if kind == "push.failed" and isinstance(data, PushResult):
            self._failed(policy, data, time_ms)
        for rule in _in_force(policy, now_ms):
            if kind in rule.grant_on:
                self._grant(rule, template, time_ms, now_ms)

    def unit(self, policy: Policy, trigger: Trigger) -> Burnt | None:
        """The unit the trigger would use; None where there is none."""
        template = trigger.message.template_id if trigger.message else ""
        named, now_ms = False, trigger.created_at_ms
        best: Burnt | None = None
        for rule in _in_force(policy, now_ms):
            if rule.channel != trigger.channel or trigger.purpose not in rule.purposes:
                continue
            named = True
            found = self._found(rule, template, policy.quiet.zone, now_ms)
            if found is not None and (best is None or found.until_ms < best.until_ms):
                best = found
        return best if named else FREE

    def burn(self, trigger: Trigger, unit: Burnt) -> None:
        self.templates[trigger.trigger_id] = unit.template
        if not unit.channel:
            return
        self.used.append((unit, trigger.created_at_ms))
        for units in self.windows.get(unit[:3], ()):
            if units.left and units.until_ms == unit.until_ms:
                units.left -= 1
                return

    def merge(self, other: "Rights", now_ms: int) -> None:
        self.revoked += other.revoked
        self.used += other.used
        self.templates |= other.templates
        for key, theirs in other.windows.items():
            ours = self.windows.setdefault(key, [])
            if key[1] == "0":
                ours += theirs
                continue
            both = [one for one in (*ours, *theirs) if one.until_ms > now_ms]
            if both:
                longest = max(both, key=lambda one: one.until_ms)
                longest.left = min(one.left for one in both)
                both = [longest]
            self.windows[key] = both

    def _failed(self, policy: Policy, data: PushResult, time_ms: int) -> None:
        """The provider says that what was used, or all of a channel, is gone."""
        mark = data.trigger_id[:8].lower()
        template = next((t for name, t in self.templates.items() if name[:8] == mark), "")
        everywhere = data.channel not in CHANNELS
        for rule in policy.entitlements:
            if (everywhere or rule.channel == data.channel) and data.code in rule.revoke_on:
                self._revoke(rule, template, time_ms)

    def _revoke(self, rule: Entitlement, template: str, time_ms: int) -> None:
        revoked = Revoked(rule.channel, _span(rule), template, time_ms)
        self.revoked.append(revoked)
        for key, all_units in self.windows.items():
            if revoked.covers(*key):
                all_units[:] = [one for one in all_units if one.granted_ms > time_ms]

    def _grant(self, rule: Entitlement, template: str, time_ms: int, now_ms: int) -> None:
        key = (rule.channel, _span(rule), template if rule.per_template else "")
        until_ms = time_ms + rule.ttl_ms if rule.ttl_ms else NEVER_MS
        gone = any(one.time_ms >= time_ms and one.covers(*key) for one in self.revoked)
        if gone or until_ms <= now_ms or not isinstance(rule.units, int):
            return
        known = self.windows.setdefault(key, [])
        units = Units(time_ms, until_ms, rule.units)
        if rule.adds:
            known.append(units)
        elif until_ms >= max((one.until_ms for one in known), default=0):
            self.windows[key] = [units]

    def _found(self, rule: Entitlement, template: str, zone: str, now_ms: int) -> Burnt | None:
        span = _span(rule)
        if rule.per:
            here = _unit(rule.per, _local(zone, now_ms))
            used = sum(
                burnt.channel == rule.channel
                and burnt.span == span
                and _unit(rule.per, _local(zone, at_ms)) == here
                for burnt, at_ms in self.used
            )
            most = _days_in_month(_local(zone, now_ms))
            most = most if rule.units == DAYS_IN_MONTH else int(rule.units)
            ends_ms = _ends_ms(rule.per, zone, now_ms)
            return Burnt(rule.channel, span, "", ends_ms, rule.needs) if used < most else None
        for name in (template, "") if rule.per_template and template else ("",):
            open_ms = [
                one.until_ms
                for one in self.windows.get((rule.channel, span, name), ())
                if one.left and now_ms < one.until_ms
            ]
            if open_ms:
                return Burnt(rule.channel, span, name, min(open_ms), rule.needs)
        return None


def _span(rule: Entitlement) -> str:
    return rule.per or str(rule.ttl_ms)


def _in_force(policy: Policy, now_ms: int) -> Iterator[Entitlement]:
    today = _local(policy.quiet.zone, now_ms).isoformat()
    for rule in policy.entitlements:
        if rule.since <= today and (not rule.until or today < rule.until):
            yield rule


def _local(zone: str, time_ms: int) -> date:
    return datetime.fromtimestamp(time_ms // 1000, ZoneInfo(zone)).date()


def _unit(per: str, day: date) -> tuple[int, ...]:
    if per == "calendar day":
        return (day.toordinal(),)
    return day.isocalendar()[:2] if per == "calendar week" else (day.year, day.month)


def _days_in_month(day: date) -> int:
    following = day.replace(day=28) + timedelta(days=4)
    return (following - timedelta(days=following.day)).day


def _ends_ms(per: str, zone: str, now_ms: int) -> int:
    """About when the unit ends: what ends first is found by it, to the day."""
    day = _local(zone, now_ms)
    following = day
    while _unit(per, following) == _unit(per, day):
        following += timedelta(days=1)
    start = datetime(following.year, following.month, following.day, tzinfo=ZoneInfo(zone))
    return int(start.timestamp() * 1000)


def calendar_unit(per: str, zone: str, time_ms: int) -> tuple[int, ...]:
    """What tells a unit of the calendar from all others, in the zone."""
    return _unit(per, _local(zone, time_ms))
