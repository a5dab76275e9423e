"""The command line: what is wrong is one line on stderr that says what, where and what to do."""

import re
from base64 import b64encode
from pathlib import Path

import msgspec
import pytest

from streams.cli import run
from streams.contract.dead_letters import DeadLetter
from streams.contract.decisions import OUTCOMES
from streams.report.words import GATES, GOES_ON, outcome

COMMANDS = (
    "simulate",
    "replay",
    "demo",
    "explain",
    "report",
    "worker",
    "topics",
    "version",
    "snapshot write",
    "snapshot inspect",
    "log dump",
    "log check",
    "deadletters list",
    "deadletters redrive",
    "journey publish",
    "journey pause",
    "journey resume",
    "policy publish",
    "content publish",
    "evaluate",
    "export",
    "federate key",
    "federate begin",
    "federate contribute",
    "federate combine",
)


def ran(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    code = run([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the outputs of some 40 users over eight days."""
    folder = tmp_path_factory.mktemp("cli")
    events = folder / "events.ndjson"
    assert run(["simulate", "--users", "40", "--days", "8", "--out", str(events), "--json"]) == 0
    replay = ["replay", str(events), "--scenario", "ecommerce", "--out", str(folder), "--json"]
    assert run(replay) == 0
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(capsys, *command.split(), "--help")
    assert code == 0
    assert f"Usage: streams {command}" in out


def test_without_a_command_it_lists_all(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(capsys)
    assert code == 0
    assert {command.split()[0] for command in COMMANDS} <= set(re.findall(r"^  (\w+)", out, re.M))


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["replay", "--bacth", "3", "x"], 2, "--batch"),
        (["replay", "--batsch=3", "x"], 2, "--batch"),
        (["simulat"], 2, "Did you mean 'simulate'?"),
        (["log", "chek"], 2, "Did you mean 'check'?"),
        (["deadletters"], 2, "`streams deadletters --help`"),
        (["replay"], 2, "give either a file of EVENTS or --log DUMP"),
        (["replay", "/nowhere/events.ndjson"], 1, "/nowhere/events.ndjson: no such file"),
        (["replay", __file__, "--batch", "0"], 2, "--batch"),
        (["replay", __file__, "--config", "/nowhere"], 1, "/nowhere: cannot be read"),
        (["replay", __file__, "--from-snapshot", __file__], 1, "is no snapshot"),
        (["replay", "--log", "/nowhere"], 1, "/nowhere: cannot be read"),
        (["replay", "--log", __file__], 1, "is no line of a log dump"),
        (["simulate"], 2, "give --out FILE, or --live for Kafka"),
        (["simulate", "--users", "many", "--out", "x"], 2, "--users"),
        (["demo", "--scenario", "shop"], 1, "no scenario 'shop'; there are: ecommerce"),
        (["report"], 2, "give either --in DIR or --live"),
        (["report", "--in", "/nowhere"], 1, "/nowhere/reports.ndjson: cannot be read"),
        (["explain", "x"], 2, "--in is missing"),
        (["explain", "x", "--in", "/nowhere"], 1, "a folder that replay or demo wrote"),
        (["snapshot", "inspect", __file__], 1, "is no snapshot"),
        (["snapshot", "write", "--in", "/nowhere", "--out", "x"], 1, "streams replay --log"),
        (["deadletters", "list", "/nowhere"], 1, "/nowhere: cannot be read"),
        (["deadletters", "list", __file__], 1, "is no dead letter"),
        (["deadletters", "list", __file__, "--reason", "bad"], 1, "there are: empty, too_large"),
        (["log", "check", __file__], 1, "is no line of a log dump"),
    ],
    ids=lambda value: " ".join(value)[-60:] if isinstance(value, list) else None,
)
def test_a_fault_is_one_clear_line(
    arguments: list[str], code: int, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found, out, err = ran(capsys, *arguments)
    assert (code, "") == (found, out)
    assert err.startswith("streams: ")
    assert err.count("\n") == 1
    assert expected in err


def test_a_misspelt_setting_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STREAMS_ALIAS_KEE", "x")
    (tmp_path / "events.ndjson").write_bytes(b"")
    code, _, err = ran(capsys, "replay", tmp_path / "events.ndjson", "--out", tmp_path)
    assert code == 1
    assert "did you mean STREAMS_ALIAS_KEY?" in err


def test_a_wrong_configuration_file_names_the_field(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "policy.toml"
    config.write_text("[policy]\nglobal_holdout = 'much'\n")
    code, _, err = ran(capsys, "replay", __file__, "--config", config, "--out", tmp_path)
    assert code == 1
    assert f"{config}: Expected `float`, got `str` - at `$.policy.global_holdout`" in err


def test_json_is_all_that_stdout_gets(
    replayed: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, _ = ran(capsys, "replay", replayed / "events.ndjson", "--out", tmp_path, "--json")
    assert code == 0
    assert msgspec.json.decode(out) == msgspec.json.decode((tmp_path / "summary.json").read_bytes())


def test_a_replay_of_nothing_is_a_replay(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "events.ndjson").write_bytes(b"")
    code, out, _ = ran(capsys, "replay", tmp_path / "events.ndjson", "--out", tmp_path / "out")
    assert code == 0
    assert "events in" in out


def test_the_configuration_file_decides(
    replayed: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "policy.toml"
    config.write_text("[policy]\nglobal_holdout = 1.0\n")
    events = replayed / "events.ndjson"
    _, out, _ = ran(capsys, "replay", events, "--out", tmp_path, "--config", config, "--json")
    found = msgspec.json.decode(out)
    assert found["outcomes"]["HOLDOUT_GLOBAL"] > 0
    assert "coupon" not in found["triggers_by_kind"]


def test_snapshots_are_written_and_inspected(
    replayed: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "snapshot"
    events = replayed / "events.ndjson"
    ran(capsys, "replay", events, "--out", tmp_path, "--save-snapshot", path)
    code, out, _ = ran(capsys, "snapshot", "inspect", path, "--json")
    header = msgspec.json.decode(out)["header"]
    assert code == 0
    assert header["positions"]["events"] == [events.read_bytes().count(b"\n")]


@pytest.mark.parametrize(
    ("name", "field", "title"),
    [
        ("decisions", "decision_id", "决策 Decision"),
        ("triggers", "trigger_id", "触达 Trigger"),
        ("profiles", "user_id", "用户 User"),
    ],
)
def test_explain_tells_of_each_kind_of_id(
    name: str, field: str, title: str, replayed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = (replayed / f"{name}.ndjson").read_bytes().splitlines()[-1]
    wanted = msgspec.json.decode(line)[field]
    code, out, _ = ran(capsys, "explain", wanted, "--in", replayed)
    assert code == 0
    assert out.startswith(f"{title} {wanted}")


def test_explain_says_why_in_both_languages(
    replayed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (replayed / "decisions.ndjson").read_bytes().splitlines()
    decision = next(d for d in map(msgspec.json.decode, lines) if d["outcome"] == "NO_CONSENT")
    _, out, _ = ran(capsys, "explain", decision["decision_id"], "--in", replayed)
    assert "NO_CONSENT: 没有营销授权 / no consent for this purpose and channel" in out
    assert "没有发出触达。Nothing was sent." in out


def test_an_unknown_id_gets_the_nearest(replayed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = (replayed / "triggers.ndjson").read_bytes().splitlines()[0]
    wanted = msgspec.json.decode(line)["trigger_id"]
    code, _, err = ran(capsys, "explain", wanted[:-2] + "~~", "--in", replayed)
    assert code == 1
    assert f"did you mean {wanted}?" in err


def dead_letter(number: int, raw: bytes, reason: str = "not_json") -> bytes:
    letter = DeadLetter(
        dead_letter_id=f"d{number}",
        reason=reason,
        detail="no JSON at character 3",
        at_ms=1,
        topic="events",
        epoch=0,
        partition=0,
        offset=number,
        raw=b64encode(raw[:100]).decode(),
        raw_bytes=len(raw),
    )
    return msgspec.json.encode(letter) + b"\n"


def test_dead_letters_are_listed_with_what_to_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "dead-letters.ndjson"
    path.write_bytes(dead_letter(1, b"{") + dead_letter(2, b"", reason="empty"))
    code, out, _ = ran(capsys, "deadletters", "list", tmp_path)
    assert code == 0
    assert "2 dead letters" in out
    assert "send an event" in out


def test_dead_letters_are_redriven_as_they_came_in(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "dead-letters.ndjson"
    path.write_bytes(
        dead_letter(1, b'{"a":\n 1}') + dead_letter(2, b"x" * 101) + dead_letter(3, b'{"b":2}')
    )
    _, out, _ = ran(capsys, "deadletters", "redrive", path, "--out", tmp_path / "again.ndjson")
    assert (tmp_path / "again.ndjson").read_bytes() == b'{"a":  1}\n{"b":2}\n'
    assert "1 left out" in out


def test_dead_letters_dumped_from_kafka_are_read_too(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "dump.ndjson"
    value = dead_letter(1, b'{"a":1}').strip()
    path.write_bytes(
        b'{"topic":"wechat.dead-letters","partition":0,"offset":5,"value":' + value + b"}\n"
    )
    ran(capsys, "deadletters", "redrive", path, "--out", tmp_path / "again.ndjson")
    assert (tmp_path / "again.ndjson").read_bytes() == b'{"a":1}\n'


def test_every_outcome_has_words_in_both_languages() -> None:
    assert not [code for code in OUTCOMES if code == outcome(code).zh]


def test_every_refusal_stands_at_one_gate() -> None:
    asked = [code for codes, _ in GATES for code in codes]
    assert sorted(asked) == sorted(set(OUTCOMES) - set(GOES_ON))


def test_a_task_that_is_not_there_is_named_with_those_that_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _, err = ran(capsys, "evaluate", "chrun")
    assert code == 1
    assert err.startswith("streams: no task 'chrun'; there is: churn, ")


def test_own_events_are_for_churn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = ran(capsys, "evaluate", "forecast", "--data", tmp_path / "events.ndjson")
    assert code == 1
    assert "--data is for churn" in err
