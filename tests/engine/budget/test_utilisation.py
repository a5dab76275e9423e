"""With demand enough nearly all money is spent, and a paced day at its pace."""

import pytest

from streams.engine.budget.account import Account, Pacing
from streams.engine.chance import fraction
from tests.engine.budget.world import DAY, HOUR_MS, MIDNIGHT_MS, World

DAY_MS = 24 * HOUR_MS
MEAN_FEN = 505
WEIGHTS = {"even": [1, 1, 1, 1], "skewed": [8, 4, 2, 1], "one": [1, 0, 0, 0]}


def cost_fen(number: int) -> int:
    return 10 + int(fraction(b"cost", str(number), "fen") * 991)


def partition_of(number: int, weights: list[int]) -> int:
    point = fraction(b"cost", str(number), "partition") * sum(weights)
    for partition, weight in enumerate(weights):
        point -= weight
        if point < 0:
            return partition
    return len(weights) - 1


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
@pytest.mark.parametrize("every_ms", [20, 200])
@pytest.mark.parametrize("daily", [False, True])
def test_nearly_all_money_is_spent_where_demand_suffices(
    weights: list[int], every_ms: int, daily: bool
) -> None:
    """Mail takes a second, demand is three times the money, a limit 200 spends a partition."""
    fen = 200 * 4 * MEAN_FEN
    world = World(4)
    limits = {"daily_fen": fen} if daily else {"total_fen": fen}
    world.publish(Account("policy", 1, **limits))
    for number in range(3 * 200 * 4):
        world.now_ms += every_ms
        world.deliver_older_than(1_000)
        world.spend(partition_of(number, weights), cost_fen(number))
    assert 0.98 * fen <= world.spent_fen() <= fen
    assert world.messages < 800


@pytest.mark.parametrize("pacing", ["even", "demand"])
@pytest.mark.parametrize("weights", [WEIGHTS["even"], WEIGHTS["one"]], ids=["even", "one"])
def test_a_paced_day_runs_at_most_two_percent_ahead(pacing: Pacing, weights: list[int]) -> None:
    """Uniform demand of three times the money, once a curve of demand is still flat."""
    fen = 1_000 * MEAN_FEN
    world = World(4)
    world.publish(Account("policy", 1, daily_fen=fen, pacing=pacing))
    for number in range(3_000):
        elapsed_ms = number * DAY_MS // 3_000
        world.now_ms = MIDNIGHT_MS + elapsed_ms
        world.deliver_older_than(0)
        world.spend(partition_of(number, weights), cost_fen(number))
        assert world.spent_fen(DAY) / fen <= elapsed_ms / DAY_MS + 0.02
    assert world.spent_fen(DAY) >= 0.98 * fen


def test_pacing_by_demand_learns_when_people_come() -> None:
    """All demand is in the evening: after two weeks the evening gets most of the money."""
    fen, shares = 300 * MEAN_FEN, []
    world = World(2)
    world.publish(Account("policy", 1, daily_fen=fen, pacing="demand"))
    for day in range(14):
        world.day = DAY + day
        for number in range(600):
            world.now_ms = MIDNIGHT_MS + day * DAY_MS + 18 * HOUR_MS + number * 6 * HOUR_MS // 600
            world.deliver_older_than(0)
            world.spend(number % 2, cost_fen(number))
            if number == 150:
                shares.append(world.spent_fen(world.day) / fen)
    assert shares[-1] < 0.4 < shares[0]
    assert world.spent_fen(world.day) >= 0.98 * fen


def test_pacing_by_demand_learns_that_weekends_have_hours_of_their_own() -> None:
    """Lunch from Monday to Friday, evenings at weekends: after five weeks each gets the money."""
    fen = 150 * MEAN_FEN
    share: dict[int, float] = {}
    world = World(2)
    world.publish(Account("policy", 1, daily_fen=fen, pacing="demand"))
    for day in range(42):
        world.day = DAY + day
        is_weekend = (world.day + 3) % 7 >= 5
        begins_ms = (18 if is_weekend else 10) * HOUR_MS
        for number in range(200):
            world.now_ms = MIDNIGHT_MS + day * DAY_MS + begins_ms + number * 4 * HOUR_MS // 200
            world.deliver_older_than(0)
            world.spend(number % 2, cost_fen(number))
            if number == 100:
                share[day] = world.spent_fen(world.day) / fen
    assert all(0.4 < share[day] < 0.75 for day in range(35, 42))
    assert min(world.spent_fen(DAY + day) for day in range(35, 42)) >= 0.85 * fen
