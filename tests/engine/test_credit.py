"""What messages are credited with, and who is compared with whom."""

from streams.contract.reports import JourneyReport
from tests.engine.journeys import CART, INTEREST, journey
from tests.engine.world import DAY_MS, HOUR_MS, MINUTE_MS, OPEN, World, altered, with_policy

GOAL = {"on": "order.paid", "window": "72h", "value": "data.amount_fen"}
ITEM = {"item_id": "pot", "category": "tea", "price_fen": 900}
OTHER = {
    "id": "cart_again",
    "entry": {"on": "search.performed", "reentry": {"cooldown": "24h"}},
    "exit": {"on": []},
}


def world_of(*journeys: object) -> World:
    config = with_policy(altered(OPEN, journeys=journeys), caps=(), gap_ms=0)
    world = World(config)
    world.see("ann", "user.followed")
    return world


def found(world: World) -> dict[str, JourneyReport]:
    world.wait(5 * DAY_MS)
    reports = [one for one in world.reports if isinstance(one, JourneyReport)]
    return {one.journey: one for one in reports}


def buy(world: World, order: str, fen: int = 5_000) -> None:
    world.see("ann", "order.paid", {"order_id": order, "amount_fen": fen})


def test_an_order_is_credited_to_the_latest_message_alone() -> None:
    world = world_of(journey(CART, goal=GOAL), journey(CART, goal=GOAL, **OTHER))
    world.see("ann", "cart.added", ITEM)
    world.wait(HOUR_MS)
    world.see("ann", "search.performed", {"query": "pot"})
    world.wait(HOUR_MS)
    buy(world, "1")
    reports = found(world)
    first, last = (reports[name].arms["send"] for name in ("cart_rescue", "cart_again"))
    assert (first.reached, last.reached) == (1, 1)
    assert (first.credited, last.credited) == (0, 1)
    assert last.credited_fen == 5_000


def test_a_message_is_credited_once_with_all_that_was_paid() -> None:
    world = world_of(journey(CART, goal=GOAL))
    world.see("ann", "cart.added", ITEM)
    world.wait(HOUR_MS)
    buy(world, "1")
    buy(world, "2")
    arm = found(world)["cart_rescue"].arms["send"]
    assert (arm.credited, arm.credited_fen, arm.reached) == (1, 10_000, 1)


def test_a_control_group_is_credited_with_nothing() -> None:
    world = world_of(journey(CART, goal=GOAL, holdout={"share": 1.0}))
    world.see("ann", "cart.added", ITEM)
    world.wait(HOUR_MS)
    buy(world, "1")
    arm = found(world)["cart_rescue"].arms["hold"]
    assert (arm.first_reached, arm.credited) == (1, 0)


def read(world: World, category: str) -> None:
    article = {"article_id": f"on-{category}", "category": category, "dwell_ms": 60_000}
    world.see("ann", "article.read", article)


def shown() -> World:
    """Ann has just been shown something about tea."""
    entry = {"on": ["product.viewed"], "reentry": {"cooldown": "3d"}}
    world = world_of(journey(INTEREST, entry=entry))
    world.see("ann", "product.viewed", ITEM)
    world.wait(MINUTE_MS)
    assert [trigger.kind for trigger in world.triggers] == ["content"]
    return world


def test_articles_read_after_content_was_shown_are_counted_with_their_dwell() -> None:
    world = shown()
    read(world, "tea")
    read(world, "tea")
    arm = found(world)["interest_content"].arms["send"]
    assert arm.reads == 2
    assert 0 < arm.dwell_ms <= 120_000


def test_articles_about_something_else_are_not() -> None:
    world = shown()
    read(world, "cups")
    assert found(world)["interest_content"].arms["send"].reads == 0


def test_who_was_refused_before_the_groups_were_drawn_is_in_neither() -> None:
    """Without consent nobody is compared; with it the same person is, once."""
    spec = journey(CART, goal=GOAL, holdout={"share": 0.5})
    world = World(with_policy(altered(OPEN, journeys=(spec,)), default_consent=False))
    world.see("ann", "user.followed")
    world.see("ann", "cart.added", ITEM)
    world.wait(2 * DAY_MS)
    assert "NO_CONSENT" in world.outcomes
    world.see("ann", "consent.granted", {"purpose": "marketing", "version": "1"})
    world.see("ann", "cart.added", ITEM)
    world.wait(HOUR_MS)
    assert sum(arm.first_settled for arm in found(world)["cart_rescue"].arms.values()) == 1


def test_a_person_is_measured_once_where_each_cart_is_an_instance_of_its_own() -> None:
    reentry = {"cooldown": "1h", "concurrent": True, "by": "key"}
    entry = {"on": "cart.added", "key": "data.item_id", "reentry": reentry}
    world = world_of(journey(CART, goal=GOAL, entry=entry))
    for item in ("pot", "cup", "mug"):
        world.see("ann", "cart.added", {**ITEM, "item_id": item})
        world.wait(5 * HOUR_MS)
    arms = found(world)["cart_rescue"].arms
    assert sum(arm.settled for arm in arms.values()) == 3
    assert sum(arm.first_settled for arm in arms.values()) == 1


def test_the_segment_is_the_stage_before_the_decision() -> None:
    world = world_of(journey(CART, goal=GOAL))
    world.see("ann", "cart.added", ITEM)
    world.wait(HOUR_MS)
    before = world.profile("ann")
    assert before is not None
    for number in range(4):  # loyal by the time the window ends
        world.wait(HOUR_MS)
        buy(world, str(number))
    assert list(found(world)["cart_rescue"].by_lifecycle) == [before.lifecycle]


def test_what_is_told_at_the_end_of_a_run_is_not_held_back_for_the_hour() -> None:
    world = world_of(journey(CART, goal=GOAL))
    world.see("ann", "cart.added", ITEM)
    world.wait(HOUR_MS)
    read(world, "tea")
    (told,) = world.folds[0].reports()
    assert b'"decided":1' in (told.value or b"")
    assert world.folds[0].reports() == [told]
