"""The tasks `partitions`, `federated` and `edge`, small, on people of known law."""

from math import inf
from random import Random

import numpy as np
import pytest

from streams.evaluation.scores import auc
from streams.learning.logistic import OnlineLogistic, sigmoid
from streams.scoreboard.labelled import Example, Signs, fast_auc
from streams.scoreboard.tasks import edge, federated, partitions


def people(count: int, days: int) -> list[Example]:
    """One example a day and person, of five features."""
    random = Random(1)
    return [
        Example(day * 86_400.0 + number, f"p{number}", x, random.random() < sigmoid(2 * x[0] - 2))
        for day in range(days)
        for number in range(count)
        for x in [[random.gauss(0, 1) for _ in range(5)]]
    ]


def test_the_fast_auc_is_the_exact_one_also_with_ties_and_repetitions() -> None:
    random = Random(2)
    scores = [random.randrange(20) / 20 for _ in range(300)]
    labels = [random.random() < score for score in scores]
    drawn = [random.randrange(300) for _ in range(300)]
    found = fast_auc(np.array(scores), np.array(labels))
    assert found == pytest.approx(auc(scores, labels), abs=1e-12)
    found = fast_auc(np.array(scores), np.array(labels), np.array(drawn))
    again = auc([scores[place] for place in drawn], [labels[place] for place in drawn])
    assert found == pytest.approx(again, abs=1e-12)


def test_features_by_place_are_learned_as_any_others() -> None:
    random, signs, dense = Random(3), Signs(), OnlineLogistic()
    signs.widen(8)
    for _ in range(200):
        places = sorted(random.sample(range(8), 3))
        y = random.random() < 0.2 + 0.6 * (places[0] == 0)
        x = [float(place in places) for place in range(8)]
        assert signs.learn(places, y) == pytest.approx(dense.learn(x, y), rel=1e-9)
    assert signs.weights == pytest.approx(dense.weights, rel=1e-9)


def test_partitions_that_tell_lose_less_than_those_that_do_not() -> None:
    make = partitions.learner(5, 0.05)
    found = partitions.compare("people", people(64, 12), make, (60.0,))
    assert [score.data for score in found] == [
        "people, 4 partitions, told every 60 s",
        "people, 16 partitions, told every 60 s",
    ]
    assert found[1].ours < found[1].peers["each alone"]
    assert found[1].low <= found[1].ours <= found[1].high


def test_a_federation_states_its_epsilon_and_learns_the_law() -> None:
    found = federated.compare("people", list("abcde"), people(150, 16), (8.0, inf))
    assert [score.metric for score in found] == [
        "mean AUC within sites, epsilon 8",
        "mean AUC within sites, epsilon inf",
    ]
    assert found[1].ours > 0.75
    assert "delta 1e-05" in found[0].note


def test_eight_bits_lose_next_to_nothing() -> None:
    random = Random(4)
    laws = [random.gauss(0, 1) for _ in range(64)]
    those = []
    for number in range(3_000):
        x = sorted(random.sample(range(64), 4))
        happens = random.random() < sigmoid(sum(laws[place] for place in x))
        those.append(Example(float(number), f"p{number % 50}", x, happens))
    found = {score.metric: score for score in edge.compare("people", those, 64)}
    assert abs(found["AUC lost, 8 bits"].ours) < 0.002
    assert "bytes instead of" in found["AUC lost, 4 bits"].note
