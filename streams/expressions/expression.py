"""Expressions: compiled once, read often, and able to say why they hold or not.

Semantics: a value may be missing. Arithmetic with a missing value, division by zero and what is
not finite are missing; a comparison with a missing value is false, `!=` and `not in` too; a missing
boolean counts as false, so `not` of it is true; `exists(path)` asks. Nothing raises when read.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from msgspec import Struct

from streams.expressions import nodes, values
from streams.expressions.compiler import A_KIND, Compiler, Operand, equality
from streams.expressions.errors import error_at
from streams.expressions.nodes import Node
from streams.expressions.scope import Kind, Scope
from streams.expressions.values import Read


class Term(NamedTuple):
    """A part of an expression as it stood in one context, for an explanation."""

    text: str  # as written
    seen: dict[str, object]  # by path or call; None is missing; durations in ms
    holds: bool  # of a part that is no condition: whether it has a value


class _Part(NamedTuple):
    text: str
    read: Read
    seen: tuple[tuple[str, Read], ...]


class Expression(Struct, frozen=True, eq=False):
    """A condition, or a value of another kind, over the scope it was compiled with."""

    text: str
    kind: Kind
    read: Callable[[Any], Any]  # True or False of a condition; else the value, None when missing
    paths: tuple[tuple[str, ...], ...]
    calls: tuple[tuple[str, tuple[object, ...]], ...]
    # Must all be met for the condition to hold: `path == literal` of the outermost `and` chain.
    equalities: tuple[tuple[tuple[str, ...], object], ...]
    kinds: Mapping[str, Kind]  # of what Term.seen names
    parts: tuple[_Part, ...]
    alternatives: bool = False  # the parts are joined by `or`: one is enough

    def terms(self, context: Any) -> list[Term]:
        """What the outermost `and` joins (of an `or`, the alternatives), each with what it saw."""
        found = []
        for part in self.parts:
            value = part.read(context)
            holds = value is True if self.kind == "boolean" else value is not None
            found.append(Term(part.text, {name: read(context) for name, read in part.seen}, holds))
        return found

    def failing(self, context: Any) -> list[Term]:
        """The terms for which the expression does not hold; none if it holds."""
        value = self.read(context)
        if value is True or (self.kind != "boolean" and value is not None):
            return []
        return [term for term in self.terms(context) if not term.holds]


def compile_expression(text: str, scope: Scope, *, kind: Kind = "boolean") -> Expression:
    """Compile an expression that gives a value of the kind. Raises ExpressionError."""
    from streams.expressions.parser import parse  # noqa: PLC0415 - lark takes 40 ms to import

    tree = parse(text)
    compiler = Compiler(text, scope)
    if kind == "boolean":
        found = tree.parts if isinstance(tree, nodes.And | nodes.Or) else (tree,)
        parts = tuple(_part(compiler, node, compiler.condition(node)) for node in found)
        reads = [part.read for part in parts]
        join = values.some if isinstance(tree, nodes.Or) else values.every
        read: Read = reads[0] if len(reads) == 1 else join(reads)
    else:
        read = _value(compiler, tree, kind)
        found, parts = (), (_part(compiler, tree, read),)
    equalities = () if isinstance(tree, nodes.Or) else (equality(compiler, node) for node in found)
    return Expression(
        text=text,
        kind=kind,
        read=read,
        paths=tuple(compiler.paths),
        calls=tuple(compiler.calls),
        equalities=tuple(pair for pair in equalities if pair is not None),
        kinds={name: operand.kind for name, operand in compiler.references.items()},
        parts=parts,
        alternatives=isinstance(tree, nodes.Or),
    )


def _part(compiler: Compiler, node: Node, read: Read) -> _Part:
    """Takes what the compiler has seen since the part before."""
    seen, compiler.seen = compiler.seen, {}
    return _Part(compiler.source(node), read, tuple((name, seen[name].read) for name in seen))


def _value(compiler: Compiler, tree: Node, kind: Kind) -> Read:
    operand: Operand = compiler.operand(tree)
    if operand.kind != kind:
        found = f"{compiler.source(tree)} is {A_KIND[operand.kind]}"
        raise error_at(compiler.text, tree.start, f"{found} where {A_KIND[kind]} is needed")
    return values.whole(operand.read) if kind == "duration" else operand.read
