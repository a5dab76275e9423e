"""Churn on customers and events: what is learned when, and what a file must have."""

from pathlib import Path
from random import Random

import orjson
import pytest

from streams.event_file import FileError
from streams.scoreboard.measured import measured
from streams.scoreboard.own_events import evaluate_churn
from streams.scoreboard.peers import btyd
from streams.scoreboard.purchases import PERIOD_DAYS
from streams.scoreboard.tasks import churn

LINE = "{:05d} {} {} {:.2f}\n"


@pytest.fixture(scope="module")
def customers(tmp_path_factory: pytest.TempPathFactory):
    """120 customers over 78 weeks: every third comes often, the others seldom."""
    random, lines = Random(4), []
    for customer in range(120):
        day = random.randrange(60)
        while day < 2 * churn.END_DAY:
            at = churn.date.fromordinal(churn.BEGIN.toordinal() + day).strftime("%Y%m%d")
            lines.append(LINE.format(customer + 1, at, 2, random.uniform(5.0, 40.0)))
            day += max(1, int(random.expovariate(1 / 30 if customer % 3 == 0 else 1 / 400)))
    path = tmp_path_factory.mktemp("cdnow") / "purchases.txt"
    path.write_text("".join(lines))
    return churn.read(path)


def test_ours_and_all_peers_are_measured_on_the_same_customers(customers) -> None:
    scores = churn.compare("small", churn.learn(customers), customers, None, resamples=20)
    found = {score.metric: score for score in scores}
    assert list(found) == ["auc", "brier", "log_loss", "ece_10", "ece_20"]
    assert found["auc"].ours > 0.6
    assert found["auc"].low <= found["auc"].ours <= found["auc"].high
    assert "river LogisticRegression" in found["brier"].peers
    assert {score.cases for score in scores} == {len(customers)}


def test_nothing_after_the_known_weeks_is_learned(customers) -> None:
    known = {
        customer: [purchase for purchase in bought if purchase.day < churn.END_DAY]
        for customer, bought in customers.items()
    }
    with_them, without = churn.learn(customers).ours, churn.learn(known).ours
    assert with_them.hazard.to_row() == without.hazard.to_row()
    assert with_them.level == without.level


def test_the_features_of_a_coming_period_are_what_it_will_see(customers) -> None:
    model = churn.learn(customers).ours
    ahead = list(model.ahead(1, churn.END_DAY, 4))
    for periods, features in enumerate(ahead):
        then = next(model.ahead(1, churn.END_DAY + periods * PERIOD_DAYS, 1))
        assert features == pytest.approx(then, rel=1e-6)


def test_bg_nbd_takes_who_never_came_back_for_a_customer_still() -> None:
    known = btyd.Histories(
        *(btyd.np.array(values) for values in ([0.0, 5.0], [0.0, 9.0], [39.0, 39.0]))
    )
    never, often = btyd.PUBLISHED.alive(known)
    assert never == 1.0 > often


def test_a_file_that_is_no_purchases_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("no purchases\n")
    with pytest.raises(churn.UserFault, match="has no purchases"):
        churn.read(tmp_path / "x.txt")


def test_of_auc_alone_more_is_better() -> None:
    score = measured(
        "t", "d", [0.1, 0.9], [False, True], [1, 2], "brier", churn.brier, {}, bars={}, resamples=5
    )
    assert score.better == "lower"


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Visits of 40 people in 24 days; every other one stops after ten."""
    random, found = Random(6), []
    for person in range(40):
        for day in range(24 if person % 2 else 10):
            if random.random() < 0.7:
                time_ms = 1_790_784_000_000 + day * 86_400_000 + random.randrange(80_000_000)
                found.append((time_ms, person))
    path = tmp_path_factory.mktemp("own") / "events.ndjson"
    with path.open("wb") as file:
        for number, (time_ms, person) in enumerate(sorted(found)):
            event = {
                "specversion": "1.0",
                "id": f"e{number}",
                "source": "wx:mp:wx1",
                "type": "page.viewed",
                "subject": f"unionid:u{person}",
                "time_ms": time_ms,
                "data": {"path": "/home"},
            }
            file.write(orjson.dumps(event) + b"\n")
    return path


def test_own_events_give_every_measure_beside_its_peers(events: Path) -> None:
    scores = evaluate_churn(events, resamples=20)
    assert [score.metric for score in scores] == ["auc", "brier", "log_loss", "ece_10"]
    assert scores[0].ours > 0.6
    assert set(scores[0].peers) == {"recency", "frequency", "BG/NBD E[X]"}
    assert scores[0].cases >= 60  # the tail whose labels have not come is not among them


def test_own_events_are_the_same_twice(events: Path) -> None:
    assert evaluate_churn(events, resamples=5) == evaluate_churn(events, resamples=5)


@pytest.mark.parametrize(("lines", "told"), [(0, "has no events"), (30, "0 scores whose 7 days")])
def test_a_file_too_short_says_so(events: Path, tmp_path: Path, lines: int, told: str) -> None:
    short = tmp_path / "short.ndjson"
    short.write_bytes(b"".join(events.read_bytes().splitlines(keepends=True)[:lines]))
    with pytest.raises(FileError, match=told):
        evaluate_churn(short)
