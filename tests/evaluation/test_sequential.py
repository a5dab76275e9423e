"""Effects that last: learned from a log, estimated on another, refused unless shown better."""

from typing import Any

import numpy as np
import pytest

from streams.benchmarks.strategy import trajectories
from streams.evaluation import sequential
from streams.evaluation.clusters import Floats
from streams.evaluation.off_policy import Estimate, Logged, doubly_robust, estimate
from streams.evaluation.sequential import Setting, Trajectories, evaluate, gate, learn
from streams.simulation import fatigue

SETTING = Setting(arms=2, horizon=fatigue.DECISIONS, discount_per_day=fatigue.DISCOUNT_PER_DAY)
TWO = Setting(arms=2, horizon=2, discount_per_day=0.5)


def lives(seed: int, people: int) -> Trajectories:
    return trajectories(fatigue.live(fatigue.today, seed=seed, people=people))


def value(policy: sequential.Policy) -> float:
    return fatigue.true_value(fatigue.on_features(policy))


def uniform(features: Floats) -> Floats:
    return np.full((len(features), 2), 0.5)


def biased(features: Floats) -> Floats:
    """Arm 1 with 0.8."""
    return np.tile([0.2, 0.8], (len(features), 1))


def chain(**change: Any) -> Trajectories:
    """Two people of two decisions, two gone after the first; nothing to see in the features."""
    log = Trajectories(
        person=np.array([7, 7, 3, 3, 9, 1]),
        features=np.zeros((6, 1)),
        arm=np.array([1, 0, 0, 1, 1, 0]),
        propensity=np.full(6, 0.5),
        reward=np.array([1.0, 0.0, 0.0, 2.0, 4.0, 1.0]),
        next_features=np.zeros((6, 1)),
        gap_days=np.ones(6),
        ended=np.array([False, True, False, True, True, True]),
    )
    return log._replace(**change)


@pytest.fixture(scope="module")
def learned() -> sequential.GreedyWithFloor:
    return learn(lives(1, 6_000), SETTING, floor=0.1)


def test_who_looks_ahead_does_better_than_who_does_not(
    learned: sequential.GreedyWithFloor,
) -> None:
    myopic = learn(lives(1, 6_000), SETTING._replace(horizon=1), floor=0.1)
    best = fatigue.true_value(fatigue.best_policy())
    assert value(learned) > 1.25 * value(myopic)
    assert value(learned) > fatigue.true_value(fatigue.today)
    assert value(learned) > 0.9 * best


def test_every_arm_keeps_its_floor(learned: sequential.GreedyWithFloor) -> None:
    chances = learned(fatigue.features(np.arange(len(fatigue.STATES))))
    assert chances.min() == pytest.approx(0.1)
    assert chances.sum(axis=1) == pytest.approx(1.0)


def test_the_scale_of_a_feature_does_not_change_what_is_learned() -> None:
    log = lives(2, 2_000)
    scale = np.geomspace(0.01, 100, log.features.shape[1])
    scaled = log._replace(features=log.features * scale, next_features=log.next_features * scale)
    plain = learn(log, SETTING)(log.features)
    assert learn(scaled, SETTING)(scaled.features) == pytest.approx(plain)


def test_the_log_s_own_value_is_the_mean_of_what_people_brought() -> None:
    """Discounted by half a day: 1 + 0, 0 + 2/2, 4 and 1."""
    found = sequential.logged_value(chain(), TWO)
    assert found.value == pytest.approx((1 + 1 + 4 + 1) / 4)
    assert found.n == 4


def test_the_policy_that_wrote_the_log_is_worth_what_the_log_brought() -> None:
    found = evaluate(chain(), uniform, TWO._replace(penalty=1e9))
    assert found.value == pytest.approx((1 + 1 + 4 + 1) / 4)
    assert found.effective_sample_size == pytest.approx(4)


def test_without_a_model_it_is_the_per_decision_weighted_mean() -> None:
    """Weights 1.6 (arm 1) and 0.4 (arm 0) multiply; a penalty without end silences the model."""
    first = np.array([1.6, 0.4, 1.6, 0.4])
    both = first * np.array([0.4, 1.6, 1.0, 1.0])
    by_hand = first @ [1, 0, 4, 1] / first.sum() + both @ [0, 1, 0, 0] / both.sum()
    found = evaluate(chain(), biased, TWO._replace(penalty=1e12))
    assert found.value == pytest.approx(by_hand)
    assert found.effective_sample_size == pytest.approx(both.sum() ** 2 / (both @ both))


def test_one_decision_to_go_is_the_bandit_s_estimate() -> None:
    log = lives(4, 3_000)
    first = np.append(True, log.person[1:] != log.person[:-1])
    one_step = log._replace(ended=np.ones(len(log.arm), dtype=bool))
    alone = Trajectories(*(None if part is None else part[first] for part in one_step))
    found = evaluate(alone, biased, SETTING._replace(horizon=1))
    bandit = estimate(
        Logged(
            reward=alone.reward,
            action=alone.arm,
            propensity=alone.propensity,
            target=biased(alone.features),
            q_hat=np.zeros((len(alone.arm), 2)) + alone.reward.mean(),
        ),
        doubly_robust,
    )
    assert found.value == pytest.approx(bandit.value, abs=0.01)
    assert found.high - found.low == pytest.approx(bandit.high - bandit.low, rel=0.1)


def test_who_is_cut_before_the_horizon_is_carried_on_by_the_model() -> None:
    """Half of the people are seen for three decisions only; the estimate stays where it was."""
    log = lives(6, 6_000)
    step = np.arange(len(log.person)) - np.searchsorted(log.person, log.person)
    kept = (step < 3) | (log.person % 2 == 0)
    cut = Trajectories(*(None if part is None else part[kept] for part in log))
    whole, part = (sequential.logged_value(each, SETTING) for each in (log, cut))
    assert part.value == pytest.approx(whole.value, rel=0.03)


def test_the_intervals_hold_the_truth_in_90_percent_of_60_logs(
    learned: sequential.GreedyWithFloor,
) -> None:
    truth = value(learned)
    found = [evaluate(lives(100 + seed, 2_000), learned, SETTING) for seed in range(60)]
    assert sum(each.low <= truth <= each.high for each in found) >= 54


def test_the_gate_lets_pass_what_is_shown_to_be_better(
    learned: sequential.GreedyWithFloor,
) -> None:
    log = lives(8, 12_000)
    passed = gate(evaluate(log, learned, SETTING), sequential.logged_value(log, SETTING))
    assert passed.may_drive
    assert passed.reason.startswith("better: at least ")


def found(value: float, low: float, people: float = 500, unsupported: float = 0.0) -> Estimate:
    return Estimate(value, low, 2 * value - low, 1_000, people, unsupported, people)


REFUSED: list[tuple[str, Estimate]] = [
    ("not shown to be better", found(1.2, low=0.9)),
    ("speaks for 20 people", found(2.0, low=1.9, people=20)),
    ("could not have done 30.0%", found(2.0, low=1.9, unsupported=0.3)),
]


@pytest.mark.parametrize(("reason", "candidate"), REFUSED)
def test_the_gate_refuses_what_is_not_shown_to_be_better(reason: str, candidate: Estimate) -> None:
    refused = gate(candidate, found(1.0, low=0.8))
    assert not refused.may_drive
    assert reason in refused.reason


def test_an_arm_the_log_could_not_choose_is_unsupported() -> None:
    eligible = np.ones((6, 2), dtype=bool)
    eligible[[1, 5], 1] = False
    assert evaluate(chain(eligible=eligible), biased, TWO).unsupported == pytest.approx(1.6 / 6)


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("stand one after the other", {"person": np.array([7, 3, 7, 3, 9, 1])}),
    ("after having ended", {"ended": np.ones(6, dtype=bool)}),
    ("an arm is not in", {"arm": np.full(6, 2)}),
    ("a propensity is not in", {"propensity": np.zeros(6)}),
    ("same number of rows", {"reward": np.zeros(5)}),
    ("need the same shape", {"next_features": np.zeros((6, 2))}),
    ("a feature is not finite", {"next_features": np.full((6, 1), np.nan)}),
    ("gap is negative", {"gap_days": -np.ones(6)}),
]


@pytest.mark.parametrize(("message", "change"), WRONG)
def test_what_is_wrong_with_a_log_is_named(message: str, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate(chain(**change), uniform, TWO)


def test_a_policy_that_gives_no_probabilities_is_refused() -> None:
    with pytest.raises(ValueError, match="of sum 1"):
        evaluate(chain(), lambda features: np.ones((len(features), 2)), TWO)


def test_one_person_is_no_log() -> None:
    alone = Trajectories(*(None if part is None else part[:2] for part in chain()))
    with pytest.raises(ValueError, match="a log of 1 people"):
        evaluate(alone, uniform, TWO)
