"""The sentiment task on a few made-up reviews: every figure beside its peers."""

from pathlib import Path

import pytest

from streams.scoreboard.tasks.sentiment import reviews_of, scores, shuffled
from tests.learning.text.reviews import reviews


def test_ours_and_the_peers_are_measured_on_the_same_reviews() -> None:
    made = list(dict(reviews(120, seed=8)).items())
    shuffles = [shuffled(made, seed)[:80] for seed in range(2)]
    said = [0.9 if positive else 0.2 for _, positive in shuffles[0][-20:]]
    board = scores(shuffles, 20, {"taught": said, "shipped": said})
    river = {"ours without the lexicon", "river naive Bayes", "river AdaGrad"}
    assert [set(score.peers) for score in board] == [river] * 4 + [{*river, "snownlp"}] * 2
    accuracy, loss = board[0], board[1]
    assert (accuracy.bar, accuracy.better, accuracy.cases) == (0.85, "higher", 40)
    assert (loss.bar, loss.better, loss.cases) == (0.40, "lower", 160)
    assert all(score.low <= score.ours <= score.high for score in board)
    assert board[4].peers["snownlp"] == 1.0
    assert "1.0000" in board[4].note


def test_a_review_stands_once_and_in_one_class(tmp_path: Path) -> None:
    good, bad = tmp_path / "pos.txt", tmp_path / "neg.txt"
    good.write_text("很好\n很好\n一般\n\n不错 \n", "utf-8")
    bad.write_text("太差\n一般\n", "utf-8")
    assert reviews_of(good, bad) == [("很好", True), ("不错", True), ("太差", False)]


@pytest.mark.parametrize("seed", [0, 1])
def test_a_shuffle_depends_on_its_seed_and_not_on_the_order_given(seed: int) -> None:
    made = reviews(50, seed=1)
    assert shuffled(made, seed) == shuffled(made[::-1], seed) or len(set(made)) < 50
    assert shuffled(made, seed) != shuffled(made, seed + 1)
