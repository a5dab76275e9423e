"""Decisions of the real engine where truth is known: the quick form of
`python -m streams.benchmarks.decisions`.
"""

from collections import Counter
from statistics import fmean

import pytest

from streams.benchmarks import decisions
from streams.benchmarks.decisions import Contest, bandit_run, effect_run
from streams.contract.reports import ArmTally
from streams.simulation import decided_world, offers
from streams.simulation.decided_world import Run, Setting

SMALL = Setting(people=350, days=1, known=0.1, everyone=0.15)
GATED = SMALL._replace(known=0.4, coupon_when="profile.orders >= 1", news=0.3, consenting=0.9)
RUNS = 6
LEAST = 0.75  # of a dozen intervals that each hold with 95 %, fewer do in one case of a thousand


@pytest.fixture(scope="module")
def gated() -> Run:
    return decided_world.run(7, GATED)


def test_the_engine_counts_what_people_did(gated: Run) -> None:
    report = next(one for one in gated.reports if one.journey == "offers")
    total = ArmTally()
    for tally in report.arms.values():
        total.settled += tally.settled
        total.value_fen += tally.value_fen
        total.spent_fen += tally.spent_fen
        total.first_settled += tally.first_settled
    drawn = [one for one in gated.passed if one.odds]
    assert total.settled == len(drawn)
    assert total.value_fen == sum(one.value_fen for one in drawn)
    assert total.spent_fen == sum(one.cost_fen for one in drawn)
    assert total.first_settled == sum(one.first for one in gated.passed)


def test_gates_refuse_some_of_the_treated_and_they_stay_in_their_group(gated: Run) -> None:
    outcomes = Counter(one.decision.outcome for one in gated.passed)
    assert outcomes["CAP_PERSON"] and outcomes["NO_CONSENT"] and outcomes["HOLDOUT_GLOBAL"]
    capped = [one for one in gated.passed if one.decision.outcome == "CAP_PERSON"]
    assert all(one.odds == (1.0, 0.0, 0.0, 0.0) for one in capped)
    assert not any(one.odds for one in gated.passed if one.decision.outcome == "NO_CONSENT")


def test_odds_outside_the_control_groups_are_those_drawn_with(gated: Run) -> None:
    hold = 1.0 - (1.0 - GATED.everyone) * (1.0 - GATED.holdout)
    for one in gated.passed:
        if one.odds and not one.held:
            assert sum(one.odds) == pytest.approx(1.0)
            assert one.odds[one.arm] * (1.0 - hold) == pytest.approx(one.decision.propensity)


def test_the_same_seed_is_the_same_history(gated: Run) -> None:
    again = decided_world.run(7, GATED)
    assert again.passed == gated.passed
    assert again.rows == gated.rows


def test_whoever_knows_the_laws_does_much_better_than_an_even_split() -> None:
    crowd = list(decided_world.people(3, Setting(people=2_000)))
    guessed = fmean(offers.true_net(one.kind, decided_world.best_guess(one)) for one in crowd)
    oracle = fmean(offers.best_net(one.kind) for one in crowd)
    even = fmean(offers.true_net(one.kind, arm) for one in crowd for arm in range(4))
    assert oracle - guessed < 0.25 * (oracle - even)


@pytest.mark.parametrize("setting", [SMALL, GATED], ids=["even split", "gates refuse some"])
def test_the_reported_effect_holds_the_true_one(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(decisions.SHAPES, "small", setting)
    covers = [cover for seed in range(RUNS) for cover in effect_run("small", seed)]
    assert fmean(cover.people for cover in covers) >= LEAST
    assert fmean(cover.population for cover in covers) >= LEAST


def test_what_other_policies_would_have_earned_lies_in_its_intervals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = tuple(one._replace(people=200, days=1, floor=0.1) for one in decisions.LOGGING)
    monkeypatch.setattr(decisions, "LOGGING", small)
    covers = decisions.policies(RUNS, decisions.Spread(1))
    for estimator in decisions.ESTIMATORS:
        found = [cover for cover in covers if cover.what.endswith(estimator)]
        assert fmean(cover.people for cover in found) >= LEAST


def test_the_bandit_loses_less_than_a_split_and_spares_those_who_buy_anyway(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decisions, "JUDGED", decisions.JUDGED._replace(people=100))
    crowd = decisions.CROWD._replace(people=600, days=4)
    found = [bandit_run(seed, crowd) for seed in range(3)]
    mean = Contest(*(fmean(column) for column in zip(*found, strict=True)))
    assert mean.share < 0.9
    assert mean.persuadable > 1.3 * mean.sure
    assert mean.rank > 0.2
