"""A journey's file becomes a value, or a fault that names the place."""

from pathlib import Path

import pytest

from streams.faults import UserFault
from streams.journey_files.load import load, load_all, shipped, shipped_journey

from .builders import GOOD, journey, text


def faulty(*changes: tuple[str, str]) -> str:
    with pytest.raises(UserFault) as caught:
        journey(*changes)
    return str(caught.value)


def test_a_misspelt_key_is_named_with_its_line_and_the_key_that_was_meant() -> None:
    assert faulty(("share = 0.1", "shore = 0.1")) == (
        "cart.toml:16 holdout.shore: there is no key 'shore' here; did you mean share?"
    )


def test_a_misspelt_key_of_an_arm_is_found_in_the_right_one_of_several() -> None:
    said = faulty(('template = "cart_coupon_v1"', 'tamplate = "cart_coupon_v1"'))
    line = (
        text(('template = "cart_coupon_v1"', "tamplate =")).splitlines().index("  tamplate =") + 1
    )
    assert said.startswith(f"cart.toml:{line} ")
    assert "did you mean template?" in said


def test_a_value_of_the_wrong_kind_is_named_with_its_line() -> None:
    assert faulty(("version = 1", 'version = "one"')).startswith("cart.toml:4 version: Expected")


def test_a_missing_table_is_named() -> None:
    said = faulty(('[entry]\non = "cart.added"\n', ""))
    assert "missing required field `entry`; add it" in said


def test_a_file_that_is_no_toml_is_named_with_its_line() -> None:
    assert faulty(("version = 1", "version = ")).startswith("cart.toml:4: is no TOML")


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(UserFault, match="cannot be read"):
        load(tmp_path / "none.toml")


def test_a_file_that_is_no_utf_8_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(UserFault, match="byte 9 is no UTF-8"):
        load(tmp_path / "a.toml")


def test_a_directory_is_loaded_in_the_order_of_its_file_names(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text(GOOD.replace('"cart"', '"one"'), "utf-8")
    (tmp_path / "a.toml").write_text(GOOD.replace('"cart"', '"two"'), "utf-8")
    assert [spec.id for spec in load_all(tmp_path)] == ["two", "one"]


def test_two_files_of_one_id_are_a_fault(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(GOOD, "utf-8")
    with pytest.raises(UserFault, match=r"b\.toml: id 'cart' stands in .*a\.toml already"):
        load_all(tmp_path)


def test_a_directory_without_journeys_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(UserFault, match="holds no"):
        load_all(tmp_path)


def test_the_shipped_journeys_are_sorted_by_id() -> None:
    ids = [spec.id for spec in shipped()]
    assert ids == sorted(ids)
    assert len(ids) >= 11


def test_a_shipped_journey_that_is_not_there_is_named_with_those_there_are() -> None:
    with pytest.raises(UserFault, match="there are: birthday, cart_rescue"):
        shipped_journey("nope")
