"""The cleaning stage: the fate of a doubtful event, then values typed, completed and clipped."""

from msgspec import Struct

from streams.contract.events import TYPES, Order
from streams.contract.records import Observed
from streams.engine.cleaning.duplicates import seen, untellable
from streams.engine.cleaning.items import PREFIX, Items
from streams.engine.cleaning.lateness import never_late
from streams.engine.cleaning.outliers import Scale
from streams.engine.cleaning.values import EXTRACT, MAX_TAGS, WEIGHTS
from streams.engine.moment import Moment
from streams.engine.state import decode_row, encode_row
from streams.engine.store import Person

SCALES_KEY = b"m:scales/0"
MAX_ORDER_ITEMS = 8  # of one order count as signs of interest; the rest are counted as clipped


class Scales(Struct, array_like=True):
    price_fen: Scale
    dwell_ms: Scale


class Cleaning:
    def __init__(self, late_ms: int, counts: dict[str, int], changed: dict[bytes, None]) -> None:
        self._late_ms = late_ms
        self._counts = counts
        self._changed = changed
        self._items = Items(changed)
        self._scales = Scales(Scale(), Scale())

    def fate(self, event: Observed, mark: bytes, person: Person | None, now_ms: int) -> str:
        """`duplicate`, `late` or, where the event counts, empty. `mark` is its fingerprint."""
        late = event.time_ms < now_ms - self._late_ms
        if person is not None:
            if seen(person.state.fingerprints, mark):
                return "duplicate"
            late = late or untellable(person.state.forgotten, mark)
        return "late" if late and not never_late(event) else ""

    def clean(self, event: Observed, person: Person, now_ms: int) -> Moment:
        """The event's values. The person's state is not touched."""
        kind = event.type
        moment = Moment(
            now_ms, person, kind, event.time_ms, event.id, event.source, event.backfill, event.brand
        )
        data = moment.data = event.data
        extract = EXTRACT.get(type(data))
        if extract is not None:
            moment.weight = WEIGHTS.get(kind, 0.0)
            extract(moment, data)
            if moment.dwell_ms:
                self._dwell(moment)
            if moment.item_id:
                self._complete(moment)
            if len(moment.tags) > MAX_TAGS:
                moment.tags = moment.tags[:MAX_TAGS]
            if type(data) is Order and data.items and moment.weight:
                moment.ordered = self._ordered(data)
        elif kind not in TYPES:
            self._count("clean.unknown_type", 1)
        if event.converted:
            self._count("clean.converted", event.converted)
        if event.unknown:
            self._count("clean.unknown_field", event.unknown)
        return moment

    def row(self, key: bytes) -> bytes:
        return encode_row(self._scales) if key == SCALES_KEY else self._items.row(key)

    def load(self, key: bytes, row: bytes) -> None:
        if key == SCALES_KEY:
            self._scales = decode_row(key, row, Scales)
        elif key.startswith(PREFIX):
            self._items.load(key, row)

    def _dwell(self, moment: Moment) -> None:
        """A long look is a stronger sign, within half and one and a half of the usual."""
        scale = self._scales.dwell_ms
        clipped = scale.clip(moment.dwell_ms)
        if clipped != moment.dwell_ms:
            self._count("clean.clipped", 1)
            moment.dwell_ms = clipped
        moment.weight *= 1.0 + scale.scaled(clipped) / 6.0
        self._changed[SCALES_KEY] = None

    def _complete(self, moment: Moment) -> None:
        price_fen, category = moment.price_fen, moment.category
        if price_fen:
            clipped = self._scales.price_fen.clip(price_fen)
            if clipped != price_fen:
                self._count("clean.clipped", 1)
                moment.price_fen = price_fen = clipped
            self._changed[SCALES_KEY] = None
        moment.category, moment.price_fen = self._items.fill(moment.item_id, category, price_fen)
        if not category:
            moment.category_missing = True
            self._count("clean.imputed", bool(moment.category))
        if not price_fen:
            moment.price_missing = True
            self._count("clean.imputed", bool(moment.price_fen))

    def _ordered(self, order: Order) -> list[str]:
        """The categories of the items, completed from what is known of them."""
        found = []
        if len(order.items) > MAX_ORDER_ITEMS:
            self._count("clean.clipped", 1)
        for item in order.items[:MAX_ORDER_ITEMS]:
            category, _ = self._items.fill(item.item_id, item.category, item.price_fen)
            if category:
                found.append(category)
                self._count("clean.imputed", category != item.category)
        return found

    def _count(self, what: str, times: int) -> None:
        if times:
            self._counts[what] = self._counts.get(what, 0) + times
