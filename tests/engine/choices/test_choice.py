"""Propensities: their floor, and drawing from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.choices.choice import draw, with_floor

SHARES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8)


@given(SHARES, st.floats(0.0, 2.0))
def test_with_floor_gives_a_distribution_that_keeps_the_order(
    shares: list[float], floor: float
) -> None:
    floored = with_floor(shares, floor)
    assert sum(floored) == pytest.approx(1.0, abs=1e-12)
    assert min(floored) >= min(floor, 1.0 / len(shares)) - 1e-15
    by_share = sorted(range(len(shares)), key=lambda place: (shares[place], floored[place]))
    assert [floored[place] for place in by_share] == sorted(floored)


def test_what_lies_above_the_floor_already_stays_as_it_is() -> None:
    assert with_floor([0.2, 0.3, 0.5], 0.1) == pytest.approx([0.2, 0.3, 0.5], abs=1e-15)


def test_only_the_surplus_pays_for_the_floor() -> None:
    assert with_floor([0.0, 0.02, 0.98], 0.02) == pytest.approx([0.02, 0.02, 0.96], abs=1e-15)


def test_a_floor_too_high_for_all_makes_all_equal() -> None:
    assert with_floor([0.0, 0.0, 0.5, 0.5], 0.3) == [0.25] * 4


@pytest.mark.parametrize(
    ("shares", "floor"), [([], 0.1), ([0.5, -0.5], 0.1), ([float("nan")], 0.0), ([1.0], -0.1)]
)
def test_no_candidates_and_negative_propensities_are_refused(
    shares: list[float], floor: float
) -> None:
    with pytest.raises(ValueError, match=r"no candidates|below 0 or NaN"):
        with_floor(shares, floor)


def test_the_share_of_draws_is_the_propensity() -> None:
    propensities = [0.1, 0.0, 0.65, 0.25]
    draws = [draw(propensities, (place + 0.5) / 1_000) for place in range(1_000)]
    assert [draws.count(arm) for arm in range(4)] == [100, 0, 650, 250]


@given(SHARES.filter(any), st.floats(0.0, 1.0, exclude_max=True))
def test_what_has_no_propensity_is_never_drawn(shares: list[float], u: float) -> None:
    propensities = with_floor(shares, 0.0)
    assert propensities[draw(propensities, u)] > 0.0


def test_a_draw_in_what_rounding_left_over_falls_on_the_last_possible_arm() -> None:
    assert draw([0.3, 0.7 - 1e-15, 0.0], 1.0 - 1e-16) == 1
