"""Reading and computing values: plain closures, each total.

A value that is missing is None. What a scope reads is checked here, so that a value of the wrong
type, NaN or an infinity is missing from then on. Comparisons with what is missing are False, `!=`
too. The common shapes, a value compared with a literal, have closures of their own: the fewer
calls, the quicker.
"""

import operator
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from streams.expressions.scope import Kind

Read: TypeAlias = Callable[[Any], Any]  # a value of the kind known when compiling, or None
Condition: TypeAlias = Callable[[Any], bool]

LARGEST: Final = 1.7976931348623157e308  # of a double; whole numbers are held to it as well

MIRRORED: Final = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_COMPUTE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


def constant(value: object) -> Read:
    return lambda context: value


def checked(kind: Kind, read: Read) -> Read:
    """The value if it is of the kind, otherwise None."""
    if kind == "text":

        def text(context: Any) -> str | None:
            value = read(context)
            return value if type(value) is str else None

        return text
    if kind == "boolean":

        def boolean(context: Any) -> bool | None:
            value = read(context)
            return value if value is True or value is False else None

        return boolean

    def number(context: Any) -> int | float | None:
        value = read(context)
        kind = type(value)
        if (kind is float or kind is int) and -LARGEST <= value <= LARGEST:
            return value  # type: ignore[no-any-return]
        return None

    return number


def exists(read: Read) -> Condition:
    return lambda context: read(context) is not None


def true(read: Read) -> Condition:
    return lambda context: read(context) is True


def negated(condition: Condition) -> Condition:
    return lambda context: not condition(context)


def every(conditions: list[Condition]) -> Condition:
    """Whether all hold; the first that does not ends the asking."""
    if len(conditions) == 2:
        first, second = conditions
        return lambda context: first(context) and second(context)
    if len(conditions) == 3:
        first, second, third = conditions
        return lambda context: first(context) and second(context) and third(context)

    def run(context: Any) -> bool:
        for condition in conditions:  # noqa: SIM110 - a generator costs more than the conditions
            if not condition(context):
                return False
        return True

    return run


def some(conditions: list[Condition]) -> Condition:
    """Whether any holds; the first that does ends the asking."""
    if len(conditions) == 2:
        first, second = conditions
        return lambda context: first(context) or second(context)

    def run(context: Any) -> bool:
        for condition in conditions:  # noqa: SIM110 - a generator costs more than the conditions
            if condition(context):
                return True
        return False

    return run


def compared(sign: str, left: Read, right: Read) -> Condition:
    """Two checked values of one kind."""
    compare = _COMPARE[sign]

    def run(context: Any) -> bool:
        first = left(context)
        if first is None:
            return False
        second = right(context)
        return second is not None and compare(first, second)

    return run


def same_text(left: Read, right: Read) -> Condition:
    """Two unchecked values that should be text."""

    def run(context: Any) -> bool:
        value = left(context)
        return type(value) is str and value == right(context)

    return run


def text_compared(sign: str, read: Read, literal: str) -> Condition:
    """An unchecked value that should be text, by == or !=."""
    if sign == "==":
        return lambda context: read(context) == literal

    def differs(context: Any) -> bool:
        value = read(context)
        return type(value) is str and value != literal

    return differs


def boolean_compared(sign: str, read: Read, literal: bool) -> Condition:
    """An unchecked value that should be true or false, by == or !=."""
    wanted = literal if sign == "==" else not literal
    return lambda context: read(context) is wanted


def number_compared(sign: str, read: Read, literal: float) -> Condition:
    """An unchecked value that should be a number; NaN and infinities fall out of the ranges."""

    def equal(context: Any) -> bool:
        value = read(context)
        kind = type(value)
        return (kind is float or kind is int) and value == literal

    def differs(context: Any) -> bool:
        value = read(context)
        kind = type(value)
        return (kind is float or kind is int) and value != literal and -LARGEST <= value <= LARGEST

    def less(context: Any) -> bool:
        value = read(context)
        kind = type(value)
        return (kind is float or kind is int) and -LARGEST <= value < literal

    def at_most(context: Any) -> bool:
        value = read(context)
        kind = type(value)
        return (kind is float or kind is int) and -LARGEST <= value <= literal

    def more(context: Any) -> bool:
        value = read(context)
        kind = type(value)
        return (kind is float or kind is int) and literal < value <= LARGEST

    def at_least(context: Any) -> bool:
        value = read(context)
        kind = type(value)
        return (kind is float or kind is int) and literal <= value <= LARGEST

    shapes: dict[str, Condition] = {
        "==": equal,
        "!=": differs,
        "<": less,
        "<=": at_most,
        ">": more,
        ">=": at_least,
    }
    return shapes[sign]


def among(read: Read, choices: frozenset[object]) -> Condition:
    """A checked value; None is never among the choices."""
    return lambda context: read(context) in choices


def not_among(read: Read, choices: frozenset[object]) -> Condition:
    def run(context: Any) -> bool:
        value = read(context)
        return value is not None and value not in choices

    return run


def negative(read: Read) -> Read:
    def run(context: Any) -> Any:
        value = read(context)
        return None if value is None else -value

    return run


def computed(sign: str, left: Read, right: Read) -> Read:
    """Two checked numbers by + - * or /; what is not finite, or divided by zero, is missing."""
    if sign == "/":
        return _divided(left, right)
    compute = _COMPUTE[sign]

    def run(context: Any) -> Any:
        first = left(context)
        if first is None:
            return None
        second = right(context)
        if second is None:
            return None
        value = compute(first, second)
        return value if -LARGEST <= value <= LARGEST else None

    return run


def _divided(left: Read, right: Read) -> Read:
    def run(context: Any) -> Any:
        first = left(context)
        if first is None:
            return None
        second = right(context)
        if not second:
            return None
        value = first / second
        return value if -LARGEST <= value <= LARGEST else None

    return run


def whole(read: Read) -> Read:
    """A duration as it leaves an expression: whole milliseconds."""

    def run(context: Any) -> int | None:
        value = read(context)
        return None if value is None else round(value)

    return run
