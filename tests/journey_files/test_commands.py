"""`streams journey ...`: readable answers and honest exit codes."""

from pathlib import Path

import msgspec
import pytest

from streams.cli import run

from .builders import GOOD, text


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cart.toml"
    path.write_text(GOOD, "utf-8")
    return path


def changed(path: Path, *changes: tuple[str, str]) -> Path:
    other = path.with_name("other.toml")
    other.write_text(text(*changes), "utf-8")
    return other


def test_lint_of_a_right_journey_is_0(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["journey", "lint", str(file)]) == 0
    assert "✓" in capsys.readouterr().out


def test_lint_of_a_wrong_journey_is_1_and_says_why(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = changed(file, ("total_fen = 1_000_000", "total_fen = 1"))
    assert run(["journey", "lint", str(wrong)]) == 1
    shown = capsys.readouterr().out
    assert "BUDGET_TOO_SMALL budget.total_fen" in shown
    assert "→ raise it" in shown


def test_a_warning_alone_is_0(file: Path) -> None:
    assert run(["journey", "lint", str(changed(file, ("share = 0.1", "share = 0.0")))]) == 0


def test_lint_as_json_holds_the_codes(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = changed(file, ("total_fen = 1_000_000", "total_fen = 1"))
    assert run(["journey", "lint", "--json", str(wrong)]) == 1
    found = msgspec.json.decode(capsys.readouterr().out)
    assert [(one["code"], one["level"]) for one in found[str(wrong)]] == [
        ("BUDGET_TOO_SMALL", "error")
    ]


def test_a_failing_test_is_1_and_shows_what_happened(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["journey", "test", str(file)]) == 0
    wrong = changed(file, ("+30m SENT arm=remind", "+30m SENT arm=coupon"))
    assert run(["journey", "test", str(wrong)]) == 1
    assert "> +30m SENT step=offer arm=remind" in capsys.readouterr().out


def test_check_does_all_three(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["journey", "check", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "1/1 测试通过" in shown
    assert "进入 entered" in shown


def test_simulate_as_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["journey", "simulate", str(file), "--users", "20", "--days", "2", "--json"]
    assert run(command) == 0
    assert msgspec.json.decode(capsys.readouterr().out)["users"] == 20


def test_diff_of_an_unraised_version_is_1(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newer = changed(file, ('wait = "30m"', 'wait = "1h"'))
    assert run(["journey", "diff", str(file), str(newer)]) == 1
    shown = capsys.readouterr().out
    assert "~ 步骤 cool 等待 · step cool wait: 30m → 1h" in shown
    assert "VERSION_REUSED" in shown


def test_diff_of_a_raised_version_is_0(file: Path) -> None:
    newer = changed(file, ('wait = "30m"', 'wait = "1h"'), ("version = 1", "version = 2"))
    assert run(["journey", "diff", str(file), str(newer)]) == 0


def test_picture_is_written(file: Path, tmp_path: Path) -> None:
    assert run(["journey", "picture", str(file), "--out", str(tmp_path / "a.svg")]) == 0
    assert (tmp_path / "a.svg").read_text("utf-8").startswith("<svg")


def test_the_shipped_policy_and_content_are_right() -> None:
    assert run(["policy", "lint"]) == 0
    assert run(["content", "lint"]) == 0


def test_a_wrong_policy_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "policy.toml"
    path.write_text('spec = "policy/1"\ngap = "soon"\n', "utf-8")
    assert run(["policy", "lint", str(path)]) == 1
    assert "soon" in capsys.readouterr().out


def test_a_file_that_is_not_there_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["journey", "lint", "none.toml"]) == 1
    assert "cannot be read" in capsys.readouterr().err
