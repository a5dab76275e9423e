"""`streams whatif`, as one types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.cli import run
from tests.replay import golden
from tests.whatif.worlds import World, dumped

ROOT = Path(__file__).parents[2]
EVENTS = Path(golden.__file__).parent / "events.ndjson"
OF_EVENTS = ["whatif", "--events", str(EVENTS), "--scenario", "ecommerce"]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    change = ["--set", "policy.cap.0.max=0", "--set", "policy.daily_budget_fen=-20%"]
    said = []
    for seed in ("0", "1"):
        command = [sys.executable, "-m", "streams", *OF_EVENTS, *change, "--json", tmp_path / seed]
        done = subprocess.run(
            command, check=True, capture_output=True, cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
        )  # fmt: skip
        said.append((done.stdout, (tmp_path / seed).read_bytes()))
    assert said[0] == said[1]


def test_events_of_a_file_are_tried_like_a_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    assert run([*OF_EVENTS, "--set", "policy.cap.0.max=0", "--json", str(report)]) == 0
    found = json.loads(report.read_bytes())
    assert found["records"] == 201
    assert found["triggers"][0] > found["triggers"][1]
    said = capsys.readouterr().out
    assert "People's reactions are those of history" in said
    assert "人们的反应是历史上的" in said


def test_what_is_in_force_already_is_said_to_differ_in_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run([*OF_EVENTS, "--set", "policy.gap=4h"]) == 0
    assert "没有任何不同 No difference at all" in capsys.readouterr().out


def test_a_change_of_a_folder_of_dumps_is_tried_from_its_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World()
    world.see("someone", "user.followed")
    (tmp_path / "logs").mkdir()
    dumped(world, tmp_path / "logs" / "log.ndjson")
    shipped = ROOT / "deploy"
    files = ["--journey", shipped / "journeys" / "birthday.toml", "--policy",
             shipped / "policy.toml", "--content", shipped / "content"]  # fmt: skip
    assert run(["whatif", "--log", str(tmp_path / "logs"), *map(str, files)]) == 0
    assert "journey birthday v1 (new)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["whatif"], "give either --log DUMP or --events FILE"),
        (["whatif", "--events", "nowhere", "--set", "policy.gap=1h"], "nowhere: no such file"),
        (["whatif", "--log", "nowhere", "--set", "policy.gap=1h"], "nowhere: cannot be read"),
        ([*OF_EVENTS], "nothing is changed"),
        ([*OF_EVENTS, "--set", "policy.gap=1h", "--from", "2026-10-03T00:00"], "has no zone"),
        ([*OF_EVENTS, "--set", "policy.gap=1h", "--partition", "9"], "partitions 0 to 3"),
        ([*OF_EVENTS, "--policy", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_a_fault_is_one_line_that_says_what_to_do(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) in (1, 2)
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
