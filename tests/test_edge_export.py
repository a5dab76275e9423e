"""Exporting a model of a snapshot."""

from pathlib import Path

import pytest

from streams import snapshot
from streams.commands.export import export as command
from streams.edge_export import export
from streams.faults import UserFault
from streams.learning.edge import EdgeScorer, decode
from streams.learning.logistic import OnlineLogistic
from streams.snapshot import Header, StateRow


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A snapshot with the weights of a model, in the second of two partitions."""
    model = OnlineLogistic(rate=0.3)
    model.begin(["presence", "orders"], [1.0, 0.0])
    for number in range(100):
        model.learn([number % 3 - 1.0, number % 2], number % 3 == 2)
    rows = [
        StateRow(0, b"m:churn/presence", b"other"),
        StateRow(1, b"m:churn/weights", model.to_row()),
        StateRow(1, b"m:odd/weights", b"odd"),
        StateRow(1, b"u:1", b"a person"),
    ]
    path = tmp_path / "state.snapshot"
    header = Header(engine_version=1, partitions=2, clock_ms=0, positions={}, config={})
    snapshot.write(path, header, rows)
    return path


def test_the_file_scores_as_the_model_does(source: Path, tmp_path: Path) -> None:
    done = export(source, "churn", tmp_path / "edge.json", partition=1)
    assert done.examples == 100
    scorer = EdgeScorer(decode((tmp_path / "edge.json").read_bytes()))
    assert scorer.model.names == ["presence", "orders"]
    assert scorer.probability({"presence": 1.0}) > 0.6 > scorer.probability({"presence": -1.0})


def test_names_may_be_hashed_away(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "edge.json"
    named = export(source, "churn", out, partition=1).model
    hashed = export(source, "churn", out, partition=1, buckets=64, bits=4).model
    assert hashed.names == []
    x = {"presence": 0.5, "orders": 1.0}
    assert EdgeScorer(hashed).logit(x) == pytest.approx(EdgeScorer(named).logit(x), abs=0.3)


def test_the_command_says_what_it_wrote(source: Path, tmp_path: Path, capsys) -> None:
    command("churn", source, tmp_path / "edge.json", partition=1)
    assert "churn, 2 weights of 8 bits" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "partition", "said"),
    [
        ("churn", 0, "no weights of 'churn': none yet"),
        ("other", 1, "no weights of 'other': churn, odd"),
        ("odd", 1, "cannot be exported"),
    ],
)
def test_what_cannot_be_exported_is_said(
    source: Path, tmp_path: Path, name: str, partition: int, said: str
) -> None:
    with pytest.raises(UserFault, match=said):
        export(source, name, tmp_path / "edge.json", partition=partition)


def test_a_place_that_cannot_be_written_is_said(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UserFault, match="cannot be written"):
        export(source, "churn", tmp_path / "no" / "edge.json", partition=1)
