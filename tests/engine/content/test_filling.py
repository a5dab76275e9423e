"""Filling never raises, never leaves a hole, and never goes beyond what the channel takes."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.content import KEYED_CHANNELS, SLOTS, Field, Variant
from streams.engine.content.filling import Filled, Hole, compile_variant, cut, fill
from streams.engine.content.library import (
    Shelf,
    ad_values,
    article_values,
    coupon_values,
    goods_values,
)
from tests.engine.content.builders import rules, shipped


def said(text: str, **values: Any) -> str | Hole:
    variant = compile_variant(Variant(id="a", text=text))
    named = {name.replace("__", "."): value for name, value in values.items()}
    filled = fill(variant, named, "customer_service")
    return filled if isinstance(filled, Hole) else filled.text


def test_values_take_the_place_of_their_slots() -> None:
    text = "{entry.item_title}减{coupon.amount}元,{days_away}天没见"
    values = {"entry__item_title": "耳机", "coupon__amount": 990, "days_away": 12}
    assert said(text, **values) == "耳机减9.9元,12天没见"


@pytest.mark.parametrize(
    ("fen", "yuan"), [(0, "0"), (1, "0.01"), (10, "0.1"), (1_000, "10"), (123_456, "1234.56")]
)
def test_money_is_told_in_yuan(fen: int, yuan: str) -> None:
    assert said("{coupon.amount}", coupon__amount=fen) == yuan


def test_a_missing_value_takes_the_default() -> None:
    assert said("{profile.city|您所在的城市}的朋友") == "您所在的城市的朋友"


def test_a_missing_value_without_a_default_is_no_message() -> None:
    assert said("{profile.city}的朋友") == Hole("profile.city", "TEMPLATE_ERROR")


def test_a_wording_without_text_for_the_channel_is_no_message() -> None:
    variant = compile_variant(Variant(id="a", text="您好"))
    assert fill(variant, {}, "mini_programme") == Hole("")


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "  ",
        "\u200b\u202e",
        "看 http://evil.example",
        "www.evil.example",
        "加我13800138000",
        "https://evil.example",
        7,
        True,
        1.5,
        float("nan"),
        [],
        {},
        b"x",
        object(),
    ],
)
def test_what_is_no_honest_text_counts_as_missing(odd: object) -> None:
    assert said("{profile.city|本地}", profile__city=odd) == "本地"


@pytest.mark.parametrize("odd", [-1, True, "5", 1.0, 10**9, 10**30, None])
def test_what_is_no_amount_counts_as_missing(odd: object) -> None:
    assert said("{entry.amount|若干}", entry__amount=odd) == "若干"


@pytest.mark.parametrize("odd", ["明天", "2026-11-30; DROP", 20261130, "9999-99-99T00"])
def test_what_is_no_date_counts_as_missing(odd: object) -> None:
    assert isinstance(said("{coupon.until}", coupon__until=odd), Hole)


def test_braces_in_a_value_are_not_filled_again() -> None:
    assert said("{entry.item_title}", entry__item_title="{profile.city}") == "{profile.city}"


def test_line_breaks_and_what_cannot_be_seen_leave_the_value() -> None:
    assert said("{profile.city}", profile__city="上\u200b海\n市\x00") == "上海 市"


def test_a_long_value_is_cut_where_the_slot_says() -> None:
    assert said("{entry.item_title:6}", entry__item_title="碎花连衣裙夏季新款") == "碎花连衣裙…"


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("ae\u0301x", 3, "a…"),  # the accent stays with its letter or goes with it
        ("a👍🏽bc", 3, "a…"),  # so does the colour of a hand
        ("🇨🇳🇨🇳🇨🇳", 4, "🇨🇳…"),  # and a flag is two letters
        ("ab", 1, "a"),
        ("a\u0301b", 1, ""),
    ],
)
def test_a_cut_never_parts_what_a_reader_sees_as_one(text: str, most: int, expected: str) -> None:
    assert cut(text, most) == expected


VALUES = (
    st.text(max_size=60)
    | st.integers(-5, 10**12)
    | st.floats()
    | st.none()
    | st.booleans()
    | st.binary(max_size=3)
    | st.lists(st.integers(), max_size=2)
)
SHELF = Shelf(shipped())
WORDINGS = [
    (template.template, wording, channel)
    for template in SHELF.templates.values()
    for wording in [*template.variants.values(), *([template.neutral] if template.neutral else [])]
    for channel in template.template.channels
]


@given(st.sampled_from(WORDINGS), st.dictionaries(st.sampled_from(sorted(SLOTS)), VALUES))
def test_whatever_the_values_are_the_channel_takes_what_is_filled(
    wording: Any, values: dict[str, Any]
) -> None:
    template, variant, channel = wording
    filled = fill(variant, values, channel)
    if isinstance(filled, Hole):
        assert values.get(filled.slot) is None or filled.slot in values
        return
    for key, text in filled.fields.items():
        limit, pattern = rules().fields[key.rstrip("0123456789")]
        assert len(text) <= limit.most
        assert pattern.fullmatch(text), (template.id, key, text)
    if channel not in KEYED_CHANNELS:
        assert filled.text
        limit_of_text = rules().texts[channel, "text"]
        assert len(filled.text.encode()) <= limit_of_text.most * 4
        if limit_of_text.unit == "bytes":
            assert len(filled.text.encode()) <= limit_of_text.most


@given(st.text(max_size=40), st.integers(1, 20))
def test_a_cut_text_is_never_longer_and_a_short_one_stays(text: str, most: int) -> None:
    assert len(cut(text, most)) <= most
    assert len(text) > most or cut(text, most) == text


def test_every_shipped_wording_is_filled_from_the_library_and_the_day_alone() -> None:
    library = shipped()
    values = {
        **goods_values(library.goods[0]),
        **coupon_values(library.coupons[0]),
        **article_values(library.articles[0]),
        **ad_values(library.ads[0]),
        "coupon.until": "2026年11月30日",
    }
    for template, variant, channel in WORDINGS:
        filled = fill(variant, values, channel)
        assert isinstance(filled, Filled), (template.id, variant.id, channel)
        assert not re.search(r"[{}]", " ".join(filled.params.values()))


def test_a_wording_that_cannot_be_read_is_not_compiled() -> None:
    with pytest.raises(ValueError, match="unknown"):
        compile_variant(Variant(id="a", fields={"thing1": Field(type="thing", text="{who}")}))
