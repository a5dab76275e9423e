"""A line of the scoreboard says what was aimed at, what came out, and how sure that is."""

import hashlib
import tarfile
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pytest

from streams.faults import UserFault
from streams.scoreboard import tasks
from streams.scoreboard.board import Indices, Score, interval, write
from streams.scoreboard.data import Fetch, Source


def score(ours: float, **fields: object) -> Score:
    common = {"task": "t", "data": "d", "metric": "m", "low": ours, "high": ours}
    return msgspec.convert({**common, "ours": ours, **fields}, Score)


def test_a_bar_is_reached_from_the_better_side() -> None:
    assert score(0.8, bar=0.7).reached is True
    assert score(0.8, bar=0.7, better="lower").reached is False
    assert score(0.9, bar=0.88, bar_high=0.92, better="within").reached is True
    assert score(0.95, bar=0.88, bar_high=0.92, better="within").reached is False
    assert score(0.8).reached is None


def test_who_leads_is_better_than_every_peer() -> None:
    assert score(0.8, peers={"a": 0.7, "b": 0.79}).leads is True
    assert score(0.8, peers={"a": 0.7, "b": 0.81}).leads is False
    assert score(0.8, peers={"a": 0.9}, better="lower").leads is True
    assert score(0.8).leads is None


def test_an_interval_draws_whole_people() -> None:
    values = np.repeat(np.arange(40.0), 25)
    groups = np.repeat(np.arange(40), 25).tolist()

    def mean(at: Indices) -> float:
        return float(values[at].mean())

    by_person = interval(mean, groups, resamples=300)
    by_case = interval(mean, list(range(len(values))), resamples=300)
    assert by_person[0] < 19.5 < by_person[1]
    assert by_person[1] - by_person[0] > 3 * (by_case[1] - by_case[0])


def test_the_rows_of_a_board_say_whether_bars_were_reached(tmp_path: Path) -> None:
    write([score(0.8, bar=0.7, peers={"a": 0.9})], tmp_path / "out" / "board.json")
    (row,) = msgspec.json.decode((tmp_path / "out" / "board.json").read_bytes())
    assert (row["ours"], row["reached"], row["leads"]) == (0.8, True, False)


def test_a_task_there_is_not_is_named(tmp_path: Path) -> None:
    assert len(set(tasks.NAMES)) == len(tasks.NAMES)
    folder = Path(tasks.__file__).parent
    assert all((folder / f"{name}.py").exists() for name in tasks.NAMES)


def archive(folder: Path, *, wheel: bool) -> str:
    """A package with one file of data; returns the file's digest."""
    packages = folder / "packages"
    packages.mkdir()
    (folder / "data.txt").write_bytes(b"1 2 3\n")
    if wheel:
        with zipfile.ZipFile(packages / "Thing-1.0-py3-none-any.whl", "w") as files:
            files.write(folder / "data.txt", "thing/data.txt")
    else:
        with tarfile.open(packages / "thing-1.0.tar.gz", "w:gz") as files:
            files.add(folder / "data.txt", "thing-1.0/thing/data.txt")
    return hashlib.sha256(b"1 2 3\n").hexdigest()


@pytest.mark.parametrize("wheel", [True, False])
def test_a_file_comes_out_of_a_package_without_installing_it(tmp_path: Path, wheel: bool) -> None:
    digest = archive(tmp_path, wheel=wheel)
    found = Fetch(tmp_path).file(Source("thing", "1.0", "thing/data.txt", digest, wheel))
    assert found.read_bytes() == b"1 2 3\n"
    assert Fetch(tmp_path).file(Source("thing", "1.0", "thing/data.txt", digest, wheel)) == found


def test_a_package_that_is_not_what_it_was_is_refused(tmp_path: Path) -> None:
    archive(tmp_path, wheel=True)
    with pytest.raises(UserFault, match="not the one that was measured"):
        Fetch(tmp_path).file(Source("thing", "1.0", "thing/data.txt", "0" * 64))


def test_a_file_that_is_not_in_the_package_is_named(tmp_path: Path) -> None:
    archive(tmp_path, wheel=True)
    with pytest.raises(UserFault, match=r"has no file thing/other\.txt"):
        Fetch(tmp_path).file(Source("thing", "1.0", "thing/other.txt", "0" * 64))
