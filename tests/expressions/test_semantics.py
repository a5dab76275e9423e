"""What expressions mean: on any values they never raise and agree with a naive reading."""

import math
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.expressions import Kind, compile_expression
from tests.expressions.vocabulary import PATHS, Vocabulary

SIGNS = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
CALLS: dict[str, tuple[str, Kind]] = {
    "score('churn')": ("score:churn", "number"),
    'count("order.paid", "7d")': ("count:order.paid:604800000", "number"),
    "last('order.paid').age": ("last:order.paid:age", "duration"),
    "last( 'cart.added' ).data.sku": ("last:cart.added:sku", "text"),
    "within(90m)": ("within:5400000", "boolean"),
}
REFERENCES = {name: (name, kind) for name, kind in PATHS.items()} | CALLS
UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


@dataclass
class Tree:
    """An expression as the test knows it: how it is written, and the parts for `naive`."""

    text: str
    kind: Kind
    what: str
    parts: tuple[Any, ...]


def literals(kind: Kind) -> st.SearchStrategy[Tree]:
    if kind == "number":
        numbers = st.integers(0, 10**9) | st.floats(0, 1e300)
        return numbers.map(lambda n: Tree(repr(n), kind, "literal", (n,)))
    if kind == "duration":
        return st.builds(
            lambda n, unit: Tree(f"{n}{unit}", kind, "literal", (n * UNITS[unit],)),
            st.integers(0, 99),
            st.sampled_from(list(UNITS)),
        )
    if kind == "text":
        return st.sampled_from(("", "c1", "裙子", "it's", "and")).map(
            lambda t: Tree(f'"{t}"' if "'" in t else f"'{t}'", kind, "literal", (t,))
        )
    return st.booleans().map(lambda b: Tree(str(b).lower(), kind, "literal", (b,)))


def leaves(kind: Kind) -> st.SearchStrategy[Tree]:
    found = [Tree(text, kind, "read", (key,)) for text, (key, k) in REFERENCES.items() if k == kind]
    return literals(kind) | st.sampled_from(found)


def binary(kind: Kind, what: str, sign: str, pair: Any) -> st.SearchStrategy[Tree]:
    def joined(left: Tree, right: Tree) -> Tree:
        return Tree(f"({left.text} {sign} {right.text})", kind, what, (sign, left, right))

    return st.builds(joined, *pair)


def amounts(kind: Kind, depth: int) -> st.SearchStrategy[Tree]:
    """Numbers and durations, computed ones too."""
    if depth == 0:
        return leaves(kind)
    number, duration = amounts("number", depth - 1), amounts("duration", depth - 1)
    same = number if kind == "number" else duration
    ways = [leaves(kind), *(binary(kind, "compute", sign, (same, same)) for sign in "+-")]
    ways.append(same.map(lambda t: Tree(f"(-{t.text})", kind, "negative", (t,))))
    if kind == "number":
        ways += [binary(kind, "compute", sign, (number, number)) for sign in "*/"]
        ways.append(binary(kind, "compute", "/", (duration, duration)))
    else:
        ways += [binary(kind, "compute", sign, (duration, number)) for sign in "*/"]
        ways.append(binary(kind, "compute", "*", (number, duration)))
    return st.one_of(ways)


def conditions(depth: int) -> st.SearchStrategy[Tree]:
    ways = [leaves("boolean")]
    kinds: tuple[Kind, ...] = ("number", "duration")
    for kind in kinds:
        pair = (amounts(kind, min(depth, 2)), amounts(kind, min(depth, 2)))
        ways += [binary("boolean", "compare", sign, pair) for sign in SIGNS]
    for kind in ("text", "boolean"):
        ways += [binary("boolean", "compare", s, (leaves(kind),) * 2) for s in ("==", "!=")]
    ways += [membership(kind) for kind in ("number", "text", "boolean", "duration")]
    ways.append(
        st.sampled_from(list(REFERENCES)).map(
            lambda t: Tree(f"exists({t})", "boolean", "exists", (REFERENCES[t],))
        )
    )
    if depth:
        inner = conditions(depth - 1)
        ways += [binary("boolean", word, word, (inner, inner)) for word in ("and", "or")] * 4
        ways.append(inner.map(lambda t: Tree(f"not {t.text}", "boolean", "not", (t,))))
    return st.one_of(ways)


def membership(kind: Kind) -> st.SearchStrategy[Tree]:
    def joined(operand: Tree, choices: list[Tree], word: str) -> Tree:
        text = f"({operand.text} {word} [{', '.join(choice.text for choice in choices)}])"
        return Tree(text, "boolean", word, (operand, [choice.parts[0] for choice in choices]))

    choices = st.lists(literals(kind), min_size=1, max_size=4)
    return st.builds(joined, leaves(kind), choices, st.sampled_from(("in", "not in")))


def read(key: str, kind: Kind, context: dict[str, Any]) -> Any:
    value = context.get(key)
    if kind == "text":
        return value if isinstance(value, str) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    return finite(value) if isinstance(value, int | float) and type(value) is not bool else None


def finite(value: Any) -> Any:
    try:
        return value if math.isfinite(float(value)) else None
    except OverflowError:
        return None


def naive(tree: Tree, context: dict[str, Any]) -> Any:
    """The semantics as one would write them down; None is missing."""
    match tree.what, tree.parts:
        case "literal", (value,):
            return value
        case "read", (key,):
            return read(key, tree.kind, context)
        case "exists", ((key, kind),):
            return read(key, kind, context) is not None
        case "not", (inner,):
            return naive(inner, context) is not True
        case "and", (_, left, right):
            return naive(left, context) is True and naive(right, context) is True
        case "or", (_, left, right):
            return naive(left, context) is True or naive(right, context) is True
        case "negative", (inner,):
            value = naive(inner, context)
            return None if value is None else -value
        case ("in" | "not in") as word, (operand, choices):
            value = naive(operand, context)
            return value is not None and (value in choices) is (word == "in")
        case what, (sign, left, right):
            a, b = naive(left, context), naive(right, context)
            if a is None or b is None:
                return False if what == "compare" else None
            return SIGNS[sign](a, b) if what == "compare" else computed(sign, a, b)
    raise AssertionError(tree)


def computed(sign: str, a: Any, b: Any) -> Any:
    if sign == "/":
        return finite(a / b) if b else None
    return finite({"+": a + b, "-": a - b, "*": a * b}[sign])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=4,
)
LIKELY = st.sampled_from((0, 1, 1.0, 50, 10**400, "c1", "裙子", True, False, 86_400_000, -(2**63)))
CONTEXTS = st.dictionaries(
    st.sampled_from([key for key, _ in REFERENCES.values()]), LIKELY | JSON, max_size=13
)


VALUES = (None, math.nan, math.inf, -math.inf, 10**400, True, "5", [5], 4, 5, 5.0, 6, -5)


@pytest.mark.parametrize("sign", SIGNS)
def test_a_comparison_holds_only_of_numbers_that_are_there(sign: str) -> None:
    """Each shape that has a closure of its own, with each value that could mislead it."""
    shapes = (f"data.value {sign} 5", f"data.value {sign} data.count", f"data.value + 0 {sign} 5")
    expressions = [compile_expression(text, Vocabulary()) for text in shapes]
    mirrored = compile_expression(f"5 {sign} data.value", Vocabulary())
    for value in VALUES:
        number = read("data.value", "number", {"data.value": value})
        context = {"data.value": value, "data.count": 5}
        wanted = number is not None and SIGNS[sign](number, 5)
        assert [expression.read(context) for expression in expressions] == [wanted] * 3
        assert mirrored.read(context) is (number is not None and SIGNS[sign](5, number))
    assert not expressions[1].read({"data.value": 5})


@pytest.mark.parametrize("sign", ["==", "!="])
def test_a_comparison_of_texts_holds_only_of_two_that_are_there(sign: str) -> None:
    literal = compile_expression(f"data.cart_id {sign} '5'", Vocabulary())
    both = compile_expression(f"data.cart_id {sign} entry.cart_id", Vocabulary())
    for one in VALUES:
        assert literal.read({"data.cart_id": one}) is (one == "5" and sign == "==")
        for other in VALUES:
            context = {"data.cart_id": one, "entry.cart_id": other}
            assert both.read(context) is (one == other == "5" and sign == "==")
    assert both.read({"data.cart_id": "a", "entry.cart_id": "b"}) is (sign == "!=")


@given(conditions(3), CONTEXTS)
def test_a_condition_is_what_its_naive_reading_is(tree: Tree, context: dict[str, Any]) -> None:
    expression = compile_expression(tree.text, Vocabulary())
    assert expression.read(context) is (naive(tree, context) is True)
    assert bool(expression.failing(context)) is not expression.read(context)


@given(amounts("number", 3), CONTEXTS)
def test_a_number_is_what_its_naive_reading_is(tree: Tree, context: dict[str, Any]) -> None:
    found = compile_expression(tree.text, Vocabulary(), kind="number").read(context)
    assert (found, type(found)) == ((wanted := naive(tree, context)), type(wanted))


@given(amounts("duration", 2), CONTEXTS)
def test_a_duration_leaves_as_whole_milliseconds(tree: Tree, context: dict[str, Any]) -> None:
    found = compile_expression(tree.text, Vocabulary(), kind="duration").read(context)
    wanted = naive(tree, context)
    assert found == (None if wanted is None else round(wanted))
    assert found is None or type(found) is int


@given(leaves("text"), CONTEXTS)
def test_a_text_is_text_or_missing(tree: Tree, context: dict[str, Any]) -> None:
    found = compile_expression(tree.text, Vocabulary(), kind="text").read(context)
    assert found == naive(tree, context)
