"""What an operator sets, from the environment: every variable starts with STREAMS_.

A secret may stand in a file instead: STREAMS_ALIAS_KEY_FILE names it, as platforms mount it.
`load()` checks everything at the start; an error is one line that names the variable.
What the engine decides (policy, journeys, horizons) is not here but in each log's genesis record.
"""

import difflib
import os
import ssl
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic import model_validator as checks
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PREFIX = "STREAMS_"
MIN_ALIAS_KEY_BYTES = 16  # below that the keyed hash of an openid can be guessed through
MAX_SECRET_FILE_BYTES = 65_536
# Variables of ours that are not settings: the tests' broker, the Makefile's switches.
OTHER_VARIABLES = ("STREAMS_TEST_",)

Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._-]+$")]
Port = Annotated[int, Field(ge=0, le=65_535)]


class SettingsError(Exception):
    """One line: which variable is wrong, what is expected."""


class Settings(BaseSettings):
    """The settings of one deployment (one tenant, one topic prefix) and of this worker in it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    kafka: Annotated[
        str, Field(min_length=1, description="host:port of brokers, comma separated")
    ] = "localhost:9092"
    topic_prefix: Annotated[
        str, Field(max_length=64, pattern=r"^[A-Za-z0-9._-]*$", description="before each topic")
    ] = "wechat."
    tenant: Annotated[Name, Field(description="whose events are accepted")] = "default"
    brand: Annotated[str, Field(max_length=64, description="the brand put on triggers")] = ""
    partitions: Annotated[
        int, Field(ge=1, le=1024, description="of every topic; fixed by genesis")
    ] = 4
    replication_factor: Annotated[int, Field(ge=1, le=16, description="of the topics created")] = 1
    alias_key: Annotated[SecretStr | None, Field(description="key of the pseudonyms")] = None

    app_id: Annotated[Name, Field(description="consumer group and prefix of writer ids")] = (
        "wechat-streams"
    )
    instance_id: Annotated[
        str, Field(max_length=128, pattern=r"^[A-Za-z0-9._-]*$", description="static membership")
    ] = ""
    session_timeout_ms: Annotated[
        int, Field(ge=6_000, le=1_800_000, description="then the group takes our partitions")
    ] = 15_000
    transaction_timeout_ms: Annotated[
        int, Field(ge=1_000, le=900_000, description="then the broker aborts a commit left open")
    ] = 10_000
    max_batch_records: Annotated[int, Field(ge=1, le=100_000, description="of one commit")] = 4_096
    max_skew_ms: Annotated[
        int, Field(ge=1, le=600_000, description="of our clock to the broker")
    ] = 2_000
    events_epoch: Annotated[
        int, Field(ge=0, description="raise it when the events topic is created anew")
    ] = 0
    control_epoch: Annotated[
        int, Field(ge=0, description="raise it when the control topic is created anew")
    ] = 0
    clock: Annotated[
        Literal["wall", "event"],
        Field(description="event: simulated time, for tests and benchmarks"),
    ] = "wall"

    metrics_bind: Annotated[str, Field(min_length=1, description="of /metrics /live /ready")] = (
        "127.0.0.1"
    )
    metrics_port: Annotated[Port, Field(description="0: any free port")] = 9_108
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="least level logged")
    ] = "info"
    log_format: Annotated[
        Literal["auto", "json", "console"], Field(description="auto: console on a terminal")
    ] = "auto"
    data_dir: Annotated[Path, Field(description="scratch space of the worker")] = Path("data")

    sasl_mechanism: Annotated[
        Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], Field(description="empty: no SASL")
    ] = ""
    sasl_user: Annotated[str, Field(description="SASL user")] = ""
    sasl_password: Annotated[SecretStr | None, Field(description="SASL password")] = None
    tls: Annotated[bool, Field(description="TLS with the system's CAs")] = False
    tls_ca: Annotated[Path | None, Field(description="CA file (PEM); implies TLS")] = None
    tls_cert: Annotated[Path | None, Field(description="client certificate (PEM)")] = None
    tls_key: Annotated[Path | None, Field(description="client key (PEM)")] = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, SecretFiles(settings_cls)

    @field_validator("kafka")
    @classmethod
    def _hosts_and_ports(cls, value: str) -> str:
        for server in value.split(","):
            host, colon, port = server.strip().rpartition(":")
            if not (colon and host and port.isdecimal() and 0 < int(port) < 65_536):
                raise ValueError(f"{server.strip()!r} is not host:port")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("alias_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < MIN_ALIAS_KEY_BYTES:
            raise ValueError(f"must have at least {MIN_ALIAS_KEY_BYTES} bytes")
        return value

    @field_validator("tls_ca", "tls_cert", "tls_key")
    @classmethod
    def _readable(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"no such file: {value}")
        return value

    @checks(mode="after")
    def _belong_together(self) -> Self:
        if self.sasl_mechanism and not (self.sasl_user and self.sasl_password):
            raise ValueError(
                f"{PREFIX}SASL_MECHANISM needs {PREFIX}SASL_USER and {PREFIX}SASL_PASSWORD"
            )
        if not self.sasl_mechanism and (self.sasl_user or self.sasl_password):
            raise ValueError(
                f"{PREFIX}SASL_USER and {PREFIX}SASL_PASSWORD need {PREFIX}SASL_MECHANISM"
            )
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError(f"{PREFIX}TLS_CERT and {PREFIX}TLS_KEY belong together")
        return self

    def alias_key_bytes(self) -> bytes:
        """The key of the pseudonyms. Raises SettingsError where none is set."""
        if self.alias_key is None:
            raise SettingsError(
                f"{PREFIX}ALIAS_KEY is not set: a secret of at least {MIN_ALIAS_KEY_BYTES} bytes, "
                f"or {PREFIX}ALIAS_KEY_FILE with its path; keep it for ever, pseudonyms hang on it"
            )
        return self.alias_key.get_secret_value().encode()

    def topic(self, short_name: str) -> str:
        """The full name of a topic of contract.topics."""
        return self.topic_prefix + short_name

    def kafka_options(self) -> dict[str, Any]:
        """The connection as aiokafka's clients take it."""
        encrypted = self.tls or any((self.tls_ca, self.tls_cert))
        options: dict[str, Any] = {
            "bootstrap_servers": [server.strip() for server in self.kafka.split(",")],
            "security_protocol": ("SASL_" if self.sasl_mechanism else "")
            + ("SSL" if encrypted else "PLAINTEXT"),
        }
        if encrypted:
            options["ssl_context"] = self._tls_context()
        if self.sasl_mechanism and self.sasl_password:
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.sasl_user
            options["sasl_plain_password"] = self.sasl_password.get_secret_value()
        return options

    def effective(self) -> str:
        """One line for each setting, as it would stand in the environment; secrets are masked."""
        return "\n".join(
            f"{variable(name)}={_shown(getattr(self, name))}" for name in type(self).model_fields
        )

    def _tls_context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.tls_ca)
            if self.tls_cert and self.tls_key:
                context.load_cert_chain(self.tls_cert, self.tls_key)
        except (ssl.SSLError, OSError) as error:
            raise SettingsError(
                f"{PREFIX}TLS_CA, {PREFIX}TLS_CERT or {PREFIX}TLS_KEY: not readable as PEM: {error}"
            ) from error
        return context


class SecretFiles(EnvSettingsSource):
    """Reads STREAMS_<SECRET>_FILE for the settings that are secrets."""

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in secrets():
            file_variable = f"{variable(name)}_FILE"
            path = os.environ.get(file_variable)
            if not path:
                continue
            if os.environ.get(variable(name)):
                raise SettingsError(f"{variable(name)} and {file_variable} are both set: leave one")
            try:
                with Path(path).open("rb") as file:
                    found[name] = file.read(MAX_SECRET_FILE_BYTES).decode().rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"{file_variable}: cannot read {path}: {error}") from error
        return found


def load(**overrides: Any) -> Settings:
    """From the environment; `overrides` (of a command line) win. Raises SettingsError."""
    _refuse_misspelt()
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError("; ".join(_line(problem) for problem in error.errors())) from None


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def secrets() -> tuple[str, ...]:
    """The settings that are masked and may stand in a file."""
    return ("alias_key", "sasl_password")


def _line(problem: Any) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return str(message)
    name = str(problem["loc"][0])
    shown = "" if name in secrets() else f" (is {problem['input']!r})"
    return f"{variable(name)}: {message[:1].lower()}{message[1:]}{shown}"


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return "********"
    return "" if value is None else str(value)


def _refuse_misspelt() -> None:
    """A misspelt variable would be ignored silently: name the one that was meant."""
    known = [variable(name) for name in Settings.model_fields]
    known += [f"{variable(name)}_FILE" for name in secrets()]
    for found in sorted(os.environ):
        if not found.startswith(PREFIX) or found in known or found.startswith(OTHER_VARIABLES):
            continue
        meant = difflib.get_close_matches(found, known, n=1, cutoff=0.8)
        if meant:
            raise SettingsError(f"{found} is not a setting: did you mean {meant[0]}?")
