"""The recommendation task asks before it learns, and sets ours beside its peers."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from streams.learning.recommend.recommender import Recommender
from streams.scoreboard.simple_recommender import BEST
from streams.scoreboard.tasks import recommend, recommend_apart
from streams.scoreboard.tasks.recommend import Event, Trial

HOUR_MS = 3_600_000
TINY = recommend.SIZES._replace(
    capacity=64, history=8, window=8, factors=8, negatives=16, latents_every=4, rank_every=16
)


def stream(count: int = 500) -> list[Event]:
    """Twenty people go through films in a circle: what comes next is plain."""
    random, at = Random(3), dict.fromkeys(range(20), 0)
    found = []
    for number in range(count):
        person = random.randrange(20)
        at[person] += 1
        found.append(Event(number * 60_000, str(person), str((person + at[person]) % 40), 4.0))
    return found


@pytest.fixture(scope="module")
def passes() -> Iterator[tuple[list[Trial], list[Trial]]]:
    """With tags and all peers, and without."""
    patch = pytest.MonkeyPatch()
    for name, value in (("FIRST", 200), ("EVERY", 11), ("OFTEN", 7), ("SIZES", TINY)):
        patch.setattr(recommend, name, value)
    tags = {str(film): [f"{film // 10}0s"] for film in range(40)}
    events = stream()
    yield recommend.asked(events, tags), recommend.asked(events, {}, alone=True)
    patch.undo()


@pytest.fixture(scope="module")
def tests(passes: tuple[list[Trial], list[Trial]]) -> list[Trial]:
    return passes[0]


def test_each_test_has_a_place_in_every_list(tests: list[Trial]) -> None:
    names = {"ours", "popularity", "popularity_1d", "covisitation"}
    assert len(tests) > 15
    assert all(names <= set(test.places) for test in tests)
    coarse = [test for test in tests if recommend.is_coarse(test.number)]
    assert sum("river_biased_mf" in test.places for test in tests) == len(coarse) // 3
    assert all(0 <= place <= BEST for test in tests for place in test.places.values())


def test_ours_and_covisitation_find_what_comes_next(tests: list[Trial]) -> None:
    hits = {
        name: sum(test.places[name] < BEST for test in tests)
        for name in ("ours", "covisitation", "popularity")
    }
    assert hits["ours"] > hits["popularity"]
    assert hits["covisitation"] > hits["popularity"]


def test_the_scores_have_bars_intervals_and_peers(tests: list[Trial]) -> None:
    found = {score.metric: score for score in recommend.ranked(tests)}
    bars = {"HR@10": 0.22, "NDCG@10": 0.12}
    often = {f"{name}, every 7th event": bar for name, bar in bars.items()}
    assert {name: score.bar for name, score in found.items()} == bars | often
    for score in found.values():
        assert score.low <= score.ours <= score.high
        assert {"covisitation", "popularity"} <= set(score.peers)
    assert [score.bar for score in recommend.costs(tests)] == [2.0, None]


def test_what_is_new_is_scored_with_tags_and_without(
    passes: tuple[list[Trial], list[Trial]],
) -> None:
    tests, without = passes
    new = [test for test in without if test.visits < recommend.NEW or test.met < recommend.FEW]
    assert new == without
    for score in recommend.fresh(tests, without):
        assert {"without_tags", "covisitation", "popularity"} == set(score.peers)


def test_nothing_was_chosen_on_what_is_asked(tests: list[Trial]) -> None:
    kinds = [recommend.is_coarse(test.number) for test in tests]
    assert all(
        is_coarse or test.number % recommend.EVERY not in recommend.CHOSEN
        for is_coarse, test in zip(kinds, tests, strict=True)
    )


def test_events_are_read_in_the_order_of_their_times_ties_by_person_and_film(
    tmp_path: Path,
) -> None:
    path = tmp_path / "events"
    path.write_text("user\titem\trating\ttime\n1\t15\t3\t20\n2\t6\t4\t10\n1\t7\t5\t20\n")
    assert [event.film for event in recommend.read_events(path)] == ["6", "7", "15"]
    path.write_text("item\ttitle\tyear\tclass\n5\tA Film\t1995\tDrama War\n")
    assert recommend.read_films(path) == {"5": ["1990s", "Drama", "War"]}


def test_recommenders_apart_that_tell_each_other_lose_less_than_those_that_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("FIRST", 200), ("EVERY", 3)):
        monkeypatch.setattr(recommend, name, value)
    monkeypatch.setattr(recommend, "CHOSEN", ())
    sizes = {"SIZES": TINY, "PARTITIONS": (4,), "SHARE_INPUTS": 16}
    for name, size in sizes.items():
        monkeypatch.setattr(recommend_apart, name, size)
    found = recommend_apart.compare(stream(900), {})
    assert [score.metric[:5] for score in found] == ["HR@10", "NDCG@"]
    for score in found:
        assert score.low <= score.ours <= score.high
        assert score.ours < score.peers["each alone"]


def test_a_letter_arrives_a_minute_after_it_was_told() -> None:
    post = recommend_apart.Post(2)
    recommenders = [Recommender(b"", TINY) for _ in range(2)]
    for recommender in recommenders:
        recommender.begin_sharing()
    recommenders[0].learn_one("1", [], HOUR_MS)
    post.pass_on(recommenders, 0, HOUR_MS)
    post.pass_on(recommenders, 1, HOUR_MS + recommend_apart.ON_THE_WAY_MS - 1)
    assert recommenders[1].catalogue.place("1") is None
    post.pass_on(recommenders, 1, HOUR_MS + recommend_apart.ON_THE_WAY_MS)
    assert recommenders[1].catalogue.place("1") is not None
