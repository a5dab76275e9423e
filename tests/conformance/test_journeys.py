"""Every journey keeps the rules of journeys; then each its own story."""

import pytest
from msgspec.structs import replace

from streams.contract.decisions import OUTCOMES
from streams.contract.triggers import KINDS
from streams.engine.config import Churn, Config
from streams.engine.insight import Insight
from streams.engine.journeys import JOURNEYS
from streams.engine.journeys.journey import Journey
from streams.engine.moment import DAILY_CHECK
from tests.engine.world import DAY_MS, HOUR_MS, MINUTE_MS, OPEN, World, altered

INTERESTED = altered(OPEN, interest_content=replace(OPEN.interest_content, enabled=True))
AFRAID = altered(OPEN, churn_coupon=replace(OPEN.churn_coupon, threshold=0.0), churn=Churn())


def made(config: Config = OPEN) -> list[Journey]:
    return [make(config, Insight(config)) for make in JOURNEYS]


def follower(config: Config = OPEN, alias: str = "ann") -> World:
    world = World(config)
    world.see(alias, "user.followed")
    return world


@pytest.mark.parametrize("journey", made(), ids=lambda journey: journey.name)
def test_a_journey_says_what_it_is(journey: Journey) -> None:
    assert journey.kind in KINDS
    assert journey.version >= 1
    assert 0.0 <= journey.holdout < 1.0
    assert journey.steps
    assert journey.on
    assert journey.expires_ms > 0


def test_names_of_journeys_differ() -> None:
    assert len({journey.name for journey in made()}) == len(JOURNEYS)


@pytest.mark.parametrize("journey", made(), ids=lambda journey: journey.name)
def test_a_journey_that_is_switched_off_decides_nothing(journey: Journey) -> None:
    settings = getattr(INTERESTED, journey.name)
    others = {
        made.name: replace(getattr(INTERESTED, made.name), enabled=False) for made in JOURNEYS
    }
    world = follower(
        altered(INTERESTED, **{**others, journey.name: replace(settings, enabled=False)})
    )
    world.see("ann", "cart.added", {"item_id": "1", "category": "tea"})
    for _ in range(5):
        world.see("ann", "product.viewed", {"item_id": "1", "category": "tea"})
    world.wait(2 * DAY_MS)
    assert world.decisions == []


@pytest.mark.parametrize("journey", made(), ids=lambda journey: journey.name)
def test_a_backfill_never_enters(journey: Journey) -> None:
    world = follower(INTERESTED)
    for number, kind in enumerate(journey.on * 3):
        if kind != DAILY_CHECK:
            data = {"item_id": f"{number}", "article_id": f"{number}", "category": "tea"}
            world.see("ann", kind, data, backfill=True)
    world.wait(HOUR_MS)
    assert world.triggers == []
    assert set(world.outcomes) <= {"BACKFILL"}


def test_every_match_and_every_due_step_has_one_decision() -> None:
    world = follower(INTERESTED)
    for day in range(10):
        world.see("ann", "cart.added", {"item_id": f"{day}", "category": "tea", "price_fen": 900})
        world.see("ann", "product.viewed", {"item_id": f"{day}", "category": f"c{day % 3}"})
        world.wait(DAY_MS)
    decisions = world.decisions
    assert len({decision.decision_id for decision in decisions}) == len(decisions)
    assert {decision.outcome for decision in decisions} <= OUTCOMES.keys()
    carts = [decision for decision in decisions if decision.journey == "cart_rescue"]
    entries = [decision for decision in carts if decision.step == "enter"]
    steps = [decision for decision in carts if decision.step != "enter"]
    assert len(entries) == 10
    assert len(steps) == sum(decision.outcome == "ENTERED" for decision in entries)


def test_a_forgotten_cart_is_recalled_after_half_an_hour() -> None:
    world = follower()
    world.see("ann", "cart.added", {"item_id": "pot", "category": "tea", "price_fen": 900})
    world.wait(30 * MINUTE_MS - 1)
    assert world.triggers == []
    world.wait(1)
    (trigger,) = world.triggers
    assert trigger.kind == "message"
    assert trigger.message is not None
    assert trigger.message.params == {"item_id": "pot", "category": "tea", "value_fen": "900"}
    assert trigger.explanation.reason == "CART_ABANDONED"
    assert trigger.channel == "official_account"


@pytest.mark.parametrize("event", ["order.created", "order.paid"])
def test_an_order_ends_the_wait_at_once(event: str) -> None:
    world = follower()
    world.see("ann", "cart.added", {"item_id": "pot"})
    world.wait(MINUTE_MS)
    world.see("ann", event, {"order_id": "1", "amount_fen": 900})
    assert world.outcomes == ["ENTERED", "EXITED"]
    world.wait(DAY_MS // 4)
    assert world.triggers == []


def test_taking_the_item_out_ends_the_wait_and_another_item_does_not() -> None:
    world = follower()
    world.see("ann", "cart.added", {"item_id": "pot"})
    world.see("ann", "cart.removed", {"item_id": "cup"})
    assert world.outcomes == ["ENTERED"]
    world.see("ann", "cart.removed", {"item_id": "pot"})
    assert world.outcomes == ["ENTERED", "EXITED"]


def test_an_order_from_before_the_cart_does_not_end_the_wait() -> None:
    world = follower()
    world.see("ann", "cart.added", {"item_id": "pot"})
    world.see("ann", "order.paid", {"order_id": "1"}, time_ms=world.now_ms - MINUTE_MS)
    assert world.outcomes == ["ENTERED"]


def test_a_cart_that_arrives_after_its_order_is_no_entry() -> None:
    world = follower()
    world.see("ann", "order.paid", {"order_id": "1"})
    world.see("ann", "cart.added", {"item_id": "pot"}, time_ms=world.now_ms - MINUTE_MS)
    assert world.outcomes == []


def test_a_cart_from_long_ago_has_expired() -> None:
    world = follower()
    world.see("ann", "cart.added", {"item_id": "pot"}, time_ms=world.now_ms - 3 * DAY_MS)
    assert world.outcomes == ["EXPIRED"]


def test_nobody_is_in_a_journey_twice() -> None:
    world = follower()
    world.see("ann", "cart.added", {"item_id": "pot"})
    world.see("ann", "cart.added", {"item_id": "cup"})
    assert world.outcomes == ["ENTERED", "REENTRY_BLOCKED"]


def test_an_erasure_ends_the_wait() -> None:
    world = follower()
    world.see("ann", "cart.added", {"item_id": "pot"})
    world.see("ann", "user.erasure_requested")
    world.wait(DAY_MS)
    assert world.outcomes == ["ENTERED", "ERASED"]
    assert world.triggers == []


def test_an_interest_that_rises_over_the_threshold_is_met_once() -> None:
    world = follower(INTERESTED)
    for number in range(8):
        world.see("ann", "product.viewed", {"item_id": f"{number}", "category": "tea"})
        world.wait(MINUTE_MS)
    (trigger,) = world.triggers
    assert trigger.content is not None
    assert trigger.content.category == "tea"
    assert trigger.explanation.top[0].feature == "interest:tea"
    assert trigger.explanation.score >= INTERESTED.interest_content.threshold


def test_a_person_likely_to_stay_away_gets_a_coupon_that_says_why() -> None:
    world = follower(AFRAID)
    world.wait(DAY_MS)
    world.wait(DAY_MS)
    (trigger,) = world.triggers
    assert trigger.coupon is not None
    assert trigger.coupon.cost_fen == AFRAID.churn_coupon.cost_fen
    assert trigger.explanation.reason == "CHURN_RISK"
    assert len(trigger.explanation.top) == 3
    assert world.outcomes[-1] == "REENTRY_BLOCKED"
