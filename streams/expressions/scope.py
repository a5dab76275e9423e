"""The vocabulary of an expression: what its paths and functions mean, and of which kind they are.

The caller builds it. The language itself knows no event, profile or journey, and reaches nothing
but what a scope hands out.
"""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Literal, NamedTuple, Protocol

Kind = Literal["number", "text", "boolean", "duration"]


class Value(NamedTuple):
    """Something an expression can read.

    `read` takes the caller's context and gives a plain int, float, str or bool; a duration is a
    number of milliseconds. None and what is not of the kind count as missing. It must not raise.
    """

    kind: Kind
    read: Callable[[Any], object]


class Function(NamedTuple):
    """A function by the kinds of its literal arguments.

    `bind` is called once, when an expression is compiled, and gives the value of the call, or a
    mapping of named fields (`last('order.paid').age`). It raises ValueError for a wrong argument.
    A duration parameter takes `7d` as well as `'7d'` and arrives in milliseconds.
    """

    parameters: tuple[Kind, ...]
    bind: Callable[..., Value | Mapping[str, Value]]
    optional: int = 0  # how many of the last parameters may be left out


class Scope(Protocol):
    """What is known where an expression stands. Errors say what is not known and what is meant."""

    def path(self, parts: tuple[str, ...]) -> Value:
        """The value of a dotted path. Raises ValueError."""
        ...

    def function(self, name: str) -> Function:
        """The function of that name. Raises ValueError."""
        ...


def not_known(name: str, known: Iterable[str], *, what: str) -> ValueError:
    """The error for a name that is not known, with the nearest that is.

    >>> str(not_known("scor", ["score", "count"], what="function"))
    'function scor is not known; did you mean score?'
    """
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    if near:
        hint = f"did you mean {near[0]}?"
    else:
        hint = f"there is {', '.join(names)}" if names else "there is none here"
    return ValueError(f"{what} {name} is not known; {hint}")
