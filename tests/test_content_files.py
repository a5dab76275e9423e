"""The library from its files: every fault with its file and line, and the shipped one has none."""

from datetime import date
from pathlib import Path

import msgspec
import pytest

from streams.content_files import ContentError, lint_library, load_library
from streams.contract.content import Library
from tests.engine.content.builders import SHIPPED, shipped

HEAD = 'spec = "content/1"\nversion = 1\n'
GOODS = """
[[goods]]
item_id = "a"
category = "女装"
title = "连衣裙"
price_fen = 100
"""
WORDS = """
[[words.banned]]
words = ["顶级"]
why = "绝对化用语"
source = "广告法 第九条"
checked = 2026-11-22
evidence = "third_party"
"""
LIMIT = """
[[limits.fields]]
type = "thing"
most = 20
pattern = '.+'
source = "x"
checked = 2026-11-22
evidence = "house"
"""
LIMITS = LIMIT + LIMIT.replace("thing", "phrase").replace(".+", "(")
TEMPLATE = """
[[templates]]
id = "t"
kind = "message"
purpose = "marketing"
channels = ["wecom"]
  [[templates.variants]]
  id = "a"
  text = "您好"
  [[templates.variants]]
  id = "b"
  text = "{profile.city}"
  [templates.neutral]
  id = "n"
  text = "您好"
"""


def linted(directory: Path, **files: str) -> list[str]:
    for name, text in files.items():
        (directory / f"{name}.toml").write_text(text, "utf-8")
    prefix = f"{directory}/"
    return [str(fault).removeprefix(prefix) for fault in lint_library(directory)]


def test_the_shipped_library_has_no_fault() -> None:
    assert [str(fault) for fault in lint_library(SHIPPED)] == []


def test_the_shipped_library_is_rich_enough_to_choose_from() -> None:
    library = shipped()
    assert len(library.coupons) >= 10
    assert len(library.articles) >= 10
    assert library.ads
    for template in library.templates:
        assert len(template.variants) >= 2, template.id
        assert template.neutral is not None, template.id


def test_what_is_data_says_its_source_and_day() -> None:
    library = shipped()
    rules = [
        *library.limits.fields,
        *library.limits.texts,
        *library.words.banned,
        *library.words.required,
    ]
    assert all(rule.source and rule.checked >= date(2026, 1, 1) for rule in rules)


def test_a_library_comes_back_from_its_bytes() -> None:
    assert msgspec.json.decode(msgspec.json.encode(shipped()), type=Library) == shipped()


def test_the_parts_of_a_directory_are_one_library(tmp_path: Path) -> None:
    assert linted(tmp_path, a=HEAD, b='spec = "content/1"' + GOODS) == []
    library = load_library(tmp_path)
    assert (library.version, [one.item_id for one in library.goods]) == (1, ["a"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = ", "a.toml:1: FORM: "),
        ("", "a.toml:1 spec: FORM: spec is nothing"),
        ('spec = "content/2"', "a.toml:1 spec: FORM: spec is content/2"),
        ('spec = "content/1"' + GOODS, "a.toml:1 version: FORM: "),
        (HEAD + GOODS + GOODS.replace("100", '"x"'), "a.toml:14 goods[1].price_fen: FORM: "),
        (HEAD + GOODS + "colour = 1", "a.toml:4 goods[0]: FORM: Object contains unknown field"),
        (HEAD + GOODS + "valid_from = 2026-11-01T00:00:00", "a.toml:9 goods[0].valid_from: FORM: "),
        (HEAD + GOODS + GOODS, "a.toml:5 goods[a]: DUPLICATE: "),
        (
            HEAD + GOODS.replace("连衣裙", "顶级裙") + WORDS,
            "a.toml:7 goods[a].title: BANNED_WORD: ",
        ),
        (HEAD + LIMITS, "a.toml:15 limits.fields[phrase].pattern: FORM: no regular expression"),
        (HEAD + WORDS.replace("顶级", "* *"), "a.toml:4 words.banned: FORM: "),
        (HEAD + GOODS + 'image_url = "http://x"', "a.toml:9 goods[a].image_url: LINK: "),
        (HEAD + TEMPLATE, "a.toml:14 templates[t].variants[b].text: NO_DEFAULT: "),
    ],
)
def test_a_fault_names_file_line_and_key(tmp_path: Path, text: str, expected: str) -> None:
    found = linted(tmp_path, a=text)
    assert found[0].startswith(expected), found[0]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("[templates.neutral]", "[[templates.variants]]"), "NO_NEUTRAL"),
        (('kind = "message"', 'kind = "coupon"\ncoupon = "NONE"'), "UNKNOWN_REFERENCE"),
        (('"wecom"]', '"wecom", "wecom"]'), "DUPLICATE"),
        (('  id = "b"', '  id = "a"'), "DUPLICATE"),
        (('purpose = "marketing"', 'purpose = "marketing"\npage = "http://x"'), "LINK"),
    ],
)
def test_a_template_with_a_fault_of_its_own_is_found(
    tmp_path: Path, change: tuple[str, str], code: str
) -> None:
    assert any(
        f": {code}: " in line for line in linted(tmp_path, a=HEAD + TEMPLATE.replace(*change))
    )


def test_a_file_that_is_no_utf8_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xff")
    (fault,) = lint_library(tmp_path)
    assert fault.message == "byte 0 is no UTF-8"


def test_a_place_where_nothing_is_is_a_fault(tmp_path: Path) -> None:
    (empty,) = lint_library(tmp_path)
    (missing,) = lint_library(tmp_path / "none.toml")
    assert (empty.code, missing.code) == ("FORM", "FORM")


def test_a_library_with_a_fault_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(HEAD + TEMPLATE, "utf-8")
    with pytest.raises(ContentError, match=r"a\.toml:14 .*NO_DEFAULT"):
        load_library(tmp_path)


def test_a_ladder_of_coupons_says_its_values_in_its_titles(tmp_path: Path) -> None:
    coupon = """
[[coupons]]
sku = "X"
title = "满99减20元券"
face_value_fen = 1_000
cost_fen = 1_000
least_order_fen = 9_900
valid_ms = 86_400_000
"""
    (line,) = linted(tmp_path, a=HEAD + coupon)
    assert line.startswith("a.toml:6 coupons[X].title: COUPON_VALUE: ")
