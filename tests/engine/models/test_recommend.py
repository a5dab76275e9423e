"""People are recommended what others like them met, with the reason, in the fewest bytes."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.content import Article
from streams.engine.models import visited
from streams.engine.models.recommend import (
    PREFIX,
    WORDS,
    RecommendModel,
    in_words,
)
from streams.engine.state import UserState
from streams.learning.recommend.catalogue import key_of
from tests.engine.journeys import journey
from tests.engine.world import MINUTE_MS, OPEN, World, altered

SHELVES = {"tea": ("oolong", "pu-erh", "sencha"), "cups": ("bowl", "mug", "glass")}


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


def test_a_person_is_thirty_two_bytes_and_nothing_who_met_nothing() -> None:
    world = lived()
    for number in range(20):
        world.see("ann", "cart.added", {"item_id": f"item-{number}"})
    world.see("bob", "user.followed", {})
    assert len(state(world, "ann").visited) == visited.MOST * visited.BYTES == 32
    assert state(world, "bob").visited == b""
    assert visited.keys(state(world, "ann").visited)[0] == key_of("item-19")


def test_an_item_met_again_moves_to_the_front() -> None:
    met = visited.met(visited.met(visited.met(b"", 1), 2), 1)
    assert list(visited.keys(met)) == [1, 2]
    assert list(visited.keys(visited.merge(met, visited.met(b"", 3)))) == [1, 2, 3]


@given(st.lists(st.sampled_from((0, 1, 256, 65_536, 0x01000000, 0x01000100, 0x10001)), max_size=20))
def test_the_last_items_are_known_each_once_and_the_latest_first(met: list[int]) -> None:
    known, latest = visited.NOTHING, list[int]()
    for key in met:
        known = visited.met(known, key)
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
