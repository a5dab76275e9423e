"""What stages and journeys look at: one person at one event, or at one of the person's timers."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from streams.engine.store import Person

DAILY_CHECK: Final = "daily.check"


class Moment(Struct, gc=False):
    """Cleaned values of one event. Empty text and 0 mean that the event does not say."""

    now_ms: int
    person: Person
    type: str
    time_ms: int  # of the event; of the timer where there is none
    cause_event_id: str
    source: str = ""
    backfill: bool = False
    brand: str = ""
    data: Any = None
    weight: float = 0.0  # how strong a sign of interest; 0: none
    category: str = ""
    item_id: str = ""
    price_fen: int = 0
    quantity: int = 1
    dwell_ms: int = 0
    spend_fen: int = 0
    stars: int = 0
    tags: Sequence[str] = ()
    ordered: Sequence[str] = ()  # the categories of what was ordered
    price_missing: bool = False
    category_missing: bool = False
    score: float = 0.0  # what the entry condition compared with its threshold
    material: bool = False  # the profile changed in a way others want to know
