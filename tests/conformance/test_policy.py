"""The gates: their order, their codes, and what an independent count over the trigger log says."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.contract.decisions import OUTCOMES
from streams.contract.triggers import Trigger
from streams.engine.config import Cap, Config, QuietHours
from streams.engine.policy import GATES
from streams.engine.policy.quiet import is_quiet, quiet_end_ms
from tests.engine.world import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    NOON_MS,
    OPEN,
    World,
    altered,
    with_policy,
)

EVERY_CART = altered(OPEN, cart_rescue=replace(OPEN.cart_rescue, cooldown_ms=0))
COUPONS = altered(
    OPEN, churn_coupon=replace(OPEN.churn_coupon, threshold=0.0, cooldown_ms=0, priority=1)
)


def follower(config: Config = OPEN, alias: str = "ann") -> World:
    world = World(config)
    world.see(alias, "user.followed")
    return world


def abandon(world: World, alias: str = "ann", item: str = "pot") -> str:
    """Abandon a cart; the outcome of the reminder."""
    world.see(alias, "cart.added", {"item_id": item, "price_fen": 900})
    world.wait(world.config.cart_rescue.wait_ms)
    return world.outcomes[-1]


def test_the_gates_stand_in_their_documented_order() -> None:
    order = ["consent", "suppression", "address", "global_holdout", "journey_holdout"]
    assert [gate.__name__ for gate in GATES] == [*order, "cap", "gap", "quiet", "budget"]


# Consent.


def test_marketing_needs_a_grant() -> None:
    world = follower(with_policy(OPEN, default_consent=False))
    assert abandon(world) == "NO_CONSENT"
    world.see("ann", "consent.granted", {"version": "2026-10"})
    assert abandon(world) == "SENT"
    assert world.triggers[0].consent_version == "2026-10"


def test_a_withdrawal_counts_at_the_next_record() -> None:
    world = follower()
    world.see("ann", "cart.added", {"item_id": "pot"})
    world.see("ann", "consent.withdrawn", {"purpose": "*"})
    world.wait(HOUR_MS)
    assert world.outcomes[-1] == "NO_CONSENT"


@pytest.mark.parametrize("first", ["consent.granted", "consent.withdrawn"])
def test_the_latest_statement_by_event_time_wins(first: str) -> None:
    other = {"consent.granted": "consent.withdrawn", "consent.withdrawn": "consent.granted"}[first]
    world = follower()
    world.see("ann", first, time_ms=world.now_ms)
    world.see("ann", other, time_ms=world.now_ms - 1)
    assert abandon(world) == ("SENT" if first == "consent.granted" else "NO_CONSENT")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_statements_at_one_time_the_stricter_wins(order: tuple[int, int]) -> None:
    world = follower()
    kinds = ("consent.granted", "consent.withdrawn")
    for place in order:
        world.see("ann", kinds[place], time_ms=world.now_ms)
    assert abandon(world) == "NO_CONSENT"


def test_a_refusal_of_one_channel_leaves_the_others() -> None:
    world = follower()
    world.see("ann", "consent.granted", {"channel": "*"})
    world.see("ann", "contact.added")
    world.wait(1)
    world.see("ann", "consent.withdrawn", {"channel": "official_account"})
    assert abandon(world) == "SENT"
    assert world.triggers[0].channel != "official_account"


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_consent_is_the_strictest_of_the_latest(said: list[tuple[bool, int]]) -> None:
    world = follower()
    for granted, minute in said:
        kind = "consent.granted" if granted else "consent.withdrawn"
        world.see("ann", kind, time_ms=world.now_ms - HOUR_MS + minute * MINUTE_MS)
    latest = max(minute for _, minute in said)
    allowed = all(granted for granted, minute in said if minute == latest)
    assert abandon(world) == ("SENT" if allowed else "NO_CONSENT")


# Suppression and address.


def test_who_unfollowed_is_left_in_peace_until_they_follow_again() -> None:
    world = follower()
    world.see("ann", "user.unfollowed")
    assert abandon(world) == "SUPPRESSED"
    world.see("ann", "user.followed")
    assert abandon(world) == "SENT"


@pytest.mark.parametrize(
    "refused", [{"campaign": "cart_rescue"}, {"campaign": "message"}, {"category": "tea"}, {}]
)
def test_who_said_no_to_this_kind_is_not_asked_again(refused: dict[str, str]) -> None:
    world = follower()
    world.see("ann", "feedback.not_interested", refused)
    world.see("ann", "cart.added", {"item_id": "pot", "category": "tea"})
    world.wait(HOUR_MS)
    assert world.outcomes[-1] == "SUPPRESSED"


def test_who_said_no_to_something_else_is_asked() -> None:
    world = follower()
    world.see("ann", "feedback.not_interested", {"campaign": "churn_coupon", "category": "cups"})
    world.see("ann", "cart.added", {"item_id": "pot", "category": "tea"})
    world.wait(HOUR_MS)
    assert world.outcomes[-1] == "SENT"


def test_who_cannot_be_reached_is_not_addressed() -> None:
    world = World(COUPONS)
    world.see("ann", "ad.clicked", {"ad_id": "1"})
    world.wait(DAY_MS)
    assert world.outcomes == ["NO_ADDRESS"]


def test_a_subscription_credit_is_one_message() -> None:
    world = World(COUPONS)
    world.see("ann", "subscription.credit_granted", time_ms=world.now_ms - 6 * DAY_MS)
    world.see("ann", "ad.clicked", {"ad_id": "1"})
    for _ in range(3):
        world.wait(DAY_MS)
    assert [trigger.channel for trigger in world.triggers] == ["mini_programme"]
    assert world.outcomes[-1] == "NO_ADDRESS"


def test_the_channel_the_person_uses_most_is_preferred() -> None:
    world = follower()
    world.see("ann", "contact.added")
    for _ in range(3):
        world.see("ann", "push.clicked", {"trigger_id": "1", "channel": "wecom"})
    abandon(world)
    assert world.triggers[0].channel == "wecom"


# Control groups.


def test_a_control_group_gets_a_ghost_decision_with_its_propensity() -> None:
    config = altered(
        with_policy(OPEN, global_holdout=0.2), cart_rescue=replace(OPEN.cart_rescue, holdout=0.5)
    )
    world = World(config)
    for number in range(200):
        world.see(f"p{number}", "user.followed")
        world.see(f"p{number}", "cart.added", {"item_id": "pot"})
    world.wait(HOUR_MS)
    steps = [decision for decision in world.decisions if decision.step == "remind"]
    held = [decision for decision in steps if decision.outcome.startswith("HOLDOUT")]
    sent = [decision for decision in steps if decision.outcome == "SENT"]
    assert len(held) + len(sent) == 200
    assert {decision.propensity for decision in sent} == {0.4}
    assert {decision.propensity for decision in held} == {0.6}
    assert 90 <= len(held) <= 150
    assert 20 <= sum(decision.outcome == "HOLDOUT_GLOBAL" for decision in held) <= 60
    assert all(not trigger.experiment.holdout for trigger in world.triggers)


# Caps and the gap, counted again from the triggers alone.


def violations(triggers: list[Trigger], caps: tuple[Cap, ...], gap_ms: int) -> list[str]:
    wrong = []
    people = sorted({trigger.user_id for trigger in triggers})
    for clock in ("created_at_ms", "not_before_ms"):
        for person in people:
            theirs = sorted(getattr(t, clock) for t in triggers if t.user_id == person)
            for cap in caps:
                for time_ms in theirs:
                    window = [t for t in theirs if time_ms - cap.window_ms < t <= time_ms]
                    if len(window) > cap.most:
                        wrong.append(f"{person}: {len(window)} within {cap.window_ms} by {clock}")
            pairs = pairwise(theirs)
            wrong += [f"{person}: gap of {b - a} by {clock}" for a, b in pairs if b - a < gap_ms]
    return wrong


CAPS = (Cap(most=1, window_ms=6 * HOUR_MS), Cap(most=2, window_ms=DAY_MS))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 300)), max_size=40))
@settings(max_examples=40, deadline=None)
def test_caps_and_gap_hold_for_any_history(carts: list[tuple[str, int]]) -> None:
    gap_ms = 2 * HOUR_MS
    world = World(with_policy(EVERY_CART, caps=CAPS, gap_ms=gap_ms))
    for alias in "abc":
        world.see(alias, "user.followed")
    for number, (alias, minutes) in enumerate(carts):
        world.see(alias, "cart.added", {"item_id": f"{number}"})
        world.wait(minutes * MINUTE_MS)
    assert violations(world.triggers, CAPS, gap_ms) == []


def test_a_cap_frees_itself_when_the_window_has_passed() -> None:
    world = follower(with_policy(EVERY_CART, caps=(Cap(most=1, window_ms=3 * HOUR_MS),), gap_ms=0))
    assert [abandon(world) for _ in range(8)] == ["SENT", *["CAP_PERSON"] * 6, "SENT"]
    blocked = next(d for d in world.decisions if d.outcome == "CAP_PERSON")
    sent_ms = world.triggers[0].created_at_ms
    assert blocked.next_eligible_at_ms == sent_ms + 3 * HOUR_MS + 1
    assert blocked.seen == {"sent": 1.0, "most": 1.0}


def test_a_cap_of_one_channel_leads_to_the_next_and_then_to_none() -> None:
    caps = (Cap(channel="official_account", most=1, window_ms=DAY_MS),)
    world = World(with_policy(EVERY_CART, caps=caps, gap_ms=0))
    for _ in range(3):
        world.see("ann", "article.read", {"article_id": "1"})
    world.see("ann", "cart.added", {"item_id": "1"}, time_ms=world.now_ms - 3 * HOUR_MS)
    world.wait(HOUR_MS)
    abandon(world)
    assert [trigger.channel for trigger in world.triggers] == ["official_account", "mini_programme"]


def test_two_messages_keep_their_gap() -> None:
    world = follower(with_policy(EVERY_CART, caps=(), gap_ms=2 * HOUR_MS))
    outcomes = [abandon(world) for _ in range(5)]
    assert outcomes == ["SENT", "CAP_GAP", "CAP_GAP", "CAP_GAP", "SENT"]


# Quiet hours.


def test_what_falls_into_the_night_is_released_in_the_morning() -> None:
    world = follower()
    world.wait(10 * HOUR_MS)  # 22:00 in Shanghai
    assert abandon(world) == "QUIET_DEFERRED"
    (trigger,) = world.triggers
    released = datetime.fromtimestamp(trigger.not_before_ms / 1000, ZoneInfo("Asia/Shanghai"))
    assert (released.day, released.hour) == (2, 8)
    assert released.minute < 15


def test_the_persons_own_zone_counts() -> None:
    world = follower()
    world.see("ann", "user.attributes_given", {"attributes": {"zone": "America/New_York"}})
    assert abandon(world) == "QUIET_DEFERRED"  # half past midnight there


def test_an_unknown_zone_is_refused_and_counted() -> None:
    world = follower()
    world.see("ann", "user.attributes_given", {"attributes": {"zone": "Moon/Crater"}})
    assert abandon(world) == "SENT"
    assert world.count("clean.attribute") == 1


def test_what_would_be_released_too_late_has_expired() -> None:
    settings = replace(OPEN.cart_rescue, expires_ms=2 * HOUR_MS)
    world = follower(altered(OPEN, cart_rescue=settings))
    world.wait(10 * HOUR_MS)
    assert abandon(world) == "EXPIRED"
    assert world.triggers == []


ZONES = ("Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe", "UTC")
# The weeks of the changes to and from summer time in 2026, and any other.
CHANGES = (1_772_928_000_000, 1_793_491_200_000, 1_774_742_400_000, 1_792_886_400_000, NOON_MS)


@given(
    zone=st.sampled_from(ZONES),
    near_ms=st.sampled_from(CHANGES),
    minute=st.integers(-3_000, 3_000),
    start=st.integers(0, 1_439),
    length=st.integers(1, 1_400),
)
@settings(max_examples=400, deadline=None)
def test_the_end_of_the_quiet_hours_is_never_quiet(
    zone: str, near_ms: int, minute: int, start: int, length: int
) -> None:
    hours = QuietHours(from_minute=start, to_minute=(start + length) % 1_440)
    time_ms = near_ms + minute * MINUTE_MS
    if not is_quiet(hours, zone, time_ms):
        return
    end_ms = quiet_end_ms(hours, zone, time_ms)
    assert time_ms < end_ms <= time_ms + DAY_MS + 2 * HOUR_MS
    assert not is_quiet(hours, zone, end_ms)
    assert is_quiet(hours, zone, end_ms - MINUTE_MS) or length > 1_300


@pytest.mark.parametrize(
    ("night", "hours"), [((2026, 3, 7), 9), ((2026, 10, 31), 11), ((2026, 6, 1), 10)]
)
def test_a_night_in_which_clocks_change_is_an_hour_shorter_or_longer(
    night: tuple[int, int, int], hours: int
) -> None:
    zone = ZoneInfo("America/New_York")
    start_ms = int(datetime(*night, 22, tzinfo=zone).timestamp() * 1000)
    assert quiet_end_ms(QuietHours(), "America/New_York", start_ms) == start_ms + hours * HOUR_MS


# Budget and arbitration.


def test_the_day_s_budget_of_the_partition_is_never_overspent() -> None:
    cost_fen = COUPONS.churn_coupon.cost_fen
    world = World(with_policy(COUPONS, daily_budget_fen=3 * cost_fen, caps=(), gap_ms=0))
    for number in range(12):
        world.see(f"p{number}", "user.followed")
    world.wait(5 * DAY_MS)
    days: dict[int, int] = {}
    for trigger in world.triggers:
        assert trigger.coupon is not None
        day = (trigger.created_at_ms + 8 * HOUR_MS) // DAY_MS
        days[day] = days.get(day, 0) + trigger.coupon.cost_fen
    assert max(days.values()) == 3 * cost_fen
    assert "BUDGET_DAY" in world.outcomes


def test_a_partition_has_its_share_of_the_budget() -> None:
    cost_fen = COUPONS.churn_coupon.cost_fen
    config = altered(with_policy(COUPONS, daily_budget_fen=2 * cost_fen - 1), partitions=2)
    world = World(config)
    for number in range(12):
        world.see(f"p{number}", "user.followed")
    world.wait(DAY_MS)
    assert set(world.outcomes) == {"BUDGET_DAY"}


def test_of_two_proposals_of_one_moment_the_lower_number_wins() -> None:
    world = follower(COUPONS)
    check_ms = world.folds[0].next_due_ms()
    assert check_ms is not None
    wait_ms = check_ms - world.now_ms
    config = altered(COUPONS, cart_rescue=replace(OPEN.cart_rescue, wait_ms=wait_ms, priority=2))
    world = follower(config)
    world.see("ann", "cart.added", {"item_id": "pot"})
    world.wait(wait_ms)
    assert [trigger.kind for trigger in world.triggers] == ["coupon"]
    assert world.outcomes[0] == "ENTERED"
    assert sorted(world.outcomes[1:])[0] == "LOST_ARBITRATION"


def test_every_outcome_of_a_gate_is_in_the_contract() -> None:
    world = World(with_policy(COUPONS, default_consent=False, global_holdout=0.3))
    for number in range(30):
        world.see(f"p{number}", "user.followed")
        if number % 2:
            world.see(f"p{number}", "consent.granted")
    world.wait(4 * DAY_MS)
    assert set(world.outcomes) <= OUTCOMES.keys()
    assert {"NO_CONSENT", "HOLDOUT_GLOBAL", "SENT"} <= set(world.outcomes)
