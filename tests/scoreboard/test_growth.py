"""The growth task on a small planted graph."""

from streams.scoreboard.tasks.growth import World, scores


def test_probabilities_follow_the_truth_and_the_coefficient_is_found() -> None:
    found = {score.metric: score for score in scores(World(3, arrivals=20, days=70))}
    correlation = found["rank correlation with the truth"]
    assert correlation.ours > correlation.peers["inviter's raw ratio"]
    assert found["log-loss"].ours < found["log-loss"].peers["global mean"]
    assert found["calibration error"].ours < 0.06
    coefficient = found["viral coefficient / planted"]
    assert 0.5 < coefficient.ours < 1.5
    for score in found.values():
        assert score.low <= score.ours <= score.high
