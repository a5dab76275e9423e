"""Settings come from the environment and are checked before anything starts."""

import os
import ssl
from pathlib import Path

import pytest

from streams.settings import Settings, SettingsError, load

KEY = "0123456789abcdef"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("STREAMS_")]:
        monkeypatch.delenv(name)


def refusal(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load()
    return str(refused.value)


def test_without_any_variable_the_defaults_fit_a_broker_on_this_machine() -> None:
    found = load()
    assert found.kafka_options() == {
        "bootstrap_servers": ["localhost:9092"],
        "security_protocol": "PLAINTEXT",
    }
    assert found.topic("triggers.coupon") == "wechat.triggers.coupon"


def test_a_variable_sets_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMS_PARTITIONS", "12")
    assert load().partitions == 12


def test_the_command_line_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMS_PARTITIONS", "12")
    assert load(partitions=2, brand=None).partitions == 2


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("STREAMS_PARTITIONS", "many"),
        ("STREAMS_PARTITIONS", "0"),
        ("STREAMS_KAFKA", "broker-without-port"),
        ("STREAMS_KAFKA", "a:1,b:99999"),
        ("STREAMS_TOPIC_PREFIX", "we chat."),
        ("STREAMS_CLOCK", "sun"),
        ("STREAMS_METRICS_PORT", "70000"),
        ("STREAMS_SESSION_TIMEOUT_MS", "10"),
        ("STREAMS_LOG_LEVEL", "loud"),
        ("STREAMS_ALIAS_KEY", "short"),
        ("STREAMS_TLS_CA", "/nowhere/ca.pem"),
        ("STREAMS_SASL_MECHANISM", "GSSAPI"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    said = refusal(monkeypatch, **{variable: value})
    assert said.startswith(f"{variable}: ")
    assert "\n" not in said


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(monkeypatch, STREAMS_PARTITIONS="x", STREAMS_CLOCK="y")
    assert "STREAMS_PARTITIONS" in said
    assert "STREAMS_CLOCK" in said


def test_a_misspelt_variable_is_refused_with_the_right_spelling(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = refusal(monkeypatch, STREAMS_PARTITION="3")
    assert said == "STREAMS_PARTITION is not a setting: did you mean STREAMS_PARTITIONS?"


def test_variables_of_the_tests_are_nobodys_misspelling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMS_TEST_KAFKA", "localhost:9092")
    assert load().kafka == "localhost:9092"


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    monkeypatch.setenv("STREAMS_ALIAS_KEY_FILE", str(tmp_path / "key"))
    assert load().alias_key_bytes() == KEY.encode()


def test_a_secret_in_both_places_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = refusal(monkeypatch, STREAMS_ALIAS_KEY=KEY, STREAMS_ALIAS_KEY_FILE=str(tmp_path / "key"))
    assert said == "STREAMS_ALIAS_KEY and STREAMS_ALIAS_KEY_FILE are both set: leave one"


def test_a_secret_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(monkeypatch, STREAMS_SASL_PASSWORD_FILE="/nowhere/password")
    assert said.startswith("STREAMS_SASL_PASSWORD_FILE: cannot read /nowhere/password")


def test_what_needs_the_alias_key_says_how_to_set_it() -> None:
    with pytest.raises(SettingsError, match="STREAMS_ALIAS_KEY is not set"):
        load().alias_key_bytes()


def test_no_secret_is_ever_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMS_ALIAS_KEY", KEY)
    monkeypatch.setenv("STREAMS_SASL_MECHANISM", "PLAIN")
    monkeypatch.setenv("STREAMS_SASL_USER", "streams")
    monkeypatch.setenv("STREAMS_SASL_PASSWORD", "swordfish")
    found = load()
    shown = found.effective() + repr(found)
    assert KEY not in shown
    assert "swordfish" not in shown
    assert "STREAMS_ALIAS_KEY=********" in shown


def test_a_refused_secret_is_not_shown_either(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "hunter2" not in refusal(monkeypatch, STREAMS_ALIAS_KEY="hunter2")


def test_the_effective_settings_name_every_variable() -> None:
    shown = load().effective().splitlines()
    assert len(shown) == len(Settings.model_fields)
    assert "STREAMS_PARTITIONS=4" in shown


@pytest.mark.parametrize(
    "variables",
    [
        {"STREAMS_SASL_MECHANISM": "PLAIN"},
        {"STREAMS_SASL_USER": "streams"},
        {"STREAMS_TLS_CERT": __file__},
        {"STREAMS_TLS_KEY": __file__},
    ],
)
def test_settings_that_belong_together_are_refused_alone(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    said = refusal(monkeypatch, **variables)
    assert all(variable in said for variable in variables)


def test_sasl_over_tls_reaches_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMS_TLS", "true")
    monkeypatch.setenv("STREAMS_SASL_MECHANISM", "SCRAM-SHA-512")
    monkeypatch.setenv("STREAMS_SASL_USER", "streams")
    monkeypatch.setenv("STREAMS_SASL_PASSWORD", "swordfish")
    options = load().kafka_options()
    assert options["security_protocol"] == "SASL_SSL"
    assert options["sasl_plain_password"] == "swordfish"
    assert options["ssl_context"].verify_mode is ssl.CERT_REQUIRED


def test_a_certificate_that_is_none_is_an_error_of_the_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    monkeypatch.setenv("STREAMS_TLS_CA", str(tmp_path / "ca.pem"))
    with pytest.raises(SettingsError, match="STREAMS_TLS_CA"):
        load().kafka_options()
