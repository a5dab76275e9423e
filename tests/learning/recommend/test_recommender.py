"""What goes with what is learned visit by visit, within bounds, and asking changes nothing."""

import os
import subprocess
import sys
from math import isfinite, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.learning.recommend.catalogue import key_of
from streams.learning.recommend.recommender import Recommender
from streams.learning.recommend.signals import FEATURES
from tests.learning.recommend.shop import (
    MINUTE_MS,
    SHELVES,
    SMALL,
    START_MS,
    asked,
    loaded,
    saved,
    taught,
    visits,
)

STREAM = visits(600)


@pytest.fixture(scope="module")
def shop() -> Recommender:
    return taught(STREAM)


@pytest.mark.parametrize("shelf", SHELVES)
def test_who_looks_at_one_shelf_is_shown_that_shelf(shop: Recommender, shelf: str) -> None:
    found = asked(shop, f"{shelf}-1", f"{shelf}-3")
    assert sum(one.item_id.startswith(shelf) for one in found) >= 4


def test_what_was_seen_is_not_recommended(shop: Recommender) -> None:
    found = asked(shop, "tea-0", "tea-1", most=100)
    assert {"tea-0", "tea-1"}.isdisjoint(one.item_id for one in found)
    assert len(found) == len(shop.catalogue.places) - 2


def test_only_the_candidates_asked_for_are_ranked(shop: Recommender) -> None:
    some = ["cups-1", "tea-2", "tea-0", "nothing"]
    found = shop.rank([key_of("tea-0")], START_MS, 9, seen=[key_of("tea-0")], among=some)
    assert sorted(one.item_id for one in found) == ["cups-1", "tea-2"]


def test_a_recommendation_says_why(shop: Recommender) -> None:
    reasons = [(one.because, one.about) for one in asked(shop, "tea-1")]
    assert all(
        about in {"near": ("tea-1",), "popular": ("",)}.get(because, SHELVES)
        for because, about in reasons
    )


def test_somebody_unknown_is_shown_what_is_popular(shop: Recommender) -> None:
    best = asked(shop, most=8)
    assert {one.because for one in best} == {"popular"}
    counts = {one.item_id: shop.catalogue.visits[shop.catalogue.place(one.item_id)] for one in best}
    assert min(counts.values()) >= sorted(shop.catalogue.visits)[-24]


def test_a_new_item_is_shown_to_who_likes_its_kind(shop: Recommender) -> None:
    copy = taught(STREAM)
    now_ms = START_MS + 1_000 * MINUTE_MS
    copy.learn_one("tea-new", [], now_ms, tags=["tea"])
    copy.learn_one("plain-new", [], now_ms)
    keys = [key_of("tea-1"), key_of("tea-3")]
    order = [one.item_id for one in copy.rank(keys, now_ms, 100, seen=keys)]
    assert order.index("tea-new") < order.index("plain-new")


def test_the_factors_of_a_new_item_begin_between_those_of_its_kind() -> None:
    recommender = taught(STREAM)
    latents, place = recommender.latents, recommender.catalogue.place
    kind = [place(one.item_id) for one in asked(recommender, most=99) if "tea" in one.item_id]
    mean = latents.own[kind].mean(axis=0)
    for item_id, tags in (("tea-new", ["tea"]), ("plain-new", [])):
        recommender.learn_one(item_id, [], START_MS + 10_000 * MINUTE_MS, tags=tags)
    away = [
        float(abs(latents.own[place(item_id)] - mean).sum()) for item_id in ("tea-new", "plain-new")
    ]
    assert away[0] < away[1] / 2


def test_an_order_that_tells_only_the_category_does_not_hide_the_other_tags() -> None:
    recommender = Recommender(b"seed", SMALL)
    for minute, tags in enumerate((["tea", "gift"], ["tea"], [])):
        recommender.learn_one("pot", [], START_MS + minute * MINUTE_MS, tags=tags)
    assert recommender.catalogue.items[0].tags == ["tea", "gift"]  # type: ignore[union-attr]
    recommender.learn_one("pot", [], START_MS + 9 * MINUTE_MS, tags=["cups"])
    assert recommender.catalogue.items[0].tags == ["cups"]  # type: ignore[union-attr]


def test_asking_changes_nothing(shop: Recommender) -> None:
    one, other = taught(STREAM), taught(STREAM)
    for shelf in SHELVES:
        asked(one, f"{shelf}-2")
    assert one.checkpoint() == other.checkpoint()


def test_saved_and_loaded_in_the_middle_it_goes_on_bit_for_bit() -> None:
    straight = taught(STREAM)
    half = taught(STREAM[:300])
    rows = saved(half)
    resumed = taught(STREAM[300:], loaded(rows))
    rows |= saved(resumed)
    assert rows == saved(straight)
    assert asked(resumed, "tea-1") == asked(straight, "tea-1")


def test_another_seed_draws_other_factors_and_negatives() -> None:
    first = saved(taught(STREAM[:150]))
    assert first == saved(taught(STREAM[:150]))
    assert first != saved(taught(STREAM[:150], Recommender(b"other", SMALL)))


def test_the_result_does_not_depend_on_the_process() -> None:
    program = "from tests.learning.recommend.shop import *; print(repr(saved(taught(visits(90)))))"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert found == {repr(saved(taught(visits(90)))).encode() + b"\n"}


def test_rows_are_small_and_items_neighbours_and_sessions_bounded() -> None:
    recommender = Recommender(b"seed", SMALL)
    for number in range(600):
        before = [key_of(f"item-{(number * 7 + gap) % 200}") for gap in range(6)]
        recommender.learn_one(
            f"item-{number % 200}", before, START_MS + number, tags=["x" * 99] * 20, person=number
        )
    assert len(recommender.catalogue.places) <= SMALL.capacity
    assert max(len(near.others) for near in recommender.covisits.near.values()) <= SMALL.neighbours
    assert len(recommender.sessions.rows) <= SMALL.sessions
    assert len(recommender.catalogue.waiting) <= 512
    assert max(map(len, saved(recommender).values())) <= 16_384


def test_what_many_meet_takes_the_place_of_what_nobody_meets_any_more() -> None:
    recommender = Recommender(b"seed", SMALL)
    for number in range(SMALL.capacity):
        recommender.learn_one(f"old-{number}", [], START_MS)
    for minute in range(5):
        recommender.learn_one("new", [], START_MS + minute * MINUTE_MS)
    assert recommender.catalogue.place("new") is not None
    assert len(recommender.catalogue.places) == SMALL.capacity


def test_a_forgotten_item_is_in_no_row() -> None:
    recommender = taught([visit._replace(tags=[]) for visit in STREAM])
    rows = saved(recommender)
    place = recommender.catalogue.place("tea-1")
    assert place is not None
    recommender.forget_item("tea-1")
    changed = dict(recommender.checkpoint())
    assert changed[b"item/%d" % place] is None
    kept = {**rows, **changed}
    assert not any(row is not None and b"tea-1\xa0" in row for row in kept.values())
    assert all(place not in near.index for near in recommender.covisits.near.values())
    assert "tea-1" not in {one.item_id for one in asked(recommender, "tea-2", most=100)}


def test_a_forgotten_person_has_no_session() -> None:
    recommender = taught(STREAM)
    person = next(iter(recommender.sessions.rows))
    recommender.forget_person(person)
    assert person not in recommender.sessions.rows
    again = loaded(saved(taught(STREAM)) | saved(recommender))
    assert person not in again.sessions.rows


hostile = st.one_of(st.just(nan), st.floats(), st.integers(-(2**70), 2**70))


@given(
    items=st.lists(
        st.tuples(st.text(max_size=200), hostile, hostile, st.lists(st.text(), max_size=12)),
        max_size=12,
    )
)
@settings(max_examples=25, deadline=None)
def test_no_input_raises_or_leaves_a_number_that_is_none(
    items: list[tuple[str, float, float, list[str]]],
) -> None:
    recommender = taught(STREAM[:60])
    for item_id, time_ms, weight, tags in items:
        before = [key_of(item_id), key_of("tea-1"), 0]
        recommender.learn_one(item_id, before, time_ms, tags=tags, weight=weight)  # type: ignore[arg-type]
        recommender.rank(before, time_ms, 3)  # type: ignore[arg-type]
    assert all(map(isfinite, recommender.ranker.weights))
    assert all(isfinite(one.score) for one in asked(recommender, "tea-1"))
    saved(recommender)


def test_a_weight_that_is_none_or_a_time_that_is_none_teaches_nothing() -> None:
    recommender = taught(STREAM[:200])
    before = saved(recommender)[b"general"]
    for time_ms, weight in ((nan, 1.0), (-1, 1.0), (START_MS, nan), (START_MS, 0.0), (2**60, 1.0)):
        recommender.learn_one("tea-1", [], time_ms, weight=weight)  # type: ignore[arg-type]
    recommender.learn_one("", [], START_MS)
    assert saved(recommender)[b"general"] == before


def test_a_broken_row_or_one_of_other_sizes_is_refused() -> None:
    rows = saved(taught(STREAM[:200]))
    name = next(name for name in rows if name.startswith(b"item/"))
    broken = bytearray(rows[name])
    broken[-30] ^= 1
    with pytest.raises(ValueError):
        Recommender(b"seed", SMALL).load_row(name, bytes(broken))
    with pytest.raises(ValueError, match="another size"):
        Recommender(b"seed", SMALL._replace(factors=9)).load_row(name, rows[name])
    with pytest.raises(ValueError, match="no row"):
        Recommender(b"seed", SMALL).load_row(b"unknown", b"")


def test_the_ranker_says_how_well_it_foresees() -> None:
    judged = taught(visits(1_000)).judged
    assert judged.hits / judged.choices > 1.3 * judged.hits_popular / judged.choices


def test_every_feature_has_a_first_weight() -> None:
    assert len(FEATURES) == len(Recommender(b"", SMALL).ranker.weights)
