"""What a message is about: from a few words at first, and then from topics that came."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import checks
from river.datasets import Phishing

from streams.learning.text.grams import grams
from streams.learning.text.intent import MOST, MOST_LABELS, UNKNOWN, Intent
from streams.learning.text.topics import LABELS, label_of

ASKED = {
    "order_status": ("我的快递到哪了", "什么时候发货", "物流三天没动"),
    "refund": ("我要退款", "怎么退货", "可以换货吗"),
    "price": ("有优惠券吗", "这个多少钱", "能便宜点吗"),
    "human": ("转人工", "有人吗"),
}


def guess(model: Intent, text: str) -> str:
    return str(model.guess(model.buckets_of(grams(text))).label)


@pytest.mark.parametrize(
    ("text", "label"), [(text, label) for label, texts in ASKED.items() for text in texts]
)
def test_common_questions_are_understood_before_anything_is_learned(text: str, label: str) -> None:
    assert guess(Intent(), text) == label


@pytest.mark.parametrize("text", ["", "蓝天白云", "qwerty", "[捂脸]"])
def test_what_says_nothing_known_is_unknown(text: str) -> None:
    assert guess(Intent(), text) == UNKNOWN


def test_new_wordings_and_new_topics_are_learned() -> None:
    model, random = Intent(), Random(3)
    kinds = {"refund": "我想反悔这单", "预约安装": "师傅几点上门", "order_status": "包裹走丢没"}
    for _ in range(90):
        label, text = random.choice(sorted(kinds.items()))
        said = text + random.choice(["", "呢", "啊", "，在线等"])
        model.learn(model.buckets_of(grams(said)), label)
    for label, text in kinds.items():
        assert guess(model, text) == label
    assert guess(model, "转人工") == "human"


def test_topics_beyond_the_most_count_as_other() -> None:
    model = Intent()
    for number in range(40):
        model.learn([number], f"topic {number}")
    assert len(model.known) == MOST_LABELS
    assert set(LABELS) <= set(model.known)


@pytest.mark.parametrize(
    ("topic", "label"),
    [("物流", "order_status"), (" Refund ", "refund"), ("退货", "refund"), ("预约", "预约")],
)
def test_a_topic_stands_for_a_label(topic: str, label: str) -> None:
    assert label_of(topic) == label


def test_taken_over_from_its_rows_in_any_order_it_goes_on_bit_for_bit() -> None:
    model, rows, random = Intent(), {}, Random(2)
    texts = [(text, label) for label, texts in ASKED.items() for text in texts]
    texts += [("师傅几点上门", "预约安装"), ("门店在哪", "门店")]
    for step in range(60):
        text, label = random.choice(texts[: 8 if step < 20 else 99])
        model.learn(model.buckets_of(grams(text)), label)
        if step % 7 == 0:
            rows.update(model.changed_rows())
    rows.update(model.changed_rows())
    for order in (sorted(rows), sorted(rows, reverse=True)):
        copy = Intent()
        for key in order:
            copy.load_row(key, rows[key])
        for text, _ in texts:
            buckets = model.buckets_of(grams(text))
            assert copy.guess(buckets) == model.guess(buckets)
        assert copy.known == model.known
    assert max(map(len, rows.values())) <= 16_384


@settings(max_examples=30)
@given(st.lists(st.integers(0, 2**18 - 1), max_size=256))
def test_of_a_long_message_a_bounded_part_is_kept(numbers: list[int]) -> None:
    buckets = Intent().buckets_of(numbers)
    assert len(buckets) <= MOST
    assert buckets == sorted(set(buckets))


def river_checks() -> list:
    original = checks._yield_datasets
    checks._yield_datasets = lambda model, scale=1: [list(Phishing().take(30 * scale))]
    try:
        return list(checks.yield_checks(Intent(labels=[])))
    finally:
        checks._yield_datasets = original


@pytest.mark.parametrize("check", river_checks(), ids=lambda check: check.__name__)
def test_river_s_own_checks_pass(check) -> None:
    check(Intent(labels=[]))
