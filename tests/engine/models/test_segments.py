"""Segments through the engine: entered and left, alike in all partitions."""

from random import Random

import msgspec
import pytest

from streams.contract.insights import SegmentChanged
from streams.contract.partitioning import partition_of
from streams.contract.topics import INSIGHTS
from streams.engine.models.segments import FEATURES, SegmentModel, features_of
from streams.engine.state import UserState
from streams.fold import Row
from streams.learning.segments.rfm import CODES
from tests.engine.world import DAY_MS, HOUR_MS, OPEN, World, altered

DAYS = 18
SIZE = 48


def lived(partitions: int, days: int = DAYS) -> World:
    """People who come every day or every fourth, buy much or little, by day or at night."""
    world, random = World(altered(OPEN, partitions=partitions, journeys=())), Random(5)
    for day in range(days):
        for number in range(SIZE):
            if number % 4 and (day + number) % 4:
                continue
            alias = f"person{number}"
            world.see(alias, "page.viewed", {"page": "home", "category": f"c{number % 3}"})
            if number % 3 and random.random() < 0.5:
                amount_fen = 100_000 if number % 2 else 2_000
                order_id = f"{number} on {day}"
                world.see(alias, "order.paid", {"order_id": order_id, "amount_fen": amount_fen})
            world.deliver()
        for _ in range(24):
            world.wait(DAY_MS // 24)
            world.deliver()
    return world


@pytest.fixture(scope="module")
def worlds() -> dict[int, World]:
    return {partitions: lived(partitions) for partitions in (1, 4)}


def changes(world: World, family: str) -> list[SegmentChanged]:
    found = [
        msgspec.json.decode(output.value, type=SegmentChanged)
        for output in world.outputs
        if output.topic == INSIGHTS and output.value and b'"insight":"segment"' in output.value
    ]
    return [change for change in found if change.family == family]


def state(world: World, alias: str) -> UserState:
    fold = world.folds[partition_of(alias, world.config.partitions)]
    person = fold.engine.store.get(alias)
    assert person is not None
    return person.state


def models(world: World) -> list[SegmentModel]:
    return [fold.engine.insight.model(SegmentModel) for fold in world.folds]


@pytest.mark.parametrize("partitions", [1, 4])
def test_the_stream_of_changes_leads_to_where_everybody_is(
    worlds: dict[int, World], partitions: int
) -> None:
    world, now = worlds[partitions], dict[str, str]()
    for change in changes(world, "rfm"):
        assert change.left == now.get(change.user_id, "")
        assert change.entered != change.left
        now[change.user_id] = change.entered
    assert now == {
        alias: SegmentModel.segment(state(world, alias))
        for alias in (f"person{number}" for number in range(SIZE))
    }
    assert set(now.values()) <= set(CODES)
    assert len(set(now.values())) >= 4


def test_a_person_s_value_segment_hardly_depends_on_the_partitions(
    worlds: dict[int, World],
) -> None:
    same = sum(
        SegmentModel.segment(state(worlds[1], f"person{number}"))
        == SegmentModel.segment(state(worlds[4], f"person{number}"))
        for number in range(SIZE)
    )
    assert same >= 0.8 * SIZE  # the others' counts arrive a day later


def test_those_who_buy_much_and_often_are_champions(worlds: dict[int, World]) -> None:
    best = max(
        (f"person{number}" for number in range(SIZE)),
        key=lambda alias: state(worlds[1], alias).activity.spend_fen,
    )
    assert SegmentModel.segment(state(worlds[1], best)) in ("champions", "promising")


def test_a_change_says_the_figures_that_decided(worlds: dict[int, World]) -> None:
    change = next(one for one in changes(worlds[1], "rfm") if one.entered == "champions")
    assert {"orders", "spend_yuan", "recency_days", "money_rank"} <= set(change.why)
    assert change.why["money_rank"] >= 0.6


def test_clusters_and_their_names_are_the_same_in_all_partitions(
    worlds: dict[int, World],
) -> None:
    first, *others = models(worlds[4])
    assert len(first.names()) == 6
    vectors = [features_of(state(worlds[4], f"person{n}"), worlds[4].now_ms) for n in range(SIZE)]
    for other in others:
        assert other.names() == first.names()
        assert [other.nearest(x) for x in vectors] == [first.nearest(x) for x in vectors]


def test_cluster_names_are_no_two_alike_and_in_both_languages(worlds: dict[int, World]) -> None:
    names = models(worlds[1])[0].names()
    assert len({name.code for name in names}) == 6
    assert all(name.chinese and name.english for name in names)
    someone = state(worlds[1], "person1")
    assert models(worlds[1])[0].cluster(someone) in {name.code for name in names}


def test_who_leaves_is_lost_at_once() -> None:
    world = lived(1, days=2)
    world.see("person1", "user.unfollowed")
    assert SegmentModel.segment(state(world, "person1")) == "lost"
    assert changes(world, "rfm")[-1].entered == "lost"


def test_features_are_finite_for_somebody_of_whom_nothing_is_known() -> None:
    found = features_of(UserState(first_seen_ms=0), HOUR_MS)
    assert len(found) == len(FEATURES)
    assert all(abs(value) < 100.0 for value in found)


def test_a_model_taken_over_from_its_rows_answers_alike(worlds: dict[int, World]) -> None:
    rows: dict[bytes, Row] = {}
    for row in worlds[1].folds[0].changed_rows():
        rows[row.key] = row
    assert any(key.startswith(b"m:segments/") for key in rows)
    model = models(worlds[1])[0]
    twin = SegmentModel(model.around)
    for key, row in rows.items():
        if key.startswith(b"m:segments/"):
            assert row.value is not None
            assert len(row.value) <= 16_384
            twin.load_row(key, row.value)
    assert twin.metrics() == model.metrics()
    assert twin.names() == model.names()
    assert twin.due_ms == model.due_ms


def test_an_unknown_row_is_refused(worlds: dict[int, World]) -> None:
    with pytest.raises(ValueError, match="m:segments/other"):
        models(worlds[1])[0].load_row(b"m:segments/other", b"")
