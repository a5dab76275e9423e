"""Cleaning: what is missing is filled in, what is out of proportion clipped, all of it counted."""

from hypothesis import given
from hypothesis import strategies as st

from streams.engine.cleaning.duplicates import KEPT, WIDTH, fingerprint, remember, seen, union
from streams.engine.cleaning.items import ITEMS, SHARDS, Items
from streams.engine.cleaning.outliers import WARM, Scale
from tests.engine.world import MINUTE_MS, World


def test_a_missing_category_and_price_are_those_last_said_of_the_item() -> None:
    world = World()
    world.see("ann", "user.followed")
    world.see("bob", "product.viewed", {"item_id": "pot", "category": "tea", "price_fen": 900})
    world.see("ann", "cart.added", {"item_id": "pot", "quantity": 2})
    world.wait(30 * MINUTE_MS)
    (trigger,) = world.triggers
    assert trigger.message is not None
    assert trigger.message.params == {"thing1": "tea", "amount2": "18"}
    assert world.count("clean.imputed") == 2


def test_what_nobody_ever_said_stays_missing() -> None:
    world = World()
    world.see("ann", "user.followed")
    world.see("ann", "cart.added", {"item_id": "pot"})
    world.wait(30 * MINUTE_MS)
    (trigger,) = world.triggers
    assert trigger.message is not None
    assert trigger.message.params == {"thing1": "商品", "amount2": "0"}
    assert world.count("clean.imputed") == 0


def test_an_outlier_is_clipped_once_the_usual_is_known() -> None:
    world = World()
    for number in range(WARM + 20):
        data = {"item_id": f"{number}", "category": "tea", "price_fen": 900 + number}
        world.see("ann", "product.viewed", data)
    assert world.count("clean.clipped") == 0
    world.see("ann", "product.viewed", {"item_id": "gold", "price_fen": 10_000_000_000})
    assert world.count("clean.clipped") == 1


@given(st.lists(st.integers(1, 10**10), max_size=400))
def test_a_scale_stays_finite_and_clips_downwards_only(values: list[int]) -> None:
    scale = Scale()
    for value in values:
        assert 1 <= scale.clip(value) <= value
        assert -3.0 <= scale.scaled(value) <= 3.0
    assert abs(scale.centre) < 30.0
    assert 0.0 < scale.spread < 30.0


def test_the_memory_of_items_is_bounded() -> None:
    items = Items({})
    for number in range(3 * SHARDS * ITEMS):
        items.fill(f"item{number}", "tea", number + 1)
    rows = [items.row(b"m:items/%d" % place) for place in range(SHARDS)]
    assert max(map(len, rows)) <= 16_384
    assert items.known("item0") is None
    assert items.known(f"item{3 * SHARDS * ITEMS - 1}") is not None


def test_an_item_s_newest_category_and_price_count() -> None:
    items = Items({})
    items.fill("pot", "tea", 900)
    items.fill("pot", "tea", 800)
    assert items.fill("pot", "", 0) == ("tea", 800)


@given(st.lists(st.text(max_size=8), max_size=60))
def test_the_latest_32_events_are_remembered(ids: list[str]) -> None:
    marks, forgotten = b"", []
    for second, event_id in enumerate(ids):
        marks, gone = remember(marks, fingerprint("source", event_id, second * 1000))
        forgotten.append(int.from_bytes(gone[:4], "big"))
    assert len(marks) == min(len(ids) * WIDTH, KEPT)
    assert all(seen(marks, fingerprint("source", event_id, 0)) for event_id in ids[-32:])
    assert forgotten == [max(0, second - 32) for second in range(len(ids))]
    assert len(union(marks, marks, b"")[0]) <= KEPT


def test_a_fingerprint_depends_on_the_source() -> None:
    assert fingerprint("a", "bc", 0) != fingerprint("ab", "c", 0)
    assert not seen(b"x" + fingerprint("a", "b", 0) + b"y" * 7, fingerprint("a", "b", 0))
