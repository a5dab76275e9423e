"""The published schemas and examples are the contract; the contract is what the code accepts."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import orjson
import pytest
from msgspec import Struct
from ruamel.yaml import YAML

from streams.contract import (
    content,
    control,
    dead_letters,
    decisions,
    envelope,
    events,
    glossary,
    insights,
    journeys,
    policy,
    profiles,
    records,
    reports,
    triggers,
)
from streams.contract.codec import decode, decode_record, encode
from streams.contract.control import Command, read_command
from streams.contract.dead_letters import DeadLetter
from streams.contract.decisions import Decision
from streams.contract.events import TYPES
from streams.contract.profiles import Profile
from streams.contract.records import Observed, Origin
from streams.contract.reports import Applied, JourneyReport
from streams.contract.schemas import event_example, files, main
from streams.contract.topics import TRIGGERS
from streams.contract.triggers import KINDS, Trigger
from streams.intake import Intake

PUBLISHED = Path(__file__).parents[2] / "schemas"
FILES = files()
EXAMPLES = sorted(name for name in FILES if name.startswith("examples/"))
SCHEMAS = sorted(name for name in FILES if name.endswith(".json") and name not in EXAMPLES)
AT_MS = 1_763_798_400_280
KINDS_ON_THE_LOG = ("genesis", "event", "rejected", "tick", "mail", "control")


def schema(name: str) -> Any:
    return orjson.loads(FILES[name])


def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schema(name))


def intake() -> Intake:
    return Intake(key=b"a key of thirty-two bytes or so!", tenant="default", partitions=4)


def test_the_published_files_are_those_made_from_the_types() -> None:
    published = {
        path.relative_to(PUBLISHED).as_posix(): path.read_bytes()
        for path in PUBLISHED.rglob("*")
        if path.is_file()
    }
    assert published == FILES, "run `python -m streams.contract.schemas schemas`"


def test_the_command_writes_the_files_removes_stale_ones_and_then_finds_them_good(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--check", str(tmp_path)]) == 1
    assert "decision.json is not up to date" in capsys.readouterr().err
    (tmp_path / "stale.json").write_text("{}")
    assert main([str(tmp_path)]) == 0
    assert not (tmp_path / "stale.json").exists()
    assert main(["--check", str(tmp_path)]) == 0


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_validates_against_its_schema(example: str) -> None:
    value = orjson.loads(FILES[example])
    errors = [str(e) for e in validator(example.removeprefix("examples/")).iter_errors(value)]
    assert errors == []


@pytest.mark.parametrize("name", TYPES)
def test_every_example_event_passes_the_intake_as_it_is(name: str) -> None:
    _, record = intake().take(FILES[f"examples/events/{name}.json"], Origin("e", 1, 0, 0), AT_MS)
    assert isinstance(record, Observed), record
    assert (record.type, record.converted, record.unknown) == (name, 0, 0)
    assert type(record.data) is TYPES[name]


@pytest.mark.parametrize("name", TYPES)
def test_every_example_event_is_an_event_by_the_general_schema(name: str) -> None:
    validator("event.json").validate(event_example(name))


@pytest.mark.parametrize("kind", KINDS_ON_THE_LOG)
def test_every_example_of_the_log_is_read_by_the_codec(kind: str) -> None:
    record = decode_record(FILES[f"examples/log.{kind}.json"])
    assert decode_record(encode(record)) == record


@pytest.mark.parametrize(
    ("name", "structure"),
    [
        *((f"trigger.{kind}", Trigger) for kind in KINDS),
        ("decision", Decision),
        ("profile", Profile),
        ("dead-letter", DeadLetter),
        ("report.applied", Applied),
        ("report.journey", JourneyReport),
    ],
)
def test_every_example_of_an_output_is_read_by_the_codec(
    name: str, structure: type[Struct]
) -> None:
    raw = FILES[f"examples/{name}.json"]
    record = decode(raw, structure)
    assert msgspec.convert(orjson.loads(encode(record)), structure) == record


def test_the_example_of_a_command_is_one() -> None:
    assert isinstance(read_command(FILES["examples/command.json"]), Command)


def test_what_the_codec_writes_with_defaults_left_out_is_valid_too() -> None:
    for kind in KINDS:
        trigger = decode(FILES[f"examples/trigger.{kind}.json"], Trigger)
        trigger.tenant, trigger.brand, trigger.personalised = "default", "", True
        validator(f"trigger.{kind}.json").validate(orjson.loads(encode(trigger)))


@pytest.mark.parametrize("kind", ["coupon", "message", "content"])
def test_a_trigger_without_its_payload_is_not_valid(kind: str) -> None:
    trigger = orjson.loads(FILES[f"examples/trigger.{kind}.json"])
    del trigger[kind]
    assert not validator(f"trigger.{kind}.json").is_valid(trigger)


@pytest.mark.parametrize(
    "change",
    [{"time_ms": 1_763_798_400}, {"type": "cart.added"}, {"subject": ""}, {"data": {}}],
    ids=["seconds", "another type", "nobody", "no item"],
)
def test_an_event_that_the_intake_refuses_is_not_valid(change: dict[str, object]) -> None:
    event = event_example("product.viewed") | change
    assert not validator("events/product.viewed.json").is_valid(event)


def test_fields_of_a_newer_producer_are_valid() -> None:
    event = event_example("product.viewed") | {"colour": "red"}
    validator("events/product.viewed.json").validate(event)


def test_every_field_of_every_schema_is_described() -> None:
    for name in SCHEMAS:
        for field, value in schema(name)["properties"].items():
            named = field in ("type", "record", "report", "insight", "kind", "data")
            if not named and "$ref" not in value:
                assert value["description"], (name, field)


def test_every_event_type_keeps_an_id_of_its_own() -> None:
    ids = [schema(name)["$id"] for name in SCHEMAS]
    assert all(found.startswith("urn:wechat-streams:1:") for found in ids)
    assert len(ids) == len(set(ids))


def test_the_glossary_has_no_entry_that_no_field_needs() -> None:
    modules = (
        *(content, control, dead_letters, decisions, envelope, events, insights, journeys, policy),
        *(profiles, records, reports, triggers),
    )
    structures = [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Struct) and value is not Struct
    ]
    names = {name for structure in structures for name in structure.__struct_fields__}
    names |= {f"{s.__name__}.{name}" for s in structures for name in s.__struct_encode_fields__}
    assert glossary.FIELDS.keys() - names == set()


def test_a_field_that_nobody_has_described_says_where_to_add_it() -> None:
    with pytest.raises(KeyError, match=r"Order\.colour has no entry in .*glossary"):
        glossary.meaning("Order", "colour")


def test_the_asyncapi_document_names_every_topic_and_only_schemas_that_exist() -> None:
    document = YAML(typ="safe").load(FILES["asyncapi.yaml"].decode())
    topics = {channel["address"] for channel in document["channels"].values()}
    assert {f"wechat.{topic}" for topic in TRIGGERS.values()} < topics
    assert len(topics) == 14
    for channel in document["channels"].values():
        for message in channel.get("messages", {}).values():
            assert message["payload"]["schema"]["$ref"].removeprefix("./") in FILES
    for operation in document["operations"].values():
        assert operation["channel"]["$ref"].removeprefix("#/channels/") in document["channels"]
