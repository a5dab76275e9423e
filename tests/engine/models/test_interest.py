"""The interest model of a partition."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.models.interest import CATEGORIES, InterestModel
from streams.engine.profile.interests import Interests

NOW_MS = 1_790_784_000_000
HOUR_MS = 3_600_000
SIGNS = st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0.5, 9.0)), max_size=50)


def shares(model: InterestModel) -> dict[str, float]:
    population = model.population(NOW_MS)
    return {name: population.sums[name] / population.total for name in population.names}


def test_a_sign_is_judged_before_it_is_learned() -> None:
    model, interests = InterestModel(), Interests()
    model.observe(interests, "数码", 1.0, NOW_MS)
    assert model.metrics()["hit_at_3"] == 0.0
    model.observe(interests, "数码", 1.0, NOW_MS)
    assert model.metrics()["hit_at_3"] == pytest.approx(0.5, abs=1e-4)


def test_an_observed_sign_is_recorded_in_the_person_s_interests() -> None:
    model, interests = InterestModel(), Interests()
    model.observe(interests, "数码", 1.0, NOW_MS)
    assert list(interests.leanings) == ["数码"]


@given(SIGNS)
def test_categories_stand_in_order_of_their_sums_ties_by_name(signs) -> None:
    model = InterestModel()
    for number, (name, weight) in enumerate(signs):
        model.observe(Interests(), name, weight, NOW_MS + number * HOUR_MS)
    found = shares(model)
    assert list(found) == sorted(found, key=lambda name: (-found[name], name))
    assert sum(found.values()) == pytest.approx(1.0 if found else 0.0)


def test_old_popularity_fades() -> None:
    model, year_ms = InterestModel(), 365 * 24 * HOUR_MS
    for years in range(12):
        for _ in range(3):
            model.observe(Interests(), f"year {years}", 1.0, NOW_MS + years * year_ms)
    assert shares(model)["year 11"] > 0.999


def test_scores_foresee_more_than_popularity_and_than_the_last_seen() -> None:
    model, random = InterestModel(), Random(1)
    names = [f"category {number}" for number in range(12)]
    people = [(Interests(), random.sample(names, 4)) for _ in range(60)]
    for number in range(9_000):
        interests, likes = people[random.randrange(60)]
        name = random.choices(likes, (8, 4, 2, 1))[0] if random.random() < 0.8 else "category 0"
        model.observe(interests, name, 1.0, NOW_MS + number * HOUR_MS // 4)
    metrics = model.metrics()
    assert metrics["hit_at_3"] > metrics["hit_at_3_last_seen"] + 0.02
    assert metrics["hit_at_3"] > metrics["hit_at_3_popularity"] + 0.2


def test_the_number_of_categories_is_bounded() -> None:
    model = InterestModel()
    for number in range(1_000):
        model.observe(Interests(), f"category {number}", 1.0, NOW_MS + number)
    assert len(model.population(NOW_MS).names) == CATEGORIES == len(model.population(NOW_MS).sums)
    assert all(len(row) <= 16_384 for _, row in model.changed_rows())


@pytest.mark.parametrize("weight", [0.0, -1.0, 1e308, float("inf"), float("nan")])
def test_impossible_weights_are_no_signs(weight: float) -> None:
    model = InterestModel()
    model.observe(Interests(), "数码", weight, NOW_MS)
    assert model.changed_rows() == []
    assert model.metrics()["observed"] == 0.0
