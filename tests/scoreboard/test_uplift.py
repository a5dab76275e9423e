"""The task `uplift`, small: its streams are the known truth, its lines say what they should."""

import numpy as np
import pytest

from streams.scoreboard.tasks import uplift


def test_people_are_treated_with_the_probability_that_is_logged() -> None:
    stream = uplift.made("interactions", 4_000, seed=3)
    apart = (stream.treated - stream.shares).mean()
    assert abs(apart) < 3.0 * np.sqrt((stream.shares * (1.0 - stream.shares)).mean() / 4_000)
    assert np.ptp(stream.shares) > 0.5


def test_the_truth_is_what_outcomes_average_to() -> None:
    stream = uplift.made("linear", 20_000, seed=3)
    own = uplift.own_effects(stream.outcomes, stream.treated, stream.shares)
    assert own.mean() == pytest.approx(stream.truth.mean(), abs=0.03)


def test_estimates_are_given_before_any_result_is_known() -> None:
    stream = uplift.made("linear", 4_810, seed=3)
    found = uplift.estimates(stream, uplift.Ours())
    assert not found[:4_801].any()
    assert found[4_806:].all()


def test_a_world_has_a_line_for_the_outcomes_and_one_for_the_truth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uplift, "PEERS", {"river": uplift.Transformed})
    monkeypatch.setattr(uplift, "RESAMPLES", 20)
    gained, ranked = uplift.world_scores("linear", 8_000, seed=3)
    assert gained.low <= gained.ours <= gained.high
    assert gained.metric == "qini"
    assert ranked.reached
    assert list(ranked.peers) == ["river"]
    assert gained.cases == ranked.cases == 4_000


def test_partitions_that_tell_rank_people_nearly_as_one_learner_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uplift, "RESAMPLES", 20)
    told = uplift.told_score("linear", 6_400, seed=3, partitions=4)
    assert told.ours == pytest.approx(told.peers["one learner of all"], abs=0.05)
    assert told.ours > told.peers["each alone"]
