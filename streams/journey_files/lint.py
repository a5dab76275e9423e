"""Lint: what is wrong or unwise in a journey, before anybody is in it.

The rules about conditions and the way through are here; those about content, money and rights in
`lint_content`. Codes are stable: CODES of `findings`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from streams.contract.content import Library
from streams.contract.journeys import NOTHING, JourneySpec, Step, listed
from streams.contract.policy import Policy
from streams.engine.config import Config
from streams.engine.insight import Insight
from streams.engine.journeys.book import MOST_BODY_BYTES
from streams.engine.journeys.compiled import Journey, JourneyError
from streams.engine.journeys.vocabulary import Vocabulary, fields_of
from streams.engine.moment import DAILY_CHECK
from streams.expressions import show_duration
from streams.journey_files.conditions import contradiction, counts_beyond
from streams.journey_files.findings import Finding
from streams.journey_files.lines import LineError, clock_ms, read_event, read_expected
from streams.journey_files.lint_content import lint_content
from streams.journey_files.lint_referral import lint_referral
from streams.journey_files.ways import before, reached, ways_from

LEARNING: Final = ("thompson", "linear_thompson", "linucb")
ABOUT_STEPS: Final = ("sent", "delivered", "opened", "clicked")


def lint(
    spec: JourneySpec,
    library: Library,
    policy: Policy,
    *,
    written: Mapping[str, Any] | None = None,
) -> list[Finding]:
    """Every finding, in the order of the file. `written`: the file's own tables, where known: what
    it does not say can then be told from what it says like the default."""
    try:
        journey = compiled(spec, policy)
    except JourneyError as error:
        place, _, message = str(error).partition(": ")
        return [Finding("SHAPE", place, message, "see docs/journeys.md for the format")]
    return [
        *_size(spec),
        *_exits(journey, written),
        *_measured(spec),
        *_ways(journey),
        *_others(journey),
        *_conditions(journey),
        *_arms(spec),
        *lint_content(journey, library, policy),
        *lint_referral(journey),
        *_tests(spec),
    ]


def lint_versions(older: JourneySpec, newer: JourneySpec) -> list[Finding]:
    """Whether `newer` may be published after `older`."""
    if older.id != newer.id:
        message = f"{older.id} and {newer.id} are two journeys"
        return [Finding("ID_CHANGED", "id", message, "compare two versions of one")]
    if newer.version < older.version:
        message = f"{newer.version} after {older.version}"
        return [Finding("VERSION_LOWER", "version", message, "write a higher one")]
    if newer.version == older.version and body(older) != body(newer):
        message = f"version {newer.version} was published with another content"
        return [Finding("VERSION_REUSED", "version", message, f"write {older.version + 1}")]
    return []


def compiled(spec: JourneySpec, policy: Policy) -> Journey:
    """Raises JourneyError."""
    return Journey(spec, Vocabulary(Insight(Config()), policy.quiet.zone))


def body(spec: JourneySpec) -> dict[str, Any]:
    """What is published: the file without its tests."""
    found: dict[str, Any] = msgspec.to_builtins(spec)
    found.pop("test", None)
    return found


def _size(spec: JourneySpec) -> Iterator[Finding]:
    size = len(msgspec.json.encode(body(spec)))
    if size > MOST_BODY_BYTES:
        message = f"{size} bytes without its tests; {MOST_BODY_BYTES} are possible"
        yield Finding("TOO_LARGE", "step", message, "split it into two journeys")


def _exits(journey: Journey, written: Mapping[str, Any] | None) -> Iterator[Finding]:
    spec = journey.spec
    if written is not None and "after" not in written.get("exit", {}):
        message = f"it lasts {spec.exit.after}, since nothing is said"
        yield Finding("NO_LIMIT_SAID", "exit.after", message, "say how long, as after = '7d'")
    waits = any(step.kind in ("wait", "until", "wait_for") for step in journey.steps)
    missing = [
        kind for kind in ("user.unfollowed", "consent.withdrawn") if kind not in journey.exits
    ]
    if waits and missing and spec.purpose == "marketing":
        message = f"people stay in it after {' and '.join(missing)}"
        yield Finding("NO_EXIT", "exit.on", message, f"add {', '.join(map(repr, missing))}")
    for number, least_ms in sorted(reached(journey).items()):
        if number < len(journey.steps) and least_ms >= journey.after_ms:
            place = f"step.{journey.steps[number].id}"
            message = (
                f"comes {show_duration(least_ms)} after the entry at the soonest, and exit.after "
                f"is {spec.exit.after}"
            )
            yield Finding("ENDS_BEFORE", place, message, "raise exit.after or wait less")
            return


def _others(journey: Journey) -> Iterator[Finding]:
    for place in journey.wants:
        message = "would keep who another person is, whose erasure would not reach it"
        remedy = "ask data. in entry.where, or profile.invited_by"
        yield Finding("KEEPS_ANOTHER", place, message, remedy)


def _measured(spec: JourneySpec) -> Iterator[Finding]:
    if spec.goal is None:
        message = "nothing says what the journey is for"
        yield Finding("NO_GOAL", "goal", message, "add [goal] with on and window")
    if spec.holdout.share == 0.0 and spec.purpose == "marketing":
        message = "share is 0"
        yield Finding("NO_HOLDOUT", "holdout.share", message, "add [holdout] with share = 0.05")


def _ways(journey: Journey) -> Iterator[Finding]:
    possible = reached(journey)
    for number, step in enumerate(journey.steps):
        if number not in possible:
            yield Finding(
                "UNREACHABLE_STEP",
                f"step.{step.id}",
                "no step leads here",
                "lead there by then, else or goto, or take it out",
            )
    end = len(journey.steps)
    for number in sorted(possible):
        if number < end and not _leads_to(journey, number, end):
            step_id = journey.steps[number].id
            yield Finding(
                "NO_WAY_OUT",
                f"step.{step_id}",
                "no way from here leads to the end",
                "let one of its ways go to exit",
            )
            return


def _leads_to(journey: Journey, start: int, end: int) -> bool:
    seen, ahead = {start}, [start]
    while ahead:
        number = ahead.pop()
        if number == end:
            return True
        for way in ways_from(journey.steps[number]):
            if way.to not in seen:
                seen.add(way.to)
                ahead.append(way.to)
    return False


def _conditions(journey: Journey) -> Iterator[Finding]:
    for place, expression in journey.expressions:
        text = expression.text
        never = contradiction(text)
        if never:
            message = f"{never} can never hold"
            yield Finding("NEVER_TRUE", place, message, "mend it, or take out what depends on it")
        counted = counts_beyond(text)
        if counted:
            message = f"{counted}: of each event type the latest 8 are remembered"
            yield Finding("NOT_REMEMBERED", place, message, "compare with 8 at most")
        yield from _blind(journey, place, text)
        yield from _early(journey, place)


def _blind(journey: Journey, place: str, text: str) -> Iterator[Finding]:
    """Of several event types, one never has what is asked for: it would silently not count."""
    if place == "exit.where":
        return  # an exit is asked only what its type has
    for kind in _types_of(journey, place):
        fields = fields_of([kind]) if kind != DAILY_CHECK else {}
        expression = next(one for where, one in journey.expressions if where == place)
        asked = {path[1] for path in expression.paths if path[0] == "data" and len(path) == 2}
        for name in sorted(asked - set(fields)):
            if f"exists(data.{name})" in "".join(text.split()):
                continue
            yield Finding(
                "BLIND_CONDITION",
                place,
                f"{kind} has no {name}, so the condition never holds of it",
                f"write (not exists(data.{name}) or ...), or take {kind} out",
            )


def _types_of(journey: Journey, place: str) -> tuple[str, ...]:
    spec = journey.spec
    if place == "entry.where":
        return journey.on
    if place == "exit.where":
        return tuple(spec.exit.on)
    if place == "goal.where" and spec.goal is not None:
        return tuple(listed(spec.goal.on))
    for step in journey.steps:
        if place == f"step.{step.id}.wait_for":
            return tuple(sorted(step.waits_on))
    return ()


def _early(journey: Journey, place: str) -> Iterator[Finding]:
    """A step's condition that asks about a step which cannot have come."""
    ids = [step.id for step in journey.steps]
    parts = place.split(".")
    if parts[0] != "step" or parts[1] not in ids:
        return
    expression = next(one for where, one in journey.expressions if where == place)
    asked = [str(call[1][0]) for call in expression.calls if call[0] in ABOUT_STEPS]
    asked += [path[1] for path in expression.paths if path[0] == "step"]
    possible = {ids[number] for number in before(journey, ids.index(parts[1]))}
    for name in dict.fromkeys(asked):
        if name not in possible:
            message = f"asks about {name}, which has not come before {parts[1]}"
            yield Finding("ASKED_TOO_EARLY", place, message, "ask later, or about another step")


def _arms(spec: JourneySpec) -> Iterator[Finding]:
    for step in spec.steps:
        if not step.decide or any(not arm.sends for arm in step.arms):
            continue
        learns = step.decide in LEARNING
        yield Finding(
            "NO_NOTHING_ARM" if learns else "NO_NOTHING_SPLIT",
            f"step.{step.id}.arm",
            "every arm sends something, so what a message is worth is not learned",
            f'add [[step.arm]] with id = "{NOTHING}"',
        )


def _tests(spec: JourneySpec) -> Iterator[Finding]:
    if not spec.tests:
        message = "nothing shows what it does"
        yield Finding("NO_TESTS", "test", message, "add [[test]] with events and expect")
    steps = {step.id: step for step in spec.steps}
    for test in spec.tests:
        place = f"test.{test.name}"
        try:
            clock_ms(test.clock)
        except LineError as error:
            yield Finding("CLOCK_WITHOUT_ZONE", place, str(error), "say the zone: +08:00")
        for name, arm in test.given.arm.items():
            yield from _forced(place, name, arm, steps)
        try:
            for line in test.events:
                read_event(line)
            expected = [read_expected(line) for line in test.expect]
        except LineError as error:
            yield Finding("TEST_LINE", place, str(error), "see docs/journeys.md, inline tests")
            continue
        for one in expected:
            name = one.said.get("step", "")
            if name and name not in (*steps, "enter", "exit"):
                message = f"{one.line!r}: there is no step {name}"
                yield Finding("TEST_UNKNOWN", place, message, f"one of {', '.join(steps)}")


def _forced(place: str, name: str, arm: str, steps: Mapping[str, Step]) -> Iterator[Finding]:
    if name not in steps:
        message = f"given.arm names step {name}, which there is not"
        yield Finding("TEST_UNKNOWN", place, message, f"one of {', '.join(steps)}")
        return
    arms = [one.id for one in steps[name].arms]
    # Arms of all variants of a template are named after them: remind_item, remind_help.
    if not any(arm == one or arm.startswith(one + "_") for one in arms):
        message = f"given.arm.{name} = {arm!r} is no arm of that step"
        yield Finding("TEST_UNKNOWN", place, message, f"one of {', '.join(arms) or 'no arms'}")
