"""The policy's file: what ships is good, and each fault is named with its key and a remedy."""

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from streams.contract.policy import DAY_MS, WECHAT, Cap, Entitlement, Pause, Policy, QuietHours
from streams.policy_files import PolicyError, lint, load

SHIPPED = Path(__file__).parents[1] / "deploy" / "policy.toml"
HEAD = 'spec = "policy/1"\n'


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(HEAD + text, "utf-8")
    return path


def test_the_policy_that_ships_is_without_fault() -> None:
    assert lint(SHIPPED) == []
    policy = load(SHIPPED)
    assert policy.gap_ms == 4 * 3_600_000
    assert policy.caps[:2] == (Cap(most=1, per="calendar day"), Cap(most=3, per="7d"))
    assert policy.quiet.holidays[0] == "2026-01-01"
    assert len([day for day in policy.quiet.holidays if day[:4] == "2026"]) == 33


def test_the_entitlements_that_ship_are_those_of_the_code() -> None:
    shipped = [replace(one, checked="", source="") for one in load(SHIPPED).entitlements]
    assert shipped == list(WECHAT)


def test_what_is_published_is_written_out_in_full_and_read_back_equal() -> None:
    for policy in (Policy(), load(SHIPPED)):
        raw = msgspec.json.encode(policy)
        assert msgspec.json.decode(raw, type=Policy) == policy
        assert msgspec.convert(msgspec.to_builtins(policy), Policy) == policy
    assert set(msgspec.to_builtins(Policy())) == set(msgspec.structs.fields(Policy)[0:0]) | {
        field.encode_name for field in msgspec.structs.fields(Policy)
    }


def test_times_may_be_words_or_milliseconds() -> None:
    assert Cap(most=1, per="24h") == Cap(most=1, window_ms=DAY_MS)
    assert Policy(gap="90m").gap_ms == 5_400_000
    assert QuietHours(hours="20:30-09:00") == QuietHours(from_minute=1_230, to_minute=540)
    assert Pause(rate_of="error", above=0.1, per="2d").per_ms == 2 * DAY_MS


@pytest.mark.parametrize(
    ("text", "key", "remedy"),
    [
        ("[[cap]]\nmax = 3\n", "cap 1", "calendar day"),
        ('[[cap]]\nper = "7d"\n', "cap 1", "write max = 3"),
        ('[[cap]]\nmax = 99\nper = "7d"\n', "$.cap[0]", "leave `max` out"),
        ('[[cap]]\nmax = 1\nper = "calendar year"\n', "$.cap[0]", "say one of calendar day"),
        ('[[cap]]\nmax = 1\nper = "1 day"\n', "$.cap[0]", "as in 30m, 7d"),
        ('[[cap]]\nmax = 1\nper = "7d"\nwindow_ms = 5\n', "$.cap[0]", "say one of them"),
        ('[[cap]]\nmaximum = 1\nper = "7d"\n', "unknown field `maximum`", "schemas/policy.json"),
        ('[quiet]\nzone = "Moon/Crater"\n', "quiet.zone", "write e.g. 'Asia/Shanghai'"),
        ('[quiet]\nhours = "22-8"\n', "$.quiet.hours", "schemas/policy.json"),
        ('[quiet]\nholidays = ["2026-02-30"]\n', "quiet.holidays", "write e.g. '2026-10-01'"),
        ('[quiet]\nholidays = "none.toml"\n', "none.toml", "check the path"),
        ('[quiet]\non_holiday = "silent"\n', "quiet.on_holiday", "name a file"),
        ('gap = "soon"\n', "gap", "as in 30m, 7d"),
        ("global_holdout = 2.0\n", "$.global_holdout", "schemas/policy.json"),
        ('[control]\nrotate = "1h"\n', "$.control", "a day (1d) or longer"),
        ('[[safety.pause_if]]\nrate_of = "error"\nabove = 0.1\nper = "9d"\n', "pause_if", "1m"),
        ("gap = [\n", "policy.toml", "no TOML"),
    ],
)
def test_a_fault_names_its_key_and_what_to_do(
    tmp_path: Path, text: str, key: str, remedy: str
) -> None:
    path = written(tmp_path, text)
    (fault,) = lint(path)
    assert key in fault
    assert remedy in fault
    with pytest.raises(PolicyError, match=r"\.toml"):
        load(path)


ENTITLEMENT = '[[entitlement]]\nchannel = "wecom"\nchecked = "2026-11-22"\nsource = "x"\n'


@pytest.mark.parametrize(
    ("more", "remedy"),
    [
        ("", "say either grant_on"),
        ('per = "calendar day"\nunits = "days in month"\n', "needs per = 'calendar month'"),
        ('per = "calendar day"\nttl = "1h"\n', "without per_template, adds and ttl"),
        ('grant_on = ["moon.rises"]\n', "see schemas/ for the events"),
        ('grant_on = ["user.followed"]\nper_template = true\n', "take per_template out"),
        (
            'per = "calendar day"\nsince = "2026-02-01"\nuntil = "2026-01-01"\n',
            "never be in force",
        ),
        ('per = "calendar day"\nuntil = "2026-13-01"\n', "until: '2026-13-01' is no date"),
    ],
)
def test_an_impossible_entitlement_is_a_fault(tmp_path: Path, more: str, remedy: str) -> None:
    (fault,) = lint(written(tmp_path, ENTITLEMENT + more))
    assert remedy in fault


def test_an_entitlement_says_when_it_was_checked(tmp_path: Path) -> None:
    text = '[[entitlement]]\nchannel = "wecom"\nper = "calendar day"\n'
    (fault,) = lint(written(tmp_path, text))
    assert "entitlement 1 (wecom)" in fault
    assert "add checked and source" in fault


def test_dates_may_be_those_of_toml(tmp_path: Path) -> None:
    text = ENTITLEMENT.replace('"2026-11-22"', "2026-11-22") + 'per = "calendar day"\n'
    path = written(tmp_path, text)
    assert lint(path) == []
    assert load(path).entitlements[0].checked == "2026-11-22"


def test_two_caps_of_the_same_are_a_fault(tmp_path: Path) -> None:
    cap = '[[cap]]\nmax = 1\nper = "7d"\n'
    (fault,) = lint(written(tmp_path, cap + cap.replace("max = 1", "max = 2")))
    assert "cap 2" in fault
    assert "keep one" in fault


def test_another_spec_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text('spec = "policy/9"\n')
    (fault,) = lint(path)
    assert "write spec = 'policy/1'" in fault


def test_an_entitlement_of_the_code_needs_no_source() -> None:
    assert Entitlement(channel="wecom", per="calendar day").source == ""
