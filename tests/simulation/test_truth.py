"""The churn oracle: calibrated, better than what knows less, and blind to the future."""

from bisect import bisect_right
from typing import NamedTuple

import msgspec
import pytest

from streams.evaluation.churn import History, churned
from streams.evaluation.scores import auc, calibration_error, log_loss
from streams.simulation.hazard import DAY_MS
from streams.simulation.hours import HOUR_MS
from streams.simulation.population import Population
from streams.simulation.run import START_MS
from streams.simulation.truth import Truth, churn_probability

HORIZON_MS = 7 * DAY_MS


class Asked(NamedTuple):
    truth: Truth
    t_ms: int
    last_active_ms: int
    churned: bool


@pytest.fixture(scope="module")
def asked() -> list[Asked]:
    """Everybody once, in the middle of a run of 25 days, if they were still followers."""
    crowd = Population(1_500, "catering", "truth", START_MS)
    for h in range(25 * 24):
        crowd.hour(h)
    found = []
    for truth in crowd.truth():
        times = sorted(truth.activity_ms)
        unfollowed_ms = truth.left_ms if truth.left_how == "unfollow" else 0
        t_ms = START_MS + (12 + truth.user % 6) * DAY_MS + truth.user % 24 * HOUR_MS
        before = bisect_right(times, t_ms)
        if before and not 0 < unfollowed_ms <= t_ms and not truth.erased_ms:
            outcome = churned(History(truth.user, times, unfollowed_ms), t_ms, HORIZON_MS)
            found.append(Asked(truth, t_ms, times[before - 1], outcome))
    return found


def forecast(case: Asked, **changes: float) -> float:
    nature = case.truth.nature._replace(**changes)
    truth = msgspec.structs.replace(case.truth, nature=nature)
    return churn_probability(truth, t_ms=case.t_ms, last_active_ms=case.last_active_ms)


def test_its_probabilities_come_true_as_often_as_they_say(asked: list[Asked]) -> None:
    scores, labels = [forecast(case) for case in asked], [case.churned for case in asked]
    assert sum(scores) == pytest.approx(sum(labels), rel=0.1)
    assert calibration_error(scores, labels) < 0.035


def test_it_beats_every_forecast_that_knows_less(asked: list[Asked]) -> None:
    labels = [case.churned for case in asked]
    best = [forecast(case) for case in asked]
    mean_rate = sum(case.truth.nature.visits_per_day for case in asked) / len(asked)
    without_rate = [forecast(case, visits_per_day=mean_rate) for case in asked]
    without_silence = [
        churn_probability(case.truth, t_ms=case.t_ms, last_active_ms=case.t_ms) for case in asked
    ]
    recency = [float(case.t_ms - case.last_active_ms) for case in asked]
    for lesser in (without_rate, without_silence):
        assert log_loss(best, labels) < log_loss(lesser, labels)
    for lesser in (without_rate, without_silence, recency):
        assert auc(best, labels) > auc(lesser, labels)


def test_it_leaves_much_to_chance(asked: list[Asked]) -> None:
    labels = [case.churned for case in asked]
    assert 0.8 < auc([forecast(case) for case in asked], labels) < 0.95


def test_what_happens_later_does_not_change_it(asked: list[Asked]) -> None:
    for case in asked[:200]:
        past = msgspec.structs.replace(
            case.truth,
            disappointments=[b for b in case.truth.disappointments if b.at_ms <= case.t_ms],
            converted_ms=case.truth.converted_ms if case.truth.converted_ms <= case.t_ms else 0,
            left_ms=0,
            left_how="",
        )
        assert forecast(case) == forecast(case._replace(truth=past))


def test_the_longer_the_silence_the_likelier_it_is_for_ever(asked: list[Asked]) -> None:
    for case in asked[:200]:
        if case.truth.nature.visits_per_day > 0.3:
            later = [
                churn_probability(
                    case.truth, t_ms=case.t_ms, last_active_ms=case.t_ms - days * DAY_MS
                )
                for days in (0, 3, 6)
                if case.t_ms - days * DAY_MS > case.truth.joined_ms
            ]
            assert later == sorted(later)


def test_a_row_of_truth_survives_its_file(asked: list[Asked]) -> None:
    row = asked[0].truth
    assert msgspec.json.decode(msgspec.json.encode(row), type=Truth) == row
