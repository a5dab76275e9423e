"""The power of the policy checker: each violation that is planted is found, and nothing else is."""

from typing import Any

import pytest
from msgspec.structs import replace

from streams.contract.codec import decode, encode
from streams.contract.decisions import Decision
from streams.contract.profiles import Profile
from streams.contract.records import Tick
from streams.contract.topics import DECISIONS, PROFILES, TRIGGERS
from streams.contract.triggers import Content, Coupon, Experiment, Explanation, Message, Trigger
from streams.engine.config import Config
from streams.fold import Output
from streams.simulation.policy_checker import Partition, check_policy
from tests.engine.world import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    NOON_MS,
    OPEN,
    World,
    alias_in,
    altered,
    with_policy,
)
from tests.simulation.test_policy_checker import dumped

SHARE_FEN = 3_000


PLAIN = altered(
    with_policy(OPEN, default_consent=False, daily_budget_fen=SHARE_FEN),
    churn_coupon=replace(OPEN.churn_coupon, enabled=False),
)
News = tuple[str, dict[str, Any]]


def played(*news: News, config: Config = PLAIN) -> World:
    """Ann follows and allows, bob follows only; the news of ann follow, and a day of ticks."""
    world = World(config)
    world.see("ann", "page.viewed", id="history", backfill=True)
    world.see("ann", "user.followed", id="follow")
    world.see("ann", "consent.granted")
    world.see("bob", "user.followed")
    for kind, data in news:
        world.wait(MINUTE_MS)
        world.see("ann", kind, data)
    for _ in range(24):
        world.wait(HOUR_MS)
        world.feed(0, Tick(at_ms=world.now_ms))
    return world


def forged(world: World, *, hours_ago: int = 0, **changes: Any) -> tuple[Trigger, Decision]:
    """A trigger to ann that keeps every rule but for the changes, and its decision."""
    at_ms = world.now_ms - hours_ago * HOUR_MS
    made = Trigger(
        trigger_id=f"forged {hours_ago}",
        kind="message",
        user_id="ann",
        channel="official_account",
        purpose="marketing",
        created_at_ms=at_ms,
        not_before_ms=at_ms,
        expires_at_ms=at_ms + 40 * DAY_MS,
        campaign="cart_rescue",
        campaign_version=1,
        decision_id=f"decided {hours_ago}",
        cause_event_id="follow",
        experiment=Experiment("send", 1.0, holdout=False),
        explanation=Explanation("CART_ABANDONED", 0.0, []),
    )
    trigger = replace(made, **changes)
    decision = Decision(
        decision_id=trigger.decision_id,
        user_id=trigger.user_id,
        journey=trigger.campaign,
        journey_version=1,
        step="remind",
        outcome="SENT" if trigger.not_before_ms == trigger.created_at_ms else "QUIET_DEFERRED",
        decided_at_ms=trigger.created_at_ms,
        cause_event_id=trigger.cause_event_id,
        trigger_id=trigger.trigger_id,
        channel=trigger.channel,
        cost_fen=trigger.coupon.cost_fen if trigger.coupon else 0,
    )
    return trigger, decision


def found(world: World, *claims: Trigger | Decision | Profile) -> list[str]:
    """What the checker says where these stand in the topics besides what the engine emitted."""
    return check_policy(world.config, [besides(dumped(world)[0], *claims)])


def last_profile(world: World, user_id: bytes) -> Profile:
    records = dumped(world)[0].outputs[PROFILES]
    value = [one.value for one in records if one.key == user_id][-1]
    profile: Profile = decode(value or b"", Profile)
    return profile


def besides(partition: Partition, *claims: Trigger | Decision | Profile) -> Partition:
    outputs = {topic: list(records) for topic, records in partition.outputs.items()}
    for claim in claims:
        topic = PROFILES if isinstance(claim, Profile) else DECISIONS
        if isinstance(claim, Trigger):
            topic = TRIGGERS[claim.kind]
        record = Output(topic, claim.user_id.encode(), encode(claim))
        outputs.setdefault(topic, []).append(record)
    return partition._replace(outputs=outputs)


LONDON = [("user.attributes_given", {"attributes": {"zone": "Europe/London"}})]
AFTER_THE_CHANGE_MS = 1_792_915_200_000  # 2026-10-25 08:00 in London, clocks set back that night


@pytest.mark.parametrize(
    ("news", "changes"),
    [
        ([], {}),
        ([], {"hours_ago": 23}),
        ([("consent.withdrawn", {"channel": "wecom"})], {}),
        ([("contact.removed_by_staff", {})], {}),
        ([("feedback.not_interested", {"campaign": "coupon", "category": "tea"})], {}),
        (LONDON, {"not_before_ms": AFTER_THE_CHANGE_MS}),
    ],
)
def test_a_trigger_that_keeps_every_rule_is_accepted(
    news: list[News], changes: dict[str, Any]
) -> None:
    world = played(*news)
    assert found(world, *forged(world, **changes)) == []


TEA = Message("cart_remind_v1", {"item_id": "pot", "category": "tea"})
SHOWN = Content("tea", "pot")
DEAR = Coupon("WINBACK10", SHARE_FEN, SHARE_FEN + 1)
ERASED: News = ("user.erasure_requested", {})
UNWANTED: dict[str, tuple[list[News], dict[str, Any], str]] = {
    "without consent": ([], {"user_id": "bob", "cause_event_id": "x"}, "no consent"),
    "after a withdrawal": ([("consent.withdrawn", {})], {}, "was withdrawn"),
    "after a withdrawal of everything": (
        [("consent.withdrawn", {"purpose": "*"}), ("consent.granted", {"purpose": "service"})],
        {},
        "was withdrawn",
    ),
    "by a channel not wanted": (
        [("consent.withdrawn", {"channel": "wecom"})],
        {"channel": "wecom"},
        "marketing by wecom was withdrawn",
    ),
    "after an unfollow": ([("user.unfollowed", {})], {}, "after user.unfollowed"),
    "service after an unfollow": (
        [("user.unfollowed", {})],
        {"purpose": "service"},
        "by official_account after user.unfollowed",
    ),
    "after the contact was removed": (
        [("contact.added", {}), ("contact.removed_by_customer", {})],
        {},
        "after contact.removed_by_customer",
    ),
    "through a contact the staff removed": (
        [("contact.added", {}), ("contact.removed_by_staff", {})],
        {"channel": "wecom"},
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
    "when expired": ([], {"expires_at_ms": NOON_MS}, "in this order"),
    "over the budget": ([], {"kind": "coupon", "coupon": DEAR}, "the budget is 3000"),
    "to the control group": (
        [],
        {"experiment": Experiment("hold", 0.1, holdout=True)},
        "control group",
    ),
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
    assert any(words in fault for fault in found(world, *forged(world, **changes)))


def test_two_triggers_within_a_window_or_a_gap_are_found_on_either_clock() -> None:
    world = played()
    second = forged(world)
    for hours, words in ((23, "the cap is 1"), (1, "the gap is")):
        first = forged(world, hours_ago=hours)
        assert any(words in fault for fault in found(world, *first, *second))
    later = forged(world, hours_ago=20, not_before_ms=world.now_ms - HOUR_MS)
    assert any("released 3600000 ms apart" in fault for fault in found(world, *later, *second))


def test_a_cap_counts_what_a_person_had_in_another_partition() -> None:
    world = World(altered(PLAIN, partitions=2))
    ann, bob = alias_in(0, 2, "ann"), alias_in(1, 2, "bob")
    for alias in (ann, bob):
        world.see(alias, "user.followed", id=f"follow {alias}")
        world.see(alias, "consent.granted")
    early = forged(world, user_id=bob, cause_event_id=f"follow {bob}", trigger_id="early")
    world.see(ann, "identity.linked", {"other": bob})
    while world.deliver():
        pass
    world.wait(HOUR_MS)
    world.feed(0, Tick(at_ms=world.now_ms))
    later = forged(world, user_id=ann, cause_event_id=f"follow {bob}")
    home, other = dumped(world)
    home = besides(home, *later)
    assert check_policy(world.config, [home, other]) == []
    faults = check_policy(world.config, [home, besides(other, *early)])
    assert any("2 created within" in fault for fault in faults)


def test_a_trigger_to_whom_was_held_out_before_is_found() -> None:
    world = played()
    _, decision = forged(world, hours_ago=3)
    held = replace(decision, outcome="HOLDOUT_JOURNEY", trigger_id="")
    assert any("decided before" in fault for fault in found(world, held, *forged(world)))
    told = replace(last_profile(world, b"ann"), holdout=True, updated_at_ms=world.now_ms - HOUR_MS)
    assert any("profile says" in fault for fault in found(world, told, *forged(world)))


def test_what_does_not_fit_together_is_found() -> None:
    world = played()
    trigger, decision = forged(world)
    for claims, words in (
        ([trigger, trigger, decision], "stands there 2 times"),
        ([trigger, decision, decision], "stands there 2 times"),
        ([trigger], "has no decision"),
        ([decision], "is missing"),
        ([trigger, replace(decision, outcome="QUIET_DEFERRED")], "its decision says"),
        ([trigger, replace(decision, user_id="bob")], "its decision says"),
        ([replace(decision, outcome="FORGOTTEN", trigger_id="")], "'FORGOTTEN' is unknown"),
        ([replace(decision, trigger_id="")], "SENT with trigger ''"),
        ([trigger, replace(decision, outcome="CAP_GAP")], "CAP_GAP with trigger"),
    ):
        assert any(words in fault for fault in found(world, *claims)), words


def test_what_an_erasure_leaves_behind_is_found() -> None:
    world = played(ERASED, ("user.followed", {}))
    (good,) = dumped(world)
    assert good.rows is not None
    assert check_policy(world.config, [good]) == []
    profiles = [record for record in good.outputs[PROFILES] if record.value is not None]
    kept = good._replace(outputs={**good.outputs, PROFILES: profiles})
    assert check_policy(world.config, [kept]) == ["partition 0: profile of b'ann': no tombstone"]
    row = good._replace(rows={**good.rows, b"u:ann": b""})
    assert any("state row" in fault for fault in check_policy(world.config, [row]))
    profile = last_profile(world, b"ann.1")
    for changes, words in (
        ({"first_seen_ms": profile.first_seen_ms - MINUTE_MS}, "60000 ms too early"),
        ({"events": profile.events + 3}, f"has {profile.events + 3} events, 1 are known"),
        ({"user_id": "ann", "updated_at_ms": world.now_ms}, "its person is erased"),
    ):
        assert any(words in fault for fault in found(world, replace(profile, **changes))), words


def test_a_log_without_its_beginning_cannot_be_checked() -> None:
    (good,) = dumped(played())
    with pytest.raises(ValueError, match="begins with its genesis record"):
        check_policy(PLAIN, [good._replace(log=good.log[1:])])
    world = World(altered(PLAIN, partitions=2))
    world.see(alias_in(1, 2), "identity.linked", {"other": alias_in(0, 2)})
    while world.deliver():
        pass
    assert check_policy(world.config, dumped(world)) == []
    assert "no given log handed over" in check_policy(world.config, dumped(world)[1:])[0]
