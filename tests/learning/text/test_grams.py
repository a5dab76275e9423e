"""A text becomes a bounded, sorted list of numbers, whatever the text."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.learning.text.grams import (
    AFTER,
    BLAMED,
    BUCKETS,
    MOST,
    NAMES,
    SIGNALS,
    grams,
    longest_gram,
    tokens_of,
)

ANY_TEXT = st.text(st.characters(), max_size=400)
CHINESE = st.text("很不好没错别人无非常这个东西，。！?[微笑]👍🏽ab1", max_size=600)


@given(ANY_TEXT | CHINESE)
def test_any_text_gives_sorted_distinct_numbers_within_bounds(text: str) -> None:
    found = grams(text)
    assert found == sorted(set(found))
    assert len(found) <= MOST
    assert all(0 < number < BUCKETS for number in found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\ud800",
        "\udfff\ud800好",
        "\x00\u202e\u2066好\u200b",
        "\ufdfa" * 100_000,
        "[" * 9_999,
    ],
    ids=repr,
)
def test_odd_texts_are_texts(text: str) -> None:
    assert len(grams(text[:50_000])) <= MOST
    assert len(tokens_of(text)) <= 201


def test_of_a_long_text_the_beginning_and_the_end_count() -> None:
    long = "的" * 400
    assert grams(long + "差" * 50 + long) == grams(long + "的" * 50 + long)
    assert grams("差" + long + long) != grams(long + long)
    assert grams(long + long + "差") != grams(long + long)
    assert len(tokens_of(long)) == 201


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("這個東西質量很好，發貨快", "这个东西质量很好，发货快"),
        ("ＧＯＯＤ！１００分", "good!100分"),
        ("好👍🏽", "好👍"),
        ("很\u200b好 \n吃", "很好吃"),
        ("单号13812345678", "单号99999"),
    ],
)
def test_ways_to_write_the_same_give_the_same(one: str, other: str) -> None:
    assert grams(one) == grams(other)


def test_latin_words_numbers_and_stickers_are_tokens() -> None:
    said = tokens_of("iPhone很好[强]用了30天，Wi-Fi OK")
    assert said == [
        *("iphone", "很", "好", "[强]", "用", "了", "30", "天", ",", "wi", "-", "fi", "ok"),
    ]


def test_what_a_negation_reaches_is_not_what_stands_alone() -> None:
    assert set(grams("好用")) - set(grams("不好用"))  # signals differ at least
    denied = set(grams("不是很好用")) - set(grams("是很好用"))
    assert len({number for number in denied if number >= SIGNALS}) >= 6


@pytest.mark.parametrize(
    ("text", "praise", "complaint"),
    [
        ("好看", 1, 0),
        ("不好看", 0, 1),
        ("不是很好看", 0, 1),
        ("没有想象中好看", 1, 0),  # out of the negation's reach
        ("不，好看", 1, 0),  # a stop ends it
        ("非常好看", 1, 0),  # 非常 and 特别 negate nothing
        ("特别漂亮", 1, 0),
        ("不错", 1, 0),
        ("没有异味", 1, 0),
        ("[微笑]", 0, 1),  # ironic
        ("[强][玫瑰]", 2, 0),
        ("😡", 0, 1),
        ("质量差，但是服务热情", 1, 1),
    ],
)
def test_the_lexicon_counts_praise_and_complaint(text: str, praise: int, complaint: int) -> None:
    said = [NAMES[number] for number in grams(text) if number in NAMES]
    reached = (1, 2, 3, 5, 8)
    for side, count in (("praise", praise), ("complaint", complaint)):
        expected = [f"words of {side} >= {least}" for least in reached if least <= count]
        assert [name for name in said if name.startswith(f"words of {side}")] == expected


def said(text: str) -> list[str]:
    return [NAMES[number] for number in grams(text) if number in NAMES]


def test_a_longer_word_that_says_nothing_hides_a_shorter_one() -> None:
    assert "words of praise >= 1" in said("卫生")
    assert "words of praise >= 1" not in said("卫生间")


def test_a_wish_is_milder_than_a_complaint() -> None:
    found = said("房间再大一点就好了")
    assert "mild words >= 1" in found
    assert "words of complaint >= 1" not in found


def test_a_denied_word_counts_for_the_other_side_and_is_told_from_one_of_that_side() -> None:
    assert "denied praise" in said("不漂亮")
    assert "denied complaint" in said("没有蟑螂")
    assert not {"denied praise", "denied complaint"} & set(said("难看，好看"))


def test_the_last_clause_has_a_signal_of_its_own() -> None:
    assert "last clause: complaint" in said("位置方便，房间漂亮，隔音差。")
    assert "last clause: praise" in said("隔音差，房间漂亮")


def test_what_a_text_begins_with_counts_by_itself() -> None:
    one, other = "差" + "的" * 20, "的" * 20 + "差"
    assert len(set(grams(one)) ^ set(grams(other))) >= 4


def test_what_follows_a_turn_has_signals_of_its_own() -> None:
    assert NAMES[AFTER] == "after the turn: praise"
    assert AFTER in grams("质量差，但是服务热情")
    assert AFTER + 1 in grams("服务热情，但是质量差")
    assert BLAMED in grams("服务热情，但是质量差")


def test_the_order_of_what_was_said_is_not_kept() -> None:
    assert set(grams("甲乙")) ^ set(grams("乙甲"))
    assert grams("甲乙") == sorted(grams("甲乙"))


def test_numbers_mean_the_same_in_every_process() -> None:
    script = "from streams.learning.text.grams import grams; print(grams('不好用[强]OK👍'))"
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "5")
    }
    assert found == {f"{grams('不好用[强]OK👍')}\n".encode()}
    assert longest_gram("物流") in grams("我的物流")
