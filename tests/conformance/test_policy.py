"""The gates: their order, their codes, and what they say about when to ask again."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.contract.decisions import OUTCOMES
from streams.contract.policy import Cap, Personalisation, Policy, QuietHours
from streams.contract.triggers import Message
from streams.engine.journeys.journey import Proposal
from streams.engine.policy import GATES
from streams.engine.policy.quiet import is_quiet, quiet_end_ms
from tests.conformance.desk import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    NOON_MS,
    NOTHING,
    OPEN,
    REMIND,
    Desk,
    coupon,
)


def desk(**policy: object) -> Desk:
    return Desk(replace(OPEN, **policy))


def test_the_gates_stand_in_their_documented_order() -> None:
    first = ["safety", "consent", "suppression", "abuse", "address"]
    first += ["global_holdout", "journey_holdout"]
    then = ["entitlement", "cap", "gap", "quiet", "person_budget", "budget"]
    assert [gate.__name__ for gate in GATES] == [*first, *then]


def test_every_outcome_has_a_meaning_in_one_line() -> None:
    assert all(meaning and "\n" not in meaning for meaning in OUTCOMES.values())
    assert list(OUTCOMES)[:18][-1] == "ERASED", "state remembers outcomes by their place"


# Consent.


def test_marketing_needs_a_grant() -> None:
    at = desk(default_consent=False)
    at.person()
    assert at.ask() == "NO_CONSENT"
    at.hear("consent.granted", {"version": "2026-10"})
    assert at.ask() == "SENT"
    assert at.triggers[0].consent_version == "2026-10"


def test_service_needs_no_grant_but_heeds_a_withdrawal() -> None:
    at = desk(default_consent=False)
    at.person()
    assert at.ask(purpose="service") == "SENT"
    at.hear("consent.withdrawn", {"purpose": "*"})
    assert at.ask(purpose="service") == "NO_CONSENT"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_statements_at_one_time_the_stricter_wins(order: tuple[int, int]) -> None:
    at = desk()
    at.person()
    kinds = ("consent.granted", "consent.withdrawn")
    for place in order:
        at.hear(kinds[place])
    assert at.ask() == "NO_CONSENT"


def test_a_refusal_of_one_channel_leaves_the_others() -> None:
    at = desk()
    at.person()
    at.hear("contact.added")
    at.hear("consent.withdrawn", {"channel": "official_account"})
    at.hear("consent.withdrawn", {"channel": "customer_service"})
    assert at.ask() == "SENT"
    assert at.channels == ["wecom"]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_consent_is_the_strictest_of_the_latest(said: list[tuple[bool, int]]) -> None:
    at = desk()
    at.person()
    for granted, minute in said:
        kind = "consent.granted" if granted else "consent.withdrawn"
        at.hear(kind, time_ms=at.now_ms - HOUR_MS + minute * MINUTE_MS)
    latest = max(minute for _, minute in said)
    allowed = all(granted for granted, minute in said if minute == latest)
    assert at.ask() == ("SENT" if allowed else "NO_CONSENT")


@pytest.mark.parametrize("how", ["withdrawn", "refused"])
def test_who_refused_personalisation_gets_a_trigger_that_says_so(how: str) -> None:
    at = desk()
    person = at.person()
    assert at.ask() == "SENT"
    if how == "withdrawn":
        at.hear("consent.withdrawn", {"purpose": "personalisation"})
    else:
        person.state.refused.append("personalisation")
    assert at.ask() == "SENT"
    assert [trigger.personalised for trigger in at.triggers] == [True, False]
    assert not at.stage.personalised(person.state)


def test_personalisation_can_need_a_grant_of_its_own() -> None:
    at = desk(personalisation=Personalisation(by_default=False))
    assert not at.stage.personalised(at.person().state)
    at.hear("consent.granted", {"purpose": "personalisation"})
    assert at.stage.personalised(at.person().state)


# Suppression and address.


def test_who_unfollowed_is_left_in_peace_until_they_follow_again() -> None:
    at = desk()
    at.person()
    at.hear("user.unfollowed")
    assert at.ask() == "SUPPRESSED"
    at.hear("user.followed")
    assert at.ask() == "SENT"


@pytest.mark.parametrize("refused", ["cart", "message", "category:tea", "item:pot", "*"])
def test_who_said_no_to_this_kind_is_not_asked_again(refused: str) -> None:
    at = desk()
    at.person().state.refused.append(refused)
    arm = Proposal(arm="remind", kind="message", category="tea", item_id="pot")
    assert at.ask(arm) == "SUPPRESSED"
    assert at.ask(arm, purpose="service") == "SENT"


def test_who_cannot_be_found_is_not_addressed() -> None:
    at = desk()
    at.person(follows=False)
    assert at.ask() == "NO_ADDRESS"


def test_an_ad_finds_anybody_who_consents() -> None:
    at = desk(default_consent=False)
    at.person(follows=False)
    ad = Proposal(arm="ad", kind="ad", ad_id="ad-9")
    assert at.ask(ad) == "NO_CONSENT"
    at.hear("consent.granted")
    assert at.ask(ad) == "SENT"
    assert (at.channels, at.triggers[0].ad_id) == (["ads"], "ad-9")


# Channels.


def test_the_journey_s_order_of_channels_is_kept() -> None:
    at = desk()
    at.person()
    at.hear("contact.added")
    arm = Proposal(arm="remind", kind="message", channels=("wecom", "official_account"))
    at.ask(arm)
    assert at.channels == ["wecom"]


def test_the_channel_the_person_uses_most_is_preferred() -> None:
    at = desk()
    state = at.person().state
    at.hear("contact.added")
    state.channels[4] = 3
    at.ask()
    assert at.channels == ["wecom"]


def test_what_all_people_answer_in_decides_about_a_stranger() -> None:
    at = desk()
    at.person()
    at.hear("contact.added")
    for _ in range(50):
        at.stage.answered("official_account", "push.delivered")
        at.stage.answered("wecom", "push.delivered")
        at.stage.answered("wecom", "push.clicked")
    at.ask()
    assert at.channels == ["wecom"]


def test_only_channels_with_a_wording_are_used() -> None:
    at = desk()
    at.person()
    at.hear("contact.added")
    at.person().state.channels[0] = 9
    arm = Proposal(arm="remind", kind="message", messages={"wecom": Message("t", {"a": "b"})})
    assert at.ask(arm) == "SENT"
    assert (at.channels, at.triggers[0].message) == (["wecom"], Message("t", {"a": "b"}))


def test_a_group_is_written_to_only_where_the_journey_names_it() -> None:
    at = desk()
    at.person(follows=False).state.channels[3] = 5
    assert at.ask() == "NO_ADDRESS"
    assert at.ask(Proposal(arm="remind", kind="message", channels=("group",))) == "SENT"


# Quiet hours.


def test_what_falls_into_the_night_is_released_in_the_morning() -> None:
    at = desk()
    at.at("2026-06-01T22:00:00+08:00")
    assert at.ask() == "QUIET_DEFERRED"
    released = datetime.fromtimestamp(
        at.triggers[0].not_before_ms / 1000, ZoneInfo("Asia/Shanghai")
    )
    assert (released.day, released.hour, released.minute < 15) == (2, 8, True)


def test_the_persons_own_zone_counts_and_an_unknown_one_falls_back() -> None:
    at = desk()
    at.person()
    at.hear("user.attributes_given", {"attributes": {"zone": "Moon/Crater"}})
    assert at.ask() == "SENT"
    at.hear("user.attributes_given", {"attributes": {"zone": "America/New_York"}})
    assert at.ask() == "QUIET_DEFERRED"  # midnight there


def test_service_has_quiet_hours_only_where_they_are_its_own() -> None:
    at = desk()
    at.at("2026-06-01T23:00:00+08:00")
    assert at.ask(purpose="service") == "SENT"
    at = desk(quiet_service=QuietHours(hours="22:30-06:00"))
    at.at("2026-06-01T23:00:00+08:00")
    assert at.ask(purpose="service") == "QUIET_DEFERRED"


def test_what_would_be_released_too_late_has_expired() -> None:
    at = desk()
    at.at("2026-06-01T22:00:00+08:00")
    assert at.ask(expires_ms=2 * HOUR_MS) == "EXPIRED"
    assert not at.triggers
    at.now_ms = at.decision.next_eligible_at_ms
    assert at.ask(expires_ms=2 * HOUR_MS) == "SENT"


@pytest.mark.parametrize(
    ("on_holiday", "outcome"),
    [("send", "SENT"), ("silent", "HOLIDAY"), ("defer", "QUIET_DEFERRED")],
)
def test_holidays_are_as_usual_or_silent_or_waited_for(on_holiday: Any, outcome: str) -> None:
    days = ("2026-10-01", "2026-10-02")
    at = desk(quiet=QuietHours(holidays=days, on_holiday=on_holiday))
    assert at.ask(expires_ms=3 * DAY_MS) == outcome
    assert at.ask(purpose="service") == "SENT"
    third = datetime(2026, 10, 3, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp() * 1000
    if on_holiday == "silent":
        assert at.decisions[0].next_eligible_at_ms == third
    if on_holiday == "defer":
        assert 0 <= at.triggers[0].not_before_ms - third - 8 * HOUR_MS < 900_000


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
@settings(max_examples=300, deadline=None)
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
    # Where the clock skips the end itself, the jump may make it an hour later.
    before = range(end_ms - MINUTE_MS, end_ms - MINUTE_MS - HOUR_MS, -MINUTE_MS)
    assert any(is_quiet(hours, zone, moment_ms) for moment_ms in before)


@pytest.mark.parametrize(
    ("night", "hours"), [((2026, 3, 7), 9), ((2026, 10, 31), 11), ((2026, 6, 1), 10)]
)
def test_a_night_in_which_clocks_change_is_an_hour_shorter_or_longer(
    night: tuple[int, int, int], hours: int
) -> None:
    zone = ZoneInfo("America/New_York")
    start_ms = int(datetime(*night, 22, tzinfo=zone).timestamp() * 1000)
    assert quiet_end_ms(QuietHours(), "America/New_York", start_ms) == start_ms + hours * HOUR_MS


# Money.


def test_a_day_s_budget_is_never_overspent() -> None:
    at = Desk(OPEN, fen=3_500)
    outcomes = [at.ask(coupon(1_000), who=f"p{number}") for number in range(5)]
    assert outcomes == ["SENT", "SENT", "SENT", "BUDGET_DAY", "BUDGET_DAY"]
    assert sum(at.wallet.spent.values()) == 3_000
    assert at.wallet.asked == 2


def test_a_journey_with_its_own_budget_is_charged_to_both_accounts() -> None:
    at = desk()
    at.ask(coupon(700), has_budget=True)
    assert {name: fen for (name, _), fen in at.wallet.spent.items()} == {"cart": 700, "policy": 700}


def test_what_has_a_message_goes_out_without_its_coupon_where_money_is_gone() -> None:
    at = Desk(OPEN, fen=0)
    arm = coupon(1_000, message=Message("cart_v1", {}))
    assert at.ask(arm, exhausted="drop_coupon") == "SENT"
    (trigger,) = at.triggers
    assert (trigger.kind, trigger.coupon, at.decision.cost_fen) == ("message", None, 0)
    assert at.decision.seen["coupon_dropped"] == 1.0
    assert at.ask(coupon(1_000), exhausted="drop_coupon") == "BUDGET_DAY"


def test_no_more_is_spent_on_one_person_than_the_journey_allows() -> None:
    at = desk()
    limits = {"person_fen": 2_000, "person_ms": 30 * DAY_MS}
    at.stage.remember(30 * DAY_MS)
    outcomes = []
    for _ in range(3):
        outcomes.append(at.ask(coupon(1_000), **limits))
        at.wait(DAY_MS)
    assert outcomes == ["SENT", "SENT", "BUDGET_PERSON"]
    assert at.decision.next_eligible_at_ms == NOON_MS + 30 * DAY_MS
    assert at.ask(REMIND, **limits) == "SENT", "what costs nothing goes on"
    at.now_ms = NOON_MS + 30 * DAY_MS
    assert at.ask(coupon(1_000), **limits) == "SENT"


def test_an_arm_that_sends_nothing_passes_every_gate() -> None:
    at = desk(caps=(Cap(most=0, per="24h"),))
    assert at.ask(REMIND, NOTHING) == "CAP_PERSON"
    assert at.settled[-1].arm == "nothing"


def test_the_policy_of_the_code_is_one_that_can_be_used() -> None:
    at = Desk(Policy(global_holdout=0.0))
    at.person()
    at.hear("consent.granted")
    assert [at.ask(), at.ask()] == ["SENT", "CAP_PERSON"]
