"""Inline tests run the real engine in simulated time and tell what did not come true."""

import pytest
from msgspec.structs import replace

from streams.contract.journeys import JourneySpec
from streams.journey_files.inline_tests import TestResult as Result
from streams.journey_files.inline_tests import run_test, run_tests
from streams.journey_files.lines import LineError, clock_ms, read_event, read_expected
from streams.journey_files.load import shipped, shipped_content, shipped_policy

from .builders import journey

ADDED = "+0m cart.added {item_id='碎花连衣裙', price_fen=19900}"


def outcome(
    *expect: str, events: tuple[str, ...] = (ADDED,), clock: str = "", **given: object
) -> Result:
    spec = journey()
    (test,) = spec.tests
    test = replace(
        test,
        expect=list(expect),
        events=list(events),
        clock=clock or test.clock,
        given=replace(test.given, **given),
    )
    return run_test(spec, test, shipped_content(), shipped_policy())


@pytest.mark.parametrize("spec", shipped(), ids=lambda spec: spec.id)
def test_the_shipped_tests_pass(spec: JourneySpec) -> None:
    failed = {
        one.name: one.problem
        for one in run_tests(spec, shipped_content(), shipped_policy())
        if not one.passed
    }
    assert failed == {}


def test_what_was_expected_and_what_happened_are_told_in_the_words_of_the_file() -> None:
    found = outcome("+0m ENTERED", "+30m SENT arm=coupon")
    assert not found.passed
    assert found.problem.splitlines()[:3] == [
        "expected: +30m SENT arm=coupon",
        "what happened (> not yet matched):",
        "  · +0m ENTERED step=enter",
    ]
    assert "> +30m SENT step=offer arm=remind" in found.problem


def test_what_must_not_happen_is_told_when_it_does() -> None:
    assert outcome("no SENT").problem.startswith("expected: no SENT\nbut: +30m SENT step=offer")


def test_no_sent_is_said_of_what_waits_for_the_morning_too() -> None:
    assert not outcome("no SENT", clock="2026-11-22T22:40:00+08:00").passed
    assert outcome("QUIET_DEFERRED until=08:00", clock="2026-11-22T22:40:00+08:00").passed


def test_a_line_that_forbids_holds_between_its_neighbours_only() -> None:
    assert outcome("ENTERED", "no EXITED", "SENT", "no SENT").passed
    assert not outcome("ENTERED", "no SENT", "COMPLETED").passed


def test_the_person_s_own_clock_is_the_clock_of_until() -> None:
    attributes = {"zone": "Europe/London"}
    found = outcome(
        "QUIET_DEFERRED until=08:00", clock="2026-11-23T10:00:00+08:00", attributes=attributes
    )
    assert found.passed, found.problem


def test_without_consent_nothing_is_sent() -> None:
    assert outcome("+30m NO_CONSENT", "no SENT", consent=[]).passed


def test_without_a_unit_nothing_is_sent_by_the_mini_programme() -> None:
    found = outcome("+30m NO_ENTITLEMENT", entitlement={}, reach=["mini_programme"])
    assert found.passed, found.problem


def test_a_message_of_another_journey_counts_for_the_gap() -> None:
    assert outcome("no SENT", sent=["1h"]).passed


def test_the_control_groups_get_nothing() -> None:
    assert outcome("+30m HOLDOUT_JOURNEY", "no SENT", holdout="journey").passed
    assert outcome("+30m HOLDOUT_GLOBAL", "no SENT", holdout="global").passed


def test_what_is_given_enters_nobody() -> None:
    spec = journey(
        ('on = "cart.added"', 'on = "order.paid"'), ("entry.value_fen", "entry.amount_fen")
    )
    (test,) = spec.tests
    test = replace(test, events=[], expect=["no ENTERED"], given=replace(test.given, orders=3))
    assert run_test(spec, test, shipped_content(), shipped_policy()).passed


def test_a_journey_that_is_no_draft_any_more_and_one_that_is_run_alike() -> None:
    spec = journey(('status = "live"', 'status = "draft"'))
    assert [one.passed for one in run_tests(spec, shipped_content(), shipped_policy())] == [True]


def test_a_refill_of_another_size_than_the_policy_grants_is_a_fault() -> None:
    found = outcome("SENT", entitlement={"customer_service": 2})
    assert "message.received grants 5 at once; write 0 or 5" in found.problem


def test_units_that_nobody_grants_are_a_fault() -> None:
    found = outcome("SENT", entitlement={"official_account": 2})
    assert "official_account has its units by the calendar month; leave it out" in found.problem


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("cart.added {item_id='x'}", r"write \+<time> <event type>"),
        (
            "+0m cart.aded {item_id='x'}",
            "event type cart.aded is not known; did you mean cart.added",
        ),
        ("+0m cart.added {item='x'}", "did you mean item_id"),
        ("+0m cart.added {}", "missing required field `item_id`"),
        ("+0m cart.added {item_id='x', quantity='two'}", "Expected `int`, got `str` at `.quantity"),
        ("+0m cart.added {item_id=}", "write {field='text', other=5}"),
        ("+1x cart.added {item_id='x'}", "is no duration"),
        ("+0m daily.check {day=1}", "has no fields"),
    ],
)
def test_an_event_line_that_cannot_be_read_is_told(line: str, told: str) -> None:
    with pytest.raises(LineError, match=told):
        read_event(line)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("sent", r"write \[no\] \[\+<time>\] OUTCOME"),
        ("SEND", "outcome SEND is not known; did you mean SENT"),
        ("SENT chanel=wecom", "did you mean channel"),
        ("QUIET_DEFERRED until=8", "until is a time of the day"),
        ("+1y SENT", "is no duration"),
    ],
)
def test_an_expected_line_that_cannot_be_read_is_told(line: str, told: str) -> None:
    with pytest.raises(LineError, match=told):
        read_expected(line)


def test_a_clock_without_a_zone_is_told() -> None:
    with pytest.raises(LineError, match="has no zone"):
        clock_ms("2026-11-23T10:00:00")


def test_a_line_that_cannot_be_read_fails_its_test() -> None:
    assert "SEND is not known" in outcome("SEND").problem
