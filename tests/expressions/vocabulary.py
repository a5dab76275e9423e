"""A vocabulary for the tests: one path of each kind, some functions; a context is a dict."""

from collections.abc import Mapping
from typing import Any

from streams.expressions import Function, Kind, Value, duration_ms, not_known

PATHS: dict[str, Kind] = {
    "data.value": "number",
    "data.count": "number",
    "data.cart_id": "text",
    "entry.cart_id": "text",
    "data.gift": "boolean",
    "entry.new": "boolean",
    "entry.age": "duration",
    "entry.wait": "duration",
}
EVENTS = ("order.paid", "cart.added")


def reading(kind: Kind, name: str) -> Value:
    def read(context: Any) -> object:
        found: object = context.get(name)
        return found

    return Value(kind, read)


class Vocabulary:
    def path(self, parts: tuple[str, ...]) -> Value:
        name = ".".join(parts)
        if name not in PATHS:
            raise not_known(name, PATHS, what="path")
        return reading(PATHS[name], name)

    def function(self, name: str) -> Function:
        functions = {
            "score": Function(("text",), score),
            "count": Function(("text", "text"), count, optional=1),
            "within": Function(("duration",), lambda ms: reading("boolean", f"within:{ms}")),
            "last": Function(("text",), last),
        }
        if name not in functions:
            raise not_known(name, functions, what="function")
        return functions[name]


def score(name: str) -> Value:
    return reading("number", f"score:{name}")


def count(event: str, window: str = "30d") -> Value:
    return reading("number", f"count:{event}:{duration_ms(window)}")


def last(event: str) -> Mapping[str, Value]:
    if event not in EVENTS:
        raise not_known(event, EVENTS, what="event type")
    return {
        "age": reading("duration", f"last:{event}:age"),
        "data.sku": reading("text", f"last:{event}:sku"),
    }
