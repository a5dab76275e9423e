"""What every journey does, whatever its file says; then each kind of step its own story."""

from typing import Any

import pytest

from streams.contract.decisions import OUTCOMES, Decision
from tests.engine.journeys import CART, CHURN, INTEREST, LOOPED, journey, library
from tests.engine.world import DAY_MS, HOUR_MS, MINUTE_MS, OPEN, World, altered

ALL = (CART, CHURN, INTEREST, LOOPED)
ENDS = ("COMPLETED", "EXITED", "ERASED")
SEND = {"id": "say", "send": {"template": "cart_remind_v1"}, "expire": "2d"}
BARE = """
id = "bare"
version = 1
title = "骨架"
status = "live"
entry = { on = "cart.added", reentry = { cooldown = "0s" } }
step = []
"""


def world_of(*texts: str, **changes: Any) -> World:
    """A follower who may be reached by the official account, in these journeys."""
    world = World(altered(OPEN, journeys=tuple(journey(text, **changes) for text in texts)))
    world.see("ann", "user.followed")
    return world


def bare(*steps: dict[str, Any], **changes: Any) -> World:
    return world_of(BARE, step=list(steps), **changes)


def add(world: World, item_id: str = "pot", **fields: Any) -> None:
    data = {"item_id": item_id, "category": "tea", "price_fen": 900}
    world.see("ann", "cart.added", data, **fields)


def steps_of(decisions: list[Decision]) -> list[str]:
    return [f"{one.step} {one.outcome}" for one in decisions]


@pytest.mark.parametrize("text", ALL, ids=lambda text: journey(text).id)
@pytest.mark.parametrize("status", ["draft", "paused", "retired"])
def test_nobody_enters_a_journey_that_is_not_in_force(text: str, status: str) -> None:
    world = world_of(text, status=status)
    add(world)
    for _ in range(5):
        world.see("ann", "product.viewed", {"item_id": "1", "category": "tea"})
    world.wait(2 * DAY_MS)
    assert world.decisions == []


@pytest.mark.parametrize("text", ALL, ids=lambda text: journey(text).id)
def test_a_backfill_never_enters(text: str) -> None:
    world = world_of(text)
    for number, kind in enumerate(("cart.added", "product.viewed", "article.read") * 3):
        data = {"item_id": f"{number}", "article_id": f"{number}", "category": "tea"}
        world.see("ann", kind, data, backfill=True)
    assert world.triggers == []
    assert set(world.outcomes) <= {"BACKFILL"}


def test_every_match_every_due_step_and_every_end_has_one_decision() -> None:
    world = world_of(*ALL)
    for day in range(10):
        add(world, f"{day}")
        world.see("ann", "product.viewed", {"item_id": f"{day}", "category": f"c{day % 3}"})
        world.wait(DAY_MS)
    decisions = world.decisions
    assert len({one.decision_id for one in decisions}) == len(decisions)
    assert {one.outcome for one in decisions} <= OUTCOMES.keys()
    entries = [one for one in decisions if one.step == "enter"]
    ends = [one for one in decisions if one.outcome in ENDS]
    assert len(entries) == world.count("journey.matched")
    assert len(ends) == world.count("journey.ended")
    assert len(decisions) - len(entries) - len(ends) == world.count("journey.due")
    began = sum(one.outcome == "ENTERED" for one in entries)
    assert began == len(ends), "ten days later nobody is inside any more"


def test_a_forgotten_cart_is_recalled_after_half_an_hour() -> None:
    world = world_of(CART)
    add(world)
    world.wait(30 * MINUTE_MS - 1)
    assert world.triggers == []
    world.wait(1)
    (trigger,) = world.triggers
    assert trigger.kind == "message"
    assert trigger.message is not None
    assert trigger.message.template_id == "cart_remind_v1"
    assert trigger.content is not None
    assert trigger.content.item_id == "pot"
    assert trigger.explanation.reason == "CART_ABANDONED"
    assert trigger.channel == "official_account"


@pytest.mark.parametrize("event", ["order.created", "order.paid"])
def test_an_exit_takes_effect_in_the_middle_of_a_wait(event: str) -> None:
    world = world_of(CART)
    add(world)
    world.wait(MINUTE_MS)
    world.see("ann", event, {"order_id": "1", "amount_fen": 900})
    assert world.outcomes == ["ENTERED", "EXITED"]
    assert world.decisions[-1].decided_at_ms == world.now_ms
    world.wait(DAY_MS // 4)
    assert world.triggers == []


def test_an_exit_of_another_item_does_not_concern_the_journey() -> None:
    world = world_of(CART)
    add(world)
    world.see("ann", "cart.removed", {"item_id": "cup"})
    assert world.outcomes == ["ENTERED"]
    world.see("ann", "cart.removed", {"item_id": "pot"})
    assert world.outcomes == ["ENTERED", "EXITED"]


def test_an_exit_event_from_before_the_entry_does_not_end_it() -> None:
    world = world_of(CART)
    add(world)
    world.see("ann", "order.paid", {"order_id": "1"}, time_ms=world.now_ms - MINUTE_MS)
    assert world.outcomes == ["ENTERED"]


def test_a_cart_that_arrives_after_its_order_is_no_entry() -> None:
    world = world_of(CART)
    world.see("ann", "order.paid", {"order_id": "1"})
    add(world, time_ms=world.now_ms - MINUTE_MS)
    assert world.outcomes == []


def test_an_entry_event_from_long_ago_is_too_late() -> None:
    world = world_of(CART)
    add(world, time_ms=world.now_ms - 3 * DAY_MS)
    assert world.outcomes == ["LATE_ENTRY"]


def test_nobody_is_in_a_journey_twice_and_the_record_says_until_when() -> None:
    world = world_of(CART)
    add(world)
    add(world, "cup")
    assert world.outcomes == ["ENTERED", "REENTRY_BLOCKED"]
    assert world.decisions[-1].next_eligible_at_ms > world.now_ms


def test_an_entry_after_the_cooldown_counts_again() -> None:
    world = world_of(CART)
    add(world)
    world.wait(25 * HOUR_MS)
    add(world)
    assert world.outcomes.count("ENTERED") == 2


def test_an_entry_that_led_to_nothing_does_not_count() -> None:
    world = world_of(CART)
    world.see("ann", "consent.withdrawn", {"purpose": "marketing"})
    for _ in range(2):
        add(world)
        world.wait(21 * HOUR_MS)
    assert world.outcomes == ["ENTERED", "NO_CONSENT", "COMPLETED"] * 2


def test_at_most_so_many_entries_within_the_period() -> None:
    entry = {"on": "cart.added", "reentry": {"max": 2, "per": "10d", "cooldown": "1h"}}
    world = world_of(CART, entry=entry)
    for _ in range(4):
        add(world)
        world.wait(2 * DAY_MS)
    entries = [one.outcome for one in world.decisions if one.step == "enter"]
    assert entries == ["ENTERED", "ENTERED", "REENTRY_BLOCKED", "REENTRY_BLOCKED"]


def test_keys_tell_instances_apart_that_run_side_by_side() -> None:
    entry = {
        "on": "cart.added",
        "key": "data.item_id",
        "reentry": {"concurrent": True, "by": "key", "cooldown": "24h"},
    }
    world = world_of(CART, entry=entry)
    for item_id in ("pot", "cup", "pot"):
        add(world, item_id)
    assert world.outcomes == ["ENTERED", "ENTERED", "REENTRY_BLOCKED"]


def test_a_guard_is_asked_before_every_send() -> None:
    guarded = {"on": "cart.added", "guard": "profile.orders == 0"}
    world = bare({"id": "hold", "wait": "1h"}, SEND, entry=guarded)
    add(world)
    world.see("ann", "order.paid", {"order_id": "1", "amount_fen": 900})
    world.wait(HOUR_MS)
    assert steps_of(world.decisions) == ["enter ENTERED", "say GUARD_FALSE", "exit COMPLETED"]


def test_a_journey_ends_at_its_longest_even_in_a_wait() -> None:
    world = bare({"id": "hold", "wait": "9d"}, SEND, exit={"after": "2d"})
    add(world)
    world.wait(2 * DAY_MS)
    assert world.outcomes == ["ENTERED", "EXITED"]


def test_an_erasure_ends_the_wait() -> None:
    world = world_of(CART)
    add(world)
    world.see("ann", "user.erasure_requested")
    world.wait(DAY_MS)
    assert world.outcomes == ["ENTERED", "ERASED"]
    assert world.triggers == []


def test_of_two_people_who_are_one_an_instance_goes_on_once() -> None:
    world = world_of(CART)
    world.see("bob", "user.followed")
    add(world)
    world.see("bob", "cart.added", {"item_id": "pot", "category": "tea"})
    world.see("ann", "identity.linked", {"other": "bob"})
    world.wait(HOUR_MS)
    assert len(world.triggers) == 1
    assert sorted(world.outcomes) == ["COMPLETED", "ENTERED", "ENTERED", "EXITED", "SENT"]


WAIT = {
    "id": "look",
    "wait_for": {
        "on": "product.viewed",
        "where": "data.item_id == entry.item_id",
        "within": "2h",
    },
    "then": "say",
    "else": "exit",
}


def test_the_event_that_is_waited_for_goes_on_at_once() -> None:
    world = bare(WAIT, SEND)
    add(world)
    world.see("ann", "product.viewed", {"item_id": "cup"})
    assert world.triggers == []
    world.see("ann", "product.viewed", {"item_id": "pot"})
    assert len(world.triggers) == 1
    assert "look EVENT_CAME" in steps_of(world.decisions)


def test_what_does_not_come_times_out() -> None:
    world = bare(WAIT, SEND)
    add(world)
    world.wait(2 * HOUR_MS)
    assert steps_of(world.decisions) == ["enter ENTERED", "look TIMED_OUT", "exit COMPLETED"]


def test_a_condition_chooses_the_way() -> None:
    fork = {"id": "fork", "if": "entry.value_fen >= 5000", "then": "say", "else": "exit"}
    for price_fen, sent in ((900, 0), (9_000, 1)):
        world = bare(fork, SEND)
        world.see("ann", "cart.added", {"item_id": "pot", "price_fen": price_fen})
        assert len(world.triggers) == sent


def test_a_split_writes_the_probability_of_its_way() -> None:
    fork = {"id": "fork", "split": {"say": 3.0, "quiet": 1.0}}
    world = bare(fork, SEND | {"goto": "exit"}, {"id": "quiet", "wait": "1m"})
    ways = []
    for number in range(40):
        add(world, f"{number}")
        (one,) = [d for d in world.decisions if d.step == "fork"][number:]
        ways.append((one.arm, one.propensity))
        world.wait(MINUTE_MS)
    assert set(ways) == {("say", 0.75), ("quiet", 0.25)}


@pytest.mark.parametrize(
    ("until", "hour"), [("20:30", 20.5), ("09:00", 33.0), ("12:00", 36.0), ("best", 36.0)]
)
def test_a_time_of_the_day_is_the_persons_own(until: str, hour: float) -> None:
    world = bare({"id": "then", "until": until}, SEND)
    add(world)  # at noon, the most active hour
    world.wait(int((hour - 12) * HOUR_MS) - 1)
    assert world.triggers == []
    world.wait(1)
    assert len(world.triggers) == 1


def test_a_decision_knows_what_came_of_an_earlier_step() -> None:
    fork = {"id": "fork", "if": "clicked('say')", "then": "again", "else": "exit"}
    again = {"id": "again", "send": {"template": "cart_remind_v1"}}
    world = bare(SEND, {"id": "hold", "wait": "26h"}, fork, again)
    add(world)
    answer = {"trigger_id": world.triggers[0].trigger_id, "channel": "official_account"}
    world.see("ann", "push.clicked", answer)
    world.wait(26 * HOUR_MS)
    assert len(world.triggers) == 2


def test_where_the_policy_refuses_the_file_says_how_to_go_on() -> None:
    other = {"id": "other", "wait": "5h"}
    world = bare(SEND | {"on_fail": "other", "goto": "exit"}, other, SEND | {"id": "retry"})
    world.see("ann", "consent.withdrawn", {"purpose": "marketing"})
    add(world)
    world.wait(MINUTE_MS)
    world.see("ann", "consent.granted", {"purpose": "marketing"})
    world.wait(5 * HOUR_MS)
    assert steps_of(world.decisions)[1:3] == ["say NO_CONSENT", "retry SENT"]


def test_an_interest_that_rises_over_the_threshold_is_met_once() -> None:
    world = world_of(INTEREST)
    for number in range(8):
        world.see("ann", "product.viewed", {"item_id": f"{number}", "category": "tea"})
        world.wait(MINUTE_MS)
    (trigger,) = world.triggers
    assert trigger.content is not None
    assert trigger.content.category == "tea"
    assert trigger.explanation.top[0].feature == "interest:tea"
    assert trigger.explanation.score >= 0.35


def test_a_person_likely_to_stay_away_gets_a_coupon_that_says_why() -> None:
    world = world_of(CHURN, entry={"on": "daily.check", "where": "score('churn') >= 0.0"})
    world.wait(2 * DAY_MS)
    trigger = world.triggers[0]
    assert trigger.coupon is not None
    assert trigger.coupon.cost_fen == library().coupons[0].cost_fen
    assert trigger.explanation.reason == "CHURN_RISK"
    assert len(trigger.explanation.top) == 3


def test_who_refused_personalisation_gets_no_personal_wording() -> None:
    world = bare(SEND)
    world.see("ann", "consent.withdrawn", {"purpose": "personalisation"})
    add(world)
    assert [trigger.personalised for trigger in world.triggers] == [False]


def test_an_exit_is_asked_only_about_fields_that_its_type_has() -> None:
    world = world_of(
        CART,
        exit={
            "on": ["cart.removed", "user.unfollowed", "consent.withdrawn"],
            "where": "data.item_id == entry.item_id and data.purpose in ['marketing', '*']",
        },
    )
    add(world)
    world.see("ann", "cart.removed", {"item_id": "cup"})
    world.see("ann", "consent.withdrawn", {"purpose": "research"})
    assert world.outcomes == ["ENTERED"]
    world.see("ann", "user.unfollowed")
    assert world.outcomes == ["ENTERED", "EXITED"]


def test_after_a_refusal_the_person_rests_before_the_next_entry() -> None:
    world = world_of(CART)
    world.see("ann", "consent.withdrawn", {"purpose": "marketing"})
    for _ in range(3):
        add(world)
        world.wait(10 * HOUR_MS)
    entries = [one.outcome for one in world.decisions if one.step == "enter"]
    assert entries == ["ENTERED", "REENTRY_BLOCKED", "REENTRY_BLOCKED"]


@pytest.mark.parametrize("name", ["enter", "exit"])
def test_names_that_decisions_use_themselves_are_no_steps_names(name: str) -> None:
    world = World(altered(OPEN, journeys=()))
    world.publish(journey(BARE, step=[{"id": name, "wait": "1h"}]))
    assert "are no step's names" in world.reports[-1].problem


def test_a_way_back_without_a_wait_is_refused() -> None:
    world = World(altered(OPEN, journeys=()))
    world.publish(journey(BARE, step=[SEND | {"goto": "say"}]))
    assert "leads back to itself without a wait" in world.reports[-1].problem
