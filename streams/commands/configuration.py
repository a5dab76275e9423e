"""Where the commands take their settings from: the environment, and a TOML file for the engine."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from streams.engine.config import Config
from streams.faults import UserFault

if TYPE_CHECKING:
    from streams.settings import Settings


def settings() -> "Settings":
    """The settings of the environment. Raises UserFault."""
    from streams.settings import SettingsError, load

    try:
        return load()
    except SettingsError as error:
        raise UserFault(str(error)) from None


def alias_key() -> bytes:
    """The key of the pseudonyms: the deployment's own if set, else the trial key."""
    from streams.replay import TRIAL_KEY

    found = settings()
    return TRIAL_KEY if found.alias_key is None else found.alias_key_bytes()


def scenario_config(name: str) -> Config:
    """The configuration that goes with a scenario. Raises UserFault."""
    from streams.simulation.scenarios import SCENARIOS

    if name not in SCENARIOS:
        raise UserFault(f"no scenario {name!r}; there are: {', '.join(SCENARIOS)}")
    return SCENARIOS[name].config


def engine_config(path: Path | None, *, scenario: str | None, **given: Any) -> Config:
    """The scenario's, or the shipped policy, journeys and content; changed by what is given and
    then by the file, in which `journeys`, `policy` and `content` may name a folder or file beside
    it. Raises UserFault."""
    base = msgspec.to_builtins(_shipped() if scenario is None else scenario_config(scenario))
    fields: dict[str, Any] = {}
    if path is not None:
        try:
            fields = tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            raise UserFault(f"{path}: cannot be read: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UserFault(f"{path}: is no TOML: {error}") from None
        unknown = [name for name in fields if name not in Config.__struct_fields__]
        if unknown:
            names = ", ".join(Config.__struct_fields__)
            raise UserFault(f"{path}: unknown field {unknown[0]}; there are: {names}")
        fields |= _named_files(fields, path.parent)
    try:
        return msgspec.convert({**base, **given, **fields}, Config)
    except msgspec.ValidationError as error:
        raise UserFault(f"{path}: {error}") from None


def _shipped() -> Config:
    from streams.journey_files.load import shipped, shipped_content, shipped_policy

    return Config(policy=shipped_policy(), journeys=shipped(), content=shipped_content())


def _named_files(fields: dict[str, Any], beside: Path) -> dict[str, Any]:
    """What stands in the files that the configuration names instead of holding it."""
    from streams import content_files, policy_files
    from streams.journey_files.load import load_all

    readers: dict[str, Callable[[Path], Any]] = {
        "journeys": load_all,
        "policy": policy_files.load,
        "content": content_files.load_library,
    }
    return {
        name: msgspec.to_builtins(read(beside / fields[name]))
        for name, read in readers.items()
        if isinstance(fields.get(name), str)
    }
