"""What `publish`, `pause` and `resume` refuse before anything is sent; the rest: tests/live."""

from pathlib import Path

import pytest

from streams.cli import run


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Exit code and stderr."""
    code = run([str(argument) for argument in arguments])
    return code, capsys.readouterr().err


@pytest.mark.parametrize("what", ["journey", "policy", "content"])
def test_a_file_that_is_not_there_is_named_in_one_line(
    what: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, error = said(capsys, what, "publish", tmp_path / "missing.toml")
    assert code == 1
    assert f"{tmp_path / 'missing.toml'}" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_an_id_that_no_journey_can_have_is_refused(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys, "journey", command, "Cart Rescue") == (
        1,
        "streams: 'Cart Rescue' is no id of a journey; give one, or '*' for all\n",
    )


def test_a_journey_with_a_fault_is_not_published_and_neither_are_its_neighbours(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text('spec = "journey/1"\nid = "x"\nversion = 0\n')
    code, error = said(capsys, "journey", "publish", "deploy/journeys/welcome.toml", broken)
    assert code == 1
    assert f"{broken}" in error
