"""Devices and addresses become pseudonyms of their own before anything else sees them."""

from typing import Any

import orjson
import pytest

from streams.contract.records import Observed, Origin
from streams.intake import Intake

AT_MS = 1_763_798_400_300
OPENID = "o9AgO5Kd5ggOC-bXrbNODIiE3bGY"
KEY = b"a key of thirty-two bytes or so!"


def taken(kind: str, data: dict[str, Any], key: bytes = KEY, **fields: Any) -> Observed:
    event = {"id": "e1", "source": "wx:mp:wx1", "type": kind, "subject": OPENID, "time_ms": AT_MS}
    raw = orjson.dumps({**event, "data": data, **fields})
    intake = Intake(key=key, tenant="default", partitions=4)
    record = intake.take(raw, Origin("events", 0, 0, 1), AT_MS)[1]
    assert isinstance(record, Observed)
    assert b"phone-17" not in orjson.dumps(repr(record))
    return record


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("coupon.claimed", {"coupon_id": "c"}),
        ("order.paid", {"order_id": "o"}),
        ("payment.succeeded", {"transaction_id": "t"}),
        ("user.followed", {}),
    ],
)
def test_one_device_is_one_pseudonym_in_every_event(kind: str, data: dict[str, Any]) -> None:
    device = taken("coupon.used", {"coupon_id": "c", "device": "phone-17"}).data.device
    record = taken(kind, {**data, "device": "phone-17"})
    assert record.data.device == device
    assert len(device) == 22
    assert record.converted == 0


def test_the_short_way_and_the_careful_one_give_the_same_record() -> None:
    data = {"order_id": "o", "device": "phone-17", "address": "上海市徐汇区 1 号"}
    short, careful = taken("order.paid", data), taken("order.paid", {**data, "strange": 1})
    assert careful.unknown == 1
    assert short.data == careful.data


def test_blanks_and_case_do_not_make_another_address() -> None:
    first = taken("order.paid", {"order_id": "o", "address": "Long Road 1, Flat B"})
    again = taken("order.paid", {"order_id": "o", "address": " long road 1,\tflat  b "})
    other = taken("order.paid", {"order_id": "o", "address": "Long Road 1, Flat C"})
    assert first.data.address == again.data.address != other.data.address


def test_blanks_alone_are_no_device() -> None:
    assert taken("coupon.claimed", {"coupon_id": "c", "device": " \t"}).data.device == ""


def test_a_device_is_no_person_and_no_address() -> None:
    data = {"order_id": "o", "device": OPENID + "x", "address": OPENID + "x"}
    record = taken("order.paid", data)
    aliases = {Intake(key=KEY, tenant="default", partitions=4).alias_of(OPENID + "x", source)
               for source in ("device", "address", "wx:mp:wx1")}  # fmt: skip
    assert len({record.data.device, record.data.address, *aliases}) == 5


def test_without_the_key_nobody_finds_the_device() -> None:
    data = {"coupon_id": "c", "device": "phone-17"}
    one, other = taken("coupon.claimed", data), taken("coupon.claimed", data, KEY[::-1])
    assert one.data.device != other.data.device


def test_a_very_long_address_is_taken_too() -> None:
    record = taken("order.paid", {"order_id": "o", "address": "x" * 5_000})
    assert len(record.data.address) == 22
