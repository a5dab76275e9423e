"""The price of money."""

from math import nan
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.choices.price import LEAST, MOST, next_price

SHARE = st.floats(0.0, 1e6)


@given(st.floats(0.0, 1e9), SHARE, SHARE)
def test_the_price_stays_within_its_bounds(price: float, spent: float, passed: float) -> None:
    assert LEAST <= next_price(price, spent, passed) <= MOST


def test_spending_too_fast_makes_money_dearer_too_slow_cheaper() -> None:
    assert next_price(2.0, 0.03, 0.02) > 2.0 > next_price(2.0, 0.01, 0.02)
    assert next_price(2.0, 0.02, 0.02) == 2.0


@pytest.mark.parametrize("wrong", [(nan, 0.1, 0.1), (1.0, -0.1, 0.1), (1.0, 0.1, nan)])
def test_negative_shares_are_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="none below 0"):
        next_price(*wrong)


@pytest.mark.parametrize("wanted", [1.5, 3.0, 10.0])
def test_a_budget_lasts_the_day_and_is_used_up_when_demand_is_a_multiple(wanted: float) -> None:
    """Offers are worth taking while uplift per fen, uniform up to 4, is above the price."""
    chance, budget, price, spent_at = Random(4), 1_000_000.0, LEAST, []
    left = budget
    for minute in range(1_440):
        demand = wanted * budget / 1_440 * chance.uniform(0.5, 1.5) * 4.0 / 3.0
        spend = min(demand * max(1.0 - price / 4.0, 0.0), left)
        price = next_price(price, spend / left if left else 0.0, 1.0 / (1_440 - minute))
        left -= spend
        spent_at.append(budget - left)
    assert left <= 0.02 * budget
    assert spent_at[720] == pytest.approx(0.5 * budget, rel=0.1)
