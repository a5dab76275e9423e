"""What people told about themselves with consent, each with its provenance; the latest wins."""

from streams.contract.events import Attributes
from streams.engine.profile.hours import zone_of
from streams.engine.state import Attribute, UserState

MOST = 12  # and the zone, without which the quiet hours would be somebody else's
MAX_TEXT = 32  # characters of a name or value; MOST of them keep a row below a kilobyte
ZONE = "zone"


def record(state: UserState, data: Attributes, time_ms: int) -> int:
    """Take over the attributes; returns how many were not: bad zones, too long or too many."""
    refused = 0
    for name, value in data.attributes.items():
        if not _acceptable(name, value):
            refused += 1
            continue
        known = state.attributes.get(name)
        if known is None and len(state.attributes) >= MOST and name != ZONE:
            refused += 1
        elif known is None or time_ms >= known.time_ms:
            state.attributes[name] = Attribute(value, data.provenance[:MAX_TEXT], time_ms)
    return refused


def zone(state: UserState, default: str) -> str:
    """The person's zone, of which is known that it exists."""
    found = state.attributes.get(ZONE)
    return default if found is None else found.value


def _acceptable(name: str, value: str) -> bool:
    if len(name) > MAX_TEXT or len(value) > MAX_TEXT:
        return False
    return name != ZONE or zone_of(value) is not None
