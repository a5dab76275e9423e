"""What can be said of a condition without anybody to ask it of: whether it can hold at all."""

from collections.abc import Iterator
from math import inf
from typing import Final

from streams.engine.state import MOST_RECENT
from streams.expressions import nodes
from streams.expressions.parser import parse

MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def contradiction(text: str) -> str:
    """What in it can never hold together, in its own words; empty where nothing is known."""
    return _never(parse(text), text)


def counts_beyond(text: str) -> str:
    """A `count()` that is compared with more than is remembered; empty where none is."""
    for node in _all(parse(text)):
        if isinstance(node, nodes.Comparison):
            call, sign, number = _sorted(node)
            if not isinstance(call, nodes.Call) or call.name != "count":
                continue
            if not isinstance(number, nodes.Constant) or not isinstance(number.value, int | float):
                continue
            least = {">": number.value + 1, ">=": number.value, "==": number.value}.get(sign, 0)
            most = {"<": number.value - 1, "<=": number.value}.get(sign, 0)
            if least > MOST_RECENT or most >= MOST_RECENT:
                return text[node.start : node.end]
    return ""


def _never(node: nodes.Node, text: str) -> str:
    if isinstance(node, nodes.Constant):
        return text[node.start : node.end] if node.value is False else ""
    if isinstance(node, nodes.Not):
        inner = node.operand
        true = isinstance(inner, nodes.Constant) and inner.value is True
        return text[node.start : node.end] if true else ""
    if isinstance(node, nodes.Or):
        found = [_never(part, text) for part in node.parts]
        return " or ".join(found) if all(found) else ""
    if isinstance(node, nodes.And):
        inner_fault = next(filter(None, (_never(part, text) for part in node.parts)), "")
        return inner_fault or _together(node, text)
    if isinstance(node, nodes.Membership) and not node.negated and not node.choices:
        return text[node.start : node.end]
    return ""


class _Range:
    """The values that are left for one path or call."""

    def __init__(self) -> None:
        self.low, self.high = -inf, inf
        self.open_low = self.open_high = False
        self.among: list[object] | None = None
        self.not_among: list[object] = []
        self.said: list[str] = []

    def narrow(self, sign: str, value: object) -> None:
        if sign == "==":
            self._keep([value])
        elif sign == "!=":
            self.not_among.append(value)
        elif isinstance(value, int | float):
            if sign in (">", ">=") and (value, sign == ">") > (self.low, self.open_low):
                self.low, self.open_low = value, sign == ">"
            if sign in ("<", "<=") and (value, sign == "<=") < (self.high, not self.open_high):
                self.high, self.open_high = value, sign == "<"

    def keep(self, values: list[object]) -> None:
        self._keep(values)

    def is_empty(self) -> bool:
        if self.low > self.high or (
            self.low == self.high and (self.open_low or self.open_high) and self.low != inf
        ):
            return True
        if self.among is None:
            return False
        return not any(self._fits(value) for value in self.among)

    def _fits(self, value: object) -> bool:
        if value in self.not_among:
            return False
        if not isinstance(value, int | float) or isinstance(value, bool):
            return True
        above = value > self.low or (value == self.low and not self.open_low)
        below = value < self.high or (value == self.high and not self.open_high)
        return above and below

    def _keep(self, values: list[object]) -> None:
        if self.among is None:
            self.among = list(values)
        else:
            self.among = [value for value in self.among if value in values]


def _together(node: nodes.And, text: str) -> str:
    """Parts of an `and` about one path or call that leave no value."""
    ranges: dict[str, _Range] = {}
    for part in node.parts:
        if isinstance(part, nodes.Comparison):
            left, sign, right = _sorted(part)
            if not isinstance(left, nodes.Path | nodes.Call):
                continue
            if not isinstance(right, nodes.Constant):
                continue
            found = ranges.setdefault(_name(left, text), _Range())
            found.narrow(sign, right.value)
        elif isinstance(part, nodes.Membership) and not part.negated:
            if not isinstance(part.operand, nodes.Path | nodes.Call):
                continue
            choices = [one.value for one in part.choices if isinstance(one, nodes.Constant)]
            if len(choices) < len(part.choices):
                continue
            found = ranges.setdefault(_name(part.operand, text), _Range())
            found.keep(list(choices))
        else:
            continue
        found.said.append(text[part.start : part.end])
    for found in ranges.values():
        if found.is_empty():
            return " and ".join(found.said)
    return ""


def _sorted(node: nodes.Comparison) -> tuple[nodes.Node, str, nodes.Node]:
    """With the literal to the right."""
    if isinstance(node.left, nodes.Constant):
        return node.right, MIRRORED[node.sign], node.left
    return node.left, node.sign, node.right


def _name(node: nodes.Path | nodes.Call, text: str) -> str:
    return "".join(text[node.start : node.end].split())


def _all(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    match node:
        case nodes.And() | nodes.Or():
            parts: tuple[nodes.Node, ...] = node.parts
        case nodes.Not():
            parts = (node.operand,)
        case nodes.Comparison() | nodes.Arithmetic():
            parts = (node.left, node.right)
        case _:
            parts = ()
    for part in parts:
        yield from _all(part)
