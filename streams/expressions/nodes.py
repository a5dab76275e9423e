"""An expression as a tree. Positions are those of the source text; `depth` counts nested levels."""

from typing import TypeAlias

from msgspec import Struct

from streams.expressions.scope import Kind


class Part(Struct, frozen=True, kw_only=True):
    start: int
    end: int
    depth: int = 1


class Constant(Part, frozen=True, kw_only=True):
    kind: Kind
    value: int | float | str | bool


class Path(Part, frozen=True, kw_only=True):
    parts: tuple[str, ...]


class Call(Part, frozen=True, kw_only=True):
    name: str
    arguments: "tuple[Node, ...]"
    field: str = ""  # dotted; empty: the call itself is the value


class Negative(Part, frozen=True, kw_only=True):
    operand: "Node"


class Arithmetic(Part, frozen=True, kw_only=True):
    sign: str
    left: "Node"
    right: "Node"


class Comparison(Part, frozen=True, kw_only=True):
    sign: str
    left: "Node"
    right: "Node"


class Membership(Part, frozen=True, kw_only=True):
    operand: "Node"
    choices: "tuple[Node, ...]"
    negated: bool


class Not(Part, frozen=True, kw_only=True):
    operand: "Node"


class And(Part, frozen=True, kw_only=True):
    parts: "tuple[Node, ...]"


class Or(Part, frozen=True, kw_only=True):
    parts: "tuple[Node, ...]"


Node: TypeAlias = (
    Constant | Path | Call | Negative | Arithmetic | Comparison | Membership | Not | And | Or
)
