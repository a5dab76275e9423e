"""What a journey changed: intervals that hold against a known truth, and honest silence."""

from collections.abc import Callable
from math import exp

import msgspec
import numpy as np
import pytest

from streams.contract.reports import ArmTally, JourneyReport
from streams.evaluation.effect import (
    Effect,
    Measured,
    Sums,
    TooFew,
    difference_of_shares,
    effect,
    results,
    wilson,
)

RUNS = 500
TREATED, HELD = 700, 120
BUYS, HELD_BUYS = 0.30, 0.20  # of people; those who buy with the journey redeem a coupon at times
REDEEMS, COST_FEN = 0.6, 1_000.0
SIGMA = 0.6  # of the logarithm of an order
ORDER_FEN = 6_000.0
MEAN_FEN = ORDER_FEN * exp(SIGMA**2 / 2)


def report(arms: dict[str, ArmTally], partition: int = 0, at_ms: int = 1) -> JourneyReport:
    return JourneyReport(
        partition=partition, at_ms=at_ms, journey="cart", version=1, title="购物车", arms=arms
    )


def group(rng: np.random.Generator, people: int, share: float, *, coupons: bool) -> Sums:
    buys = rng.random(people) < share
    value = buys * rng.lognormal(np.log(ORDER_FEN), SIGMA, people)
    cost = (buys & (rng.random(people) < REDEEMS)) * COST_FEN if coupons else np.zeros(people)
    return Sums(
        people=people,
        reached=int(buys.sum()),
        value=float(value.sum()),
        value_squares=float((value**2).sum()),
        cost=float(cost.sum()),
        cost_squares=float((cost**2).sum()),
        products=float((value * cost).sum()),
    )


@pytest.fixture(scope="module")
def worlds() -> list[Effect]:
    """The effect as measured in many runs of one small world."""
    rng = np.random.default_rng(4)
    return [
        effect(group(rng, TREATED, BUYS, coupons=True), group(rng, HELD, HELD_BUYS, coupons=False))
        for _ in range(RUNS)
    ]


GAIN_FEN = (BUYS - HELD_BUYS) * MEAN_FEN
FIGURES: list[tuple[str, Callable[[Effect], object], float]] = [
    ("conversion", lambda one: one.conversion, BUYS - HELD_BUYS),
    ("value", lambda one: one.value_fen, GAIN_FEN),
    ("return", lambda one: one.return_on_cost, GAIN_FEN / (BUYS * REDEEMS * COST_FEN)),
    ("extra", lambda one: one.extra, (BUYS - HELD_BUYS) * TREATED),
]


@pytest.mark.parametrize(("name", "figure", "truth"), FIGURES, ids=[name for name, *_ in FIGURES])
def test_intervals_cover_the_truth(
    worlds: list[Effect], name: str, figure: Callable[[Effect], object], truth: float
) -> None:
    found = [figure(one) for one in worlds]
    measured = [one for one in found if isinstance(one, Measured)]
    assert len(measured) == RUNS, name
    covered = sum(one.low <= truth <= one.high for one in measured) / RUNS
    assert 0.93 <= covered <= 0.985


def test_a_rare_goal_is_covered_too() -> None:
    rng = np.random.default_rng(5)
    reached, held = rng.binomial(400, 0.02, RUNS), rng.binomial(60, 0.02, RUNS)
    found = [
        difference_of_shares(int(a), 400, int(b), 60) for a, b in zip(reached, held, strict=True)
    ]
    covered = sum(isinstance(one, Measured) and one.low <= 0.0 <= one.high for one in found)
    assert covered / RUNS >= 0.93


def test_the_difference_of_shares_is_newcombes() -> None:
    """The example of his paper's table II: 56 of 70 less 48 of 80."""
    found = difference_of_shares(56, 70, 48, 80)
    assert isinstance(found, Measured)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


def test_everybody_who_was_not_held_out_is_treated_whatever_a_gate_said_later() -> None:
    arms = {
        "": ArmTally(first_settled=10, first_reached=1),  # refused by a cap
        "nothing": ArmTally(first_settled=20, first_reached=2),
        "coupon": ArmTally(first_settled=30, first_reached=12),
        "hold": ArmTally(first_settled=40, first_reached=8),
    }
    (found,) = results([report(arms)])
    assert (found.effect.treated.people, found.effect.treated.reached) == (60, 15)
    assert (found.effect.held_out.people, found.effect.held_out.reached) == (40, 8)


def test_with_too_few_people_it_says_so_instead_of_a_number() -> None:
    arms = {
        "send": ArmTally(first_settled=500, first_reached=90),
        "hold": ArmTally(first_settled=29),
    }
    (found,) = results([report(arms)])
    assert found.effect.conversion == TooFew(29)
    assert found.effect.extra_fen == TooFew(29)


def test_money_needs_some_goals_in_both_groups() -> None:
    held = Sums(people=100, reached=9, value=9e4, value_squares=9e8)
    found = effect(Sums(people=900, reached=99, value=9e5, value_squares=9e9), held)
    assert isinstance(found.conversion, Measured)
    assert found.value_fen == TooFew(9, "goals")


def test_a_return_needs_redeemed_coupons() -> None:
    one = Sums(people=200, reached=50, value=1e5, value_squares=1e9, cost=3e3, cost_squares=3e6)
    assert effect(one, one).return_on_cost == TooFew(3, "redeemed")
    assert effect(one._replace(cost=0.0), one).return_on_cost is None


def test_partitions_are_added_and_an_older_report_of_one_does_not_count() -> None:
    old = report({"send": ArmTally(decided=5)}, 0, 1)
    new = report({"send": ArmTally(decided=7)}, 0, 2)
    other = report({"send": ArmTally(decided=30)}, 1, 1)
    (found,) = results([new, old, other])
    assert [(arm.arm, arm.decided) for arm in found.arms] == [("send", 37)]


def test_last_touch_stands_beside_the_effect_and_control_groups_have_no_part_in_it() -> None:
    arms = {
        "coupon": ArmTally(sent=10, credited=4, credited_fen=40_000, spent_fen=8_000),
        "hold": ArmTally(credited=99),
    }
    touch = results([report(arms)])[0].last_touch
    assert (touch.credited, touch.return_on_cost) == (4, 5.0)


def test_rates_are_of_what_was_delivered_and_missing_where_nothing_was() -> None:
    arms = {
        "coupon": ArmTally(
            delivered=50, opened=20, clicked=10, settled=40, reached=8, spent_fen=96
        ),
        "hold": ArmTally(settled=4),
    }
    coupon, hold = results([report(arms)])[0].arms
    assert (coupon.open_rate, coupon.click_rate, coupon.conversion) == (0.4, 0.2, 0.2)
    assert coupon.cost_per_conversion_fen == 12.0
    assert (hold.open_rate, hold.conversion, hold.return_on_cost) == (None, 0.0, None)


def test_segments_are_measured_each_by_itself() -> None:
    part = msgspec.structs.replace(report({}), by_lifecycle={"new": [100, 40, 50, 10]})
    (found,) = results([part, msgspec.structs.replace(part, partition=1)])[0].segments
    assert (found.treated.people, found.held_out.reached) == (200, 20)
    assert isinstance(found.conversion, Measured)
    assert found.conversion.value == pytest.approx(0.2)


@pytest.mark.parametrize("reached", [0, 1, 20, 39, 40])
def test_the_interval_of_a_share_stays_within_0_and_1_and_holds_it(reached: int) -> None:
    low, share, high = wilson(reached, 40)
    assert 0.0 <= low <= share <= high <= 1.0
