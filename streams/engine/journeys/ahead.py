"""What lies ahead of an instance: the next step that sends, for who asks without going there.

Conditions are taken as they stand now, a draw as it would fall. What nobody can know yet (an event
that may come, a value of an entry that has not happened) leaves both ways open, and the first that
leads to a step that sends is taken.
"""

from typing import Final, NamedTuple

from streams.engine.journeys.compiled import ALWAYS, WAITS, CompiledStep, Journey
from streams.engine.journeys.steps import drawn_path
from streams.engine.journeys.view import View

# How the names begin of what is not known of somebody who has not entered.
UNKNOWN: Final = ("data.", "entry.", "step.", "sent(", "delivered(", "opened(", "clicked(")


class Ahead(NamedTuple):
    """`waits`: how many lie before it."""

    step: CompiledStep
    waits: int


def next_sending(journey: Journey, view: View, seed: bytes, *, supposed: bool) -> Ahead | None:
    """None where the way ends before anything is sent. `supposed`: the instance has not begun."""
    assert view.instance is not None, "only an instance has something ahead"
    ahead, seen = [(view.instance.step, 0)], [len(journey.steps)]
    while ahead:
        place, waits = ahead.pop()
        if place in seen:
            continue
        seen.append(place)
        step = journey.steps[place]
        if step.arms:
            if supposed:
                step = _without_entry(journey, step)
            return Ahead(step, waits)
        ways = _ways(journey, step, view, seed, supposed=supposed)
        ahead += [(way, waits + (step.kind in WAITS)) for way in reversed(ways)]
    return None


def _ways(
    journey: Journey, step: CompiledStep, view: View, seed: bytes, *, supposed: bool
) -> tuple[int, ...]:
    if step.kind == "wait_for":
        return step.otherwise, step.then
    if step.kind == "split":
        paths = tuple(place for place, _, _ in step.paths)
        assert view.instance is not None
        return paths if supposed else (drawn_path(seed, step, view.moment, view.instance)[0],)
    if step.kind == "if":
        if supposed and _open(journey, f"step.{step.id}.if"):
            return step.then, step.otherwise
        return (step.then,) if step.condition(view) else (step.otherwise,)
    return (step.after,)


def _without_entry(journey: Journey, step: CompiledStep) -> CompiledStep:
    """The step whose arms do not ask for what only the entry would tell."""
    where = f"step.{step.id}.arm."
    arms = tuple(
        arm._replace(when=ALWAYS) if _open(journey, f"{where}{arm.spec.id}.when") else arm
        for arm in step.arms
    )
    return step._replace(arms=arms)


def _open(journey: Journey, where: str) -> bool:
    """Whether the condition names what is not known before the entry."""
    return any(
        place == where and any(name.startswith(UNKNOWN) for name in expression.kinds)
        for place, expression in journey.expressions
    )
