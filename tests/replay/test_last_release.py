"""What the last release kept is read by this one, and goes on."""

import gzip
from pathlib import Path

import msgspec

from streams.outputs import Outputs
from streams.replay import TRIAL_KEY, Replay
from streams.snapshot import read_rows
from tests.replay import golden

GOLDEN = Path(golden.__file__).parent
TAKEN = 90  # of the golden events, by release 0.2.0


def resumed(folder: Path) -> tuple[Replay, Path]:
    path = folder / "state-0.2.0.snapshot"
    path.write_bytes(gzip.decompress((GOLDEN / "state-0.2.0.snapshot.gz").read_bytes()))
    replay = Replay.resume(path, key=TRIAL_KEY, outputs=Outputs(folder / "out"), keep_rows=True)
    return replay, path


def test_people_of_the_last_release_are_all_there(tmp_path: Path) -> None:
    replay, path = resumed(tmp_path)
    kept = [key[2:].decode() for _, key, _ in read_rows(path) if key[:2] == b"u:"]
    found = {user_id for fold in replay.folds for user_id in fold.engine.store}
    assert kept
    assert found == set(kept)
    assert sum(fold.counters()["fate.applied"] for fold in replay.folds) > 0


def test_a_replay_goes_on_from_the_last_releases_snapshot(tmp_path: Path) -> None:
    replay, _ = resumed(tmp_path)
    applied = sum(fold.counters()["fate.applied"] for fold in replay.folds)
    raws = (GOLDEN / "events.ndjson").read_bytes().splitlines()
    replay.feed(raws[TAKEN:])
    replay.close()
    assert sum(fold.counters()["fate.applied"] for fold in replay.folds) > applied + 80
    states = [
        fold.engine.store.get(user_id) for fold in replay.folds for user_id in fold.engine.store
    ]
    assert any(person and person.state.doing for person in states)


def test_the_churn_weights_of_the_last_release_are_taken_over(tmp_path: Path) -> None:
    replay, path = resumed(tmp_path)
    weights = [row for _, key, row in read_rows(path) if key == b"m:churn/weights"]
    assert weights
    examples = sum(fold.counters()["model.churn.examples"] for fold in replay.folds)
    assert examples == sum(msgspec.msgpack.decode(row)[1][0] for row in weights)
