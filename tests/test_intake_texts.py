"""Texts end at the intake: numbers stand in their place on the log, whatever was sent as text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.codec import encode
from streams.contract.records import Observed, Origin, Rejected
from streams.intake import Intake
from streams.learning.text.grams import MOST, grams

AT_MS = 1_763_798_400_000
SAID = {
    "message.received": {"msg_kind": "text"},
    "item.commented": {"item_id": "tea"},
    "ad.commented": {"ad_id": "ad-9"},
    "order.rated": {"stars": 1},
    "item.reviewed": {"stars": 5, "item_id": "tea"},
}


def taken(kind: str, said: object, **more: object) -> Observed | Rejected:
    event = {
        "id": "e1",
        "source": "wx:oa:wx1",
        "subject": "o9AgO5Kd5ggOC-bXrbNODIiE3bGY",
        "type": kind,
        "time_ms": AT_MS,
        "data": {**SAID[kind], "text": said, **more},
    }
    intake = Intake(key=b"a key of thirty-two bytes or so!", tenant="default", partitions=4)
    return intake.take(json.dumps(event).encode(), Origin("events", 1, 0, 0), AT_MS)[1]


@pytest.mark.parametrize("kind", SAID)
def test_the_log_has_numbers_and_no_text(kind: str) -> None:
    said = "物流太慢了，联系我13812345678"
    record = taken(kind, said)
    assert isinstance(record, Observed)
    assert (record.data.text, record.data.grams) == ("", grams(said))
    assert record.converted == 0
    log = encode(record).decode()
    assert not any(part in log for part in ("物流", "太慢", "13812345678"))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300))
def test_no_text_whatever_is_found_on_the_log(said: str) -> None:
    record = taken("message.received", said)
    assert isinstance(record, Observed)
    assert record.data.text == ""
    assert record.data.grams == grams(said)
    assert len(record.data.grams) <= MOST


ODD = [None, True, ["物流"], {"物流": "慢"}, 0, -1, 1e308, "慢" * 40_000, "\u202e好\u200b"]


@pytest.mark.parametrize("said", ODD, ids=range(len(ODD)))
def test_whatever_is_sent_as_text_is_no_reason_to_refuse(said: object) -> None:
    record = taken("order.rated", said)
    assert isinstance(record, Observed)
    assert record.data.stars == 1
    assert record.data.text == ""
    assert "慢" not in encode(record).decode()


def test_half_a_character_does_not_stop_the_intake() -> None:
    record = taken("message.received", "\ud800")
    assert isinstance(record, Rejected)
    assert record.reason == "not_json"


def test_the_text_counts_where_a_producer_sends_numbers_too() -> None:
    record = taken("message.received", "好", grams=[5, 6])
    assert isinstance(record, Observed)
    assert record.data.grams == grams("好")


def test_a_producer_may_send_numbers_instead() -> None:
    record = taken("message.received", "", grams=[5, 70_000])
    assert isinstance(record, Observed)
    assert record.data.grams == [5, 70_000]
    assert isinstance(taken("message.received", "", grams=[2**18]), Rejected)
    assert isinstance(taken("message.received", "", grams=[1] * 257), Rejected)
