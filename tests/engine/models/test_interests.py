"""Interests of one person."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.profile.interests import CATEGORIES, FAST_MS, Interests, Population

NOW_MS = 1_790_784_000_000
DAY_MS = 86_400_000
NOBODY = Population()
CROWD = Population(["食品", "女装", "数码"], {"食品": 5.0, "女装": 3.0, "数码": 2.0}, 10.0)
SIGNS = st.lists(
    st.tuples(
        st.sampled_from("abcdefghijklmnop"),
        st.floats(0.1, 10.0),
        st.integers(NOW_MS, NOW_MS + 20 * DAY_MS),
    ),
    max_size=40,
)


def after(signs: list[tuple[str, float, int]]) -> Interests:
    interests = Interests()
    for category, weight, time_ms in signs:
        interests.record(category, weight, time_ms)
    return interests


@given(SIGNS)
def test_scores_are_shares_best_first(signs: list[tuple[str, float, int]]) -> None:
    scores = after(signs).scores(NOW_MS + 20 * DAY_MS, CROWD)
    assert scores == sorted(scores, key=lambda pair: (-pair[1], pair[0]))
    assert all(0.0 <= score <= 1.0 for _, score in scores)
    assert sum(score for _, score in scores) <= 1.0 + 1e-9


@given(SIGNS)
def test_the_best_three_are_the_first_three_scores(signs: list[tuple[str, float, int]]) -> None:
    interests, now_ms = after(signs), NOW_MS + 20 * DAY_MS
    best = [name for name, score in interests.scores(now_ms, CROWD) if score > 0.0][:3]
    assert interests.top(now_ms, CROWD, 3) == best


@given(SIGNS, st.randoms(use_true_random=False))
def test_the_order_of_signs_does_not_matter(signs, random) -> None:
    signs = [sign for sign in signs if sign[0] <= "l"]  # as many as are kept
    mixed = list(signs)
    random.shuffle(mixed)
    now_ms = NOW_MS + 20 * DAY_MS
    one, other = dict(after(signs).scores(now_ms, CROWD)), dict(after(mixed).scores(now_ms, CROWD))
    assert one == pytest.approx(other, rel=1e-9, abs=1e-12)


def test_of_a_stranger_the_population_decides() -> None:
    scores = Interests().scores(NOW_MS, CROWD)
    assert [name for name, _ in scores] == ["食品", "女装", "数码"]
    assert [score for _, score in scores] == pytest.approx([0.5, 0.3, 0.2])


def test_ties_break_by_name() -> None:
    interests = after([("b", 1.0, NOW_MS), ("a", 1.0, NOW_MS)])
    assert [name for name, _ in interests.scores(NOW_MS, NOBODY)] == ["a", "b"]


def test_what_was_seen_just_now_leads_and_the_habit_returns() -> None:
    habit = [("habit", 3.0, NOW_MS - day * DAY_MS) for day in range(10, 0, -1)]
    interests = after([*habit, ("whim", 2.0, NOW_MS)])
    assert interests.scores(NOW_MS, NOBODY)[0][0] == "whim"
    assert interests.scores(NOW_MS + 12 * FAST_MS, NOBODY)[0][0] == "habit"


def test_a_refused_category_scores_nothing_until_several_positive_signs() -> None:
    interests = after([("ads", 10.0, NOW_MS)])
    interests.refuse("ads")
    for sign in range(3):
        assert dict(interests.scores(NOW_MS, NOBODY))["ads"] == 0.0
        interests.record("ads", 1.0, NOW_MS + sign)
    interests.record("ads", 1.0, NOW_MS + 3)
    assert dict(interests.scores(NOW_MS + 3, NOBODY))["ads"] > 0.0


def test_a_refusal_outlives_many_other_categories() -> None:
    interests = Interests()
    interests.refuse("食品")
    for number in range(100):
        interests.record(f"category {number}", 1.0 + number, NOW_MS + number)
    assert len(interests.leanings) == CATEGORIES
    assert dict(interests.scores(NOW_MS, CROWD))["食品"] == 0.0


def test_the_last_seen_categories_come_latest_first() -> None:
    interests = after([(name, 1.0, NOW_MS) for name in "abcab"])
    assert interests.last_seen(3) == ["b", "a", "c"]


@pytest.mark.parametrize("weight", [0.0, -1.0, 1e308, float("inf"), float("nan")])
def test_impossible_weights_leave_no_trace(weight: float) -> None:
    assert after([("a", weight, NOW_MS)]) == Interests()


def test_interests_round_trip_and_go_on_the_same() -> None:
    interests = after([(f"c{n % 7}", 1.0 + n, NOW_MS + n * FAST_MS) for n in range(900)])
    copy = msgspec.msgpack.decode(msgspec.msgpack.encode(interests), type=Interests)
    for one in (interests, copy):
        one.record("c3", 2.0, NOW_MS + 901 * FAST_MS)
    assert copy == interests
    assert list(copy.leanings) == list(interests.leanings)
