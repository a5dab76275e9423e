"""The contract as other teams read it: JSON Schema 2020-12, examples, AsyncAPI, from the types.

`python -m streams.contract.schemas [--check] [DIR]` writes the files, or with --check tells whether
they are up to date. Everything but `main` is pure.
"""

import argparse
import inspect
import sys
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from streams.contract import asyncapi
from streams.contract.content import Library
from streams.contract.control import KINDS as COMMANDS
from streams.contract.control import Command
from streams.contract.dead_letters import REASONS, DeadLetter
from streams.contract.decisions import OUTCOMES, Decision
from streams.contract.envelope import Envelope
from streams.contract.events import TYPES
from streams.contract.glossary import meaning
from streams.contract.insights import Alert, Forecast, SegmentChanged
from streams.contract.journeys import JourneySpec
from streams.contract.journeys_glossary import EXAMPLES
from streams.contract.policy import Policy
from streams.contract.profiles import Profile
from streams.contract.records import Control, Genesis, Mail, Observed, Rejected, Tick
from streams.contract.reports import Applied, JourneyReport
from streams.contract.triggers import KINDS, Trigger

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_RECORDS: Final[dict[str, type[Struct]]] = {
    "decision": Decision,
    "profile": Profile,
    "dead-letter": DeadLetter,
    "content": Library,
    "log.genesis": Genesis,
    "log.event": Observed,
    "log.rejected": Rejected,
    "log.tick": Tick,
    "log.mail": Mail,
    "log.control": Control,
    "command": Command,
    "report.applied": Applied,
    "report.journey": JourneyReport,
    "insight.segment": SegmentChanged,
    "insight.alert": Alert,
    "insight.forecast": Forecast,
}
_FILES: Final[dict[str, type[Struct]]] = {"journey": JourneySpec, "policy": Policy}
_CLOSED: Final[dict[tuple[str, str], list[str]]] = {
    ("Envelope", "specversion"): ["1.0"],
    ("Decision", "outcome"): list(OUTCOMES),
    ("DeadLetter", "reason"): list(REASONS),
    ("Rejected", "reason"): list(REASONS),
    ("Command", "kind"): list(COMMANDS),
    ("Control", "kind"): list(COMMANDS),
    ("Applied", "kind"): list(COMMANDS),
}
TAGS: Final = ("record", "report", "insight")  # fields that say which structure this is
_PAYLOADS: Final = ("coupon", "message", "content")


def files() -> dict[str, bytes]:
    """Every generated file: its path below `schemas/` and its bytes."""
    made: dict[str, bytes] = {"asyncapi.yaml": asyncapi.document(list(TYPES)).encode()}
    made["event.json"] = _json(_schema("event", Envelope))
    for name, data in TYPES.items():
        made[f"events/{name}.json"] = _json(_event_schema(name, data))
        made[f"examples/events/{name}.json"] = _json(event_example(name))
    for kind in KINDS:
        made[f"trigger.{kind}.json"] = _json(_trigger_schema(kind))
        made[f"examples/trigger.{kind}.json"] = _json(_trigger_example(kind))
    for name, structure in _RECORDS.items():
        made[f"{name}.json"] = _json(_schema(name, structure))
        made[f"examples/{name}.json"] = _json(_example(structure))
    for name, structure in _FILES.items():
        made[f"{name}.json"] = _json(_file_schema(name, structure))
        made[f"examples/{name}.json"] = _json(EXAMPLES[name])
    return made


def event_example(name: str) -> dict[str, Any]:
    """A valid event of this type, every field filled in."""
    event: dict[str, Any] = _example(Envelope) | {"type": name, "data": _example(TYPES[name])}
    if name.startswith("push."):
        event |= {"source": "push:oa", "subject": f"user:{meaning('Trigger', 'user_id')[1]}"}
    return event


def _schema(name: str, structure: type[Struct]) -> dict[str, Any]:
    (found,), components = msgspec.json.schema_components(
        [structure], ref_template="#/$defs/{name}"
    )
    definitions = {title: _described(title, made) for title, made in components.items()}
    root = definitions.pop(found["$ref"].rpartition("/")[2])
    root["title"] = name
    head = {"$schema": DIALECT, "$id": f"urn:wechat-streams:1:{name}"}
    return head | root | ({"$defs": definitions} if definitions else {})


def _file_schema(name: str, structure: type[Struct]) -> dict[str, Any]:
    """Of a file that people write: holidays may also be the name of the file that lists them."""
    schema = _schema(name, structure)
    hours = schema["$defs"].get("QuietHours")
    if hours is not None:
        said = hours["properties"]["holidays"]
        rest = {key: said.pop(key) for key in ("type", "items") if key in said}
        said["anyOf"] = [{"type": "string"}, rest]
    return schema


def _event_schema(name: str, data: type[Struct]) -> dict[str, Any]:
    schema = _schema(f"event:{name}", Envelope)
    inner = _schema(name, data)
    definitions = inner.pop("$defs", {})
    for key in ("$schema", "$id", "title"):
        del inner[key]
    schema["title"] = name
    schema["description"] = inner.pop("description", f"An event of the type {name}.")
    schema["properties"]["type"] = {"const": name}
    schema["properties"]["data"] = inner
    if inner.get("required"):
        schema["required"].append("data")
    return schema | ({"$defs": definitions} if definitions else {})


def _trigger_schema(kind: str) -> dict[str, Any]:
    schema = _schema(f"trigger.{kind}", Trigger)
    schema["properties"]["kind"] = {"const": kind}
    if kind in _PAYLOADS:
        schema["required"].append(kind)
        schema["properties"][kind] = {"$ref": f"#/$defs/{kind.capitalize()}"}
    return schema


def _trigger_example(kind: str) -> dict[str, Any]:
    example = _example(Trigger) | {"kind": kind}
    return {name: v for name, v in example.items() if name not in _PAYLOADS or name == kind}


def _described(title: str, schema: dict[str, Any]) -> dict[str, Any]:
    if "description" in schema:
        schema["description"] = " ".join(inspect.cleandoc(schema["description"]).split())
    for name, field in schema.get("properties", {}).items():
        if name not in TAGS:
            field["description"] = meaning(title, name)[0]
        if (title, name) in _CLOSED:
            field["enum"] = _CLOSED[title, name]
    return schema


def _example(structure: type[Struct]) -> Any:
    """The glossary's example of every field; a list instead of an object where the wire has one."""
    info = msgspec.inspect.type_info(structure)
    assert isinstance(info, msgspec.inspect.StructType)
    values = {
        field.name: _example_of(field.type, structure.__name__, field.name) for field in info.fields
    }
    if info.array_like:
        return list(values.values())
    return ({info.tag_field: info.tag} if info.tag_field else {}) | values


def _example_of(kind: msgspec.inspect.Type, structure: str, field: str) -> Any:
    example = meaning(structure, field)[1]
    if isinstance(kind, msgspec.inspect.UnionType):
        kind = next((k for k in kind.types if isinstance(k, msgspec.inspect.StructType)), kind)
    if isinstance(kind, msgspec.inspect.StructType):
        return example if example is not None else _example(kind.cls)
    if isinstance(kind, msgspec.inspect.ListType) and not example:
        item = kind.item_type
        return [_example(item.cls)] if isinstance(item, msgspec.inspect.StructType) else []
    return example


def _json(document: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _stale(directory: Path) -> list[str]:
    """The files that differ from what would be written, are missing or should not be there."""
    made = files()
    found = {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }
    return sorted(name for name in made.keys() | found.keys() if made.get(name) != found.get(name))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m streams.contract.schemas")
    parser.add_argument("--check", action="store_true", help="write nothing, tell what differs")
    parser.add_argument("directory", type=Path, nargs="?", default=Path("schemas"))
    options = parser.parse_args(arguments)
    stale = _stale(options.directory)
    if options.check:
        for name in stale:
            sys.stderr.write(f"{options.directory / name} is not up to date: run `make schemas`\n")
        return 1 if stale else 0
    made = files()
    for name in stale:
        path = options.directory / name
        if name not in made:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made[name])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
