"""Thompson sampling without features."""

from random import Random
from statistics import fmean, variance

import pytest

from streams.engine.choices.choice import Candidate, Step
from streams.engine.choices.thompson import Moments, Thompson

STEP = Step(("nothing", "coupon10"))
BOTH = (Candidate("nothing", 0), Candidate("coupon10", 1_000))


def taught(count: int, without: float, with_coupon: float) -> Thompson:
    """Orders of 6 000 fen with these probabilities; a coupon costs 1 000 with the order."""
    chance, chooser = Random(7), Thompson(STEP)
    for number in range(count):
        arm = number % 2
        bought = chance.random() < (without, with_coupon)[arm]
        chooser.learn(arm, (), value_fen=6_000.0 * bought, cost_fen=1_000.0 * bought * arm)
    return chooser


def coupon_share(chooser: Thompson, price: float = 1.0) -> float:
    return chooser.propensities(BOTH, (), floor=0.0, price=price)[1]


def test_the_coupon_that_pays_is_found() -> None:
    assert coupon_share(taught(2_000, 0.1, 0.3)) > 0.99


def test_who_buys_anyway_gets_no_coupon() -> None:
    assert coupon_share(taught(4_000, 0.6, 0.6)) < 0.01


def test_dearer_money_stops_the_coupon() -> None:
    chooser = taught(4_000, 0.2, 0.3)
    by_price = [coupon_share(chooser, price) for price in (1.0, 1.5, 2.0, 4.0)]
    assert by_price == sorted(by_price, reverse=True)
    assert by_price[0] > 0.8
    assert by_price[-1] < 0.01


def test_the_more_is_known_the_less_is_tried() -> None:
    tried = [coupon_share(taught(count, 0.1, 0.3)) for count in (0, 20, 200, 2_000)]
    assert tried == sorted(tried)
    assert tried[0] == 0.5


def test_moments_merge_to_those_of_all_examples() -> None:
    chance = Random(3)
    examples = [(chance.gauss(5.0, 2.0), chance.gauss(1.0, 3.0)) for _ in range(100)]
    left, right = Moments(), Moments()
    for place, (value, cost) in enumerate(examples):
        (left if place < 30 else right).add(Moments(1, value, cost))
    left.add(right)
    nets = [value - 2.5 * cost for value, cost in examples]
    assert left.mean(2.5) == pytest.approx(fmean(nets), rel=1e-12)
    assert left.square(2.5) == pytest.approx(99 * variance(nets), rel=1e-12)
