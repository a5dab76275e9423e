"""The recommendation task asks before it learns, and sets ours beside its peers."""

from pathlib import Path
from random import Random

import pytest

from streams.scoreboard.tasks import recommend
from streams.scoreboard.tasks.recommend import Event, Trial

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
def tests() -> list[Trial]:
    patch = pytest.MonkeyPatch()
    patch.setattr(recommend, "FIRST", 200)
    patch.setattr(recommend, "EVERY", 11)
    patch.setattr(recommend, "SIZES", TINY)
    tags = {str(film): [f"{film // 10}0s"] for film in range(40)}
    found = recommend.asked(stream(), tags)
    patch.undo()
    return found


def test_each_test_has_a_place_in_every_list(tests: list[Trial]) -> None:
    names = {"ours", "popularity", "popularity_1d", "covisitation"}
    assert len(tests) > 15
    assert all(names <= set(test.places) for test in tests)
    assert sum("river_biased_mf" in test.places for test in tests) == len(tests) // 3
    assert all(0 <= place <= recommend.BEST for test in tests for place in test.places.values())


def test_ours_and_covisitation_find_what_comes_next(tests: list[Trial]) -> None:
    hits = {
        name: sum(test.places[name] < recommend.BEST for test in tests)
        for name in ("ours", "covisitation", "popularity")
    }
    assert hits["ours"] > hits["popularity"]
    assert hits["covisitation"] > hits["popularity"]


def test_the_scores_have_bars_intervals_and_peers(tests: list[Trial]) -> None:
    found = {score.metric: score for score in recommend.ranked(tests)}
    assert {name: score.bar for name, score in found.items()} == {"HR@10": 0.22, "NDCG@10": 0.12}
    for score in found.values():
        assert score.low <= score.ours <= score.high
        assert {"covisitation", "river_biased_mf"} <= set(score.peers)
    assert [score.bar for score in recommend.costs(tests)] == [2.0, None]


def test_what_is_new_is_scored_with_tags_and_without(tests: list[Trial]) -> None:
    for score in recommend.fresh(tests, tests):
        assert score.peers["without_tags"] == score.ours


def test_events_are_read_in_the_order_of_their_times(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_text("user\titem\trating\ttime\n1\t5\t3\t20\n2\t6\t4\t10\n1\t7\t5\t20\n")
    assert [event.film for event in recommend.read_events(path)] == ["6", "5", "7"]
    path.write_text("item\ttitle\tyear\tclass\n5\tA Film\t1995\tDrama War\n")
    assert recommend.read_films(path) == {"5": ["1990s", "Drama", "War"]}
