"""What was last said about each item, to fill in a category or price that an event leaves out.

At most 128 shards of 64 items, each shard a row below 16 KB; in a full shard the item whose entry
has not changed for longest leaves. A popular item that left comes back with its next complete
event.
"""

from zlib import crc32

from msgspec import Struct

from streams.engine.state import decode_row, encode_row

SHARDS = 128
ITEMS = 64
LONGEST = 192  # bytes of an item's id and category; longer ones are not remembered
PREFIX = b"m:items/"


class Known(Struct, array_like=True):
    category: str
    price_fen: int


class Shard(Struct, array_like=True):
    items: dict[str, Known] = {}


class Items:
    def __init__(self, changed: dict[bytes, None]) -> None:
        self._changed = changed
        self._shards = [Shard() for _ in range(SHARDS)]
        self._keys = [PREFIX + str(place).encode() for place in range(SHARDS)]

    def known(self, item_id: str) -> Known | None:
        return self._shards[crc32(item_id.encode()) % SHARDS].items.get(item_id)

    def fill(self, item_id: str, category: str, price_fen: int) -> tuple[str, int]:
        """Category and price, completed from what is known; what is new is remembered."""
        name = item_id.encode()
        place = crc32(name) % SHARDS
        items = self._shards[place].items
        known = items.get(item_id)
        if known is not None:
            if not category:
                category = known.category
            if not price_fen:
                price_fen = known.price_fen
            if category == known.category and price_fen == known.price_fen:
                return category, price_fen
            del items[item_id]
        elif (not category and not price_fen) or len(name) + 4 * len(category) > LONGEST:
            return category, price_fen
        elif len(items) >= ITEMS:
            del items[next(iter(items))]
        items[item_id] = Known(category, price_fen)
        self._changed[self._keys[place]] = None
        return category, price_fen

    def row(self, key: bytes) -> bytes:
        return encode_row(self._shards[int(key[len(PREFIX) :])])

    def load(self, key: bytes, row: bytes) -> None:
        self._shards[int(key[len(PREFIX) :])] = decode_row(key, row, Shard)
