"""What people do next is counted as they do it, and can be asked by journeys."""

import pytest

from streams.engine.models.next_action import NextActionModel
from streams.engine.state import UserState
from tests.engine.world import DAY_MS, MINUTE_MS, OPEN, World, altered


def lived(partitions: int = 1) -> World:
    """Everybody looks, fills the cart and pays, in this order."""
    world = World(altered(OPEN, journeys=(), partitions=partitions))
    for number in range(60):
        for kind in ("product.viewed", "cart.added", "order.paid"):
            data = {"item_id": "tea", "order_id": f"o{number}", "amount_fen": 900}
            world.see(f"p{number % 12}", kind, data)
            world.wait(MINUTE_MS)
            world.deliver()
    return world


def state(world: World, alias: str) -> UserState:
    person = world.folds[0].engine.store.get(alias)
    assert person is not None
    return person.state


def test_paying_is_foreseen_of_who_filled_the_cart() -> None:
    world = lived()
    world.see("ann", "product.viewed", {"item_id": "tea"})
    world.see("ann", "cart.added", {"item_id": "tea"})
    insight, now_ms = world.folds[0].engine.insight, world.now_ms
    assert insight.next_action(state(world, "ann"), "pay", now_ms) > 0.5
    assert insight.model(NextActionModel).likeliest(state(world, "ann"), now_ms)[0] == "pay"


def test_an_action_told_late_did_not_come_next() -> None:
    world = lived()
    before = world.count("model.next_action.actions")
    world.see("p1", "search.performed", {"query": "tea"}, time_ms=world.now_ms - DAY_MS)
    assert world.count("model.next_action.actions") == before


def test_asking_for_an_action_there_is_not_is_an_error() -> None:
    world = lived()
    model = world.folds[0].engine.insight.model(NextActionModel)
    with pytest.raises(ValueError, match="fly"):
        model.probability(state(world, "p1"), "fly", world.now_ms)


def test_partitions_that_share_know_what_each_counted() -> None:
    world = lived(partitions=2)
    world.wait(DAY_MS)
    for alias in ("p1", "p2", "p3", "p4"):
        world.see(alias, "product.viewed", {"item_id": "tea"})
    world.deliver()
    models = [fold.engine.insight.model(NextActionModel) for fold in world.folds]
    cart_then = [model._actions.probabilities(1, 5, MINUTE_MS) for model in models]
    assert cart_then[0] == pytest.approx(cart_then[1], abs=0.02)
