"""The journeys that come with the software are examples to copy: complete, clean, documented."""

import re
import tomllib
from pathlib import Path

import jsonschema_rs
import msgspec
import pytest

from streams.contract.journeys import JourneySpec
from streams.engine.config import Config
from streams.engine.insight import Insight
from streams.engine.journeys.vocabulary import Vocabulary, Words
from streams.journey_files.findings import CODES
from streams.journey_files.lint import lint
from streams.journey_files.load import deploy, parse, shipped, shipped_content, shipped_policy

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "journeys.md").read_text("utf-8")


@pytest.mark.parametrize("spec", shipped(), ids=lambda spec: spec.id)
def test_lint_finds_nothing(spec: JourneySpec) -> None:
    written = tomllib.loads((deploy() / "journeys" / f"{spec.id}.toml").read_text("utf-8"))
    found = lint(spec, shipped_content(), shipped_policy(), written=written)
    assert [str(one) for one in found] == []


@pytest.mark.parametrize("spec", shipped(), ids=lambda spec: spec.id)
def test_it_has_a_goal_a_control_group_an_exit_and_three_tests(spec: JourneySpec) -> None:
    assert spec.goal is not None
    assert spec.holdout.share > 0.0
    assert "user.unfollowed" in spec.exit.on
    assert len(spec.tests) >= 3
    assert spec.reason


@pytest.mark.parametrize("spec", shipped(), ids=lambda spec: spec.id)
def test_its_file_is_as_the_schema_says(spec: JourneySpec) -> None:
    schema = msgspec.json.decode((ROOT / "schemas" / "journey.json").read_bytes())
    written = tomllib.loads((deploy() / "journeys" / f"{spec.id}.toml").read_text("utf-8"))
    assert jsonschema_rs.Draft202012Validator(schema).is_valid(written)


def section(name: str) -> str:
    return DOCUMENT.partition(f"<!-- {name} -->")[2].partition("<!-- end -->")[0]


def test_the_documented_vocabulary_is_the_one_there_is() -> None:
    vocabulary = Vocabulary(Insight(Config()), "Asia/Shanghai")
    words = Words(vocabulary, on=["cart.added"], entered_on=["cart.added"], steps=["offer"])
    wanted = {f"profile.{name}" for name in vocabulary.profile}
    wanted |= {f"now.{name}" for name in vocabulary.now}
    wanted |= {f"brand.{name}" for name in vocabulary.models.brand}
    wanted |= {f"{name}()" for name in words._functions}
    told = re.findall(r"^\| `([a-z_.]+(?:\()?)", section("vocabulary"), re.MULTILINE)
    names = {name + ")" if name.endswith("(") else name for name in told}
    assert {name for name in names if not name.startswith(("data.", "entry.", "step."))} == wanted


def test_the_documented_findings_are_those_there_are() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (\w+) \| (.*) \|$", section("lint"), re.MULTILINE)
    assert {code: (level, message) for code, level, message in rows} == CODES


def test_the_documented_journey_is_right() -> None:
    example = re.findall(r"```toml\n(spec.*?)```", DOCUMENT, re.DOTALL)[0]
    found = lint(parse(example, "docs"), shipped_content(), shipped_policy())
    assert [one.code for one in found if one.level == "error"] == []
