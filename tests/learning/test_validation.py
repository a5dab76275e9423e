"""Progressive validation and calibration."""

from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.learning.calibration import Calibration
from streams.learning.logistic import sigmoid
from streams.learning.validation import MOST_PAIRS, Validation
from tests.engine.models.crowd import rank_auc

PAIRS = st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), max_size=60)


def counted(pairs: list[tuple[float, bool]]) -> Validation:
    validation = Validation.empty()
    for probability, happened in pairs:
        validation.add(probability, happened)
    return validation


def drawn(number: int, seed: int) -> list[tuple[float, bool]]:
    """Calibrated pairs: each happens with the probability given."""
    random = Random(seed)
    scores = [random.random() for _ in range(number)]
    return [(score, random.random() < score) for score in scores]


def test_the_auc_is_that_of_all_ranks() -> None:
    pairs = drawn(1_000, seed=1)
    exact = rank_auc([score for score, _ in pairs], [happened for _, happened in pairs])
    assert counted(pairs).metrics()["auc"] == pytest.approx(exact, abs=5e-4)


def test_calibrated_scores_have_next_to_no_calibration_error() -> None:
    assert counted(drawn(20_000, seed=2)).metrics()["ece"] < 0.01


def test_overconfident_scores_show_in_the_calibration_error() -> None:
    pairs = [(0.9, happened) for _, happened in drawn(2_000, seed=3)]
    assert counted(pairs).metrics()["ece"] == pytest.approx(0.4, abs=0.05)


@given(PAIRS, PAIRS)
def test_partitions_merge_into_what_one_would_have_counted(one, other) -> None:
    merged = counted(one)
    merged.merge(counted(other))
    assert merged.metrics() == pytest.approx(counted(one + other).metrics())


@given(PAIRS)
def test_metrics_stay_in_their_ranges(pairs) -> None:
    metrics = counted(pairs).metrics()
    assert all(0.0 <= metrics[name] <= 1.0 for name in ("auc", "brier", "ece", "prevalence"))
    assert 0.0 <= metrics["log_loss"] < 14.0


def test_counts_are_bounded_and_figures_survive_the_halving() -> None:
    pairs = drawn(4_096, seed=4)
    once, often = counted(pairs), Validation.empty()
    for _ in range(3 * MOST_PAIRS // len(pairs)):
        for pair in pairs:
            often.add(*pair)
    assert often.pairs < MOST_PAIRS
    assert often.matured == 3 * MOST_PAIRS
    for name in ("auc", "log_loss", "brier", "prevalence"):
        assert often.metrics()[name] == pytest.approx(once.metrics()[name], abs=2e-3)
    assert len(msgspec.msgpack.encode(often)) <= 16_384


def test_calibration_starts_as_it_finds_the_score() -> None:
    assert Calibration(ended=0.0).apply(0.7) == sigmoid(0.7)


def test_calibration_learns_a_shift_that_lasts() -> None:
    calibration, random = Calibration(), Random(5)
    for _ in range(8_000):
        logit = random.gauss(0.0, 1.5)
        calibration.learn(logit, silent=random.random() < sigmoid(logit + 0.8))
    assert calibration.shift == pytest.approx(0.8, abs=0.25)
    assert calibration.slope == pytest.approx(1.0, abs=0.2)


def test_unfollows_raise_every_score_by_their_share_of_the_scores_given() -> None:
    calibration, random = Calibration(), Random(6)
    for _ in range(6_000):
        calibration.give()
        if random.random() < 0.2:
            calibration.end()
    assert calibration.apply(-30.0) == pytest.approx(0.2, abs=0.03)


def test_unfollows_known_early_do_not_outweigh_what_is_not_known_yet() -> None:
    calibration = Calibration()
    for _ in range(1_000):
        calibration.give()
    for _ in range(10):
        calibration.end()  # and of the others no horizon has passed
    assert calibration.apply(-30.0) < 0.02
