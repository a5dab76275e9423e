"""Steps that need no state of the stage: paths that are drawn, times of the person's own day."""

from datetime import UTC, datetime, timedelta

from streams.engine import chance
from streams.engine.journeys.compiled import CompiledStep
from streams.engine.moment import Moment
from streams.engine.profile import attributes
from streams.engine.profile.hours import best_hours, zone_of
from streams.engine.state import Instance, UserState

TIMER = "timer"  # the type of a moment that no event made
EVENING = 20  # the hour of people of whom no active hour is known


def drawn_path(
    seed: bytes, step: CompiledStep, moment: Moment, instance: Instance
) -> tuple[int, float]:
    """The step a `split` goes to, and with what probability. Drawn by the person's alias and the
    entry event: the same after a replay or a merge."""
    total = sum(weight for _, _, weight in step.paths)
    drawn = total * chance.fraction(
        seed, "split", moment.person.alias, instance.journey, step.id, instance.cause_event_id
    )
    reached = 0.0
    for place, _, weight in step.paths:
        reached += weight
        if drawn < reached:
            return place, weight / total
    place, _, weight = step.paths[-1]  # what rounding left over
    return place, weight / total


def end_of_wait(step: CompiledStep, moment: Moment, instance: Instance, default_zone: str) -> int:
    """When the wait before the step is over. A journey's first wait begins with its event."""
    now_ms = moment.now_ms
    if step.kind == "wait":
        begins = moment.type != TIMER and not instance.arms
        return (moment.time_ms if begins else now_ms) + step.wait_ms
    if step.kind == "wait_for":
        return now_ms + step.within_ms
    return next_local(moment.person.state, step.until, now_ms, default_zone)


def next_local(state: UserState, until: str, now_ms: int, default_zone: str) -> int:
    """The next time the person's clock shows `HH:MM`, or their most active hour begins. Where the
    clock skips it, the moment after the jump; where it shows it twice, the first."""
    zone = zone_of(attributes.zone(state, default_zone)) or UTC
    if until == "best":
        hour, minute = (best_hours(state.hours, 1) or [EVENING])[0], 0
    else:
        hour, minute = (int(part) for part in until.split(":"))
    day = datetime.fromtimestamp(now_ms / 1000, zone).date()
    for date in (day, day + timedelta(days=1), day + timedelta(days=2)):
        moment = datetime(date.year, date.month, date.day, hour, minute, tzinfo=zone)
        found = int(moment.timestamp() * 1000)
        if found > now_ms:
            return found
    raise AssertionError("two days hold every time of the day")
