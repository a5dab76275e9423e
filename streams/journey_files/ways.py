"""The ways through a journey: which steps can follow which, and how much time passes on them."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from streams.engine.journeys.compiled import CompiledStep, Journey

ENDLESS_MS: Final = 1 << 60


class Way(NamedTuple):
    """From a step to the next. `why`: then, else, timeout, an arm, a share, refused, or empty.
    `least_ms`, `most_ms`: the time that passes."""

    to: int
    why: str = ""
    least_ms: int = 0
    most_ms: int = 0


def ways_from(step: CompiledStep) -> list[Way]:
    if step.kind == "wait":
        return [Way(step.after, "", step.wait_ms, step.wait_ms)]
    if step.kind == "until":
        return [Way(step.after, "", 0, 86_400_000)]
    if step.kind == "wait_for":
        return [
            Way(step.then, "then", 0, step.within_ms),
            Way(step.otherwise, "timeout", step.within_ms, step.within_ms),
        ]
    if step.kind == "if":
        return [Way(step.then, "then"), Way(step.otherwise, "else")]
    if step.kind == "split":
        total = sum(weight for _, _, weight in step.paths)
        return [Way(place, f"{weight / total:.0%}") for place, _, weight in step.paths]
    if step.kind == "goto" or step.failed == step.after:
        return [Way(step.after)]
    return [Way(step.after), Way(step.failed, "refused")]


def reached(journey: Journey) -> dict[int, int]:
    """Step -> the least time after the entry at which it can come; of those that can."""
    steps = journey.steps
    least = {0: 0}
    ahead = [0]
    while ahead:
        number = ahead.pop()
        if number >= len(steps):
            continue
        for way in ways_from(steps[number]):
            time_ms = least[number] + way.least_ms
            if time_ms < least.get(way.to, ENDLESS_MS):
                least[way.to] = time_ms
                ahead.append(way.to)
    return least


def before(journey: Journey, number: int) -> set[int]:
    """The steps that may have come before a step."""
    steps = journey.steps
    found: set[int] = set()
    ahead = [number]
    while ahead:
        at = ahead.pop()
        for one in range(len(steps)):
            if one not in found and any(way.to == at for way in ways_from(steps[one])):
                found.add(one)
                ahead.append(one)
    return found


def since(journey: Journey, number: int, events: frozenset[str]) -> Iterator[int]:
    """The least time that has passed at a step since one of these events for sure happened: since
    the entry, where it is by them alone, and since each wait for them that came true."""
    if journey.on and all(kind in events for kind in journey.on):
        least = reached(journey).get(number)
        if least is not None:
            yield least
    for place, step in enumerate(journey.steps):
        if step.kind == "wait_for" and step.waits_on <= events:
            found = _least(journey, step.then, number)
            if found is not None and place in before(journey, number):
                yield found


def _least(journey: Journey, start: int, end: int) -> int | None:
    least = {start: 0}
    ahead = [start]
    while ahead:
        at = ahead.pop()
        if at >= len(journey.steps):
            continue
        for way in ways_from(journey.steps[at]):
            time_ms = least[at] + way.least_ms
            if time_ms < least.get(way.to, ENDLESS_MS):
                least[way.to] = time_ms
                ahead.append(way.to)
    return least.get(end)
