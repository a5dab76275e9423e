"""Whether somebody may enter a journey, and what is kept of the event they enter by."""

from typing import Final

from streams.engine.journeys.book import Book
from streams.engine.journeys.compiled import Journey
from streams.engine.journeys.standings import blocked_until
from streams.engine.journeys.view import View
from streams.engine.journeys.vocabulary import captured
from streams.engine.state import Instance

MOST_KEPT_TEXT: Final = 64
MOST_INSIDE: Final = 16


def refusal(book: Book, journey: Journey, view: View, key: str) -> tuple[str, int]:
    """Why the person does not enter, empty where they may; and when they may next."""
    moment, now_ms = view.moment, view.now_ms
    if moment.backfill:
        return "BACKFILL", 0
    if book.is_paused(journey.name):
        return "JOURNEY_PAUSED", 0
    if now_ms - moment.time_ms > journey.late_ms:
        return "LATE_ENTRY", 0
    next_ms = blocked_until(view.state, journey, key, now_ms)
    if next_ms:
        return "REENTRY_BLOCKED", next_ms
    if len(view.state.inside) >= MOST_INSIDE:
        return "JOURNEY_LIMIT", min(one.due_ms for one in view.state.inside)
    return "", 0


def instance_of(journey: Journey, view: View, key: str) -> Instance:
    moment = view.moment
    kept: dict[str, object] = {}
    for name in journey.keeps:
        value = captured(name, view)
        if value is not None and value != "":
            kept[name] = value[:MOST_KEPT_TEXT] if isinstance(value, str) else value
    return Instance(
        journey=journey.name,
        version=journey.version,
        step=0,
        due_ms=moment.time_ms,
        entered_ms=moment.now_ms,
        event_ms=moment.time_ms,
        cause_event_id=moment.cause_event_id,
        source=moment.source,
        key=key,
        entry=kept,
    )


def key_of(journey: Journey, view: View) -> str:
    """What tells this person's instances of the journey apart; empty where nothing does."""
    value = None if journey.key is None else journey.key(view)
    return "" if value is None else str(value)[:MOST_KEPT_TEXT]
