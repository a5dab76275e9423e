"""Linear choosers against numpy's least squares, river's LinUCB, and what they are for."""

from random import Random

import numpy as np
import pytest
from river.bandit import LinUCBDisjoint

from streams.engine.choices.choice import Candidate, Step
from streams.engine.choices.linear import LinearThompson, LinUCB

WIDTH = 4
STEP = Step(("nothing", "coupon10"), WIDTH)
NOTHING, COUPON = Candidate("nothing", 0), Candidate("coupon10", 1_000)
BOTH = (NOTHING, COUPON)
Example = tuple[int, list[float], float, float]


def examples(count: int, seed: int = 1) -> list[Example]:
    """Who has feature 0 buys with a coupon only, who has feature 1 buys anyway."""
    chance, found = Random(seed), []
    for _ in range(count):
        arm = chance.randrange(2)
        x = [float(chance.random() < 0.5) for _ in range(WIDTH)]
        likely = 0.05 + 0.4 * x[0] * arm + 0.5 * x[1]
        bought = chance.random() < likely
        found.append((arm, x, 6_000.0 * bought, 1_000.0 * bought * arm))
    return found


def taught(chooser: LinearThompson, found: list[Example]) -> LinearThompson:
    for arm, x, value, cost in found:
        chooser.learn(arm, x, value_fen=value, cost_fen=cost)
    return chooser


def test_estimates_are_those_of_rivers_linucb() -> None:
    found, chance = examples(500), Random(9)
    ours, theirs = taught(LinUCB(STEP), found), LinUCBDisjoint(alpha=1.0, beta=1.0, seed=1)
    for arm, x, value, _ in found:
        theirs.update(arm, {**dict(enumerate(x)), "one": 1.0}, value)
    free = (NOTHING, COUPON._replace(cost_fen=0))
    for _ in range(20):
        x = [chance.gauss(0.0, 1.0) for _ in range(WIDTH)]
        context = {**dict(enumerate(x)), "one": 1.0}
        expected = [theirs._bayes_lin_regs[arm].predict_one(context) for arm in range(2)]
        assert ours.expected(free, x, price=1.0) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_estimates_and_residuals_are_those_of_ridge_regression() -> None:
    found, price = examples(2_000), 1.7
    regression = taught(LinUCB(STEP), found).regressions["coupon10"]
    design = np.array([[*x, 1.0] for arm, x, _, _ in found if arm == 1])
    net = np.array([value - price * cost for arm, _, value, cost in found if arm == 1])
    wanted = np.linalg.solve(design.T @ design + np.eye(WIDTH + 1), design.T @ net)
    value, cost = (np.array(part) for part in regression.coefficients())
    assert list(value - price * cost) == pytest.approx(list(wanted), rel=1e-9)
    assert regression.square(price) == pytest.approx(net @ net - net @ design @ wanted, rel=1e-9)


def test_the_inverse_stays_exact_and_symmetric_over_many_examples() -> None:
    found = examples(20_000)
    regression = taught(LinUCB(STEP), found).regressions["nothing"]
    design = np.array([[*x, 1.0] for arm, x, _, _ in found if arm == 0])
    inverse = np.array(regression.inverse)
    assert np.allclose(inverse @ (design.T @ design + np.eye(WIDTH + 1)), np.eye(WIDTH + 1))
    assert (inverse == inverse.T).all()


@pytest.mark.parametrize("kind", [LinearThompson, LinUCB])
def test_coupons_go_to_those_they_move_and_not_to_those_who_buy_anyway(
    kind: type[LinearThompson],
) -> None:
    chooser = taught(kind(STEP), examples(4_000))
    moved, anyway = (1.0, 0.0, 0.5, 0.5), (0.0, 1.0, 0.5, 0.5)
    assert chooser.propensities(BOTH, moved, floor=0.02, price=1.0)[1] > 0.9
    assert chooser.propensities(BOTH, anyway, floor=0.02, price=1.0)[1] < 0.1


def test_dearer_money_goes_to_the_greatest_uplift_per_fen() -> None:
    chooser = taught(LinearThompson(STEP), examples(8_000))
    moved, hardly = (1.0, 0.0, 0.5, 0.5), (0.0, 0.0, 0.5, 0.5)
    shares = [chooser.propensities(BOTH, x, floor=0.0, price=3.0)[1] for x in (moved, hardly)]
    assert shares[0] > 0.9
    assert shares[1] < 0.3
    assert chooser.propensities(BOTH, moved, floor=0.0, price=20.0)[1] < 0.1


def test_expected_cost_stays_within_what_the_arm_can_cost() -> None:
    chooser = taught(LinUCB(STEP), examples(4_000))
    far = (-9.0, -9.0, -9.0, -9.0)
    cheap, dear = (chooser.expected((COUPON,), far, price=price)[0] for price in (1.0, 50.0))
    assert cheap == dear  # a straight line would expect to be paid for the coupon


def test_the_bound_of_linucb_shrinks_where_it_has_looked() -> None:
    chooser = LinUCB(STEP)
    for number in range(60):
        chooser.learn(0, (1.0, 0.0, 0.0, 0.0), value_fen=100.0 * (number % 2), cost_fen=0.0)
    chooser.learn(1, (0.0, 0.0, 0.0, 1.0), value_fen=40.0, cost_fen=0.0)
    shares = chooser.propensities(BOTH, (1.0, 0.0, 0.0, 0.0), floor=0.05, price=1.0)
    assert shares == pytest.approx([0.05, 0.95])  # 50 fen are known there, 20 fen may be more


def test_what_is_forgotten_makes_room_for_what_has_changed() -> None:
    before, after = examples(3_000), examples(1_000, seed=2)
    turned = [(arm, x, 30_000.0 - value, 0.0) for arm, x, value, _ in after]
    x = (0.0, 1.0, 0.5, 0.5)
    lasting = taught(LinUCB(STEP), before + turned)
    forgetful = taught(LinUCB(STEP._replace(forgetting=0.995)), before + turned)
    fresh = taught(LinUCB(STEP), turned)
    wanted = fresh.expected((NOTHING,), x, price=1.0)[0]
    assert forgetful.expected((NOTHING,), x, price=1.0)[0] > 0.9 * wanted
    assert lasting.expected((NOTHING,), x, price=1.0)[0] < 0.6 * wanted


def test_forgetting_never_knows_less_than_the_prior() -> None:
    chooser = LinUCB(STEP._replace(forgetting=0.9))
    for _ in range(2_000):
        chooser.learn(0, (1.0, 0.0, 0.0, 0.0), value_fen=10.0, cost_fen=0.0)
    diagonal = [row[place] for place, row in enumerate(chooser.regressions["nothing"].inverse)]
    assert max(diagonal) <= 1.0 + 1e-12


def test_with_other_features_a_step_begins_anew() -> None:
    wider = LinearThompson(Step(STEP.arms, WIDTH + 1))
    wider.from_row(taught(LinearThompson(STEP), examples(50)).to_row())
    assert wider.to_row() == LinearThompson(Step(STEP.arms, WIDTH + 1)).to_row()


def test_both_linear_choosers_read_one_row() -> None:
    one, other = taught(LinearThompson(STEP), examples(50)), LinUCB(STEP)
    other.from_row(one.to_row())
    assert other.to_row() == one.to_row()


def test_another_number_of_features_is_refused() -> None:
    with pytest.raises(ValueError, match="3 features where this step has 4"):
        LinUCB(STEP).propensities(BOTH, (1.0, 2.0, 3.0), floor=0.0, price=1.0)
