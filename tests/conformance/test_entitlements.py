"""What entitles to write: never a send without, never two units for one."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.contract.policy import WECHAT, Entitlement
from streams.contract.triggers import Message
from streams.engine import entitlements
from streams.engine.journeys.journey import Proposal
from streams.engine.state import UserState
from tests.conformance.desk import DAY_MS, HOUR_MS, MINUTE_MS, NOON_MS, OPEN, Desk

NIGHT_AND_DAY = replace(OPEN.quiet, to_minute=OPEN.quiet.from_minute)
GRANTED, REVOKED = "subscription.credit_granted", "subscription.revoked"


def desk(*rules: Entitlement) -> Desk:
    at = Desk(replace(OPEN, entitlements=rules or WECHAT, quiet=NIGHT_AND_DAY))
    at.person(follows=False)
    return at


def by(channel: Any, template: str = "t1") -> Proposal:
    message = Message(template, {})
    return Proposal(
        arm="send", kind="message", channels=(channel,), template_id=template, message=message
    )


MINI, SERVICE, WECOM, ACCOUNT = (
    by(channel) for channel in ("mini_programme", "customer_service", "wecom", "official_account")
)


def test_a_subscription_credit_is_one_message_of_its_template() -> None:
    at = desk()
    at.hear(GRANTED, {"template_id": "t1"})
    at.hear(GRANTED, {"template_id": "t1"})
    assert at.ask(by("mini_programme", "t2")) == "NO_ENTITLEMENT"
    at.wait(100 * DAY_MS)
    outcomes = [at.ask(MINI) for _ in range(3)]
    assert outcomes == ["SENT", "SENT", "NO_ADDRESS"], "kept until used, one for each"


def test_a_credit_whose_template_is_not_known_serves_any() -> None:
    at = desk()
    at.hear(GRANTED)
    assert at.ask(MINI) == "SENT"


@pytest.mark.parametrize(("code", "left"), [("43101", 0), ("refused", 0), ("45009", 1)])
def test_a_refusal_by_the_provider_empties_the_credits_of_its_template(
    code: str, left: int
) -> None:
    at = desk()
    for template in ("t1", "t1", "t2"):
        at.hear(GRANTED, {"template_id": template})
    at.ask(MINI)
    data = {
        "trigger_id": at.triggers[0].trigger_id, "channel": "mini_programme", "code": code
    }  # fmt: skip
    at.wait(1)
    at.hear("push.failed", data)
    assert [grant.count for grant in at.person().state.grants] == [left, 1]


def test_a_credit_from_before_its_revocation_does_not_come_back() -> None:
    at = desk()
    at.hear(REVOKED, {"template_id": "t1"})
    at.hear(GRANTED, {"template_id": "t1"}, time_ms=at.now_ms - 1)
    assert at.ask(MINI) == "NO_ADDRESS"
    at.hear(GRANTED, {"template_id": "t1"}, time_ms=at.now_ms + 1)
    assert at.ask(MINI) == "SENT"


def test_a_message_opens_a_window_of_5_within_48_hours() -> None:
    at = desk()
    at.hear("message.received")
    assert [at.ask(SERVICE) for _ in range(6)] == ["SENT"] * 5 + ["NO_ADDRESS"]
    at.hear("message.received")
    at.hear("message.received")
    assert at.person().state.grants[0].count == 5, "it refills and does not add up"
    at.wait(48 * HOUR_MS - 1)
    assert at.ask(SERVICE) == "SENT"
    at.wait(1)
    assert at.ask(SERVICE) == "NO_ENTITLEMENT"


def test_a_menu_click_opens_a_window_of_3_within_a_minute() -> None:
    at = desk()
    at.hear("menu.clicked")
    assert [at.ask(SERVICE) for _ in range(3)] == ["SENT"] * 3
    at.hear("menu.clicked")
    at.wait(MINUTE_MS)
    assert at.ask(SERVICE) == "NO_ENTITLEMENT"


def test_of_two_windows_the_one_that_closes_first_is_used() -> None:
    at = desk()
    at.hear("message.received")
    at.hear("menu.clicked")
    at.ask(SERVICE)
    assert {grant.span: grant.count for grant in at.person().state.grants} == {
        48 * HOUR_MS: 5,
        MINUTE_MS: 2,
    }


def test_a_late_message_opens_no_window_that_has_closed() -> None:
    at = desk()
    at.hear("message.received", time_ms=at.now_ms - 49 * HOUR_MS)
    assert at.ask(SERVICE) == "NO_ADDRESS"


def test_a_follower_gets_four_mass_messages_in_a_calendar_month() -> None:
    at = desk()
    at.hear("user.followed")
    assert [at.ask(ACCOUNT) for _ in range(5)] == ["SENT"] * 4 + ["NO_ENTITLEMENT"]
    assert at.ask(ACCOUNT, purpose="service") == "SENT", "template messages are no marketing"
    november_ms = at.decision.next_eligible_at_ms or at.decisions[4].next_eligible_at_ms
    at.now_ms = november_ms - 1
    assert at.ask(ACCOUNT) == "NO_ENTITLEMENT"
    at.now_ms = november_ms
    assert at.ask(ACCOUNT) == "SENT"
    assert november_ms == NOON_MS - 12 * HOUR_MS + 31 * DAY_MS


def test_wecom_awaits_its_staff_as_often_as_the_month_has_days() -> None:
    at = desk()
    at.hear("contact.added")
    outcomes = [at.ask(WECOM) for _ in range(32)]
    assert outcomes == ["AWAITING_STAFF"] * 31 + ["NO_ENTITLEMENT"]
    assert all(trigger.awaits_staff for trigger in at.triggers)


def test_a_rule_is_in_force_between_its_dates() -> None:
    rule = replace(WECHAT[0], since="2026-10-02", until="2026-10-03", units=0)
    at = desk(rule)
    at.hear("user.followed")
    found = []
    for _ in range(3):
        found.append(at.ask(ACCOUNT))
        at.wait(DAY_MS)
    assert found == ["SENT", "NO_ENTITLEMENT", "SENT"]


def test_what_is_scarce_is_kept_where_something_free_is_as_good() -> None:
    at = desk(*(rule for rule in WECHAT if rule.channel == "mini_programme"))
    at.hear("user.followed")
    at.hear(GRANTED, {"template_id": "t1"})
    arm = replace(MINI, channels=())
    at.ask(arm)
    assert at.channels == ["official_account"]
    at.person().state.channels[1] = 6
    at.ask(arm)
    assert at.channels[-1] == "mini_programme", "where it is much better, it is used"


def test_controls_and_shadows_use_no_unit() -> None:
    at = desk()
    at.hear(GRANTED, {"template_id": "t1"})
    at.ask(MINI, shadow=True)
    at.ask(MINI, holdout=1.0)
    assert [decision.outcome for decision in at.decisions] == ["SHADOWED", "HOLDOUT_JOURNEY"]
    assert at.person().state.grants[0].count == 1


STEPS = st.lists(
    st.sampled_from(
        ("grant", "grant2", "revoke", "fail", "message", "menu", "send", "send2", "write", "wait")
    ),
    max_size=60,
)


@given(STEPS)
@settings(max_examples=120, deadline=None)
def test_whatever_happens_no_more_is_sent_than_was_granted(steps: list[str]) -> None:
    at = desk()
    credits = {"t1": 0, "t2": 0}
    windows: list[list[int]] = [[0, 0], [0, 0]]  # units left and the end, by window
    for step in steps:
        at.wait(7 * HOUR_MS if step == "wait" else 1_000)
        if step in ("grant", "grant2"):
            template = "t1" if step == "grant" else "t2"
            at.hear(GRANTED, {"template_id": template})
            credits[template] += 1
        elif step == "revoke":
            at.hear(REVOKED, {"template_id": "t1"})
            credits["t1"] = 0
        elif step == "fail":
            at.hear(
                "push.failed", {"trigger_id": "x", "channel": "mini_programme", "code": "43101"}
            )
            credits = {"t1": 0, "t2": 0}
        elif step in ("message", "menu"):
            at.hear("message.received" if step == "message" else "menu.clicked")
            place, units, ttl_ms = (1, 5, 48 * HOUR_MS) if step == "message" else (0, 3, MINUTE_MS)
            windows[place] = [units, at.now_ms + ttl_ms]
        elif step in ("send", "send2"):
            template = "t1" if step == "send" else "t2"
            expected = credits[template] > 0
            assert (at.ask(by("mini_programme", template)) == "SENT") == expected
            credits[template] -= expected
        elif step == "write":
            open_ = [one for one in windows if one[0] and at.now_ms < one[1]]
            assert (at.ask(SERVICE) == "SENT") == bool(open_)
            if open_:
                open_[0][0] -= 1


def test_two_people_who_turn_out_to_be_one_have_the_credits_of_both() -> None:
    at = desk()
    for who in ("ann", "bea"):
        at.hear(GRANTED, {"template_id": "t1"}, who=who)
        at.hear("user.followed", who=who)
        at.ask(ACCOUNT, who=who)
    ann, bea = at.person("ann").state, at.person("bea").state
    entitlements.merge(ann, bea)
    assert at.ask(MINI) == at.ask(MINI) == "SENT"
    assert [at.ask(ACCOUNT) for _ in range(3)] == ["SENT", "SENT", "NO_ENTITLEMENT"]


def test_a_person_s_row_stays_small_and_never_forgets_what_was_used() -> None:
    at = desk()
    at.hear("user.followed")
    for _ in range(4):
        at.ask(ACCOUNT)
    for number in range(40):
        at.hear(GRANTED, {"template_id": f"t{number}"})
    state: UserState = at.person().state
    assert len(state.grants) == entitlements.MOST_GRANTS
    assert at.ask(ACCOUNT) == "NO_ENTITLEMENT"
    assert at.ask(by("mini_programme", "t39")) == "SENT"
