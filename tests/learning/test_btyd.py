"""Buy till you die over a grid of rates."""

from math import isfinite
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.learning.btyd import Customers

RATES = (0.05, 0.3, 1.0)


def standing(customers: Customers, repeats: float, span: float, silence: float):
    return customers.standing(repeats=repeats, span=span, silence=silence)


def test_silence_says_more_of_who_used_to_come_often() -> None:
    customers = Customers(RATES, 0.05)
    often, seldom = standing(customers, 10, 10, 8), standing(customers, 1, 10, 8)
    _, gone_often = next(customers.ahead(often, 1))
    _, gone_seldom = next(customers.ahead(seldom, 1))
    assert gone_often > gone_seldom


def test_the_outlook_of_a_silent_unit_ahead_is_what_that_unit_will_see() -> None:
    customers = Customers(RATES, 0.05)
    ahead = list(customers.ahead(standing(customers, 3, 9, 2), 5))
    for units, expected in enumerate(ahead):
        then = next(customers.ahead(standing(customers, 3, 9, 2 + units), 1))
        assert then == pytest.approx(expected, rel=1e-9)


def test_shares_follow_the_people() -> None:
    customers, random = Customers(RATES, 0.05), Random(1)
    for _ in range(2_000):
        repeats = sum(random.random() < 0.3 for _ in range(20))
        customers.learn(standing(customers, repeats, 20, 1))
    assert customers.shares[1] > 0.6
    assert sum(customers.shares) == pytest.approx(1.0)
    assert min(customers.shares) > 0.0


def test_a_row_brings_back_what_was_learned_and_no_other_grid() -> None:
    customers, again = Customers(RATES, 0.05), Customers(RATES, 0.05)
    customers.learn(standing(customers, 3, 9, 2))
    again.from_row(customers.to_row())
    assert (again.shares, again.step) == (customers.shares, customers.step)
    with pytest.raises(ValueError, match="shares are of rates"):
        Customers((0.1,), 0.05).from_row(customers.to_row())


@pytest.mark.parametrize("rates", [(), (0.0,), (-1.0,), (float("nan"),)])
def test_rates_that_are_none_are_refused(rates: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        Customers(rates, 0.05)


@given(st.floats(), st.floats(), st.floats())
def test_any_history_has_finite_odds(repeats: float, span: float, silence: float) -> None:
    customers = Customers(RATES, 0.05)
    known = standing(customers, repeats, span, silence)
    customers.learn(known)
    for comes, gone in customers.ahead(known, 3):
        assert 0.0 <= comes <= 1.0
        assert 0.0 <= gone <= 1.0 + 1e-12
    assert all(map(isfinite, customers.shares))
