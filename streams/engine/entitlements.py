"""What entitles us to write to a person: granted by what they do, used by what is sent.

One unit is one send. Where units of several grants would do, the one that expires first is used.
The provider's calendar is that of the policy's zone. In doubt a right is less, never more: a late
grant from before a revocation does not count, a code of the provider empties what it is about.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from streams.contract.policy import CALENDARS, DAYS_IN_MONTH, MOST_SENDS, Entitlement, Policy
from streams.engine.calendars import EPOCH, days_in_month, next_unit_ms
from streams.engine.moment import Moment
from streams.engine.profile.channels import PLACES
from streams.engine.profile.hours import local_day
from streams.engine.state import NEVER_MS, Grant, UserState

MOST_GRANTS: Final = 12  # of one person that are remembered
MAX_TEMPLATE: Final = 32  # characters kept of a template's id


class Rule(NamedTuple):
    """An entitlement as it is asked; days since the epoch."""

    said: Entitlement
    channel: int
    span: int
    since: int
    until: int


class Right(NamedTuple):
    """A unit that may be used. `left`: with it; of a channel that needs none, MOST_SENDS."""

    rule: Rule | None
    left: int
    until_ms: int
    template: str = ""

    @property
    def needs(self) -> str:
        return "" if self.rule is None else self.rule.said.needs

    @property
    def price(self) -> float:
        """What keeping it is worth: the fewer are left, the more."""
        return 0.0 if self.rule is None else self.rule.said.shadow_price / self.left


FREE: Final = Right(None, MOST_SENDS, NEVER_MS)


class Entitlements:
    def __init__(self, policy: Policy) -> None:
        self._zone = policy.quiet.zone
        self._rules: list[list[Rule]] = [[] for _ in PLACES]
        self._by_event: dict[str, list[Rule]] = {}
        self._revoked_by: dict[str, list[Rule]] = {}
        for said in policy.entitlements:
            rule = Rule(
                said, PLACES[said.channel], _span(said), _day(said.since, 0), _day(said.until)
            )
            self._rules[rule.channel].append(rule)
            for kind in said.grant_on:
                self._by_event.setdefault(kind, []).append(rule)
            for kind in said.revoke_events:
                self._revoked_by.setdefault(kind, []).append(rule)
        self.events = frozenset((*self._by_event, *self._revoked_by))

    def heard(self, moment: Moment) -> None:
        """An event of `events`: it may grant and revoke."""
        template = _template(getattr(moment.data, "template_id", ""))
        for rule in self._revoked_by.get(moment.type, ()):
            _revoke(moment.person.state, rule, template, moment.time_ms)
        for rule in self._in_force(self._by_event.get(moment.type, ()), moment.now_ms):
            _grant(moment.person.state, rule, template, moment)

    def failed(self, moment: Moment, template: str) -> None:
        """A send failed: some codes say that what we thought we had is gone. `template`: whose
        credit was used; empty for all of the channel."""
        place = PLACES.get(moment.data.channel)
        for rules in self._rules if place is None else [self._rules[place]]:
            for rule in rules:
                if moment.data.code in rule.said.revoke_on:
                    _revoke(moment.person.state, rule, template, moment.time_ms)

    def right(
        self, state: UserState, channel: str, purpose: str, template: str, now_ms: int
    ) -> Right | None:
        """The unit a send would use; FREE where it needs none, None where there is none."""
        rules = self._rules[PLACES[channel]]
        if not rules:
            return FREE
        named, best = False, None
        template = _template(template)
        for rule in self._in_force(rules, now_ms):
            if purpose not in rule.said.purposes:
                continue
            named = True
            found = self._found(state, rule, template, now_ms)
            if found is not None and (best is None or found.until_ms < best.until_ms):
                best = found
        return best if named else FREE

    def use(self, state: UserState, right: Right, now_ms: int) -> None:
        """Use up one unit of what `right` just gave."""
        rule = right.rule
        if rule is None:
            return
        grant = _find(state, rule.channel, rule.span, right.template)
        if rule.span >= 0:
            assert grant is not None and grant.count > 0
            grant.count -= 1
            return
        if grant is None:
            grant = _put(state, Grant(rule.channel, rule.span, 0, right.until_ms), now_ms)
        if grant.until_ms <= now_ms:
            grant.count, grant.until_ms = 0, right.until_ms
        grant.count += 1

    def next_ms(self, channel: str, purpose: str, now_ms: int) -> int:
        """When a used-up calendar's unit is followed by a new one; 0 where that is not known."""
        found = [
            next_unit_ms(rule.said.per, self._zone, now_ms)
            for rule in self._in_force(self._rules[PLACES[channel]], now_ms)
            if rule.said.per and rule.said.units and purpose in rule.said.purposes
        ]
        return min(found, default=0)

    def _in_force(self, rules: list[Rule] | tuple[()], now_ms: int) -> Iterator[Rule]:
        day = local_day(self._zone, now_ms)
        return (rule for rule in rules if rule.since <= day < rule.until)

    def _found(self, state: UserState, rule: Rule, template: str, now_ms: int) -> Right | None:
        if rule.span < 0:
            return self._of_calendar(state, rule, now_ms)
        names = (template, "") if rule.said.per_template and template else ("",)
        for name in names:
            grant = _find(state, rule.channel, rule.span, name)
            if grant is not None and grant.count > 0:
                until_ms = grant.until_ms or NEVER_MS
                if now_ms < until_ms:
                    return Right(rule, grant.count, until_ms, name)
        return None

    def _of_calendar(self, state: UserState, rule: Rule, now_ms: int) -> Right | None:
        units = rule.said.units
        most = days_in_month(self._zone, now_ms) if units == DAYS_IN_MONTH else int(units)
        grant = _find(state, rule.channel, rule.span, "")
        used = 0 if grant is None or grant.until_ms <= now_ms else grant.count
        if used >= most:
            return None
        return Right(rule, most - used, next_unit_ms(rule.said.per, self._zone, now_ms))


def merge(into: UserState, other: UserState) -> None:
    """Credits add, as does what was used of a calendar's unit; of two windows the one that is open
    longer stands, with the fewer units."""
    for theirs in other.grants:
        ours = _find(into, theirs.channel, theirs.span, theirs.template)
        if ours is None:
            into.grants.append(theirs)
            continue
        if theirs.span > 0:
            ours.count = min(ours.count, theirs.count)
        elif theirs.span < 0 and ours.until_ms != theirs.until_ms:
            ours.count = max(ours, theirs, key=lambda grant: grant.until_ms).count
        else:
            ours.count = min(ours.count + theirs.count, MOST_SENDS)
        ours.until_ms = max(ours.until_ms, theirs.until_ms)
        ours.revoked_ms = max(ours.revoked_ms, theirs.revoked_ms)
    _shorten(into, MOST_GRANTS)


def _grant(state: UserState, rule: Rule, template: str, moment: Moment) -> None:
    said, time_ms = rule.said, moment.time_ms
    until_ms = time_ms + said.ttl_ms if said.ttl_ms else 0
    if until_ms and until_ms <= moment.now_ms:
        return
    name = template if said.per_template else ""
    grant = _find(state, rule.channel, rule.span, name)
    if grant is None:
        grant = _put(state, Grant(rule.channel, rule.span, 0, template=name), moment.now_ms)
    everything = _find(state, rule.channel, rule.span, "")
    revoked_ms = max(grant.revoked_ms, everything.revoked_ms if everything else 0)
    if time_ms <= revoked_ms or until_ms < grant.until_ms:
        return
    units = int(said.units) if said.units != DAYS_IN_MONTH else 0
    grant.count = min(grant.count + units, MOST_SENDS) if said.adds else units
    grant.until_ms = until_ms


def _revoke(state: UserState, rule: Rule, template: str, time_ms: int) -> None:
    """A revocation that names no template is of all of them."""
    name = template if rule.said.per_template else ""
    if _find(state, rule.channel, rule.span, name) is None:
        # An older grant may still come: it must find what revoked it.
        _put(state, Grant(rule.channel, rule.span, 0, template=name), time_ms)
    for grant in state.grants:
        is_meant = not template or grant.template in (template, "")
        if is_meant and grant.channel == rule.channel and grant.span == rule.span:
            grant.count = 0
            grant.revoked_ms = max(grant.revoked_ms, time_ms)


def _find(state: UserState, channel: int, span: int, template: str) -> Grant | None:
    for grant in state.grants:
        if grant.channel == channel and grant.span == span and grant.template == template:
            return grant
    return None


def _put(state: UserState, grant: Grant, now_ms: int) -> Grant:
    """Remember it; what has ended makes room first."""
    grants = state.grants
    if len(grants) >= MOST_GRANTS:
        grants[:] = [one for one in grants if not one.until_ms or now_ms < one.until_ms]
        _shorten(state, MOST_GRANTS - 1)
    grants.append(grant)
    return grant


def _shorten(state: UserState, most: int) -> None:
    """Forget the oldest rights, but never what was used of a calendar's unit."""
    rights = [grant for grant in state.grants if grant.span >= 0]
    for grant in rights[: max(0, len(state.grants) - most)]:
        state.grants.remove(grant)


def _span(said: Entitlement) -> int:
    return -1 - CALENDARS.index(said.per) if said.per else said.ttl_ms


def _day(text: str, otherwise: int = 10**9) -> int:
    """Days since the epoch of a date; `otherwise` where none is said."""
    return (EPOCH.fromisoformat(text) - EPOCH).days if text else otherwise


def _template(name: str) -> str:
    return name[:MAX_TEMPLATE]
