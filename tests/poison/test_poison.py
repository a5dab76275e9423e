"""Every class of bad input ends where the corpus says, and leaves everything else alone."""

import time
from base64 import b64decode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.codec import decode_record, encode
from streams.contract.dead_letters import MAX_KEPT_BYTES, REASONS
from streams.contract.events import TYPES
from streams.contract.records import Observed, Origin, Rejected
from streams.intake import Intake
from tests.poison.corpus import ACCEPTED, CORPUS, NATIVE_ID, Poison, good

AT_MS = 1_763_798_400_000
PARTITIONS = 4
ORIGIN = Origin("events", 1, 6, 17)

by_name = pytest.mark.parametrize("poison", CORPUS, ids=lambda poison: poison.name)


def intake() -> Intake:
    return Intake(key=b"a key of thirty-two bytes or so!", tenant="default", partitions=PARTITIONS)


def take(raw: bytes | None) -> tuple[int, Observed | Rejected]:
    return intake().take(raw, ORIGIN, AT_MS)


TAKEN = [(poison, take(poison.make(AT_MS))[1]) for poison in CORPUS]


def fate(record: Observed | Rejected) -> str:
    return ACCEPTED if isinstance(record, Observed) else record.reason


def test_the_corpus_has_at_least_sixty_classes_with_names_of_their_own() -> None:
    assert len(CORPUS) == len({poison.name for poison in CORPUS}) >= 60


def test_the_corpus_reaches_every_reason_that_an_event_can_have() -> None:
    of_others = {"broken_batch", "bad_command"}
    assert {poison.expected for poison in CORPUS} - {ACCEPTED} == REASONS.keys() - of_others


@by_name
def test_it_ends_where_the_corpus_says(poison: Poison) -> None:
    _, record = take(poison.make(AT_MS))
    assert fate(record) == poison.expected


def test_each_log_record_comes_back_from_its_bytes_unchanged() -> None:
    for _, record in TAKEN:
        again = decode_record(encode(record))
        assert again == record
        assert encode(again) == encode(record)


def test_each_log_record_stays_small_whatever_came_in() -> None:
    assert max(len(encode(record)) for _, record in TAKEN) < 100_000


def test_the_native_id_goes_no_further_than_the_kept_raw_input() -> None:
    for poison, record in TAKEN:
        assert NATIVE_ID.encode() not in encode(record), poison.name


def test_a_rejected_input_is_kept_for_redriving_up_to_a_bound() -> None:
    for poison in CORPUS:
        raw = poison.make(AT_MS) or b""
        partition, record = take(raw)
        if isinstance(record, Rejected):
            assert b64decode(record.raw) == raw[:MAX_KEPT_BYTES]
            assert record.raw_bytes == len(raw)
            assert partition == ORIGIN.partition % PARTITIONS


def test_details_name_the_field_and_never_a_value() -> None:
    secret = "13800138000"
    for changes in (
        {"time_ms": secret},
        {"tenant": secret},
        {"specversion": secret},
        {"subject": f"o {secret}"},
        {"data": {"item_id": {"a": secret}}},
        {"data": {"item_id": "a", "price_fen": secret * 3}},
        {"type": "user.attributes_given", "data": {"attributes": {secret * 9: "x"}}},
        {"time_ms": ..., "time": secret},
    ):
        _, record = take(orjson.dumps(good(AT_MS, **changes)))
        assert isinstance(record, Rejected)
        assert "$." in record.detail
        assert secret not in record.detail


def test_neighbours_of_poison_are_taken_in_as_if_it_were_not_there() -> None:
    alone, among = intake(), intake()
    neighbour = orjson.dumps(good(AT_MS))
    expected = alone.take(neighbour, ORIGIN, AT_MS)
    for poison in CORPUS:
        among.take(poison.make(AT_MS), ORIGIN, AT_MS)
        assert among.take(neighbour, ORIGIN, AT_MS) == expected


def test_no_input_within_the_bounds_holds_up_its_neighbours() -> None:
    """Backtracking or a walk in Python over 256 KiB of brackets would take seconds."""
    for poison in CORPUS:
        raw = poison.make(AT_MS)
        started = time.process_time()
        take(raw)
        assert time.process_time() - started < 0.5, poison.name


SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text()
JSON = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(), SCALARS, max_size=3)
OPTIONAL = ("specversion", "tenant", "brand", "trust", "backfill", "time", "ingest_ms")
FIELDS = [*sorted(good(0)), *OPTIONAL]
DATA_FIELDS = sorted({name for data in TYPES.values() for name in data.__struct_fields__})


@given(st.binary(max_size=300))
def test_any_bytes_end_as_a_record_and_never_as_an_exception(raw: bytes) -> None:
    _, record = take(raw)
    assert isinstance(record, Rejected)


@given(
    changes=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4),
    kind=st.sampled_from([*TYPES, "new.type"]),
    data=st.dictionaries(st.sampled_from(DATA_FIELDS) | st.text(max_size=8), JSON, max_size=6),
)
def test_any_object_ends_as_a_record_that_comes_back_from_its_bytes(
    changes: dict[str, object], kind: str, data: dict[str, object]
) -> None:
    fields = good(AT_MS, type=kind, data=data) | changes
    raw = orjson.dumps(fields, option=orjson.OPT_NON_STR_KEYS)
    partition, record = take(raw)
    assert 0 <= partition < PARTITIONS
    assert encode(decode_record(encode(record))) == encode(record)


@given(cut=st.integers(0, 400), at=st.integers(0, 400), byte=st.integers(0, 255))
def test_a_damaged_event_is_one_record_too(cut: int, at: int, byte: int) -> None:
    raw = bytearray(orjson.dumps(good(AT_MS)))
    raw[at % len(raw)] = byte
    _, record = take(bytes(raw[: len(raw) - cut % 3]))
    assert fate(record) in {ACCEPTED, *REASONS}
