"""The pacing task tells how each way of releasing a day's money serves demand that comes."""

import numpy as np
import pytest

from streams.engine.budget.pacing import HOURS, Curve
from streams.scoreboard.tasks import pacing
from streams.scoreboard.tasks.pacing import HABIT, METRICS, OURS, PACERS, compare, pace, weekends


def test_weekends_unlike_weekdays_are_served_better_by_the_forecast() -> None:
    refused, left, elsewhere = compare("weekends", weekends(weeks=7))
    for score in (refused, left, elsewhere):
        assert score.task == pacing.TASK
        assert score.low <= score.ours <= score.high
        assert score.ours < score.peers[HABIT]
        assert score.cases == 21
    assert set(refused.peers) == set(PACERS) - {OURS}
    assert "forecast followed on 21 days" in refused.note


def test_every_day_alike_is_served_alike_by_habit_and_forecast() -> None:
    day = 10.0 + 10.0 * np.sin(np.arange(HOURS) / 4.0)
    for score in compare("alike", np.tile(day, (36, 1))):
        assert score.ours == pytest.approx(score.peers[HABIT], abs=1.0)


def test_shares_are_of_the_days_money_and_nothing_is_spent_twice() -> None:
    outcome = pace(weekends(weeks=5), "even", Curve())
    refused, left, elsewhere = (outcome.figures[metric] for metric in METRICS)
    assert len(refused) == 7
    assert np.all(refused >= 0.0)
    assert np.all(refused <= left + 1e-9)
    assert np.all(left <= 1.0)
    assert np.all((elsewhere >= 0.0) & (elsewhere <= 1.0))


def test_hours_without_a_value_ask_for_nothing_and_parts_of_days_are_left_out() -> None:
    days = pacing.days_of(np.array([np.nan, *range(1, 30)], dtype=float))
    assert days.shape == (1, HOURS)
    assert days[0, 0] == 0.0
