"""People are recommended what others like them met, with the reason, in the fewest bytes."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.content import Article
from streams.engine.models import visited
from streams.engine.models.recommend import (
    LETTER,
    PREFIX,
    WORDS,
    RecommendModel,
    in_words,
)
from streams.engine.state import UserState
from streams.learning.recommend.catalogue import key_of
from streams.learning.recommend.recommender import Recommender
from tests.engine.journeys import journey
from tests.engine.world import HOUR_MS, MINUTE_MS, OPEN, World, alias_in, altered

SHELVES = {"tea": ("oolong", "pu-erh", "sencha"), "cups": ("bowl", "mug", "glass")}


def times_ms(met: bytes) -> Sequence[int]:
    return visited.read(met)[1]


def lived(people: int = 8) -> World:
    """Everybody keeps to one shelf."""
    world = World(altered(OPEN, journeys=()))
    for number in range(people):
        category = ("tea", "cups")[number % 2]
        for item_id in SHELVES[category]:
            world.see(f"p{number}", "product.viewed", {"item_id": item_id, "category": category})
            world.wait(MINUTE_MS)
    return world


def model(world: World) -> RecommendModel:
    return world.folds[0].engine.insight.model(RecommendModel)


def state(world: World, alias: str) -> UserState:
    person = world.folds[0].engine.store.get(alias)
    assert person is not None
    return person.state


def test_who_looked_at_tea_is_recommended_other_tea_and_told_why() -> None:
    world = lived()
    world.see("ann", "product.viewed", {"item_id": "oolong", "category": "tea"})
    found = model(world).recommend(state(world, "ann"), world.now_ms, 2)
    assert {one.item_id for one in found} == {"pu-erh", "sencha"}
    assert all(one.reason in ("also_viewed:oolong", "interest:tea", "new_in:tea") for one in found)


def test_everybody_gets_the_same_where_the_person_refused_personalisation() -> None:
    world = lived()
    ours, theirs = (
        model(world).recommend(state(world, alias), world.now_ms, 3, personal=False)
        for alias in ("p0", "p1")
    )
    assert ours == theirs
    assert {one.reason for one in ours} == {"popular"}


def test_a_person_is_45_bytes_at_most_and_nothing_who_met_nothing() -> None:
    world = lived()
    for number in range(20):
        world.see("ann", "cart.added", {"item_id": f"item-{number}"})
    world.see("bob", "user.followed", {})
    assert len(state(world, "ann").visited) == max(visited.COUNTS) == 45
    assert state(world, "bob").visited == b""
    assert visited.keys(state(world, "ann").visited)[0] == key_of("item-19")


def test_an_item_met_again_moves_to_the_front() -> None:
    met = visited.met(visited.met(visited.met(b"", 1, 10), 2, 20), 1, 30)
    assert list(visited.keys(met)) == [1, 2]
    assert times_ms(met) == [30_000, 20_000]


def test_of_one_person_known_as_two_the_latest_visits_of_both_are_known() -> None:
    ours, theirs = visited.met(visited.met(b"", 1, 10), 2, 30), visited.met(b"", 3, 20)
    both = visited.merge(ours, theirs)
    assert (list(visited.keys(both)), times_ms(both)) == (
        [2, 3, 1],
        [30_000, 20_000, 10_000],
    )
    assert visited.merge(theirs, ours) == both
    assert visited.merge(b"", b"") == visited.NOTHING


def test_keys_without_times_are_of_long_ago() -> None:
    earlier = b"".join(key.to_bytes(4, "little") for key in (1, 2, 3, 4, 5))
    assert list(visited.keys(earlier)) == [1, 2, 3, 4, 5]
    assert times_ms(earlier) == [0] * 5
    now_s = 1_790_784_000
    later = visited.met(earlier, 9, now_s)
    assert list(visited.keys(later)) == [9, 1, 2, 3, 4, 5]
    assert times_ms(later)[0] == now_s * 1_000
    assert now_s - times_ms(later)[1] / 1_000 > 60_000  # as long ago as the scale goes


@given(st.lists(st.integers(0, 40_000), max_size=12))
def test_times_are_known_within_a_few_percent_of_the_gaps(gaps: list[int]) -> None:
    known, now_s, times = visited.NOTHING, 1_790_784_000, list[int]()
    for number, gap in enumerate(gaps):
        now_s += gap
        known = visited.met(known, number, now_s)
        times = [now_s, *times][: visited.MOST]
    for told_ms, time_s in zip(times_ms(known), times, strict=True):
        assert abs(told_ms / 1_000 - time_s) <= 0.03 * (now_s - time_s) + 4


@given(st.lists(st.tuples(st.integers(1, 10), st.integers(0, 3_000)), max_size=30))
def test_an_item_met_again_leaves_the_times_of_the_others_as_they_were(
    stream: list[tuple[int, int]],
) -> None:
    known, now_s, latest = visited.NOTHING, 1_790_784_000, dict[int, int]()
    for key, gap in stream:
        now_s += gap
        known = visited.met(known, key, now_s)
        latest.pop(key, None)
        latest[key] = now_s
    wanted = list(latest.items())[::-1][: visited.MOST]
    assert list(visited.keys(known)) == [key for key, _ in wanted]
    for told_ms, (_, time_s) in zip(times_ms(known), wanted, strict=True):
        assert abs(told_ms / 1_000 - time_s) <= 0.2 * (now_s - time_s) + 16


def test_a_visit_that_comes_late_counts_as_met_with_the_latest() -> None:
    met = visited.met(visited.met(b"", 1, 50), 2, 20)
    assert (list(visited.keys(met)), times_ms(met)) == ([2, 1], [50_000, 50_000])


@given(st.lists(st.sampled_from((0, 1, 256, 65_536, 0x01000000, 0x01000100, 0x10001)), max_size=20))
def test_the_last_items_are_known_each_once_and_the_latest_first(met: list[int]) -> None:
    known, latest = visited.NOTHING, list[int]()
    for key in met:
        known = visited.met(known, key, 1_000)
        latest = [key, *(other for other in latest if other != key)][: visited.MOST]
    assert list(visited.keys(known)) == latest


def test_each_item_of_an_order_counts() -> None:
    world = lived()
    items = [{"item_id": name, "category": "tea"} for name in ("oolong", "kettle")]
    world.see("ann", "order.paid", {"order_id": "1", "items": items})
    assert list(visited.keys(state(world, "ann").visited)) == [key_of("kettle"), key_of("oolong")]


def test_a_piece_nobody_met_is_matched_by_the_persons_interest() -> None:
    world = lived()
    pieces = {"tea-guide": "tea", "cup-guide": "cups"}
    found = model(world).match(state(world, "p0"), pieces, world.now_ms, 2)
    assert [(one.item_id, one.reason) for one in found] == [("tea-guide", "new_in:tea")]


def test_a_checkpoint_and_the_journal_since_are_the_whole_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.engine.models.recommend.CHECKPOINT", 10)
    world = lived()
    rows = {key: row for key, row in world.rows()[0].items() if key.startswith(PREFIX)}
    assert any(b"/item/" in key for key in rows)
    other = RecommendModel(model(world).around)
    for key in sorted(rows, reverse=True):
        other.load_row(key, rows[key])
    person, now_ms = state(world, "p0"), world.now_ms
    assert other.recommend(person, now_ms, 5) == model(world).recommend(person, now_ms, 5)
    assert max(map(len, rows.values())) <= 16_384


def test_an_erased_person_is_in_no_row_of_the_model() -> None:
    world = lived()
    sessions = model(world)._recommender.sessions
    before = len(sessions.rows)
    world.see("p3", "user.erasure_requested", {})
    assert len(sessions.rows) == before - 1
    rows = world.rows()[0]
    assert not any(key.startswith(PREFIX + b"journal/") for key in rows)


def test_a_journey_shows_what_suits_the_person_best() -> None:
    text = """
id = "suits"
version = 1
title = "猜你喜欢"
status = "live"
reason = "SUITS"
[entry]
on = "search.performed"
[[step]]
id = "show"
send = { show = "recommended" }
"""
    kinds = {"brewing": "tea", "shelves": "home"}
    articles = [
        Article(article_id=name, category=category, title=name, url="https://example.com")
        for name, category in kinds.items()
    ]
    content = msgspec.structs.replace(OPEN.content, articles=articles)
    world = World(altered(OPEN, journeys=(journey(text),), content=content))
    for number in range(3):
        world.see(f"p{number}", "article.read", {"article_id": "brewing", "category": "tea"})
        world.wait(MINUTE_MS)
    world.see("ann", "user.followed", {})
    world.see("ann", "search.performed", {"query": "x"})
    shown = [one.content.item_id for one in world.triggers if one.content is not None]
    assert shown == ["brewing"]


@pytest.mark.parametrize("reason", [f"{name}:茶" for name in WORDS])
def test_every_reason_has_words_in_both_languages(reason: str) -> None:
    assert in_words(reason) != in_words(reason, "en")


def test_a_reason_there_is_not_is_an_error() -> None:
    with pytest.raises(ValueError, match="whim"):
        in_words("whim")


def apart(people: int = 8) -> World:
    """Two partitions: who looks at tea lives in the first, who looks at cups in the second."""
    world = World(altered(OPEN, journeys=(), partitions=2))
    for number in range(people):
        category = ("tea", "cups")[number % 2]
        alias = alias_in(number % 2, 2, f"p{number}-")
        for item_id in SHELVES[category]:
            world.see(alias, "product.viewed", {"item_id": item_id, "category": category})
            world.wait(MINUTE_MS)
    return world


def at(world: World, partition: int) -> RecommendModel:
    return world.folds[partition].engine.insight.model(RecommendModel)


def know(recommender: Recommender) -> set[str]:
    return {item.id for item in recommender.catalogue.items if item is not None}


def test_what_goes_with_what_is_told_to_the_other_partitions() -> None:
    world = apart()
    assert know(at(world, 1)._recommender) == set(SHELVES["cups"])
    world.wait(HOUR_MS)
    world.see(alias_in(0, 2), "user.followed", {})
    world.deliver()
    assert know(at(world, 1)._recommender) == {*SHELVES["tea"], *SHELVES["cups"]}
    ann = alias_in(1, 2, "ann")
    world.see(ann, "product.viewed", {"item_id": "oolong", "category": "tea"})
    person = world.folds[1].engine.store.get(ann)
    assert person is not None
    found = at(world, 1).recommend(person.state, world.now_ms, 2)
    assert {one.item_id for one in found} == {"pu-erh", "sencha"}


def test_a_letter_is_bounded_and_says_nothing_of_people() -> None:
    world = apart()
    told = at(world, 0).share()
    assert told is not None
    assert set(told) == {"at_ms", "items", "young", "pairs"}
    assert len(msgspec.json.encode(told)) <= LETTER
    assert at(world, 0).share() is None


def test_letters_told_and_heard_are_in_the_journal() -> None:
    world = apart()
    world.wait(HOUR_MS)
    for partition in range(2):
        world.see(alias_in(partition, 2), "user.followed", {})
    world.deliver()
    world.see(alias_in(0, 2, "ann"), "product.viewed", {"item_id": "kettle", "category": "tea"})
    whole = at(world, 0)
    other = RecommendModel(whole.around)
    rows = {key: row for key, row in world.rows()[0].items() if key.startswith(PREFIX)}
    for key in sorted(rows, reverse=True):
        other.load_row(key, rows[key])
    person = world.folds[0].engine.store.get(alias_in(0, 2, "ann"))
    assert person is not None
    now_ms = world.now_ms
    assert other.recommend(person.state, now_ms, 9) == whole.recommend(person.state, now_ms, 9)
    assert other.share() == whole.share()
    assert max(map(len, rows.values())) <= 16_384


@pytest.mark.parametrize(
    "change",
    [
        {"items": [["", 1.0]]},
        {"items": [["tea", -1.0]]},
        {"items": [["tea" * 99, 1.0]]},
        {"pairs": [[0, 9, 1]]},
        {"pairs": [[0, 0, 1]]},
        {"young": [[9, 0, ["tea"]]]},
        {"at_ms": -1},
        {"at_ms": "now"},
    ],
)
def test_a_letter_that_is_none_is_refused(change: dict[str, object]) -> None:
    whole: dict[str, object] = {
        "at_ms": 1,
        "items": [["tea", 1.0], ["cups", 1.0]],
        "young": [[0, 1, ["tea"]]],
        "pairs": [[0, 1, 800]],
    }
    model_here = model(lived())
    assert model_here.read_delta(whole).items[1] == ("cups", 1.0)
    with pytest.raises(ValueError):
        model_here.read_delta({**whole, **change})
