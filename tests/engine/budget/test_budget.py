"""How money moves between purses and their coordinator."""

import pytest

from streams.engine.budget.account import NEVER_MS, TOTAL, Account, drop_ms
from streams.engine.budget.messages import Lease, Report
from streams.engine.budget.purse import UNLIMITED_FEN, Purse
from tests.engine.budget.world import DAY, HOUR_MS, World

MINUTE_MS = 60_000


def opened(*accounts: Account, partitions: int = 4) -> World:
    world = World(partitions)
    for account in accounts:
        world.publish(account)
    return world


def total(fen: int, version: int = 1) -> Account:
    return Account("policy", version, total_fen=fen)


def test_the_first_spend_needs_no_message() -> None:
    world = opened(total(16_000))
    assert world.purses[3].available_fen("policy", DAY) == 1_000
    assert world.spend(3, 1_000) == ""


def test_an_account_without_limits_never_refuses() -> None:
    world = opened(Account("free", 1))
    assert world.purses[0].available_fen("free", DAY) == UNLIMITED_FEN
    assert world.spend(0, 1_000_000, ("free",)) == ""


def test_a_spend_must_fit_the_journey_and_the_policy() -> None:
    world = opened(total(16_000), Account("cart_rescue", 1, daily_fen=1_600))
    assert world.spend(0, 101, ("cart_rescue", "policy")) == "PACED"
    assert world.purses[0].available_fen("policy", DAY) == 1_000


def test_a_refused_spend_is_possible_after_the_answer() -> None:
    world = opened(total(16_000))
    assert world.spend(0, 1_500) == "PACED"
    world.settle()
    assert world.spend(0, 1_500) == ""


def test_a_purse_asks_before_it_is_empty_and_once_at_a_time() -> None:
    world = opened(total(16_000))
    world.spend(0, 501)
    world.spend(0, 10)
    assert len(world.reports[0]) == 1


def test_what_others_hold_is_recalled_for_the_last_spend() -> None:
    world = opened(total(16_000))
    assert world.spend(0, 15_900) == "PACED"
    world.settle()
    assert world.spend(0, 15_900) == ""
    assert world.coordinator.leased_fen("policy", TOTAL) <= 16_000


@pytest.mark.parametrize(("daily", "code"), [(False, "BUDGET_TOTAL"), (True, "BUDGET_DAY")])
def test_the_end_of_the_money_has_its_code(daily: bool, code: str) -> None:
    limits = {"daily_fen": 1_000} if daily else {"total_fen": 1_000}
    world = opened(Account("policy", 1, **limits))
    for _ in range(20):
        world.spend(1, 300)
        world.settle()
    assert world.spent_fen() == 900
    assert world.spend(1, 300) == code


def test_a_refusal_shows_the_values() -> None:
    world = opened(total(16_000))
    code, seen = world.purses[0].refusal(("policy",), DAY, 20_000)
    assert code == "BUDGET_TOTAL"
    assert seen == {
        "cost_fen": 20_000,
        "policy.total_limit_fen": 16_000,
        "policy.total_left_fen": 1_000,
    }


def test_who_was_told_there_is_none_gets_what_comes_back() -> None:
    world = opened(total(16_000), partitions=2)
    world.spend(0, 15_000)
    world.settle()
    assert world.spend(1, 15_000) == "BUDGET_TOTAL" or world.held_fen() >= 15_000
    world.now_ms += 20 * MINUTE_MS
    world.settle()
    assert "" in (world.spend(0, 15_000), world.spend(1, 15_000))


def test_what_comes_back_is_leased_only_once() -> None:
    world = opened(total(12_000), partitions=3)
    world.spend(2, 11_000)
    world.settle()
    for partition in (0, 1):
        world.spend(partition, 8_000)
        world.deliver_report(partition)
    world.settle()
    assert world.coordinator.leased_fen("policy", TOTAL) <= 12_000
    assert world.held_fen() <= 12_000


def test_idle_money_goes_back_down_to_the_initial_lease() -> None:
    world = opened(total(16_000))
    world.spend(0, 600)
    world.settle()
    assert world.purses[0].available_fen("policy", DAY) > 1_000
    world.now_ms += 10 * MINUTE_MS
    world.settle()
    assert world.purses[0].available_fen("policy", DAY) == 1_000


def test_what_a_day_left_over_goes_back_and_the_day_is_forgotten() -> None:
    world = opened(Account("policy", 1, daily_fen=16_000))
    world.spend(0, 600)
    world.settle()
    world.now_ms += 24 * HOUR_MS
    world.settle()
    assert world.held_fen(DAY) == 0
    world.now_ms = drop_ms(DAY)
    for _ in range(2):
        world.turn(0)
    world.crash()
    assert not [key for key in world.stored[0] if key.startswith(b"b:%d/" % DAY)]
    world.day += 4
    world.spend(1, 1_100)
    world.settle()
    assert world.coordinator.leased_fen("policy", DAY) == 0


def test_each_day_has_its_own_money() -> None:
    world = opened(Account("policy", 1, daily_fen=1_600))
    assert world.spend(0, 100) == ""
    assert world.spend(0, 100) == "PACED"
    world.now_ms += 24 * HOUR_MS
    world.day += 1
    assert world.spend(0, 100) == ""


def test_a_lower_total_calls_the_leases_back() -> None:
    world = opened(total(16_000))
    world.spend(0, 600)
    world.settle()
    world.publish(total(1_000, version=2))
    world.settle()
    assert world.coordinator.leased_fen("policy", TOTAL) <= 1_000
    assert world.spend(0, 600) == "PACED"
    world.settle()
    assert world.spend(0, 600) == "BUDGET_TOTAL"


def test_a_higher_total_goes_to_those_who_wait() -> None:
    world = opened(total(1_000))
    for _ in range(6):
        world.spend(0, 300)
        world.settle()
    world.publish(total(16_000, version=2))
    world.settle()
    assert world.spend(0, 300) == ""


def test_a_closed_account_spends_nothing_and_gives_everything_back() -> None:
    world = opened(total(16_000))
    world.publish(Account("policy", 2, closed=True))
    world.settle()
    assert world.spend(0, 1) == "BUDGET_TOTAL"
    assert world.coordinator.leased_fen("policy", TOTAL) == 0


def test_the_same_version_again_changes_nothing() -> None:
    world = opened(total(16_000))
    world.publish(total(99_000))
    world.settle()
    assert world.messages == 0
    assert world.held_fen() == 4_000


def test_a_purse_ahead_of_the_coordinator_is_answered_later() -> None:
    world = World()
    world.open_purse(0, total(16_000))
    assert world.spend(0, 1_500) == "PACED"
    world.settle()
    world.open_coordinator(total(16_000))
    world.now_ms += 1_000
    world.settle()
    assert world.spend(0, 1_500) == ""


def test_a_message_of_the_past_does_nothing() -> None:
    world = opened(total(16_000))
    old = Report("policy", TOTAL, 1, 1, 0, 1_000, 0, 0, 0, 1, 500, 500, 0)
    assert world.coordinator.handle(old, 0, world.now_ms)
    assert world.coordinator.handle(old, 0, world.now_ms) == []
    lease = Lease("policy", TOTAL, 1, 500, 1, "", 500, 0, 0, False)
    for _ in range(2):
        world.purses[0].receive(lease, world.now_ms)
    assert world.purses[0].available_fen("policy", DAY) == 1_500


def test_a_purse_with_nothing_to_do_says_so() -> None:
    purse = Purse(4, {})
    assert purse.next_due_ms() == NEVER_MS
    purse.open(Account("policy", 1))
    assert purse.wants(NEVER_MS - 1) == []


def test_mistakes_of_the_caller_are_named() -> None:
    world = opened(total(16_000))
    with pytest.raises(LookupError, match="never opened"):
        world.purses[0].can_spend(("other",), DAY, 1)
    with pytest.raises(ValueError, match="does not fit"):
        world.purses[0].spend(("policy",), DAY, 9_999, world.now_ms)
    with pytest.raises(ValueError, match="nothing to refuse"):
        world.purses[0].refusal(("policy",), DAY, 1)
    report = Report("policy", TOTAL, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    with pytest.raises(ValueError, match="this deployment has 4"):
        world.coordinator.handle(report, 4, world.now_ms)
