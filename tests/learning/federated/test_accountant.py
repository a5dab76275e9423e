"""What rounds cost in privacy, against published and closed forms."""

from math import erfc, exp, inf, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.learning.federated.accountant import Budget, Spent, epsilon, noise_for, renyi


@pytest.mark.parametrize("order", [1.5, 2.0, 8.0, 256.0])
@pytest.mark.parametrize("noise", [0.5, 1.0, 10.0])
def test_the_gaussian_mechanism_has_its_closed_form(noise: float, order: float) -> None:
    assert renyi(noise, 1.0, order) == order / (2.0 * noise**2)


def test_sampling_has_its_closed_form_at_order_two() -> None:
    # E over the mixture at order 2: 1 + q^2 (exp(1 / s^2) - 1), by hand.
    for noise, sampled in ((1.0, 0.1), (2.0, 0.5), (4.0, 0.01)):
        expected = 1.0 + sampled**2 * (exp(1.0 / noise**2) - 1.0)
        assert exp(renyi(noise, sampled, 2.0)) == pytest.approx(expected, rel=1e-12)


# dp-accounting 0.6.0 on the same: (noise, sampled, rounds, delta) -> epsilon.
PEER = [
    ((1.0, 1.0, 1, 1e-5), 4.728507067),
    ((2.0, 1.0, 10, 1e-5), 8.079406222),
    ((1.1, 0.01, 1_000, 1e-5), 1.711770166),
    ((4.0, 0.1, 200, 1e-6), 1.755047973),
    ((10.0, 1.0, 30, 1e-5), 2.396428469),
]


@pytest.mark.parametrize(("given", "theirs"), PEER)
def test_epsilon_is_that_of_google_s_accountant_and_never_below(
    given: tuple[float, float, int, float], theirs: float
) -> None:
    noise, sampled, rounds, delta = given
    ours = epsilon([Spent(noise, sampled, rounds)], delta)
    assert theirs - 1e-8 <= ours <= 1.01 * theirs


@given(st.floats(0.5, 20.0), st.sampled_from([1e-3, 1e-5, 1e-7]))
def test_epsilon_is_not_below_the_exact_one_of_a_single_round(noise: float, delta: float) -> None:
    found = epsilon([Spent(noise, 1.0, 1)], delta)

    def normal(x: float) -> float:
        return 0.5 * erfc(-x / sqrt(2.0))

    # Balle, Wang (2018), theorem 8: the delta of the Gaussian mechanism at this epsilon.
    exact = normal(0.5 / noise - found * noise)
    exact -= exp(found) * normal(-0.5 / noise - found * noise)
    assert exact <= delta * (1.0 + 1e-9)


@given(st.floats(0.6, 5.0), st.floats(0.01, 1.0), st.integers(1, 100))
@settings(max_examples=15)
def test_more_rounds_more_people_and_less_noise_cost_more(
    noise: float, sampled: float, rounds: int
) -> None:
    found = epsilon([Spent(noise, sampled, rounds)], 1e-5)
    assert epsilon([Spent(noise, sampled, rounds + 1)], 1e-5) >= found
    assert epsilon([Spent(0.9 * noise, sampled, rounds)], 1e-5) >= found
    assert epsilon([Spent(noise, 1.0, rounds)], 1e-5) >= found - 1e-9


def test_rounds_of_different_kinds_add_up() -> None:
    together = epsilon([Spent(4.0, 1.0, 3), Spent(4.0, 1.0, 4)], 1e-5)
    assert together == pytest.approx(epsilon([Spent(4.0, 1.0, 7)], 1e-5))


def test_nothing_done_costs_nothing_and_no_noise_costs_everything() -> None:
    assert epsilon([], 1e-5) == 0.0
    assert epsilon([Spent(0.0, 1.0, 1)], 1e-5) == inf
    assert renyi(1.0, 0.0, 2.0) == 0.0


@pytest.mark.parametrize("wanted", [1.0, 3.0, 8.0])
@pytest.mark.parametrize("sampled", [1.0, 0.2])
def test_the_noise_for_a_budget_just_fits_it(wanted: float, sampled: float) -> None:
    noise = noise_for(Budget(wanted), 20, sampled)
    assert wanted * 0.98 <= epsilon([Spent(noise, sampled, 20)], 1e-5) <= wanted
    assert noise_for(Budget(inf), 20) == 0.0


@pytest.mark.parametrize(("epsilon", "delta"), [(0.0, 1e-5), (-1.0, 1e-5), (1.0, 0.0), (1.0, 1.0)])
def test_a_budget_that_is_none_is_refused(epsilon: float, delta: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        Budget(epsilon, delta)


def test_a_chance_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        renyi(1.0, 1.5, 2.0)
