"""The `[[test]]` tables of a journey's file, run by the real engine in simulated time.

One partition with this journey alone, the content library and policy of the deployment, and no
control groups unless the test asks for one. What a test takes for granted reaches the engine as
events from before its clock (`backfill`: nobody enters by them), scores and drawn arms directly.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from streams.contract.content import Library
from streams.contract.decisions import Decision
from streams.contract.events import TYPES
from streams.contract.journeys import Given, Holdout, JourneySpec, Test
from streams.contract.policy import CALENDARS, DAY_MS, Policy
from streams.contract.records import Observed, Origin, Record, Tick
from streams.contract.topics import EVENTS
from streams.contract.triggers import Channel, Trigger
from streams.engine.config import Config
from streams.engine.engine import Engine
from streams.engine.moment import DAILY_CHECK
from streams.engine.profile import attributes
from streams.engine.profile.hours import offset_ms
from streams.engine.state import NEVER_MS, Sent, way_of
from streams.engine.store import Person, Store
from streams.expressions import duration_ms
from streams.journey_files.lines import (
    OF_LAST_TRIGGER,
    Expected,
    GivenEvent,
    LineError,
    clock_ms,
    read_event,
    read_expected,
    show_offset,
)

PERSON: Final = "inline-test-person"
MINUTE_MS: Final = 60_000
MOST_RECORDS: Final = 20_000  # of one test: more means that it does not come to an end
TOLERANCE_MS: Final = 1_000
# The event that makes a person reachable by a channel.
REACHED_BY: Final[dict[Channel, str]] = {
    "official_account": "user.followed",
    "mini_programme": "page.viewed",
    "customer_service": "service.session_started",
    "group": "group.member_joined",
    "wecom": "contact.added",
}


class Happened(NamedTuple):
    """A decision, the trigger it led to, and when it was made, after the test's clock."""

    at_ms: int
    decision: Decision
    trigger: Trigger | None
    said: dict[str, str]


class TestResult(NamedTuple):
    """`problem`: what was expected and did not happen, or is wrong with the test; empty: passed."""

    name: str
    problem: str
    happened: tuple[Happened, ...]

    @property
    def passed(self) -> bool:
        return not self.problem


def run_tests(spec: JourneySpec, library: Library, policy: Policy) -> list[TestResult]:
    """Every test of the file, in its order."""
    return [run_test(spec, test, library, policy) for test in spec.tests]


def run_test(spec: JourneySpec, test: Test, library: Library, policy: Policy) -> TestResult:
    try:
        expected = [read_expected(line) for line in test.expect]
        events = sorted((read_event(line) for line in test.events), key=lambda event: event.at_ms)
        stage = _Stage(spec, test, library, policy)
        stage.prepare(events)
    except LineError as error:
        return TestResult(test.name, str(error), ())
    stage.play(events, max((one.at_ms or 0 for one in expected), default=0))
    happened = tuple(stage.happened)
    jitter_ms = policy.quiet.jitter_ms
    return TestResult(test.name, _unmet(expected, happened, jitter_ms), happened)


class _Stage:
    """One test on its way."""

    def __init__(self, spec: JourneySpec, test: Test, library: Library, policy: Policy) -> None:
        given = test.given
        self.clock_ms = clock_ms(test.clock)
        self.spec, self.given = _for_test(spec, given), given
        policy = replace(policy, global_holdout=1.0 if given.holdout == "global" else 0.0)
        config = Config(partitions=1, policy=policy, journeys=(self.spec,), content=library)
        self.policy, self.library = policy, library
        self.store = Store()
        self.store.limit(config.users_in_memory)
        self.engine = Engine(config, partition=0, store=self.store)
        self.happened: list[Happened] = []
        self._triggers: dict[str, Trigger] = {}
        self._last: Trigger | None = None
        self._number = 0

    def prepare(self, events: Sequence[GivenEvent]) -> None:
        """Everything the test takes for granted, up to its clock."""
        past = sorted(self._past(), key=lambda event: event[0])
        begin_ms = self.clock_ms + min([event[0] for event in past], default=0) - MINUTE_MS
        self.engine.ledger.clock.now_ms = begin_ms
        self.engine.publishing.begin(self.policy, begin_ms)
        # A forced arm goes past the control groups: who is in one has none.
        self.engine.journeys.forced = {} if self.given.holdout else self.given.arm
        self.engine.insight.fixed = {
            **self.given.score,
            **{f"interest:{name}": score for name, score in self.given.interest.items()},
        }
        for at_ms, kind, data in past:
            self._advance(self.clock_ms + at_ms)
            self._feed(at_ms, kind, data, backfill=True)
        self._advance(self.clock_ms - 1)
        self.happened.clear()
        person = self._person()
        checks = [event.at_ms for event in events if event.type == DAILY_CHECK]
        if person is None:
            return
        for ago in sorted(map(duration_ms, self.given.sent), reverse=True):
            way = way_of("marketing", "official_account")
            sent = Sent(self.clock_ms - ago, 0, way, "another", 0)
            person.state.sends.append(sent)
        if checks:
            self._check_at(person, self.clock_ms + checks[0])

    def play(self, events: Iterable[GivenEvent], last_ms: int) -> None:
        """The events of the test, then time until nobody is in the journey and nothing more is
        expected."""
        for event in events:
            at_ms = self.clock_ms + event.at_ms
            if event.type == DAILY_CHECK:
                person = self._person()
                if person is not None and at_ms > self.engine.ledger.clock.now_ms:
                    self._check_at(person, at_ms)
                self._advance(at_ms)
                continue
            self._advance(at_ms)
            self._feed(event.at_ms, event.type, self._filled(event), backfill=False)
        until_ms = self.clock_ms + last_ms
        for _ in range(MOST_RECORDS):
            person = self._person()
            inside = person is not None and bool(person.state.inside)
            due_ms = self._next_due_ms()
            if due_ms == NEVER_MS or (due_ms > until_ms and not inside):
                return
            self._handle(Tick(at_ms=max(due_ms, self.engine.ledger.clock.now_ms)))
        raise RuntimeError(f"the test of {self.spec.id} does not come to an end")

    def _past(self) -> list[tuple[int, str, dict[str, Any]]]:
        """(milliseconds after the clock, type, data) of what is given."""
        given, found = self.given, list[tuple[int, str, dict[str, Any]]]()
        for number in range(given.orders):
            data = {"order_id": f"given-{number}", "amount_fen": 9_900}
            found.append((-(30 + number) * DAY_MS, "order.paid", data))
        for channel in given.reach:
            if channel in REACHED_BY:
                found.append((-60 * MINUTE_MS, REACHED_BY[channel], {}))
        if not given.reach:
            found.append((-60 * MINUTE_MS, "ad.clicked", {"ad_id": "given"}))
        for purpose in given.consent:
            found.append((-50 * MINUTE_MS, "consent.granted", {"purpose": purpose}))
        if given.attributes:
            data = {"attributes": given.attributes, "provenance": "form"}
            found.append((-50 * MINUTE_MS, "user.attributes_given", data))
        for channel_name, units in given.entitlement.items():
            found += self._grants(channel_name, units)
        return found

    def _grants(self, channel: str, units: int) -> list[tuple[int, str, dict[str, Any]]]:
        """The events by which the policy grants so many units of a channel."""
        rules = [rule for rule in self.policy.entitlements if rule.channel == channel]
        by_event = [rule for rule in rules if rule.grant_on]
        if units <= 0:
            return []
        if not by_event:
            need = "needs none" if not rules else f"has its units by the {_calendars(rules)}"
            raise LineError(f"given.entitlement.{channel}: {channel} {need}; leave it out")
        rule = by_event[0]
        if not rule.adds and units != rule.units:
            raise LineError(
                f"given.entitlement.{channel} = {units}: {rule.grant_on[0]} grants {rule.units} "
                f"at once; write 0 or {rule.units}"
            )
        templates = self._templates(channel) if rule.per_template else [""]
        times = units if rule.adds else 1
        fields = TYPES[rule.grant_on[0]].__struct_fields__
        return [
            (
                -30 * MINUTE_MS + number * 1_000,
                rule.grant_on[0],
                {"template_id": template} if template and "template_id" in fields else {},
            )
            for template in templates
            for number in range(times)
        ]

    def _templates(self, channel: str) -> list[str]:
        """The templates of the journey that may go out by the channel."""
        sends = [arm for step in self.spec.steps for arm in step.arms]
        named = [arm.template for arm in sends]
        named += [step.send.template for step in self.spec.steps if step.send is not None]
        ids = dict.fromkeys(name.partition("/")[0] for name in named if name)
        by_id = {template.id: template for template in self.library.templates}
        found = [name for name in ids if name in by_id and channel in by_id[name].channels]
        return found or [""]

    def _filled(self, event: GivenEvent) -> dict[str, Any]:
        """An answer to what was sent last, where the line does not say to what."""
        data, last = dict(event.data), self._last
        if event.type.startswith(OF_LAST_TRIGGER) and last is not None:
            data.setdefault("trigger_id", last.trigger_id)
            if event.type.startswith("push."):
                data.setdefault("channel", last.channel)
            elif last.coupon is not None:
                data.setdefault("coupon_id", f"coupon-of-{last.trigger_id}")
                data.setdefault("sku", last.coupon.sku)
        elif event.type.startswith(OF_LAST_TRIGGER):
            for name in ("trigger_id", "coupon_id"):
                if name in TYPES[event.type].__struct_fields__:
                    data.setdefault(name, "nothing-was-sent")
        return data

    def _feed(self, at_ms: int, kind: str, data: dict[str, Any], *, backfill: bool) -> None:
        time_ms = self.clock_ms + at_ms
        self._number += 1
        self._handle(
            Observed(
                at_ms=time_ms,
                origin=Origin(EVENTS, 0, 0, self._number),
                id=f"event-{self._number}",
                source="inline-test",
                type=kind,
                alias=PERSON,
                time_ms=time_ms,
                data=msgspec.convert(data, TYPES[kind]),
                backfill=backfill,
            )
        )

    def _advance(self, to_ms: int) -> None:
        """Fire what is due up to a time."""
        for _ in range(MOST_RECORDS):
            due_ms = self._next_due_ms()
            if due_ms > to_ms:
                return
            self._handle(Tick(at_ms=max(due_ms, self.engine.ledger.clock.now_ms)))
        raise RuntimeError(f"the test of {self.spec.id} does not get past a timer")

    def _handle(self, record: Record) -> None:
        outcome = self.engine.handle(record)
        for effect in outcome.effects:
            if isinstance(effect, Trigger):
                self._triggers[effect.trigger_id] = self._last = effect
        for decision in outcome.decisions:
            if decision.journey == self.spec.id:
                self._note(decision)

    def _note(self, decision: Decision) -> None:
        trigger = self._triggers.get(decision.trigger_id)
        at_ms = decision.decided_at_ms - self.clock_ms
        said = _said(decision, trigger)
        until_ms = trigger.not_before_ms if trigger else decision.next_eligible_at_ms
        if until_ms:
            said["until"] = self._local(until_ms)
        self.happened.append(Happened(at_ms, decision, trigger, said))

    def _local(self, time_ms: int) -> str:
        person = self._person()
        zone = self.policy.quiet.zone
        if person is not None:
            zone = attributes.zone(person.state, zone)
        local_ms = time_ms + offset_ms(zone, time_ms)
        return datetime.fromtimestamp(local_ms / 1000, UTC).strftime("%H:%M")

    def _next_due_ms(self) -> int:
        return min(self.store.soonest_ms(), self.engine.next_due_ms())

    def _person(self) -> Person | None:
        return self.store.get(PERSON)

    def _check_at(self, person: Person, at_ms: int) -> None:
        """The person's daily check comes at a time of the test's choice."""
        person.state.check_ms = at_ms
        waits = [one.due_ms for one in person.state.inside]
        waits += [one.until_ms for one in person.state.pending]
        self.store.set_due(person, min([at_ms, *waits]))


def _for_test(spec: JourneySpec, given: Given) -> JourneySpec:
    share = 1.0 if given.holdout == "journey" else 0.0
    held = Holdout(everyone=True, share=share)
    return replace(spec, status="live", holdout=held, tests=[])


def _calendars(rules: Iterable[Any]) -> str:
    return " and ".join(rule.per for rule in rules if rule.per in CALENDARS)


def _said(decision: Decision, trigger: Trigger | None) -> dict[str, str]:
    said = {"step": decision.step, "arm": decision.arm, "channel": decision.channel}
    if trigger is not None:
        said |= {"kind": trigger.kind, "channel": trigger.channel, "ad": trigger.ad_id}
        if trigger.coupon is not None:
            said["coupon"] = trigger.coupon.sku
        if trigger.message is not None:
            said["template"] = trigger.message.template_id
        if trigger.content is not None:
            said["item"], said["category"] = trigger.content.item_id, trigger.content.category
    return {key: value for key, value in said.items() if value}


def _unmet(expected: Sequence[Expected], happened: Sequence[Happened], jitter_ms: int) -> str:
    """The first line that does not come true, and what happened instead; empty: all do."""
    at = 0
    absent: list[Expected] = []
    for line in [*expected, None]:
        if line is not None and line.absent:
            absent.append(line)
            continue
        place = len(happened)
        if line is not None:
            fits = (i for i in range(at, len(happened)) if _is(line, happened[i], jitter_ms))
            place = next(fits, -1)
            if place < 0:
                return f"expected: {line.line}\n{story(happened, at)}"
        for never in absent:
            for one in happened[at:place]:
                if _is(never, one, jitter_ms):
                    return f"expected: {never.line}\nbut: {told(one)}\n{story(happened, 0)}"
        absent, at = [], place + 1
    return ""


def _is(line: Expected, one: Happened, jitter_ms: int) -> bool:
    """`no SENT` is said of every trigger, also of one that waits for the morning or for staff."""
    sent = line.absent and line.outcome == "SENT"
    if not (one.trigger is not None if sent else line.outcome == one.decision.outcome):
        return False
    if line.at_ms is not None and abs(line.at_ms - one.at_ms) > TOLERANCE_MS:
        return False
    return all(_same(key, value, one, jitter_ms) for key, value in line.said.items())


def _same(key: str, value: str, one: Happened, jitter_ms: int) -> bool:
    """Releases after quiet hours are spread by the policy's jitter, which `until` allows for."""
    found = one.said.get(key, "")
    if key != "until" or not found:
        return found == value
    minutes = [int(text[:2]) * 60 + int(text[3:]) for text in (value, found)]
    return (minutes[1] - minutes[0]) % 1_440 <= jitter_ms / MINUTE_MS


def told(one: Happened) -> str:
    """A decision in the words of an expected line."""
    said = " ".join(f"{key}={value}" for key, value in one.said.items())
    return f"{show_offset(one.at_ms)} {one.decision.outcome} {said}".rstrip()


def story(happened: Sequence[Happened], start: int) -> str:
    if not happened:
        return "what happened: nothing; the person never entered"
    lines = [f"  {'·' if i < start else '>'} {told(one)}" for i, one in enumerate(happened)]
    return "\n".join(["what happened (> not yet matched):", *lines])
