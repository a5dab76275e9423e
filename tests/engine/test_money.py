"""Money through the engine: leased between partitions by mail, never spent twice."""

from streams.engine.money import COORDINATOR
from tests.engine.journeys import CART, journey
from tests.engine.world import HOUR_MS, OPEN, World, alias_in, altered, with_policy

COUPON = [{"id": "offer", "send": {"coupon": "WINBACK10"}}]
PARTITIONS = 3


def world_of(*, partitions: int = 1, daily_fen: int = 10**8, **changes: object) -> World:
    config = with_policy(OPEN, daily_budget_fen=daily_fen)
    spec = journey(CART, step=COUPON, **changes)
    return World(altered(config, partitions=partitions, journeys=(spec,)))


def offer(world: World, alias: str) -> None:
    world.see(alias, "user.followed")
    world.see(alias, "cart.added", {"item_id": "pot", "category": "tea"})
    while world.deliver():
        pass


def test_a_day_s_budget_of_nothing_lets_nothing_through_that_costs() -> None:
    world = world_of(daily_fen=0)
    offer(world, "ann")
    assert world.triggers == []
    assert "BUDGET_TOTAL" in world.outcomes


def test_a_journey_spends_no_more_than_its_own_total() -> None:
    world = world_of(budget={"total_fen": 12_000})
    for number in range(40):
        offer(world, f"p{number}")
        world.wait(HOUR_MS)
    assert len(world.triggers) == 12
    assert set(world.outcomes) >= {"SENT", "BUDGET_TOTAL"}


def test_demand_in_one_partition_reaches_the_money_leased_to_the_others() -> None:
    world = world_of(partitions=PARTITIONS, budget={"total_fen": 60_000})
    far = [
        alias_in(COORDINATOR + 1, PARTITIONS, f"p{number}-") for number in range(120)
    ]  # whom the coordinator reaches by mail alone
    for alias in far:
        offer(world, alias)
        world.wait(60_000)
        while world.deliver():
            pass
    spent_fen = sum(one.coupon.cost_fen for one in world.triggers if one.coupon)
    assert 0.98 * 60_000 <= spent_fen <= 60_000


def test_what_is_leased_is_the_same_after_a_restart() -> None:
    world = world_of(partitions=PARTITIONS, budget={"total_fen": 60_000})
    for number in range(9):
        offer(world, f"p{number}")
    counts = [len(one) for one in world.rows()]
    assert all(counts)
    kinds = {key[:2] for rows in world.rows() for key in rows}
    assert {b"B:", b"b:", b"K:", b"k:"} <= kinds


def test_money_that_is_short_goes_to_fewer_people() -> None:
    """The price of a fen rises while more is asked for than the day holds, and falls again."""
    choice = {
        "id": "offer",
        "decide": "thompson",
        "explore_floor": 0.05,
        "arm": [{"id": "nothing"}, {"id": "coupon", "coupon": "WINBACK10"}],
    }
    spec = journey(CART, step=[choice], budget={"daily_fen": 20_000, "pacing": "even"})
    world = World(altered(with_policy(OPEN, daily_budget_fen=10**8), journeys=(spec,)))
    prices = world.folds[0].engine.prices
    for number in range(120):
        offer(world, f"p{number}")
        world.wait(60_000)
    busy = prices.of("cart_rescue")
    assert busy > 1.0
    for number in range(12):
        world.wait(4 * HOUR_MS)
        offer(world, f"q{number}")
    assert 1.0 <= prices.of("cart_rescue") < busy
