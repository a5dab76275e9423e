"""What an expression tells about itself, and how it is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.expressions import ExpressionError, Kind, Term, compile_expression
from streams.expressions.expression import Expression
from tests.expressions.vocabulary import Vocabulary


def compiled(text: str, kind: Kind = "boolean") -> Expression:
    return compile_expression(text, Vocabulary(), kind=kind)


def holds(text: str, **context: object) -> Any:
    return compiled(text).read({name.replace("__", "."): v for name, v in context.items()})


def test_and_binds_tighter_than_or_and_not_than_both() -> None:
    assert holds("true or true and false")
    assert holds("not false and true")
    assert not holds("not true or false")
    assert holds("not data.value == 5", data__value=6)


def test_products_bind_tighter_than_sums_and_both_go_from_the_left() -> None:
    assert compiled("1 + 2 * 3 - 4 - 5", "number").read({}) == -2
    assert compiled("12 / 2 / 3", "number").read({}) == 2
    assert compiled("-2 * -3", "number").read({}) == 6


def test_a_missing_value_makes_every_comparison_false() -> None:
    signs = ("==", "!=", "<", "<=", ">", ">=")
    assert not any(holds(f"data.value {sign} 5") for sign in signs)
    assert not any(holds(f"data.value + 1 {sign} data.count", data__count=1) for sign in signs)
    assert not holds("data.cart_id not in ['c1']")


def test_a_missing_boolean_counts_as_false() -> None:
    assert holds("not data.gift")
    assert not holds("data.gift")
    assert not holds("data.gift == false")


def test_a_value_of_the_wrong_type_counts_as_missing() -> None:
    assert not holds("exists(data.value)", data__value="80")
    assert not holds("data.value == 1", data__value=True)
    assert not holds("exists(data.gift) or data.gift", data__gift=1)


def test_division_by_zero_and_what_is_not_finite_are_missing() -> None:
    assert compiled("data.value / 0", "number").read({"data.value": 1}) is None
    assert compiled("data.value * 1e308", "number").read({"data.value": 1e308}) is None
    assert compiled("1 / 0", "number").read({}) is None


def test_durations_add_and_scale_and_their_ratio_is_a_number() -> None:
    assert compiled("2 * 1d + 12h / 2", "duration").read({}) == 194_400_000
    assert compiled("7d / 1d", "number").read({}) == 7
    assert holds("entry.age > 2 * 7d", entry__age=15 * 86_400_000)


def test_text_may_be_chinese_and_in_either_quotes() -> None:
    assert holds("data.cart_id == '裙子'", data__cart_id="裙子")
    assert holds('data.cart_id in ["it\'s", "裙子"]', data__cart_id="it's")


def test_an_expression_names_its_paths_and_calls_once_each() -> None:
    found = compiled("data.value > 5 and count('order.paid','7d') < data.value or within('90m')")
    assert found.paths == (("data", "value"),)
    assert found.calls == (("count", ("order.paid", "7d")), ("within", (5_400_000,)))
    assert found.kinds == {
        "data.value": "number",
        "count('order.paid', '7d')": "number",
        "within(1h30m)": "boolean",
    }


def test_equalities_are_those_every_match_must_meet() -> None:
    found = compiled(
        "data.cart_id == 'c1' and (-5 == data.value and entry.age == 2 * 1d)"
        " and (data.gift == true or data.count == 1) and data.cart_id == entry.cart_id"
    )
    assert found.equalities == (
        (("data", "cart_id"), "c1"),
        (("data", "value"), -5),
        (("entry", "age"), 172_800_000),
    )
    assert compiled("data.gift == false").equalities == ((("data", "gift"), False),)
    assert compiled("data.value == 1 or data.count == 1").equalities == ()
    assert compiled("not data.value == 1").equalities == ()


def test_terms_are_what_and_joins_with_what_each_saw() -> None:
    found = compiled("data.value >= 50 and (data.gift or score( 'churn' ) > 0.2)")
    context = {"data.value": 80, "score:churn": 0.1}
    assert found.terms(context) == [
        Term("data.value >= 50", {"data.value": 80}, True),
        Term(
            "(data.gift or score( 'churn' ) > 0.2)",
            {"data.gift": None, "score('churn')": 0.1},
            False,
        ),
    ]
    assert found.failing(context) == found.terms(context)[1:]


def test_terms_of_an_or_are_its_alternatives_and_fail_only_together() -> None:
    found = compiled("data.gift or last('order.paid').age > 14d")
    assert [term.holds for term in found.terms({"data.gift": True})] == [True, False]
    assert found.failing({"data.gift": True}) == []
    assert [term.text for term in found.failing({})] == [
        "data.gift",
        "last('order.paid').age > 14d",
    ]


def test_a_value_that_is_no_condition_fails_where_it_is_missing() -> None:
    found = compiled("data.value - data.count", "number")
    assert found.failing({"data.value": 1, "data.count": 1}) == []
    seen: dict[str, object] = {"data.value": 1, "data.count": None}
    assert found.failing({"data.value": 1}) == [Term("data.value - data.count", seen, False)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "column 1: the expression is empty; write a condition or leave the field out"),
        ("data.value = 5", "column 12: write == to compare"),
        ("data.value >=", "column 14: the expression stops where a value is needed"),
        ("data.gift or or entry.new", "column 14: a value is needed before 'or'"),
        ("(data.gift", "column 11: the expression stops too early; close what is open, ( or ["),
        ("data.gift)", "column 10: ')' closes nothing that is open here"),
        ("data.gift entry.new", "column 11: 'entry.new' cannot follow here"),
        ("1 < data.value < 5", "column 16: comparisons cannot be chained; join them by and"),
        ("data.value not 5", "column 16: write not in [...] here"),
        ("data.value in 5", "column 15: after in stands a list"),
        ("data.value in [data.count]", "column 16: what stands in a list must be a literal"),
        ("data.value > 30x", "column 14: 30x is neither a number nor a duration"),
        ("data.value > 99999w", "column 14: '99999w' is too long"),
        ("data.value > " + "9" * 400, "column 14: the number is too large"),
        ("（data.gift)", "column 1: （ is a full-width character; write ("),
        ("data.gift && entry.new", "column 11: write and"),
        ("data.cart_id == 'c1", "column 17: the text that begins here has no closing quote"),
        (
            "true and\n  data.valu > 5",
            "line 2, column 3: path data.valu is not known; did you mean",
        ),
        ("scor('churn') > 0", "column 1: function scor is not known; did you mean score?"),
        ("score(churn) > 0", "column 7: an argument of score() must be a literal; put it into"),
        ("score() > 0", "column 1: score() takes text; it was given 0 arguments"),
        ("score(5) > 0", "column 7: 5 is a number where score() takes text"),
        ("count('order.paid', '7x') > 0", "column 1: '7x' is no duration"),
        ("within('7x')", "column 8: '7x' is no duration"),
        ("last('order.pay').age > 7d", "column 1: event type order.pay is not known; did you mean"),
        ("last('order.paid') == 5", "column 1: last() has fields; name one of .age, .data.sku"),
        ("last('order.paid').agee > 7d", "column 1: last() field agee is not known; did you mean"),
        ("score('churn').x > 0", "column 1: score() has no fields; leave .x out"),
        ("data.score('churn') > 0", "column 1: data.score is no function"),
        ("exists(5)", "column 1: exists takes one path or call"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as error:
        compiled(text)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data.cart_id == 5", "column 1: data.cart_id is text and 5 is a number: only values"),
        ("entry.age > '14d'", "compared; write 14d without quotes"),
        ("entry.age > 14", "compared; give the number a unit, as in 30m"),
        ("data.value in ['5']", "column 16: '5' is text, but data.value is a number"),
        ("data.cart_id < 'c'", "column 1: text has no order"),
        ("data.gift and data.value", "column 15: data.value is a number where a condition"),
        ("not data.cart_id", "column 5: data.cart_id is text where a condition"),
        ("entry.age * entry.age > 5", "* does not go with them"),
        ("data.cart_id + 'x' == 'y'", "+ does not go with them"),
        ("-data.gift", "column 1: data.gift is true or false; only numbers and durations can be"),
        ("data.value + 1", "column 1: data.value + 1 is a number where a condition is needed"),
    ],
)
def test_kinds_that_do_not_fit_are_refused_when_compiling(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as error:
        compiled(text)
    assert message in str(error.value)


def test_an_expression_must_give_the_kind_asked_for() -> None:
    with pytest.raises(ExpressionError, match=r"column 1: data\.gift is true or false where a n"):
        compiled("data.gift", "number")


def test_text_and_depth_are_bounded() -> None:
    with pytest.raises(ExpressionError, match=r"column 2001: .* has 2004 characters"):
        compiled("true" + " " * 2000)
    assert compiled("(" * 31 + "true" + ")" * 31).read({})
    for deep in ("(" * 32 + "true" + ")" * 32, "not " * 400 + "true", "1" + "+1" * 900 + " > 0"):
        with pytest.raises(ExpressionError, match="nested deeper than 32 levels"):
            compiled(deep)


def test_a_long_chain_is_not_deep() -> None:
    chain = " or ".join(f"data.value == {number}" for number in range(90))
    assert compiled(chain).read({"data.value": 89})
    assert len(compiled(" and ".join(["data.gift"] * 100)).parts) == 100


@pytest.mark.parametrize(
    "text",
    ["data.__class__ == 1", "__import__('os')", "data.value.real > 1", "().x", "[].append(1)",
     "'a'.upper() == 'A'", "score('x').__self__ > 1", "lambda: 1", "data['value']", "1 if true"],
)  # fmt: skip
def test_nothing_but_what_the_scope_knows_can_be_reached(text: str) -> None:
    with pytest.raises(ExpressionError):
        compiled(text)


@given(st.text(alphabet="ab.()[]'\"<>=!&+-*/ ,0159dhms\nandortiu裙（_", max_size=40) | st.text())
def test_any_text_compiles_or_is_refused_with_a_column(text: str) -> None:
    try:
        compiled(text)
    except ExpressionError as error:
        assert "column" in str(error)
