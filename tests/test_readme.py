"""What the first page says is true: its event, its targets, its topics, its settings."""

import re
from pathlib import Path

import pytest

from streams.contract import topics
from streams.contract.records import Observed, Origin
from streams.intake import Intake
from streams.settings import Settings, variable

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh-CN.md")


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("readme", READMES)
def test_its_event_is_accepted(readme: str) -> None:
    (event,) = re.findall(r"```json\n(.*?)```", text(readme), flags=re.DOTALL)
    intake = Intake(key=b"k" * 32, tenant="default", partitions=4)
    _, record = intake.take(event.encode(), Origin("wechat.events", 0, 0, 0), 1_767_225_600_000)
    assert isinstance(record, Observed)
    assert record.unknown == 0


@pytest.mark.parametrize("readme", READMES)
def test_it_lists_every_make_target(readme: str) -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", text("Makefile"), flags=re.MULTILINE)) - {"help"}
    assert set(re.findall(r"`make ([a-z]+)`", text(readme))) == targets


@pytest.mark.parametrize("readme", READMES)
def test_it_lists_every_topic(readme: str) -> None:
    table = "".join(row for row in text(readme).splitlines() if row.startswith("| `wechat."))
    listed = set(re.findall(r"`wechat\.([a-z.-]+)`", table))
    listed |= set(re.findall(r"`\.([a-z]+)`", table))
    triggers = {kind if kind in listed else name for kind, name in topics.TRIGGERS.items()}
    ours = (topics.EVENTS, topics.LOG, topics.STATE, topics.MAIL, topics.DECISIONS)
    told = (topics.PROFILES, topics.DEAD_LETTERS, topics.CONTROL, topics.REPORTS)
    told += (topics.INSIGHTS,)
    assert listed == {*ours, *told, *triggers}


def test_the_operators_page_lists_every_setting() -> None:
    page = text("docs/operations.md")
    for row in page.splitlines():
        # `STREAMS_TLS_CA`, `_CERT` means STREAMS_TLS_CERT: the row's prefix is repeated by `_`.
        if row.startswith("| `STREAMS_"):
            stem = re.findall(r"STREAMS_[A-Z]+", row)[-1]
            page += "".join(f" {stem}{suffix} " for suffix in re.findall(r"`(_[A-Z]+)`", row))
    missing = {variable(name) for name in Settings.model_fields if variable(name) not in page}
    assert missing == set()


def test_every_setting_has_an_effect() -> None:
    modules = [path for path in ROOT.glob("streams/**/*.py") if path.name != "settings.py"]
    code = "".join(path.read_text("utf-8") for path in modules)
    inside = text("streams/settings.py").split("    def alias_key_bytes")[1]
    unused = {name for name in Settings.model_fields if f".{name}" not in code + inside}
    assert unused == set()
