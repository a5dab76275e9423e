"""Who changes because of a treatment: estimates, what they are made of, how good they are."""

from math import inf, isfinite, nan
from random import Random
from typing import NamedTuple

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.evaluation.uplift import rank_correlation
from streams.learning.uplift import Check, Uplift

NAMES = ("coupons", "orders", "noise")
FLOATS = st.floats(allow_nan=True, allow_infinity=True)


class Result(NamedTuple):
    features: tuple[float, ...]
    treated: bool
    share: float
    outcome: float


def effect(x: tuple[float, ...]) -> float:
    return 0.1 + 0.1 * x[0]


def together(x: tuple[float, ...]) -> float:
    return 0.15 * x[0] * x[1]


def results(count: int, of=effect, seed: int = 1) -> list[Result]:
    """Who has ordered orders again, and was treated more often."""
    random, found = Random(seed), []
    for _ in range(count):
        x = tuple(min(max(random.gauss(0.0, 1.0), -2.0), 2.0) for _ in NAMES)
        share = 0.8 if x[1] > 0.0 else 0.4
        treated = random.random() < share
        likely = 0.35 + 0.1 * x[1] + treated * of(x)
        found.append(Result(x, treated, share, float(random.random() < likely)))
    return found


def taught(found: list[Result]) -> Uplift:
    learner = Uplift(NAMES)
    for one in found:
        learner.learn(*one)
    return learner


@pytest.mark.parametrize("of", [effect, together])
def test_estimates_order_people_as_the_true_effects_do(of) -> None:
    learner, others = taught(results(4_000, of)), results(500, of, seed=2)
    found = np.array([learner.predict(one.features).mean for one in others])
    truth = np.array([of(one.features) for one in others])
    assert rank_correlation(found, truth) > 0.85
    assert abs(float(found.mean() - truth.mean())) < 0.03


def test_who_is_treated_more_often_does_not_look_as_if_it_helped_them() -> None:
    learner = taught(results(6_000, lambda x: 0.0))
    found = [learner.predict((0.0, level, 0.0)).mean for level in (-1.5, 1.5)]
    assert max(map(abs, found)) < 0.06


def test_deviations_cover_the_truth() -> None:
    probe, inside = (1.0, 0.0, 0.0), 0
    for seed in range(40):
        found = taught(results(400, seed=seed)).predict(probe)
        inside += abs(found.mean - effect(probe)) < 1.96 * found.deviation
    assert inside >= 33


def test_contributions_add_up_to_the_effect() -> None:
    learner = taught(results(1_500, together))
    for one in results(20, seed=5):
        parts = learner.explain(one.features)
        assert list(parts) == ["", *NAMES]
        assert sum(parts.values()) == pytest.approx(learner.predict(one.features).mean, abs=1e-12)


def test_the_untreated_are_expected_to_do_as_the_held_out_did() -> None:
    learner = taught(results(6_000))
    assert learner.untreated((0.0, 1.0, 0.0), 0.8) == pytest.approx(0.45, abs=0.05)
    assert learner.untreated((0.0, -1.0, 0.0), 0.4) == pytest.approx(0.25, abs=0.05)


def test_the_check_holds_where_effects_differ_and_not_where_all_are_alike() -> None:
    assert taught(results(3_000)).check.holds()
    alike = [taught(results(1_000, lambda x: 0.1, seed)).check.holds() for seed in range(10)]
    assert sum(alike) <= 2
    assert not Check().holds()


def test_calibrated_estimates_have_a_slope_of_one() -> None:
    assert taught(results(8_000)).check.slope() == pytest.approx(1.0, abs=0.3)


def test_asking_changes_nothing() -> None:
    learner = taught(results(100))
    before = learner.to_row()
    learner.predict((1.0, 2.0, 3.0))
    learner.explain((1.0, 2.0, 3.0))
    learner.untreated((1.0, 2.0, 3.0), 0.5)
    assert learner.to_row() == before


def test_a_learner_taken_over_from_its_row_goes_on_bit_for_bit() -> None:
    found = results(600)
    again = Uplift(NAMES)
    again.from_row(taught(found[:250]).to_row())
    for one in found[250:]:
        again.learn(*one)
    assert again.to_row() == taught(found).to_row()


def test_the_row_of_eight_features_is_at_most_16_kilobytes() -> None:
    learner = Uplift([f"feature{number}" for number in range(8)])
    learner.learn((1.0,) * 8, True, 0.5, 1.0)
    assert len(learner.to_row()) <= 16_384


def test_rows_of_a_newer_schema_or_other_features_are_refused() -> None:
    row = taught(results(10)).to_row()
    _, *parts = msgspec.msgpack.decode(row)
    with pytest.raises(ValueError, match="schema 99"):
        Uplift(NAMES).from_row(msgspec.msgpack.encode([99, *parts]))
    with pytest.raises(ValueError, match="other"):
        Uplift(("other",)).from_row(row)


def test_another_number_of_features_is_refused() -> None:
    with pytest.raises(ValueError, match="2 features where there are 3"):
        Uplift(NAMES).predict((1.0, 2.0))


@given(st.lists(st.tuples(st.tuples(FLOATS, FLOATS, FLOATS), st.booleans(), FLOATS, FLOATS)))
def test_no_number_makes_an_estimate_non_finite(found: list) -> None:
    learner = Uplift(NAMES)
    for one in found:
        learner.learn(*one)
    estimate = learner.predict((inf, nan, -1e308))
    assert isfinite(estimate.mean)
    assert isfinite(estimate.deviation)
    assert isfinite(learner.check.mean())
