"""`streams evaluate` over several tasks."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from streams.cli import run
from streams.faults import UserFault
from streams.scoreboard import tasks
from streams.scoreboard.board import Score
from streams.scoreboard.data import Fetch


def test_a_task_whose_data_cannot_be_had_loses_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def task(name: str, fetch: Fetch) -> Sequence[Score]:
        if name == "sentiment":
            raise UserFault("the package is not to be had")
        return [Score(task=name, data="some", metric="AUC", ours=0.9, low=0.8, high=0.95)]

    monkeypatch.setattr(tasks, "run", task)
    board = tmp_path / "board.json"
    wanted = ["churn", "sentiment", "edge"]
    code = run(["evaluate", *wanted, "--cache", str(tmp_path), "--out", str(board)])
    err = capsys.readouterr().err
    assert code == 1
    assert "streams: not measured: sentiment: the package is not to be had" in err
    assert [row["task"] for row in msgspec.json.decode(board.read_bytes())] == ["churn", "edge"]
