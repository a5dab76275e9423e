"""The power of the policy checker: each trigger that is planted against a rule is found, and
nothing else is.
"""

from typing import Any

import pytest

from streams.contract.policy import Cap, Entitlement
from streams.contract.records import Tick
from streams.contract.triggers import Content, Coupon, Experiment, Message
from streams.engine.config import Config
from streams.simulation.policy_checker import check_policy
from tests.engine.journeys import CART, journey
from tests.engine.world import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    NOON_MS,
    alias_in,
    altered,
    with_policy,
)
from tests.simulation.forging import (
    CHEAP,
    CREDIT,
    DAILY_FEN,
    ERASED,
    LOOSE,
    PLAIN,
    News,
    besides,
    forged,
    found,
    never_late,
    played,
)
from tests.simulation.histories import Storm

LONDON: list[News] = [("user.attributes_given", {"attributes": {"zone": "Europe/London"}})]
AFTER_THE_CHANGE_MS = 1_792_915_200_000  # 2026-10-25 08:00 in London, clocks set back that night
TALK: News = ("message.received", {})
WORDS = Message("nudge", {})


@pytest.mark.parametrize(
    ("news", "changes"),
    [
        ([], {}),
        ([], {"hours_ago": 23}),
        ([("consent.withdrawn", {"channel": "wecom"})], {}),
        ([("contact.removed_by_staff", {})], {}),
        ([("feedback.not_interested", {"campaign": "coupon", "category": "tea"})], {}),
        (LONDON, {"not_before_ms": AFTER_THE_CHANGE_MS}),
        ([CREDIT], {"channel": "mini_programme", "message": WORDS}),
        ([], {"kind": "coupon", "coupon": CHEAP}),
        ([TALK], {"channel": "customer_service", "purpose": "service", "campaign": "care"}),
        ([("contact.added", {})], {"channel": "wecom", "awaits_staff": True}),
    ],
)
def test_a_trigger_that_keeps_every_rule_is_accepted(
    news: list[News], changes: dict[str, Any]
) -> None:
    world = played(*news)
    assert found(world, *forged(world, **changes)) == []


TEA = Message("cart_remind_v1", {"item_id": "pot", "category": "tea"})
SHOWN = Content("tea", "pot")
DEAR = Coupon("WINBACK10", DAILY_FEN, DAILY_FEN + 1)
UNWANTED: dict[str, tuple[list[News], dict[str, Any], str]] = {
    "without consent": ([], {"user_id": "bob", "cause_event_id": "bobs"}, "no consent"),
    "after a withdrawal": ([("consent.withdrawn", {})], {}, "was withdrawn"),
    "after a withdrawal of everything": (
        [("consent.withdrawn", {"purpose": "*"}), ("consent.granted", {"purpose": "service"})],
        {},
        "was withdrawn",
    ),
    "by a channel not wanted": (
        [("consent.withdrawn", {"channel": "wecom"})],
        {"channel": "wecom", "awaits_staff": True},
        "marketing by wecom was withdrawn",
    ),
    "after an unfollow": ([("user.unfollowed", {})], {}, "after user.unfollowed"),
    "service after an unfollow": (
        [("user.unfollowed", {})],
        {"purpose": "service", "campaign": "care"},
        "by official_account after user.unfollowed",
    ),
    "after the contact was removed": (
        [("contact.added", {}), ("contact.removed_by_customer", {})],
        {},
        "after contact.removed_by_customer",
    ),
    "through a contact the staff removed": (
        [("contact.added", {}), ("contact.removed_by_staff", {})],
        {"channel": "wecom", "awaits_staff": True},
        "by wecom after",
    ),
    "of a refused campaign": (
        [("feedback.not_interested", {"campaign": "cart_rescue"})],
        {},
        "not interested in cart_rescue",
    ),
    "of a refused category": (
        [("feedback.not_interested", {"category": "tea"})],
        {"message": TEA},
        "not interested in tea",
    ),
    "of a refused item": (
        [("feedback.not_interested", {"item_id": "pot"})],
        {"kind": "content", "content": SHOWN},
        "not interested in pot",
    ),
    "to who wants nothing": ([("feedback.not_interested", {})], {}, "not interested in anything"),
    "worded for who refused that": (
        [("consent.withdrawn", {"purpose": "personalisation"})],
        {"personalised": True},
        "personalised for somebody",
    ),
    "at night": ([], {"not_before_ms": NOON_MS + 35 * HOUR_MS}, "hours of Asia/Shanghai"),
    "at the person's night": (
        [("user.attributes_given", {"attributes": {"zone": "America/New_York"}})],
        {},
        "hours of America/New_York",
    ),
    "before the morning of the day the clocks change": (
        LONDON,
        {"not_before_ms": AFTER_THE_CHANGE_MS - MINUTE_MS},
        "hours of Europe/London",
    ),
    "on a holiday": ([], {"not_before_ms": NOON_MS + 48 * HOUR_MS}, "on the holiday 2026-10-03"),
    "when expired": ([], {"expires_at_ms": NOON_MS}, "in this order"),
    "without a credit": ([], {"channel": "mini_programme", "message": WORDS}, "no unit to send"),
    "with the credit of another template": (
        [CREDIT],
        {"channel": "mini_programme", "message": Message("order", {})},
        "no unit to send by mini_programme",
    ),
    "with a credit that was refused since": (
        [CREDIT, ("subscription.credit_refused", {"template_id": "nudge"})],
        {"channel": "mini_programme", "message": WORDS},
        "no unit to send by mini_programme",
    ),
    "with a credit the provider says is gone": (
        [
            CREDIT,
            ("push.failed", {"trigger_id": "x", "channel": "mini_programme", "code": "43101"}),
        ],
        {"channel": "mini_programme", "message": WORDS},
        "no unit to send by mini_programme",
    ),
    "in a window that has closed": (
        [("menu.clicked", {})],
        {"channel": "customer_service"},
        "no unit to send by customer_service",
    ),
    "without the staff that must confirm it": (
        [("contact.added", {})],
        {"channel": "wecom"},
        "needs staff_confirm",
    ),
    "over the day's budget": ([], {"kind": "coupon", "coupon": DEAR}, "the budget is 3000"),
    "over the budget of the person": (
        [],
        {"kind": "coupon", "coupon": Coupon("X", 2_001, 2_001)},
        "2001 fen for this person",
    ),
    "to the control group": (
        [],
        {"experiment": Experiment("hold", 0.1, holdout=True)},
        "control group",
    ),
    "of a shadow": ([], {"campaign": "shadow"}, "is shadow: nothing of it may go out"),
    "of no journey": ([], {"campaign": "eternal"}, "was not published"),
    "of no version": ([], {"campaign_version": 7}, "@7 was not published"),
    "for another purpose": ([], {"purpose": "service"}, "its journey for marketing"),
    "for another tenant": ([], {"tenant": "eve"}, "of the tenant eve"),
    "after an erasure": ([ERASED], {}, "its person is erased"),
    "for something before an erasure": (
        [ERASED, ("user.followed", {}), ("consent.granted", {})],
        {"user_id": "ann.1"},
        "its cause is no event of this person",
    ),
    "to who is somebody else now": (
        [("identity.linked", {"other": "bob"})],
        {"user_id": "bob"},
        "its person is merged into another",
    ),
    "to a stranger": ([], {"user_id": "eve"}, "its person is unknown"),
    "for a backfill": ([], {"cause_event_id": "history"}, "its cause is a backfill"),
    "at no time of the log": ([], {"created_at_ms": NOON_MS + 1}, "the clock never showed"),
}


@pytest.mark.parametrize("name", UNWANTED)
def test_a_trigger_is_found_that_goes_out(name: str) -> None:
    news, changes, words = UNWANTED[name]
    world = played(*news)
    faults = found(world, *forged(world, **changes))
    assert any(words in fault for fault in faults), faults


ROLLING = with_policy(LOOSE, caps=(Cap(most=1, window_ms=DAY_MS),))
CALENDAR = with_policy(LOOSE, caps=(Cap(most=1, per="calendar day"),))
OWN = altered(LOOSE, journeys=(journey(CART, limits={"caps": [{"max": 1, "per": "2d"}]}),))
EACH_DAY = Entitlement(channel="official_account", per="calendar day", units=1)
BY_MINI: dict[str, Any] = {"channel": "mini_programme", "message": WORDS}
COSTLY: dict[str, Any] = {"kind": "coupon", "coupon": Coupon("X", 3_000, 3_000)}
TWICE: dict[str, tuple[Config, int, dict[str, Any], str]] = {
    "a cap that rolls": (ROLLING, 23, {}, "within 86400000 ms, the cap is 1"),
    "a cap of the calendar": (CALENDAR, 3, {}, "within one calendar day, the cap is 1"),
    "a cap of the journey": (OWN, 23, {}, "within 172800000 ms, the cap is 1"),
    "the gap": (with_policy(LOOSE, gap_ms=HOUR_MS + 1), 1, {}, "3600000 ms apart"),
    "one credit": (LOOSE, 3, BY_MINI, "no unit to send by mini_programme is left"),
    "one unit of the day": (
        with_policy(LOOSE, entitlements=(EACH_DAY,)),
        3,
        {},
        "no unit to send by official_account is left",
    ),
    "the money of the journey": (
        LOOSE,
        3,
        COSTLY,
        "account cart_rescue: 6000 fen were spent, the budget is 5000",
    ),
    "the money of all": (
        with_policy(altered(LOOSE, journeys=(journey(CART),)), total_budget_fen=4_000),
        23,
        COSTLY,
        "account policy: 6000 fen were spent, the budget is 4000",
    ),
}


@pytest.mark.parametrize("name", TWICE)
def test_the_second_of_two_triggers_is_found_that_is_one_too_many_for(name: str) -> None:
    config, hours, changes, words = TWICE[name]
    world = played(CREDIT, config=never_late(config))
    first, second = forged(world, hours_ago=hours, **changes), forged(world, **changes)
    assert found(world, *first) == []
    faults = found(world, *first, *second)
    assert faults
    assert all(words in fault for fault in faults), faults


def test_the_two_clocks_of_a_gap_are_both_asked() -> None:
    world = played()
    later = forged(world, hours_ago=20, not_before_ms=world.now_ms - HOUR_MS)
    faults = found(world, *later, *forged(world))
    assert any("released 3600000 ms apart" in fault for fault in faults)


def test_a_cap_counts_what_a_person_had_in_another_partition() -> None:
    world = Storm(altered(PLAIN, partitions=2))
    ann, bob = alias_in(0, 2, "ann"), alias_in(1, 2, "bob")
    for alias in (ann, bob):
        world.see(alias, "user.followed", id=f"follow {alias}")
        world.see(alias, "consent.granted")
    early = forged(
        world, user_id=bob, cause_event_id=f"follow {bob}", trigger_id="early", decision_id="first"
    )
    world.see(ann, "identity.linked", {"other": bob})
    while world.deliver():
        pass
    world.wait(HOUR_MS)
    world.feed(0, Tick(at_ms=world.now_ms))
    later = forged(world, user_id=ann, cause_event_id=f"follow {bob}")
    home, other = (one._replace(counters=None) for one in world.dumped())
    home = besides(home, *later)
    assert check_policy([home, other]) == []
    faults = check_policy([home, besides(other, *early)])
    assert any("2 created within" in fault for fault in faults)


def test_the_money_of_a_day_is_one_over_all_partitions() -> None:
    world = Storm(altered(PLAIN, partitions=2))
    aliases = [alias_in(place, 2) for place in (0, 1)]
    for alias in aliases:
        world.see(alias, "user.followed", id="follow")
        world.see(alias, "consent.granted")
    parts = [
        besides(
            part._replace(counters=None),
            *forged(
                world,
                user_id=alias,
                trigger_id=alias,
                decision_id=f"of {alias}",
                kind="coupon",
                coupon=Coupon("X", 1_600, 1_600),
            ),
        )
        for alias, part in zip(aliases, world.dumped(), strict=True)
    ]
    assert check_policy(parts[:1]) == []
    faults = check_policy(parts)
    assert len(faults) == 1
    assert "account policy on day 20727: 3200 fen were spent, the budget is 3000" in faults[0]
