"""Off-policy estimates: hand-computed figures, intervals that hold, refusals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.evaluation import off_policy
from streams.evaluation.off_policy import (
    Estimator,
    Logged,
    NotRankable,
    direct,
    doubly_robust,
    doubly_robust_self_normalised,
    estimate,
    ips,
    rank,
    snips,
    switch,
)
from streams.evaluation.reward_model import reward_model
from streams.simulation.adaptive_log import REWARD, adaptive_log, true_value

# Weights 2, 0.5, 1, 4; model values 0.6, 0.375, 0.5, 0.28; model errors 0.5, -0.25, 0.5, -0.2.
BY_HAND = Logged(
    reward=np.array([1.0, 0.0, 1.0, 0.0]),
    action=np.array([0, 1, 0, 1]),
    propensity=np.array([0.4, 0.5, 0.5, 0.2]),
    target=np.array([[0.8, 0.2], [0.75, 0.25], [0.5, 0.5], [0.2, 0.8]]),
    q_hat=np.array([[0.5, 1.0], [5 / 12, 0.25], [0.5, 0.5], [0.6, 0.2]]),
)
# What a person who does it with pencil and paper gets.
FIGURES: list[tuple[Estimator, float]] = [
    (direct, 1.755 / 4),
    (ips, 3 / 4),
    (snips, 3 / 7.5),
    (doubly_robust, (1.755 + 1.0 - 0.125 + 0.5 - 0.8) / 4),
    (doubly_robust_self_normalised, 1.755 / 4 + 0.575 / 7.5),
    (switch(3.0), (1.755 + 1.0 - 0.125 + 0.5) / 4),
]


def logged(count: int, target: float, *, propensity: float = 0.5, **more: Any) -> Logged:
    """Two actions taken in turn; the first always earns 1, the second nothing."""
    action = np.arange(count) % 2
    return Logged(
        reward=1.0 - action,
        action=action,
        propensity=np.full(count, propensity),
        target=np.tile([target, 1 - target], (count, 1)),
        **more,
    )


@pytest.mark.parametrize(("estimator", "value"), FIGURES)
def test_an_estimate_is_what_pencil_and_paper_give(estimator: Estimator, value: float) -> None:
    found = estimate(BY_HAND, estimator)
    assert value == pytest.approx(found.value, abs=1e-12)


def test_the_effective_sample_size_is_that_of_the_weights() -> None:
    assert estimate(BY_HAND, snips).effective_sample_size == pytest.approx(7.5**2 / 21.25)


def test_what_nobody_logged_is_unsupported() -> None:
    never = logged(10, 0.7)._replace(action=np.zeros(10, dtype=np.int64))
    assert estimate(never, snips).unsupported == pytest.approx(0.3)


def test_what_the_log_was_not_allowed_to_do_is_unsupported() -> None:
    eligible = np.ones((10, 2), dtype=bool)
    eligible[::2, 1] = False
    found = estimate(logged(10, 0.4, eligible=eligible), snips)
    assert found.unsupported == pytest.approx(0.3)


@pytest.mark.parametrize(("estimator", "_"), FIGURES)
def test_the_interval_is_symmetric_and_finite_with_some_people(
    estimator: Estimator, _: float
) -> None:
    found = estimate(BY_HAND, estimator)
    assert found.low < found.value < found.high < np.inf
    assert found.high - found.value == pytest.approx(found.value - found.low)


def test_without_weights_the_interval_is_the_mean_s_own() -> None:
    """All weights 1 and one decision each: the textbook's Student interval of a mean."""
    reward = np.array([1.0, 2.0, 4.0, 7.0, 8.0])
    plain = Logged(reward, np.zeros(5, dtype=np.int64), np.ones(5), np.ones((5, 1)))
    found = estimate(plain, ips)
    assert found.high - found.value == pytest.approx(2.7764451 * reward.std(ddof=1) / 5**0.5)


def test_many_decisions_of_few_people_tell_no_more_than_the_people() -> None:
    alone = estimate(logged(40, 0.6, person=np.arange(40)), snips)
    many = logged(40, 0.6, person=np.arange(40))
    repeated = Logged(*(None if part is None else np.repeat(part, 50, axis=0) for part in many))
    again = estimate(repeated, snips)
    assert (alone.low, alone.high) == pytest.approx((again.low, again.high))
    assert again.effective_people == pytest.approx(alone.effective_people)


def test_one_person_alone_gives_no_interval() -> None:
    found = estimate(logged(20, 0.6, person=np.zeros(20, dtype=np.int64)), snips)
    assert (found.low, found.high) == (-np.inf, np.inf)


@given(
    seed=st.integers(0, 10_000),
    shift=st.floats(-5, 5),
    scale=st.floats(0.1, 10),
)
def test_snips_follows_the_scale_of_rewards_and_stays_within_them(
    seed: int, shift: float, scale: float
) -> None:
    log = _log(seed, 60)
    plain = estimate(log, snips)
    moved = estimate(log._replace(reward=shift + scale * log.reward), snips)
    assert moved.value == pytest.approx(shift + scale * plain.value)
    assert moved.high == pytest.approx(shift + scale * plain.high)
    assert log.reward.min() <= plain.value <= log.reward.max()


@given(seed=st.integers(0, 10_000))
def test_the_order_of_the_log_does_not_matter(seed: int) -> None:
    log = _log(seed, 60)
    back = Logged(*(None if part is None else part[::-1] for part in log))
    forward = estimate(log, doubly_robust)
    assert forward == pytest.approx(estimate(back, doubly_robust))


TARGET = np.array([[0.1, 0.2, 0.7], [0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])


def _log(seed: int, people: int) -> Logged:
    log = adaptive_log(seed, people)
    q_hat = reward_model(log.features, log.reward, log.action, actions=3, person=log.person)
    return Logged(log.reward, log.action, log.propensity, TARGET[log.segment], q_hat, log.person)


@pytest.mark.parametrize("estimator", [snips, doubly_robust, doubly_robust_self_normalised])
def test_the_95_percent_intervals_hold_the_truth_in_90_percent_of_200_adaptive_logs(
    estimator: Estimator,
) -> None:
    truth = true_value(TARGET)
    found = [estimate(_log(seed, 300), estimator) for seed in range(200)]
    covered = sum(each.low <= truth <= each.high for each in found)
    assert covered >= 180
    assert abs(np.mean([each.value for each in found]) - truth) < 0.005


def test_a_clear_difference_is_shown_and_the_better_stands_first() -> None:
    best = np.eye(3)[REWARD.argmax(axis=1)] * 0.9 + 0.1 / 3
    log = adaptive_log(1, 1_200)
    q_hat = reward_model(log.features, log.reward, log.action, actions=3, person=log.person)
    each = {
        name: Logged(log.reward, log.action, log.propensity, p[log.segment], q_hat, log.person)
        for name, p in {"even": np.full((4, 3), 1 / 3), "best": best}.items()
    }
    ranking = rank(each, estimator=doubly_robust)
    assert list(ranking.estimates) == ["best", "even"]
    assert ranking.differences[0].verdict == "best beats even"
    assert ranking.differences[0].low > 0


def test_policies_that_do_the_same_show_no_difference() -> None:
    ranking = rank({"a": _log(3, 600), "b": _log(3, 600)})
    assert ranking.differences[0].verdict == "no difference shown"
    assert (ranking.differences[0].low, ranking.differences[0].high) == (0.0, 0.0)


def test_a_pair_is_compared_more_sharply_than_two_intervals_could() -> None:
    near = TARGET * 0.9 + 0.1 / 3
    one = _log(5, 600)
    segment = adaptive_log(5, 600).segment
    ranking = rank({"target": one, "near": one._replace(target=near[segment])})
    paired = ranking.differences[0]
    widths = [each.high - each.low for each in ranking.estimates.values()]
    assert paired.high - paired.low < min(widths) / 3


REFUSED: list[tuple[str, Callable[[], Logged]]] = [
    ("20 people", lambda: logged(40, 1.0)),
    ("could not have done 30.0%", lambda: logged(400, 0.7)._replace(action=np.zeros(400, int))),
    ("0.50% of the log's decisions", lambda: _rare(60_000)),
]


def _rare(count: int) -> Logged:
    """A target that wants what was logged once in 200 times."""
    action = (np.arange(count) % 200 == 0).astype(np.int64)
    propensity = np.where(action, 0.005, 0.995)
    return Logged(action * 1.0, action, propensity, np.tile([0.0, 1.0], (count, 1)))


@pytest.mark.parametrize(("line", "make"), REFUSED)
def test_a_candidate_the_log_says_too_little_about_is_refused_in_one_line(
    line: str, make: Callable[[], Logged]
) -> None:
    log = make()
    even = log._replace(target=np.full(log.target.shape, 0.5))
    with pytest.raises(NotRankable, match=line) as refused:
        rank({"candidate": log, "even": even})
    assert "\n" not in str(refused.value)


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("propensity is not in .* row 1", {"propensity": np.array([0.5, 0.0, 0.5, 0.5])}),
    ("action is not in .* row 2", {"action": np.array([0, 1, 2, 0])}),
    ("target does not sum to 1 in row 0", {"target": np.full((4, 2), 0.4)}),
    ("reward has the shape", {"reward": np.zeros((4, 1))}),
    ("reward is not finite in row 3", {"reward": np.array([0, 0, 0, np.nan])}),
    ("q_hat has the shape", {"q_hat": np.zeros((4, 3))}),
    ("eligible leaves out .* row 0", {"eligible": np.zeros((4, 2), dtype=bool)}),
]


@pytest.mark.parametrize(("message", "change"), WRONG)
def test_what_is_wrong_with_a_log_is_named(message: str, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=message):
        estimate(BY_HAND._replace(**change), snips)


def test_an_estimator_that_needs_a_model_says_so() -> None:
    with pytest.raises(ValueError, match="needs q_hat"):
        estimate(BY_HAND._replace(q_hat=None), doubly_robust)


def test_candidates_of_different_logs_are_not_ranked() -> None:
    with pytest.raises(ValueError, match="reward of b is not that of a"):
        rank({"a": BY_HAND, "b": BY_HAND._replace(reward=np.zeros(4))})


def test_the_floor_can_be_lowered() -> None:
    floor = off_policy.Floor(effective_people=1, effective_share=0.0, unsupported=1.0)
    assert len(rank({"a": BY_HAND, "b": BY_HAND}, floor).estimates) == 2
