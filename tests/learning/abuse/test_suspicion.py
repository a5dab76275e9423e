"""The chance of abuse: what adds up to it, and what labels change."""

from math import nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import checks
from river.datasets import Phishing

from streams.learning.abuse.suspicion import ANOMALY, REASONS, Suspicion
from streams.learning.logistic import sigmoid

SIGNS = st.lists(st.floats(), min_size=len(REASONS), max_size=len(REASONS))


def river_checks() -> list:
    original = checks._yield_datasets
    checks._yield_datasets = lambda model, scale=1: [list(Phishing().take(100 * scale))]
    try:
        return list(checks.yield_checks(Suspicion()))
    finally:
        checks._yield_datasets = original


@pytest.mark.parametrize("check", river_checks(), ids=lambda check: check.__name__)
def test_river_s_own_checks_pass(check) -> None:
    check(Suspicion())


def only(reason: int, sign: float = 1.0) -> list[float]:
    return [sign if place == reason else 0.0 for place in range(len(REASONS))]


@given(SIGNS)
def test_contributions_add_up_to_the_log_odds(signs: list[float]) -> None:
    model = Suspicion()
    parts = model.contributions(signs)
    assert sum(part for _, _, part in parts) == pytest.approx(model.logit(signs))
    assert model.probability(signs) == pytest.approx(sigmoid(model.logit(signs)))


def test_nobody_is_suspected_for_nothing_and_hardly_for_being_unlike_others() -> None:
    model = Suspicion()
    assert model.probability(only(0, 0.0)) < 0.03
    assert model.probability(only(ANOMALY)) < 0.1
    assert all(model.probability(only(one, 1.5)) > 0.7 for one in range(ANOMALY))


def test_labels_move_what_a_rule_is_worth_and_one_label_moves_little() -> None:
    model = Suspicion()
    before = model.probability(only(2, 1.5))
    model.learn(only(2, 1.5), abusive=False)
    assert before - model.probability(only(2, 1.5)) < 0.1
    for _ in range(60):
        model.learn(only(2, 1.5), abusive=False)
    assert model.probability(only(2, 1.5)) < 0.4 * before
    assert model.labels == 61


@given(st.lists(st.tuples(SIGNS, st.booleans()), max_size=12))
@settings(max_examples=30)
def test_it_goes_on_from_its_row_and_stays_finite(labels: list[tuple[list[float], bool]]) -> None:
    model, other = Suspicion(), Suspicion()
    for signs, abusive in labels:
        model.learn(signs, abusive=abusive)
    other.from_row(model.to_row())
    other.learn([nan] * len(REASONS), abusive=True)
    model.learn([nan] * len(REASONS), abusive=True)
    assert other.to_row() == model.to_row()
    assert 0.0 <= model.probability([1e308] * len(REASONS)) <= 1.0
