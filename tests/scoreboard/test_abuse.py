"""The abuse task on a small world: the truth stays apart, and the figures are of people."""

from pathlib import Path

from streams.engine.models.abuse import CLAIMED
from streams.scoreboard.tasks import abuse
from streams.scoreboard.worlds.abuse import is_abusive, world


def test_a_world_is_the_same_for_a_seed_and_in_the_order_of_time() -> None:
    first, again = world(3, days=3, scale=0.02), world(3, days=3, scale=0.02)
    assert first == again
    assert first.events != world(4, days=3, scale=0.02).events
    times = [abuse.orjson.loads(raw)["time_ms"] for raw in first.events]
    assert times == sorted(times)


def test_the_truth_of_a_world_stands_in_no_event() -> None:
    planted = world(3, days=3, scale=0.02)
    assert {is_abusive(kind) for kind in planted.kinds.values()} == {True, False}
    assert not any(b"abuse" in raw or b"ring by" in raw for raw in planted.events)
    claims = [raw for raw in planted.events if CLAIMED.encode() in raw]
    assert len(claims) > 50


def test_planted_abuse_is_found_and_the_honest_are_left_alone() -> None:
    people = abuse.watched([5], days=3, scale=0.01)
    scores = {score.metric: score for score in abuse.scores_of(people, "a small shop")}
    recall, hit = scores["recall of rings and bursts"], scores["honest people hit"]
    assert recall.ours >= 0.8
    assert hit.ours <= 0.02
    assert set(recall.peers) == {"one velocity rule (coupons a day)", "river HalfSpaceTrees"}
    assert hit.cases > 50
    assert scores["honest heavy buyers hit"].bar == 0.0


def test_what_is_unusual_is_scored_before_it_is_learned(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.gz"
    lines = ["a,b,anomaly"]
    lines += [f"{n % 7},{n % 5},0" if n % 90 else f"{50 + n % 3},-40,1" for n in range(1, 800)]
    path.write_bytes(abuse.gzip.compress("\n".join(lines).encode()))
    (score,) = abuse.shuttle(path)
    assert score.cases == 799
    assert score.ours > 0.7
    assert set(score.peers) == {"river HalfSpaceTrees", "river LODA"}
