"""A journey among synthetic people: the same twice, and its numbers add up."""

import pytest

from streams.journey_files.load import shipped_content, shipped_journey, shipped_policy
from streams.journey_files.simulate import SimulationResult, scenario_of, simulate


def run(name: str, users: int = 40, days: int = 4, scenario: str = "") -> SimulationResult:
    return simulate(
        shipped_journey(name),
        users,
        days,
        library=shipped_content(),
        policy=shipped_policy(),
        scenario=scenario,
    )


def test_the_same_run_gives_the_same_numbers() -> None:
    assert run("cart_rescue") == run("cart_rescue")


def test_nobody_enters_who_did_not_match_and_nothing_is_sent_to_who_did_not_enter() -> None:
    found = run("cart_rescue", users=80, days=6)
    assert 0 < found.entered <= found.matched
    assert 0 < found.sends <= found.entered
    assert sum(found.refused.values()) > 0


def test_the_goal_is_counted_by_arm_beside_the_control_group() -> None:
    found = run("welcome", users=120, days=6)
    decided, rate = found.rate(held_out=False)
    assert decided > 0
    assert 0.0 <= rate <= 1.0
    assert all(reached <= settled for settled, reached in found.goal.values())


def test_a_journey_is_simulated_in_the_story_it_fits() -> None:
    assert scenario_of(shipped_journey("enrolment")) == "education"
    assert scenario_of(shipped_journey("mini_offer")) == "catering"
    assert scenario_of(shipped_journey("cart_rescue")) == "ecommerce"


def test_an_unknown_story_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="choose one of ecommerce"):
        run("welcome", scenario="nowhere")
