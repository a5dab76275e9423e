"""Text to tree: the grammar of the condition language.

The parser is LALR: it takes time in proportion to the text and does not recurse. The tree is built
while parsing and its depth is bounded there. Only this module needs lark.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final, cast

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from msgspec.structs import replace

from streams.expressions import nodes
from streams.expressions.durations import duration_ms
from streams.expressions.errors import error_at
from streams.expressions.nodes import Node
from streams.expressions.scope import Kind
from streams.expressions.values import LARGEST

MAX_CHARACTERS: Final = 2_000
MAX_DEPTH: Final = 32

GRAMMAR: Final = r"""
?start: disjunction
?disjunction: conjunction | disjunction OR conjunction
?conjunction: negation | conjunction AND negation
?negation: comparison | NOT negation
?comparison: sum
    | sum COMPARE sum
    | sum IN LSQB items RSQB -> contained
    | sum NOT IN LSQB items RSQB -> outside
?sum: product | sum PLUS product | sum MINUS product
?product: factor | product TIMES factor
?factor: atom | MINUS factor -> negative
?atom: NUMBER -> number
    | DURATION -> duration
    | STRING -> text
    | BOOLEAN -> boolean
    | PATH -> path
    | call
    | call FIELD -> field
    | LPAR disjunction RPAR -> group
call: PATH LPAR RPAR | PATH LPAR items RPAR
items: disjunction | items COMMA disjunction

OR.2: /or\b/
AND.2: /and\b/
NOT.2: /not\b/
IN.2: /in\b/
BOOLEAN.2: /(true|false)\b/
COMPARE: /==|!=|<=|>=|<|>/
PLUS: "+"
MINUS: "-"
TIMES: /[*\/]/
COMMA: ","
LPAR: "("
RPAR: ")"
LSQB: "["
RSQB: "]"
NUMBER: /[0-9]+(_[0-9]+)*(\.[0-9]+)?([eE][+-]?[0-9]+)?(?![\w.])/
DURATION.2: /([0-9]+(ms|[wdhms]))+(?![\w.])/
STRING: /'[^'\n]*'|"[^"\n]*"/
PATH: /(?!(and|or|not|in|true|false)\b)[^\W\d_]\w*(\.[^\W\d_]\w*)*/
FIELD: /(\.[^\W\d_]\w*)+/
%ignore /[ \t\r\n]+/
"""

_WORD: Final = re.compile(r"[\w.]+")
_FULL_WIDTH: Final = dict(
    zip("（）［］，．＋－＊／＝＜＞！‘’“”　", "()[],.+-*/=<>!''\"\" ", strict=True)
)
_INSTEAD: Final = {
    "=": "write == to compare",
    "!": "write != or not",
    "&": "write and",
    "|": "write or",
    "'": "the text that begins here has no closing quote",
    '"': "the text that begins here has no closing quote",
    ".": "a path is names joined by dots, each beginning with a letter, without spaces",
    "_": "a name begins with a letter",
}


def parse(text: str) -> Node:
    """The tree of an expression. Raises ExpressionError."""
    if len(text) > MAX_CHARACTERS:
        found = f"the expression has {len(text)} characters; shorten it to {MAX_CHARACTERS}"
        raise error_at(text, MAX_CHARACTERS, found)
    if not text.strip():
        raise error_at(text, 0, "the expression is empty; write a condition or leave the field out")
    try:
        return cast(Node, _parser().parse(text))
    except UnexpectedInput as error:
        raise error_at(text, *_explained(text, error)) from None
    except _Refused as error:
        raise error_at(text, error.position, error.message) from None


@cache
def _parser() -> Lark:
    """Built when the first expression is parsed: some tens of milliseconds."""
    return Lark(GRAMMAR, parser="lalr", lexer="contextual", transformer=_Builder())


class _Refused(Exception):
    def __init__(self, position: int, message: str) -> None:
        self.position = position
        self.message = message


def _explained(text: str, error: UnexpectedInput) -> tuple[int, str]:
    """Where, and what a person should do about it."""
    if isinstance(error, UnexpectedCharacters):
        position = error.pos_in_stream or 0
        return position, _strange(text, position)
    assert isinstance(error, UnexpectedToken)
    token = error.token
    wants_value = "PATH" in error.expected
    if token.type == "$END":
        end = len(text.rstrip())
        if wants_value:
            return end, "the expression stops where a value is needed"
        return end, "the expression stops too early; close what is open, ( or ["
    position = cast(int, token.start_pos)
    if wants_value:
        return position, f"a value is needed before {str(token)!r}"
    if error.expected == {"IN"}:
        return position, "write not in [...] here, or set not before the whole comparison"
    if error.expected == {"LSQB"}:
        return position, "after in stands a list, as in ['a', 'b']"
    if token.type == "COMPARE":
        return position, "comparisons cannot be chained; join them by and"
    if token.type in ("RPAR", "RSQB"):
        return position, f"{str(token)!r} closes nothing that is open here"
    return position, f"{str(token)!r} cannot follow here; join conditions by and or or"


def _strange(text: str, position: int) -> str:
    character = text[position]
    if character in _FULL_WIDTH:
        return f"{character} is a full-width character; write {_FULL_WIDTH[character]}"
    if character in "0123456789":
        word = cast("re.Match[str]", _WORD.match(text, position)).group()
        return f"{word} is neither a number nor a duration; write 0.5, 30m, 6h, 7d, 90s or 2w"
    return _INSTEAD.get(character, f"{character!r} has no meaning here; remove it")


class _Builder(Transformer[Token, Node]):
    """Called by the parser for each rule, innermost first, with tokens and finished nodes."""

    def disjunction(self, found: list[Any]) -> Node:
        return _chain(nodes.Or, found[0], found[2])

    def conjunction(self, found: list[Any]) -> Node:
        return _chain(nodes.And, found[0], found[2])

    def negation(self, found: list[Any]) -> Node:
        word, operand = found
        return _bounded(nodes.Not, word.start_pos, operand.end, (operand,), operand=operand)

    def comparison(self, found: list[Any]) -> Node:
        return _binary(nodes.Comparison, found)

    def contained(self, found: list[Any]) -> Node:
        operand, _, _, choices, closing = found
        return _membership(operand, choices, closing, negated=False)

    def outside(self, found: list[Any]) -> Node:
        operand, _, _, _, choices, closing = found
        return _membership(operand, choices, closing, negated=True)

    def sum(self, found: list[Any]) -> Node:
        return _binary(nodes.Arithmetic, found)

    def product(self, found: list[Any]) -> Node:
        return _binary(nodes.Arithmetic, found)

    def negative(self, found: list[Any]) -> Node:
        sign, operand = found
        return _bounded(nodes.Negative, sign.start_pos, operand.end, (operand,), operand=operand)

    def number(self, found: list[Token]) -> Node:
        text = str(found[0])
        value = float(text) if any(mark in text for mark in ".eE") else int(text)
        if value > LARGEST:
            raise _Refused(found[0].start_pos or 0, "the number is too large")
        return _constant(found[0], "number", value)

    def duration(self, found: list[Token]) -> Node:
        try:
            return _constant(found[0], "duration", duration_ms(str(found[0])))
        except ValueError as error:
            raise _Refused(found[0].start_pos or 0, str(error)) from None

    def text(self, found: list[Token]) -> Node:
        return _constant(found[0], "text", str(found[0])[1:-1])

    def boolean(self, found: list[Token]) -> Node:
        return _constant(found[0], "boolean", found[0] == "true")

    def path(self, found: list[Any]) -> Node:
        token = found[0]
        parts = tuple(str(token).split("."))
        return nodes.Path(start=token.start_pos, end=token.end_pos, parts=parts)

    def call(self, found: list[Any]) -> Node:
        name, _, *items, closing = found
        if "." in name:
            raise _Refused(name.start_pos, f"{name} is no function; a function's name has no dots")
        within = tuple(items[0]) if items else ()
        return _bounded(
            nodes.Call, name.start_pos, closing.end_pos, within, name=str(name), arguments=within
        )

    def field(self, found: list[Any]) -> Node:
        call, token = cast("tuple[nodes.Call, Token]", found)
        return replace(call, end=cast(int, token.end_pos), field=str(token)[1:])

    def group(self, found: list[Any]) -> Node:
        opening, inner, closing = cast("tuple[Token, Node, Token]", found)
        start, end = cast(int, opening.start_pos), cast(int, closing.end_pos)
        if inner.depth >= MAX_DEPTH:
            raise _too_deep(start)
        return replace(inner, start=start, end=end, depth=inner.depth + 1)

    def items(self, found: list[Any]) -> list[Node]:
        return [found[0]] if len(found) == 1 else [*found[0], found[2]]


def _too_deep(position: int) -> _Refused:
    return _Refused(position, f"nested deeper than {MAX_DEPTH} levels; make it simpler")


def _bounded(
    shape: Callable[..., Node], start: int, end: int, within: tuple[Node, ...], **fields: object
) -> Node:
    """The node, a level above the deepest within it. Raises _Refused if that is too deep."""
    depth = 1 + max((node.depth for node in within), default=0)
    if depth > MAX_DEPTH:
        raise _too_deep(start)
    return shape(start=start, end=end, depth=depth, **fields)


def _constant(token: Token, kind: Kind, value: int | float | str | bool) -> Node:
    start, end = cast(int, token.start_pos), cast(int, token.end_pos)
    return nodes.Constant(start=start, end=end, kind=kind, value=value)


def _chain(shape: type[nodes.And] | type[nodes.Or], left: Node, right: Node) -> Node:
    """A chain within a chain of the same word, as in `a and (b and c)`, is one chain."""
    parts = (
        *(left.parts if isinstance(left, shape) else (left,)),
        *(right.parts if isinstance(right, shape) else (right,)),
    )
    return _bounded(shape, left.start, right.end, parts, parts=parts)


def _binary(shape: Callable[..., Node], found: list[Any]) -> Node:
    left, sign, right = found
    return _bounded(
        shape, left.start, right.end, (left, right), sign=str(sign), left=left, right=right
    )


def _membership(operand: Node, choices: list[Node], closing: Any, *, negated: bool) -> Node:
    within = tuple(choices)
    return _bounded(
        nodes.Membership,
        operand.start,
        closing.end_pos,
        (operand, *within),
        operand=operand,
        choices=within,
        negated=negated,
    )
