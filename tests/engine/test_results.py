"""What came of decisions: answers and goals are counted once, and choosers learn from them."""

import pytest

from streams.contract.reports import ArmTally, JourneyReport
from tests.engine.journeys import CART, LOOPED, journey
from tests.engine.world import DAY_MS, HOUR_MS, OPEN, World, altered, with_policy

HELD = {"share": 1.0}
CHOICE = {
    "id": "offer",
    "decide": "thompson",
    "explore_floor": 0.3,
    "arm": [{"id": "nothing"}, {"id": "remind", "template": "cart_remind_v1"}],
}
GOAL = {"on": "order.paid", "window": "72h", "value": "data.amount_fen"}


def world_of(**changes: object) -> World:
    world = World(altered(OPEN, journeys=(journey(CART, goal=GOAL, **changes),)))
    world.see("ann", "user.followed")
    return world


def remind(world: World, alias: str = "ann") -> None:
    world.see(alias, "cart.added", {"item_id": "pot", "category": "tea", "price_fen": 900})
    world.wait(HOUR_MS)


def report(world: World) -> JourneyReport:
    """The latest, once all windows have ended."""
    world.wait(5 * DAY_MS)
    return [one for one in world.reports if isinstance(one, JourneyReport)][-1]


def buy(world: World, order: str = "1", fen: int = 8_000) -> None:
    world.see("ann", "order.paid", {"order_id": order, "amount_fen": fen})


def test_an_order_within_the_window_is_what_the_message_was_for() -> None:
    world = world_of()
    remind(world)
    buy(world)
    arm = report(world).arms["send"]
    assert (arm.decided, arm.sent, arm.settled, arm.reached) == (1, 1, 1, 1)
    assert (arm.value_fen, arm.first_value_squares) == (8_000, 8_000.0**2)


@pytest.mark.parametrize("days", [4, 10])
def test_an_order_after_the_window_is_not(days: int) -> None:
    world = world_of()
    remind(world)
    world.wait(days * DAY_MS)
    buy(world)
    arm = report(world).arms["send"]
    assert (arm.settled, arm.reached, arm.value_fen) == (1, 0, 0)


def test_an_order_that_happened_before_the_decision_does_not_count() -> None:
    world = world_of()
    remind(world)
    world.see(
        "ann",
        "order.paid",
        {"order_id": "1", "amount_fen": 8_000},
        time_ms=world.now_ms - 2 * HOUR_MS,
    )
    assert report(world).arms["send"].reached == 0


def test_the_control_group_is_counted_beside() -> None:
    world = world_of(holdout=HELD)
    remind(world)
    buy(world)
    arm = report(world).arms["hold"]
    assert (arm.decided, arm.sent, arm.first_settled, arm.first_reached) == (1, 0, 1, 1)


def test_who_may_not_be_addressed_at_all_is_in_neither_group() -> None:
    world = world_of(holdout=HELD)
    world.see("ann", "consent.withdrawn", {"purpose": "marketing"})
    remind(world)
    buy(world)
    found = report(world)
    assert found.outcomes == {"NO_CONSENT": 1}
    assert all(arm.settled == 0 for arm in found.arms.values())


def test_answers_count_once_however_often_they_are_told() -> None:
    world = world_of()
    remind(world)
    answer = {"trigger_id": world.triggers[0].trigger_id, "channel": "official_account"}
    for kind in ("push.clicked", "push.delivered", "push.clicked", "push.opened"):
        world.see("ann", kind, answer)
    arm = report(world).arms["send"]
    assert (arm.delivered, arm.opened, arm.clicked, arm.failed) == (1, 1, 1, 0)


def test_a_coupon_costs_when_it_is_redeemed() -> None:
    world = world_of(step=[{"id": "offer", "send": {"coupon": "WINBACK10"}}])
    remind(world)
    trigger = world.triggers[0]
    world.see("ann", "coupon.used", {"coupon_id": "c", "trigger_id": trigger.trigger_id})
    arm = report(world).arms["send"]
    assert (arm.cost_fen, arm.redeemed, arm.spent_fen) == (1_000, 1, 1_000)


def test_only_a_persons_first_decision_measures_the_effect() -> None:
    world = world_of()
    for number in range(2):
        remind(world)
        buy(world, str(number))
        world.wait(2 * DAY_MS)
    arm = report(world).arms["send"]
    assert (arm.settled, arm.first_settled, arm.first_reached) == (2, 1, 1)


def test_decisions_of_people_who_become_one_stay_open() -> None:
    world = world_of()
    world.see("bob", "user.followed")
    remind(world)
    world.see("bob", "identity.linked", {"other": "ann"})
    world.see("bob", "order.paid", {"order_id": "1", "amount_fen": 500})
    assert report(world).arms["send"].value_fen == 500


def test_sums_of_arms_are_those_of_the_decisions() -> None:
    config = altered(with_policy(OPEN, global_holdout=0.3, gap_ms=0), journeys=(journey(LOOPED),))
    world = World(config)
    for number in range(60):
        alias = f"p{number}"
        world.see(alias, "user.followed")
        world.see(alias, "product.viewed", {"item_id": "1", "category": "tea"})
        world.wait(HOUR_MS)
    found = report(world)
    offers = [one for one in world.decisions if one.step in ("offer", "last")]
    arms: dict[str, ArmTally] = found.arms
    assert sum(arm.decided for arm in arms.values()) == len(offers)
    assert sum(arm.sent for arm in arms.values()) == len(world.triggers)
    assert sum(found.outcomes.values()) == len(offers)


def test_a_bandit_learns_which_arm_brings_orders() -> None:
    loud = with_policy(OPEN, caps=(), gap_ms=0)
    spec = journey(CART, goal=GOAL, step=[CHOICE])
    world = World(altered(loud, journeys=(spec,)))
    arms = []
    for number in range(300):
        alias = f"p{number}"
        world.see(alias, "user.followed")
        world.see(alias, "cart.added", {"item_id": "pot", "category": "tea"})
        arm = [one for one in world.decisions[-6:] if one.step == "offer"][-1].arm
        arms.append(arm)
        if arm == "remind" and number % 2:
            world.see(alias, "order.paid", {"order_id": alias, "amount_fen": 9_000})
        world.wait(HOUR_MS)
    late = [one for one in world.decisions if one.step == "offer"][-100:]
    odds = {one.arm: one.propensity for one in late}
    assert odds["remind"] == pytest.approx(0.7)
    assert arms[-100:].count("remind") > arms[:60].count("remind")


def test_the_probabilities_of_all_arms_sum_to_one_with_the_control_group() -> None:
    config = altered(
        with_policy(OPEN, global_holdout=0.2), journeys=(journey(CART, step=[CHOICE]),)
    )
    world = World(config)
    for number in range(40):
        world.see(f"p{number}", "user.followed")
        world.see(f"p{number}", "cart.added", {"item_id": "pot"})
    for one in [one for one in world.decisions if one.step == "offer"]:
        assert sum(each.propensity for each in one.candidates) == pytest.approx(1.0, abs=1e-9)
        drawn = {each.arm: each.propensity for each in one.candidates}
        assert drawn[one.arm] == one.propensity > 0.0
