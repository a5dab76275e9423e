"""The churn model: definition, maturity, calibration, explanation."""

from math import isfinite, log
from struct import calcsize

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.engine.config import Churn
from streams.engine.models.churn import COMMON, LAYOUT, ChurnModel, ChurnState
from streams.engine.models.churn_features import MOVING, NAMES, Outlook
from streams.engine.profile.activity import DAY_MS, Activity
from streams.learning.presence import Presence
from streams.report.words import FEATURES
from tests.engine.models.crowd import START_MS, Pair, crowd, live, rank_auc


@pytest.fixture(scope="module")
def learned() -> tuple[ChurnModel, list[Pair]]:
    """A model after 40 days of a crowd, with the pairs of its second half."""
    model = ChurnModel(Churn())
    pairs = [pair for pair in live(model, crowd(500, 47, seed=1), 1, 40) if pair.day >= 20]
    return model, pairs[::7]


def busy(days: int) -> Activity:
    activity = Activity()
    for day in range(days):
        activity.record("page.viewed", START_MS + day * DAY_MS)
    return activity


def test_scores_rank_people_better_than_their_silence_does(learned) -> None:
    _, pairs = learned
    labels = [pair.churned for pair in pairs]
    ours = rank_auc([pair.probability for pair in pairs], labels)
    assert ours > rank_auc([pair.silence_days for pair in pairs], labels) + 0.02
    assert ours > 0.85


def test_scores_are_calibrated(learned) -> None:
    _, pairs = learned
    mean = sum(pair.probability for pair in pairs) / len(pairs)
    assert mean == pytest.approx(sum(pair.churned for pair in pairs) / len(pairs), abs=0.03)


def test_its_own_validation_agrees(learned) -> None:
    metrics = learned[0].metrics()
    assert metrics["auc"] > 0.8
    assert metrics["ece"] < 0.06
    assert metrics["matured"] > 1_000
    assert 0.0 <= metrics["staleness"] <= 1.0


def test_contributions_sum_up_to_the_log_odds_of_the_score(learned) -> None:
    model, _ = learned
    activity, now_ms = busy(9), START_MS + 12 * DAY_MS
    parts = model.explain(activity, now_ms)
    score = model.check(activity, ChurnState(), now_ms)
    assert score is not None
    assert sum(part for _, _, part in parts) == pytest.approx(
        log(score.probability / (1.0 - score.probability)), abs=1e-9
    )
    assert [abs(part) for *_, part in parts] == sorted(
        (abs(part) for *_, part in parts), reverse=True
    )
    assert {name for name, *_ in parts} == {*NAMES, *COMMON}


def test_features_and_intercept_alone_sum_up_to_a_silent_coming_day(learned) -> None:
    model, _ = learned
    activity, now_ms = busy(9), START_MS + 12 * DAY_MS
    parts = {name: part for name, _, part in model.explain(activity, now_ms)}
    score = model.check(activity, ChurnState(), now_ms)
    assert score is not None
    assert sum(parts[name] for name in (*NAMES, "intercept")) == pytest.approx(
        log((1.0 - score.active_today) / score.active_today), abs=1e-9
    )


def test_every_part_of_an_explanation_has_words() -> None:
    assert {*NAMES, *COMMON} <= FEATURES.keys()


def test_the_outlook_of_a_silent_day_ahead_is_what_that_day_will_see() -> None:
    activity, presence = busy(9), Presence()
    activity.record("order.rated", START_MS + 5 * DAY_MS, stars=1)
    activity.record("push.delivered", START_MS + 6 * DAY_MS)
    now_ms = START_MS + 10 * DAY_MS
    ahead = list(Outlook(activity, presence, now_ms)._moving(7))
    for days, features in enumerate(ahead):
        then = Outlook(activity, presence, now_ms + days * DAY_MS).features()
        assert list(features) == pytest.approx(then[: len(MOVING)], rel=1e-6, abs=1e-9)


def test_nothing_is_learned_before_the_day_has_passed() -> None:
    model, activity, state = ChurnModel(Churn()), busy(5), ChurnState()
    now_ms = START_MS + 5 * DAY_MS
    model.check(activity, state, now_ms)
    model.check(activity, state, now_ms + DAY_MS - 1)
    assert model.metrics()["examples"] == 0.0
    model.check(activity, state, now_ms + 2 * DAY_MS)
    assert model.metrics()["examples"] == 1.0


def test_the_days_of_joining_are_not_learned_from() -> None:
    model, state = ChurnModel(Churn()), ChurnState()
    model.check(busy(1), state, START_MS + DAY_MS // 2)
    model.check(busy(2), state, START_MS + 3 * DAY_MS // 2)
    assert model.metrics()["examples"] == 0.0


def test_what_a_delayed_check_cannot_tell_is_not_learned() -> None:
    model, activity, state = ChurnModel(Churn()), busy(5), ChurnState()
    model.check(activity, state, START_MS + 5 * DAY_MS)
    activity.record("page.viewed", START_MS + 8 * DAY_MS)  # and on the day asked about?
    model.check(activity, state, START_MS + 9 * DAY_MS)
    assert model.metrics()["examples"] == 0.0


def pending(since_ms: int, probability: float = 0.4) -> ChurnState:
    return ChurnState(pending_ms=since_ms, pending_logit=-0.4, pending_probability=probability)


def test_a_score_matures_when_its_horizon_has_passed_and_not_before() -> None:
    model, activity, state = ChurnModel(Churn()), busy(5), pending(START_MS + 5 * DAY_MS)
    for day in range(6, 12):
        model.check(activity, state, START_MS + day * DAY_MS)
        assert model.metrics()["matured"] == 0.0
    model.check(activity, state, START_MS + 12 * DAY_MS)
    assert (model.metrics()["matured"], model.metrics()["prevalence"]) == (1.0, 1.0)


def test_activity_within_the_horizon_makes_it_no_churn() -> None:
    model, activity, state = ChurnModel(Churn()), busy(5), pending(START_MS + 5 * DAY_MS)
    activity.record("page.viewed", START_MS + 7 * DAY_MS)
    for day in range(8, 13):
        model.check(activity, state, START_MS + day * DAY_MS)
    assert (model.metrics()["matured"], model.metrics()["prevalence"]) == (1.0, 0.0)


def test_an_unfollow_matures_the_score_at_once_as_churn() -> None:
    model, state = ChurnModel(Churn()), pending(START_MS + DAY_MS)
    state.pending_active = True
    model.hard(state, START_MS + 2 * DAY_MS)
    assert (model.metrics()["matured"], model.metrics()["prevalence"]) == (1.0, 1.0)
    assert state.probability == 1.0


def test_who_left_is_not_watched_until_active_again() -> None:
    model, activity, state = ChurnModel(Churn()), busy(3), ChurnState()
    model.hard(state, START_MS + 3 * DAY_MS)
    assert model.check(activity, state, START_MS + 4 * DAY_MS) is None
    activity.record("user.followed", START_MS + 5 * DAY_MS)
    assert model.check(activity, state, START_MS + 6 * DAY_MS) is not None


def test_the_lost_are_no_longer_watched_once_their_score_has_matured() -> None:
    model, activity = ChurnModel(Churn(watch_days=21)), busy(1)
    state = pending(START_MS + 18 * DAY_MS)
    assert model.check(activity, state, START_MS + 22 * DAY_MS) is not None
    assert model.check(activity, state, START_MS + 25 * DAY_MS) is None
    assert model.metrics()["matured"] == 1.0


def test_somebody_never_active_is_not_watched_and_has_no_score() -> None:
    state = ChurnState()
    assert ChurnModel(Churn()).check(Activity(), state, START_MS) is None
    assert state == ChurnState()


def test_silence_raises_the_score_of_a_daily_visitor(learned) -> None:
    model, _ = learned
    row = [model.check(busy(20), ChurnState(), START_MS + day * DAY_MS) for day in (20, 22, 24, 26)]
    scores = [score.probability for score in row if score is not None]
    assert scores == sorted(scores)
    assert scores[0] < 0.2
    assert scores[-1] > 0.8


def test_between_checks_the_score_knows_of_what_came_since(learned) -> None:
    model, _ = learned
    activity, state = busy(9), ChurnState()
    checked_ms = START_MS + 13 * DAY_MS
    model.check(activity, state, checked_ms)
    before = msgspec.structs.replace(state)
    later_ms = checked_ms + DAY_MS // 2
    silent = model.score(activity, state, later_ms)
    activity.record("page.viewed", later_ms)
    back = model.score(activity, state, later_ms)
    assert back < state.probability < silent
    assert state == before
    parts = model.explain(activity, later_ms)
    assert sum(part for *_, part in parts) == pytest.approx(log(back / (1.0 - back)), abs=1e-9)


def test_for_whom_nothing_is_foreseen_the_last_score_stands() -> None:
    model, activity, newcomer = ChurnModel(Churn()), busy(5), ChurnState()
    assert model.score(activity, newcomer, START_MS + 5 * DAY_MS) == 0.0
    left = ChurnState()
    left_ms = START_MS + 5 * DAY_MS
    model.check(activity, left, left_ms - 1)
    model.hard(left, left_ms)
    assert model.score(activity, left, left_ms + DAY_MS) == 1.0
    activity.record("page.viewed", left_ms + 2 * DAY_MS)
    assert model.score(activity, left, left_ms + 2 * DAY_MS) < 0.5


def test_the_state_of_a_person_is_small() -> None:
    model, activity = ChurnModel(Churn()), busy(5)
    state = pending(START_MS + 5 * DAY_MS)
    model.check(activity, state, START_MS + 6 * DAY_MS)
    assert calcsize(LAYOUT.format) == len(state.features) <= 128
    assert len(msgspec.msgpack.encode(state)) <= 128


@pytest.mark.parametrize("days", [0, 91])
def test_an_impossible_horizon_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match="horizon_days"):
        ChurnModel(Churn(horizon_days=days))


@given(days=st.integers(1, 400), pause=st.integers(0, 10_000), late=st.integers(-DAY_MS, DAY_MS))
@settings(max_examples=50)
def test_every_life_has_a_score_and_an_explanation(days: int, pause: int, late: int) -> None:
    model = ChurnModel(Churn(watch_days=20_000, horizon_days=30))
    activity, now_ms = busy(days), START_MS + (days + pause) * DAY_MS + late
    score = model.check(activity, ChurnState(), now_ms)
    assert score is not None
    assert 0.0 < score.probability <= 1.0
    assert all(isfinite(part) for *_, part in model.explain(activity, now_ms))


def test_weights_start_where_the_presence_model_decides() -> None:
    activity, now_ms = busy(10), START_MS + 10 * DAY_MS
    parts = ChurnModel(Churn()).explain(activity, now_ms)
    own = [part for part in parts if part[0] not in COMMON]
    assert own[0][0] == "presence"
    assert all(part == 0.0 for _, _, part in own[1:])
