"""What the conditions of journeys can see: one person at one moment, inside a journey or not."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from streams.engine.moment import Moment
from streams.engine.state import Instance, UserState


class View(Struct, gc=False):
    """`entry`: what was kept of the entry event; at the entry itself nothing is kept yet."""

    moment: Moment
    state: UserState
    now_ms: int
    instance: Instance | None = None
    entry: Mapping[str, Any] = {}
    entered_ms: int = 0


def at(moment: Moment, instance: Instance | None = None) -> View:
    state = moment.person.state
    if instance is None:
        return View(moment, state, moment.now_ms)
    return View(moment, state, moment.now_ms, instance, instance.entry, instance.entered_ms)
