"""What the slots of a wording stand for, for one person at one moment; made when asked for."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from streams.contract.policy import DAY_MS
from streams.engine.content.library import Shelf, goods_values
from streams.engine.insight import Insight
from streams.engine.journeys.view import View
from streams.engine.profile import attributes
from streams.engine.profile.hours import offset_ms


class Values:
    """`put` adds what is known of an arm: its coupon, article or ad."""

    def __init__(
        self, view: View, shelf: Shelf, insight: Insight, *, brand: str, zone: str
    ) -> None:
        self.view = view
        self.shelf = shelf
        self.insight = insight
        self.brand = brand
        self.zone = zone
        self._known: dict[str, Any] = {}

    def get(self, name: str) -> Any:
        """None where it is not known."""
        known = self._known
        if name not in known:
            make = MAKERS.get(name)
            known[name] = None if make is None else make(self)
        return known[name]

    def put(self, values: Mapping[str, Any]) -> None:
        self._known.update(values)

    def day(self, time_ms: int) -> datetime:
        """The local time of the person."""
        zone = attributes.zone(self.view.state, self.zone)
        return datetime.fromtimestamp((time_ms + offset_ms(zone, time_ms)) / 1000, UTC)

    def strongest(self) -> str:
        """The category the person is most interested in; empty where there is none."""
        view = self.view
        population = self.insight.population(view.now_ms)
        found = view.state.interests.own_scores(view.now_ms, population, 1)
        return found[0][0] if found and found[0][1] > 0.0 else ""


def _goods(name: str) -> Callable[[Values], Any]:
    def make(values: Values) -> Any:
        goods = values.shelf.goods.get(str(values.view.entry.get("item_id", "")))
        return None if goods is None else goods_values(goods)[name]

    return make


def _entry(name: str) -> Callable[[Values], Any]:
    return lambda values: values.view.entry.get(name)


def _days_away(values: Values) -> int | None:
    last_ms = values.view.state.activity.last_ms
    return max(0, values.view.now_ms - last_ms) // DAY_MS if last_ms else None


def _city(values: Values) -> str | None:
    told = values.view.state.attributes.get("city")
    return None if told is None else told.value


MAKERS: Final[dict[str, Callable[[Values], Any]]] = {
    "brand.name": lambda values: values.view.moment.brand or values.brand or None,
    "today": lambda values: values.day(values.view.now_ms).date().isoformat(),
    "now": lambda values: values.day(values.view.now_ms).strftime("%Y-%m-%d %H:%M"),
    "entry.category": _entry("category"),
    "entry.amount": _entry("value_fen"),
    "entry.quantity": _entry("quantity"),
    "entry.item_title": _goods("goods.title"),
    "goods.title": _goods("goods.title"),
    "goods.category": _goods("goods.category"),
    "goods.price": _goods("goods.price"),
    "profile.interest": lambda values: values.strongest() or None,
    "profile.city": _city,
    "days_away": _days_away,
}
