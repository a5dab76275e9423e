"""Published churn scores against what happened and against the best forecast."""

import msgspec
import pytest

from streams.evaluation.churn import DAY_MS, Case, History, cases, churned, report

WEEK_MS = 7 * DAY_MS


class Row(msgspec.Struct):
    user_id: str
    churn_scored_at_ms: int
    churn_score: float = 0.5
    last_active_ms: int = 0


def found(rows: list[Row], *histories: History, **options: bool) -> list[Case]:
    people = {f"u{history.person}": history for history in histories}
    return cases(
        rows, people.get, lambda user, t, last: 0.5, from_ms=0, to_ms=30 * DAY_MS, **options
    )


def daily(user: str, days: int) -> list[Row]:
    return [Row(user, (day + 1) * DAY_MS) for day in range(days)]


def test_the_cases_of_a_person_do_not_overlap() -> None:
    times = [case.t_ms // DAY_MS for case in found(daily("u1", 30), History(1, []))]
    assert times == [1, 8, 15, 22]


def test_two_ids_of_one_person_count_once() -> None:
    rows = [Row("u1", DAY_MS), Row("u2", 2 * DAY_MS)]
    person = History(1, [])
    people = {"u1": person, "u2": person}
    one = cases(rows, people.get, lambda *_: 0.5, from_ms=0, to_ms=30 * DAY_MS)
    assert len(one) == 1


def test_a_horizon_ends_within_the_run() -> None:
    assert found([Row("u1", 24 * DAY_MS)], History(1, [])) == []


def test_silence_for_a_horizon_is_churn_and_activity_is_not() -> None:
    assert churned(History(1, [DAY_MS]), DAY_MS, WEEK_MS)
    assert not churned(History(1, [DAY_MS, 8 * DAY_MS]), DAY_MS, WEEK_MS)


def test_an_unfollow_is_churn_whatever_came_before_it() -> None:
    assert churned(History(1, [2 * DAY_MS], unfollowed_ms=5 * DAY_MS), DAY_MS, WEEK_MS)


@pytest.mark.parametrize(
    "history",
    [
        History(1, [], unfollowed_ms=DAY_MS),
        History(1, [], erased_ms=5 * DAY_MS),
    ],
)
def test_who_has_left_or_will_be_forgotten_is_no_case(history: History) -> None:
    assert found([Row("u1", DAY_MS)], history) == []


def test_a_score_of_a_stranger_is_no_case() -> None:
    assert found([Row("u9", DAY_MS)], History(1, [])) == []


def test_cases_reached_by_a_trigger_can_be_left_out() -> None:
    history = History(1, [], approached_ms=[3 * DAY_MS])
    assert found([Row("u1", DAY_MS)], history, approached=False) == []
    assert len(found([Row("u1", DAY_MS)], history)) == 1


def test_activity_after_the_score_is_not_known_to_the_best_forecast() -> None:
    row = Row("u1", 5 * DAY_MS, last_active_ms=6 * DAY_MS)
    assert found([row], History(1, [2 * DAY_MS, 6 * DAY_MS]))[0].last_active_ms == 2 * DAY_MS


def case(person: int, score: float, best: float, *, churned: bool) -> Case:
    return Case(person, f"u{person}", 0, 0, score, best, churned)


def test_equal_forecasts_have_no_gap() -> None:
    same = [case(n, n / 40, n / 40, churned=n % 3 == 0) for n in range(40)]
    judged = report(same, resamples=50)
    assert (judged.gap, judged.gap_low, judged.gap_high) == (0.0, 0.0, 0.0)


def test_the_gap_lies_within_its_interval() -> None:
    judged = report(
        [case(n, (n * 7 % 40) / 40, n / 40, churned=n > 25) for n in range(40)], resamples=200
    )
    assert judged.churn_auc_best == 1.0
    assert judged.gap_low < judged.gap < judged.gap_high
    assert judged.cases == 40


def test_no_cases_can_be_reported() -> None:
    assert report([]).cases == 0
