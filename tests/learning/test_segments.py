"""Ranks, value segments, clusters and their names."""

from itertools import permutations
from math import inf, isfinite, log1p, nan
from random import Random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import checks

from streams.learning.segments.clusters import MOST_FEATURES, OnlineClusters
from streams.learning.segments.matching import match
from streams.learning.segments.naming import Words, name_groups, name_of
from streams.learning.segments.quantiles import Quantiles
from streams.learning.segments.rfm import CODES, History, Ranks, Rules, ValueSegments, high

VALUES = st.lists(st.floats(0.0, 1e6), min_size=1, max_size=60)
HOSTILE = [nan, inf, -inf, 1e308, -1e308]


# Ranks.


def counted(values: list[float]) -> Quantiles:
    sketch = Quantiles()
    for value in values:
        sketch.observe(value)
    sketch.close(halve=True)
    return sketch


@settings(max_examples=40)
@given(VALUES)
def test_a_rank_is_exact_but_for_values_within_nine_percent(values: list[float]) -> None:
    sketch = counted(values)
    for value in values:
        low, high_ = (1.0 + value) / 1.1 - 1.0, (1.0 + value) * 1.1 - 1.0
        below = sum(other < low for other in values) / len(values)
        upto = sum(other <= high_ for other in values) / len(values)
        assert below <= sketch.rank(value) <= upto


@settings(max_examples=40)
@given(VALUES, VALUES)
def test_counts_of_two_partitions_add_up_to_those_of_one(a: list[float], b: list[float]) -> None:
    one, other, both = counted(a), counted(b), counted(a + b)
    one.merge(other)
    assert [one.rank(value) for value in a + b] == [both.rank(value) for value in a + b]


def test_what_one_partition_shares_another_reads_after_its_next_close() -> None:
    one, other = counted([1.0, 2.0, 3.0]), Quantiles()
    other.absorb(one.share())
    assert other.rank(2.0) == 0.5
    other.close(halve=True)
    assert [other.rank(value) for value in (1.0, 2.0, 3.0)] == pytest.approx([1 / 6, 0.5, 5 / 6])
    assert one.share() == {}


def test_old_values_fade_by_half_at_each_period() -> None:
    sketch = counted([1.0] * 8)
    for _ in range(3):
        sketch.close(halve=True)
    assert sketch.settled == 1.0


@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_is_without_a_rank(value: float) -> None:
    sketch = counted([1.0, value, 2.0])
    assert 0.0 <= sketch.rank(value) <= 1.0
    assert sketch.settled == 3.0


def test_a_sketch_taken_over_from_its_row_goes_on_alike() -> None:
    sketch, twin = counted([1.0, 5.0, 9.0]), Quantiles()
    sketch.observe(4.0)
    twin.from_row(sketch.to_row())
    for one in (sketch, twin):
        one.observe(7.0)
        one.close(halve=True)
    assert twin.to_row() == sketch.to_row()
    assert twin.rank(5.0) == sketch.rank(5.0)


# Value segments.


def population() -> ValueSegments:
    """A hundred buyers: recency 1 to 100 days, orders 1 to 100, spend 10 to 1000."""
    values = ValueSegments(Rules(lost_days=200.0))
    for number in range(1, 101):
        values.observe(History(number, number, 10.0 * number, 300.0, number))
    values.close()
    return values


def segment(values: ValueSegments, *history: float, before: int = 0) -> str:
    described = History(*history)  # type: ignore[arg-type]
    place, _ = values.segment(described, values.ranks(described), before)
    return CODES[place]


@pytest.mark.parametrize(
    ("days", "orders", "spend", "expected"),
    [
        (5, 95, 950, "champions"),
        (5, 5, 950, "promising"),
        (95, 95, 950, "loyal_lapsing"),
        (95, 5, 950, "at_risk"),
        (5, 95, 50, "regulars"),
        (5, 5, 50, "casual"),
        (95, 95, 50, "fading"),
        (95, 5, 50, "dormant"),
    ],
)
def test_each_of_the_eight_combinations_has_its_segment(
    days: int, orders: int, spend: float, expected: str
) -> None:
    assert segment(population(), days, orders, spend, 300.0, days) == expected


def test_lost_people_newcomers_and_those_without_an_order_are_not_judged_by_ranks() -> None:
    values = population()
    assert segment(values, 5, 95, 950, 300.0, 201.0) == "lost"
    assert segment(values, 5, 95, 950, 300.0, inf) == "lost"
    assert segment(values, 5, 1, 950, 3.0, 1.0) == "newcomer"
    assert segment(values, 0, 0, 0, 30.0, 1.0) == "prospect"


def test_scores_are_quintiles() -> None:
    ranks = population().ranks(History(95, 30, 550.0, 300.0, 95))
    assert ranks.scores == (1, 2, 3)


def test_what_is_high_stays_high_a_while_below_the_border() -> None:
    ranks = Ranks(0.45, 0.45, 0.45)
    assert high(ranks, before=0) == 0
    assert high(ranks, before=7) == 7
    assert high(Ranks(0.1, 0.1, 0.1), before=7) == 0


# Matching and names.


@settings(max_examples=40)
@given(
    st.integers(1, 5).flatmap(
        lambda size: st.lists(
            st.lists(st.floats(0, 100), min_size=size, max_size=size), min_size=size, max_size=size
        )
    )
)
def test_the_matching_is_the_cheapest(costs: list[list[float]]) -> None:
    found = match(costs)
    prices = [
        sum(costs[row][column] for row, column in enumerate(order))
        for order in permutations(range(len(costs)))
    ]
    assert sorted(found) == list(range(len(costs)))
    assert sum(costs[row][found[row]] for row in range(len(costs))) == pytest.approx(min(prices))


def test_a_matching_of_more_than_eight_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 8"):
        match([[0.0] * 9] * 9)


WORDS = (
    Words(("big_spender", "高消费", "spends much"), ("small_spender", "低消费", "spends little")),
    Words(("frequent", "高频", "often"), ("rare", "低频", "seldom")),
    Words(("night", "夜间活跃", "by night"), ("day", "白天活跃", "by day")),
)


def test_a_group_is_named_after_what_sets_it_apart_most() -> None:
    assert name_groups([[1.2, -0.8, 0.1], [0.1, 0.1, 0.1]], WORDS, ["", ""]) == [
        "big_spender+rare",
        "balanced",
    ]
    assert name_of("big_spender+rare", WORDS).chinese == "高消费·低频"


def test_no_two_groups_share_a_name() -> None:
    alike = [[1.0, -1.0, 0.6], [1.1, -1.0, 0.0], [1.0, -1.1, 0.0], [0.0, 0.0, 0.0]] * 2
    names = name_groups(alike, WORDS, [""] * 8)
    assert len(set(names)) == 8
    assert name_of("balanced#2", WORDS).chinese == "均衡 2"


def test_a_name_stays_while_its_words_hold() -> None:
    before = ["big_spender+rare"]
    assert name_groups([[0.3, -0.3, 2.0]], WORDS, before) == before
    assert name_groups([[0.1, -0.9, 2.0]], WORDS, before) == ["rare+night"]


# Clusters.


def blobs(number: int, seed: int = 1) -> list[list[float]]:
    """Three groups in two dimensions, of unlike scales."""
    random = Random(seed)
    middles = [(0.0, 0.0), (8.0, 100.0), (-8.0, 200.0)]
    return [
        [random.gauss(x, 1.0), random.gauss(y, 10.0)]
        for x, y in (middles[random.randrange(3)] for _ in range(number))
    ]


def taught(points: list[list[float]], batch: int = 256) -> OnlineClusters:
    model = OnlineClusters(3, batch=batch)
    model.begin(["x", "y"])
    for point in points:
        model.learn(point)
    return model


def river_checks() -> list:
    """All that river applies to a clusterer."""
    return list(checks.yield_checks(OnlineClusters()))


@pytest.mark.parametrize("check", river_checks(), ids=lambda check: check.__name__)
def test_river_s_own_checks_pass(check) -> None:
    check(OnlineClusters())


def test_groups_that_lie_apart_are_found() -> None:
    model = taught(blobs(1_000))
    centres = sorted((round(x / 8) * 8, round(y / 100) * 100) for x, y in model.centres)
    assert centres == [(-8, 200), (0, 0), (8, 100)]


def test_it_learns_from_dictionaries_as_well() -> None:
    model = OnlineClusters(3, batch=128)
    for x, y in blobs(600):
        model.learn_one({"x": x, "y": y})
    found = {model.predict_one({"x": x, "y": y}) for x, y in ((0, 0), (8, 100), (-8, 200))}
    assert found == {0, 1, 2}


def test_asking_changes_nothing() -> None:
    model = taught(blobs(400))
    before = model.to_row()
    model.predict_one({"x": 1.0, "new": 2.0})
    model.assign([nan, inf])
    model.distances([1.0, 2.0])
    assert model.to_row() == before


def test_batches_of_partitions_add_up_to_the_batch_of_one() -> None:
    first, later = blobs(512), blobs(300, seed=2)
    one, gatherer, worker = (taught(first, batch=0) for _ in range(3))
    for model in (one, gatherer):
        model.close()
    worker.adopt(gatherer.common())
    for place, point in enumerate(later):
        one.learn(point)
        (gatherer if place % 2 else worker).learn(point)
    assert gatherer.add(worker.open_batch())
    assert gatherer.open_batch().counts == one.open_batch().counts


def test_a_batch_for_other_centres_is_refused() -> None:
    model, worker = taught(blobs(300)), taught(blobs(600))
    assert not model.add(worker.open_batch())


def test_a_cluster_keeps_its_number_when_a_challenger_takes_over() -> None:
    model = taught(blobs(768))
    before = [model.assign(point) for point in blobs(100, seed=3)]
    model.centres[0] = [500.0, 5_000.0]  # dead: nobody is near it
    for point in blobs(768, seed=4):
        model.learn(point)
    after = [model.assign(point) for point in blobs(100, seed=3)]
    assert len(set(after)) == 3
    same = sum(a == b for a, b in zip(before, after, strict=True))
    assert same >= 60  # of three groups two were alive


def test_somebody_between_two_centres_stays_where_they_were() -> None:
    model = OnlineClusters(2, batch=0)
    model.begin(["x"])
    for value in [0.0] * 50 + [10.0] * 50:
        model.learn([value])
    model.close()
    low, high_ = model.assign([0.0]), model.assign([10.0])
    assert model.assign([5.1], before=low) == low
    assert model.assign([5.1], before=high_) == high_
    assert model.assign([9.0], before=low) == high_


def test_taken_over_from_its_row_it_goes_on_bit_for_bit() -> None:
    points = blobs(700)
    model = taught(points[:300])
    twin = OnlineClusters(3, batch=256)
    twin.from_row(model.to_row())
    for point in points[300:]:
        assert twin.learn(point) == model.learn(point)
    assert twin.to_row() == model.to_row()


def test_a_row_has_at_most_16_kilobytes() -> None:
    model = OnlineClusters(8, batch=256)
    model.begin([f"feature {number}" for number in range(MOST_FEATURES)])
    random = Random(1)
    for _ in range(1_500):
        model.learn([random.gauss(0.0, 1.0) for _ in range(MOST_FEATURES)])
    assert len(model.to_row()) <= 16_384


@settings(max_examples=25)
@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=80))
def test_no_example_makes_the_state_non_finite(points: list[tuple[float, float]]) -> None:
    model = OnlineClusters(2, batch=16)
    model.begin(["x", "y"])
    for point in points:
        model.learn(point)
    assert all(isfinite(value) for centre in model.centres for value in centre)
    assert np.isfinite(model.offsets()).all()


def test_a_row_of_a_newer_version_or_other_features_is_refused() -> None:
    model = taught(blobs(300))
    _, part = msgspec.msgpack.decode(model.to_row())
    with pytest.raises(ValueError, match="schema 99"):
        OnlineClusters().from_row(msgspec.msgpack.encode([99, part]))
    other = OnlineClusters()
    other.begin(["a"])
    with pytest.raises(ValueError, match=r"features \['x', 'y'\]"):
        other.from_row(model.to_row())


def test_online_clusters_fit_about_as_well_as_batch_ones() -> None:
    from streams.evaluation.clustering import batch_k_means, silhouettes, standardised

    random = Random(5)
    points = [
        [log1p(random.expovariate(0.02)), log1p(random.expovariate(0.2)), random.gauss(0, 1)]
        for _ in range(600)
    ]
    model = OnlineClusters(6, batch=200)
    model.begin(["r", "f", "m"])
    for _ in range(3):
        for point in points:
            model.learn(point)
    scaled = standardised(np.array(points))
    ours = silhouettes(scaled, np.array([model.assign(point) for point in points])).mean()
    assert ours >= silhouettes(scaled, batch_k_means(scaled, 6)).mean() - 0.05
