"""Hazards: silence over many units, second-order steps, and the level of a long horizon."""

from math import exp, inf, isfinite, log, nan
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import checks
from river.datasets import Phishing

from streams.learning.hazard import Hazard, Level, SeldomHazard
from streams.learning.logistic import sigmoid


def examples(count: int, seed: int = 1) -> list[tuple[list[float], bool]]:
    """Two features that go together; the log-odds are 1.5 * first - 1."""
    random, found = Random(seed), []
    for _ in range(count):
        first = random.gauss(0.0, 1.0)
        x = [first, first + random.gauss(0.0, 0.3)]
        found.append((x, random.random() < sigmoid(1.5 * first - 1.0)))
    return found


def test_silence_is_the_product_of_silent_units() -> None:
    hazard = Hazard()
    hazard.begin(("moving", "steady"), (1.0, 0.5))
    ahead = hazard.ahead([[-1.0], [-2.0]], [0.2])
    silence = (1.0 - sigmoid(-0.9)) * (1.0 - sigmoid(-1.9))
    assert ahead.silence == pytest.approx(log(silence / (1.0 - silence)))
    assert ahead.next == pytest.approx(-0.9)
    assert ahead.features == [-1.0, 0.2]


def test_an_outlook_over_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one unit"):
        Hazard().ahead([], [])


def test_second_order_steps_find_the_law_in_few_examples() -> None:
    hazard = SeldomHazard()
    hazard.begin(("first", "second"), (0.0, 0.0))
    for x, y in examples(3_000):
        hazard.learn(x, y)
    assert sum(hazard.weights) == pytest.approx(1.5, abs=0.2)
    assert hazard.intercept == pytest.approx(-1.0, abs=0.15)


def test_a_seldom_hazard_saved_in_the_middle_goes_on_alike() -> None:
    one, other = SeldomHazard(), SeldomHazard()
    for x, y in examples(50):
        one.learn(x, y)
    other.from_row(one.to_row())
    for x, y in examples(50, seed=2):
        assert one.learn(x, y) == other.learn(x, y)
    assert one.to_row() == other.to_row()


def test_a_broken_covariance_is_refused() -> None:
    hazard = SeldomHazard()
    hazard.learn([1.0, 2.0], True)
    row = bytearray(hazard.to_row())
    place = bytes(row).index(hazard._covariance.astype("<f8").tobytes())
    row[place] ^= 1
    with pytest.raises(ValueError, match="broken"):
        SeldomHazard().from_row(bytes(row))


def test_a_seldom_hazard_does_not_pretend_to_share() -> None:
    with pytest.raises(RuntimeError, match="learns alone"):
        SeldomHazard().begin_sharing()


@pytest.mark.parametrize("values", [[nan, inf], [-inf, 1e308], [], [0.0] * 100])
def test_odd_inputs_leave_finite_weights(values: list[float]) -> None:
    hazard = SeldomHazard()
    for y in (True, False, True):
        assert isfinite(hazard.learn(values, y))
    assert all(map(isfinite, (*hazard.weights, hazard.intercept)))
    assert len(hazard.weights) <= hazard.capacity
    assert len(hazard.to_row()) < 16_384


def river_checks() -> list:
    """All that river applies to a binary classifier, on the data it ships."""
    original = checks._yield_datasets
    checks._yield_datasets = lambda model, scale=1: [list(Phishing().take(200 * scale))]
    try:
        return list(checks.yield_checks(SeldomHazard()))
    finally:
        checks._yield_datasets = original


@pytest.mark.parametrize("check", river_checks(), ids=lambda check: check.__name__)
def test_river_s_own_checks_pass(check) -> None:
    check(SeldomHazard())


def test_a_level_makes_the_mean_right_and_keeps_the_order() -> None:
    level, random = Level(), Random(3)
    logits = [random.gauss(-1.5, 1.0) for _ in range(6_000)]
    for logit in logits:
        level.learn(logit, happened=random.random() < sigmoid(logit + 0.5))
    assert level.shift == pytest.approx(0.5, abs=0.08)
    assert level.apply(0.0) < level.apply(0.1)


@given(st.lists(st.tuples(st.floats(), st.booleans())))
def test_no_pair_breaks_a_level(pairs: list[tuple[float, bool]]) -> None:
    level = Level()
    for logit, happened in pairs:
        level.learn(logit, happened=happened)
    assert 0.0 < level.apply(0.0) <= sigmoid(exp(1.0))
