"""Whom a journey changes: what closed decisions teach, who is in which segment, what is kept."""

from collections.abc import Sequence
from math import isfinite
from random import Random

import msgspec
import pytest

from streams.engine.config import Config
from streams.engine.features import NAMES
from streams.engine.models.model import Surroundings
from streams.engine.models.uplift import (
    LOST_CAUSE,
    MOST_JOURNEYS,
    MOST_TOLD,
    PERSUADABLE,
    SEGMENTS,
    SLEEPING_DOG,
    SURE_THING,
    UpliftModel,
)
from streams.engine.state import Pending
from tests.engine.journeys import CART, journey
from tests.engine.world import DAY_MS, HOUR_MS, OPEN, World, altered

REST = (0.0,) * (len(NAMES) - 2)
OF = {  # first two features -> buys without, buys with
    (1.0, 1.0): (0.8, 0.8),
    (1.0, -1.0): (0.1, 0.6),
    (-1.0, -1.0): (0.05, 0.05),
    (-1.0, 1.0): (0.5, 0.1),
}


def model(partitions: int = 1) -> UpliftModel:
    return UpliftModel(
        Surroundings(
            Config(),
            b"seed",
            partition=0,
            partitions=partitions,
            letter=lambda to, body: pytest.fail("a letter"),
            changed=lambda person: None,
            find=lambda user_id: None,
            stands_for=lambda alias: alias,
        )
    )


def closed(name: str, features: tuple[float, ...], arm: str, treating: float) -> Pending:
    return Pending(
        journey=name,
        version=1,
        step="offer",
        arm=arm,
        decided_ms=1,
        until_ms=2,
        first=True,
        features=features,
        treating=treating,
    )


def taught(found: UpliftModel, count: int, name: str = "win_back", seed: int = 1) -> UpliftModel:
    random = Random(seed)
    for _ in range(count):
        kind = random.choice(list(OF))
        treated = random.random() < 0.7
        reached = random.random() < OF[kind][treated]
        arm = random.choice(("coupon10", "coupon20")) if treated else "hold"
        found.closed(closed(name, (*kind, *REST), arm, 0.7), reached=reached)
    return found


@pytest.mark.parametrize(
    ("kind", "segment"),
    zip(OF, (SURE_THING, PERSUADABLE, LOST_CAUSE, SLEEPING_DOG), strict=True),
)
def test_people_fall_into_the_segments_they_are_of(kind: tuple[float, float], segment: str) -> None:
    found = taught(model(), 1_500, seed=3)
    x = (*kind, *REST)
    estimate = found.estimate("win_back", x)
    assert estimate is not None
    assert estimate.mean == pytest.approx(OF[kind][1] - OF[kind][0], abs=0.12)
    assert found.segment("win_back", x) == segment
    assert segment in SEGMENTS
    assert sum(found.explain("win_back", x).values()) == pytest.approx(estimate.mean)


def test_nothing_is_said_where_it_would_be_no_better_than_chance() -> None:
    found, x = model(), (1.0, -1.0, *REST)
    assert found.estimate("win_back", x) is None
    taught(found, 100)
    assert found.estimate("win_back", x) is None
    assert (found.segment("win_back", x), found.explain("win_back", x)) == ("", {})


@pytest.mark.parametrize("treating", [0.0, 1.0])
def test_who_could_only_have_gone_one_way_teaches_nothing(treating: float) -> None:
    found = model()
    found.closed(closed("win_back", (*REST, 1.0, 1.0), "coupon10", treating), reached=True)
    assert found.changed_rows() == []


def test_the_journey_without_results_for_the_longest_makes_room() -> None:
    found = model()
    for number in range(MOST_JOURNEYS + 1):
        taught(found, 2, f"journey{number}")
    rows = dict(found.changed_rows())
    assert rows[b"m:uplift/journey0"] is None
    assert len([row for row in rows.values() if row is not None]) == MOST_JOURNEYS
    assert max(len(row) for row in rows.values() if row is not None) <= 16_384
    assert found.metrics()["journeys"] == MOST_JOURNEYS


def told(found: UpliftModel, others: Sequence[UpliftModel]) -> None:
    """What one partition has to tell arrives at the others, by way of JSON."""
    delta = found.share()
    if delta is not None:
        for other in others:
            other.absorb(other.read_delta(msgspec.json.decode(msgspec.json.encode(delta))), 1)


def test_partitions_that_tell_each_other_know_what_one_that_saw_all_would() -> None:
    alone, parts = model(), [model(4) for _ in range(4)]
    for number in range(40):
        taught(parts[number % 4], MOST_TOLD // 10, seed=number)
        taught(alone, MOST_TOLD // 10, seed=number)
        told(parts[number % 4], [part for part in parts if part is not parts[number % 4]])
    x = (1.0, -1.0, *REST)
    expected = alone.estimate("win_back", x)
    assert expected is not None
    assert [part.estimate("win_back", x) for part in parts] == [expected] * 4
    assert sum(part.metrics()["results"] for part in parts) == alone.metrics()["results"] == 400


def test_what_waits_to_be_told_outlives_a_restart_and_is_told_once() -> None:
    found, again = taught(model(2), MOST_TOLD + 20), model(2)
    for key, row in found.changed_rows():
        assert row is not None
        assert len(row) <= 16_384
        again.load_row(key, row)
    delta = again.share()
    assert delta is not None
    assert delta == found.share()
    assert len(delta["results"]) == MOST_TOLD
    assert again.share() is None


@pytest.mark.parametrize("results", [[["win_back", [1.0], "yes", 0.5, True]], {}, [[]]])
def test_results_that_are_none_are_refused_whole(results: object) -> None:
    good = ["win_back", [0.0] * len(NAMES), True, 0.5, True]
    found = model(2)
    with pytest.raises(msgspec.ValidationError):
        found.read_delta({"results": [good, *results] if isinstance(results, list) else results})
    assert found.changed_rows() == []


def test_a_model_taken_over_from_its_rows_goes_on_bit_for_bit() -> None:
    found, again = taught(model(), 300), model()
    for key, row in found.changed_rows():
        assert row is not None
        again.load_row(key, row)
    for one in (found, again):
        taught(one, 200, seed=2)
    assert again.changed_rows() == found.changed_rows()
    assert again.metrics() == found.metrics()
    assert all(map(isfinite, found.metrics().values()))


def test_rows_of_a_newer_schema_and_of_others_are_refused() -> None:
    ((key, row),) = taught(model(), 5).changed_rows()
    assert row is not None
    _, *parts = msgspec.msgpack.decode(row)
    with pytest.raises(ValueError, match="schema 99"):
        model().load_row(key, msgspec.msgpack.encode([99, *parts]))
    with pytest.raises(ValueError, match="m:other"):
        model().load_row(b"m:other/x", row)


CHOICE = {
    "id": "offer",
    "decide": "thompson",
    "explore_floor": 0.3,
    "arm": [{"id": "nothing"}, {"id": "remind", "template": "cart_remind_v1"}],
}


def test_a_decision_of_the_engine_teaches_once_its_window_has_ended() -> None:
    goal = {"on": "order.paid", "window": "72h"}
    world = World(altered(OPEN, journeys=(journey(CART, goal=goal, step=[CHOICE]),)))
    world.see("ann", "user.followed")
    world.see("ann", "cart.added", {"item_id": "pot", "category": "tea", "price_fen": 900})
    world.wait(HOUR_MS)
    uplift = world.folds[0].engine.insight.model(UpliftModel)
    assert uplift.metrics()["results"] == 0.0
    world.wait(5 * DAY_MS)
    assert uplift.metrics()["results"] == 1.0
