"""What recommend models of partitions tell each other: sums of visits and pairs, of items alone."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from streams.engine.models.letters import Amount, TimeMs
from streams.engine.models.model import Body
from streams.learning.recommend.catalogue import MOST_TAG, MOST_TAGS, MOST_TEXT
from streams.learning.recommend.telling import Told

MOST: Final = 8_192  # items, or pairs, of a letter

ItemId = Annotated[str, Meta(min_length=1, max_length=MOST_TEXT)]
Tag = Annotated[str, Meta(min_length=1, max_length=MOST_TAG)]
Tags = Annotated[list[Tag], Meta(max_length=MOST_TAGS)]
Place = Annotated[int, Meta(ge=0, lt=MOST)]
Units = Annotated[int, Meta(ge=0, le=10**12)]


class Heard(Struct):
    at_ms: TimeMs
    items: Annotated[list[tuple[ItemId, Amount]], Meta(max_length=MOST)]
    young: Annotated[list[tuple[Place, TimeMs, Tags]], Meta(max_length=MOST)]
    pairs: Annotated[list[tuple[Place, Place, Units]], Meta(max_length=MOST)]


def written(told: Told) -> Body:
    body: dict[str, Any] = msgspec.to_builtins(told)
    return body


def read(body: Body) -> Told:
    """Raises ValueError where it is no letter, or one that does not fit together."""
    heard = msgspec.convert(body, Heard)
    size = len(heard.items)
    if any(not (one < size and other < size and one != other) for one, other, _ in heard.pairs):
        raise ValueError(f"a pair of items beyond the {size} of the letter, or of one item")
    if any(place >= size for place, _, _ in heard.young):
        raise ValueError(f"tags of an item beyond the {size} of the letter")
    return Told(heard.at_ms, heard.items, heard.young, heard.pairs)
