"""Sentiment is learned from rated texts, told with its parts, and kept in small rows."""

from math import isfinite, log
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import checks
from river.datasets import Phishing

from streams.learning.logistic import sigmoid
from streams.learning.text.grams import BUCKETS, grams
from streams.learning.text.sentiment import Sentiment, tone
from tests.learning.text.reviews import reviews


def taught(count: int, seed: int = 1, lexicon: bool = True) -> Sentiment:
    model = Sentiment(lexicon)
    for text, positive in reviews(count, seed):
        model.learn(grams(text), positive)
    return model


def judged(model: Sentiment, count: int, seed: int) -> tuple[float, float]:
    """Accuracy and log-loss on texts it has not seen."""
    right, loss = 0, 0.0
    for text, positive in reviews(count, seed):
        probability = model.probability(grams(text))
        right += (probability > 0.5) == positive
        loss -= log(probability if positive else 1.0 - probability)
    return right / count, loss / count


def test_words_it_has_no_opinion_of_are_learned() -> None:
    before, _ = judged(Sentiment(lexicon=False), 200, seed=2)
    accuracy, loss = judged(taught(300, lexicon=False), 200, seed=2)
    assert before < 0.65
    assert accuracy > 0.85
    assert loss < 0.4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("非常好，很喜欢，值得推荐", "positive"),
        ("太差了，失望，要退货", "negative"),
        ("今天星期三", "neutral"),
        ("", "neutral"),
    ],
)
def test_before_the_first_label_the_lexicon_speaks(text: str, expected: str) -> None:
    assert tone(Sentiment().probability(grams(text))) == expected


def test_a_probability_near_one_half_is_neutral() -> None:
    assert [tone(p) for p in (0.0, 0.34, 0.36, 0.5, 0.64, 0.66, 1.0)] == [
        *("negative", "negative", "neutral", "neutral", "neutral", "positive", "positive"),
    ]


@pytest.mark.parametrize("lexicon", [True, False])
def test_the_parts_of_an_explanation_add_up_to_the_score(lexicon: bool) -> None:
    model = taught(120, lexicon=lexicon)
    for text, _ in reviews(20, seed=3):
        parts = model.explain(grams(text))
        total = sum(part.log_odds for part in parts)
        assert sigmoid(total) == pytest.approx(model.probability(grams(text)), abs=1e-9)
        sizes = [abs(part.log_odds) for part in parts]
        assert sizes == sorted(sizes, reverse=True)


def test_taken_over_from_its_rows_it_goes_on_bit_for_bit() -> None:
    model, rows = taught(60), {}
    rows.update(model.changed_rows())
    for text, positive in reviews(20, seed=5):
        model.learn(grams(text), positive)
    rows.update(model.changed_rows())
    copy = Sentiment()
    for key in sorted(rows, reverse=True):  # in whatever order they come
        copy.load_row(key, rows[key])
    for text, positive in reviews(30, seed=6):
        assert copy.learn(grams(text), positive) == model.learn(grams(text), positive)
    assert dict(copy.changed_rows()) == dict(model.changed_rows())
    assert max(map(len, rows.values())) <= 16_384


def test_a_review_rewrites_only_the_rows_it_touched() -> None:
    model = taught(60)
    model.changed_rows()
    model.learn(grams("不好用，很失望"), False)
    rows = model.changed_rows()
    assert len(rows) <= 1 + len(grams("不好用，很失望"))
    assert model.changed_rows() == []


def test_asking_changes_nothing() -> None:
    model = taught(30)
    model.changed_rows()
    model.probability(grams("新的文字"))
    model.explain(grams("新的文字"))
    assert model.changed_rows() == []


def test_an_unknown_row_is_refused() -> None:
    for key in (b"other", b"w/", b"w/x"):
        with pytest.raises(ValueError, match="no row"):
            Sentiment().load_row(key, b"")


@settings(max_examples=30)
@given(st.lists(st.tuples(st.lists(st.integers(-5, BUCKETS + 5), max_size=300), st.booleans())))
def test_any_numbers_will_do_as_grams(examples: list[tuple[list[int], bool]]) -> None:
    model = Sentiment()
    for numbers, positive in examples:
        assert 0.0 <= model.learn(numbers, positive) <= 1.0
        assert isfinite(model.explain(numbers)[0].log_odds)


def test_the_order_and_doubles_of_grams_do_not_count() -> None:
    model, numbers = taught(30), grams("不好用，很失望")
    mixed = [*numbers, *numbers]
    Random(1).shuffle(mixed)
    assert model.probability(mixed) == model.probability(numbers)


def river_checks() -> list:
    original = checks._yield_datasets
    checks._yield_datasets = lambda model, scale=1: [list(Phishing().take(30 * scale))]
    try:
        return list(checks.yield_checks(Sentiment()))
    finally:
        checks._yield_datasets = original


@pytest.mark.parametrize("check", river_checks(), ids=lambda check: check.__name__)
def test_river_s_own_checks_pass(check) -> None:
    check(Sentiment())


def test_river_s_protocol_takes_texts() -> None:
    model = Sentiment()
    model.learn_one("很好", True)
    assert model.predict_proba_one("很好")[True] == model.probability(grams("很好"))
