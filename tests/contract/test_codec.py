"""Log records come back from their bytes as they were, whatever the contract has learned since."""

import unicodedata

import msgspec
import pytest

from streams.contract.codec import decode_record, encode
from streams.contract.events import ACTIVITY, HARD_CHURN, TYPES, Item
from streams.contract.partitioning import partition_of
from streams.contract.records import Genesis, Mail, Observed, Origin, Rejected, Tick
from streams.contract.reductions import REDUCED
from streams.contract.shapes import shape_of
from streams.contract.text import has_invisible, may_have_invisible, without_invisible

ORIGIN = Origin("events", 1, 3, 17)


def observed(kind: str, data: object) -> Observed:
    return Observed(5, ORIGIN, "e1", "wx:mp:wx1", kind, "alias", 4, data)


@pytest.mark.parametrize(
    "record",
    [
        Genesis(at_ms=0, partition=0, partitions=4, seed="s", config={"tenant": "default"}),
        observed("product.viewed", Item(item_id="a", tags=["x"])),
        Rejected(at_ms=5, origin=ORIGIN, reason="empty", detail="no value"),
        Tick(at_ms=5),
        Mail(at_ms=5, origin=ORIGIN, kind="move", alias="a", user_id="a.1", body={"rows": [1]}),
    ],
    ids=lambda record: type(record).__name__,
)
def test_a_record_comes_back_as_it_was(record: object) -> None:
    assert decode_record(encode(record)) == record


def test_an_accepted_event_comes_back_as_exactly_its_type() -> None:
    assert type(decode_record(encode(observed("page.viewed", TYPES["page.viewed"]())))) is Observed


def test_an_event_of_an_unknown_type_comes_back_without_data() -> None:
    assert decode_record(encode(observed("galaxy.visited", {}))) == observed("galaxy.visited", {})


def test_an_event_taken_in_before_its_type_was_known_is_read_without_data() -> None:
    assert decode_record(encode(observed("product.viewed", {}))) == observed("product.viewed", {})


def test_damaged_data_on_the_log_is_our_fault_and_not_passed_over() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_record(encode(observed("product.viewed", {"item_id": 5})))


def test_a_user_id_lives_where_its_alias_lives() -> None:
    assert partition_of("xeIk4Z4Lve6tl8wzTTVyPg.3", 64) == partition_of(
        "xeIk4Z4Lve6tl8wzTTVyPg", 64
    )


def test_activity_and_churn_speak_of_known_types_only() -> None:
    assert TYPES.keys() >= ACTIVITY | HARD_CHURN
    assert not ACTIVITY & HARD_CHURN


def test_every_field_that_is_reduced_is_a_text_of_its_structure() -> None:
    for structure, rules in REDUCED.items():
        assert shape_of(structure).texts >= rules.keys()


def test_every_control_and_format_character_of_unicode_is_found_and_removed() -> None:
    for point in range(0x110000):
        character = chr(point)
        if unicodedata.category(character) not in ("Cc", "Cf", "Zl", "Zp"):
            continue
        assert has_invisible(character), hex(point)
        assert without_invisible(f"a{character}b") in ("ab", "a b"), hex(point)
        if point > 0x1F:
            assert may_have_invisible(character.encode()), hex(point)


def test_text_as_people_write_it_is_left_alone() -> None:
    for text in ("连衣裙", "l'été", "Größe 42", "夏季，新款！", "سلام", "👗", "a b"):
        assert not has_invisible(text)
        assert without_invisible(text) is text
