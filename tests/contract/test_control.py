"""What is taken as a command of the control topic, and what is a dead letter instead."""

from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.codec import ContractError, encode
from streams.contract.content import Library
from streams.contract.control import (
    MAX_BODY_BYTES,
    MAX_COMMAND_BYTES,
    digest,
    held,
    published,
    read_command,
)
from streams.contract.policy import Policy

BODY = {"id": "cart_rescue", "version": 3, "title": "购物车挽回", "shares": [0.1, 1e21, 2]}
JOURNEY = published("journey", BODY, id="cart_rescue", version=3)


def changed(**fields: Any) -> bytes:
    return orjson.dumps(orjson.loads(encode(JOURNEY)) | fields)


def with_body(body: Any, **fields: Any) -> bytes:
    return changed(body=body, sha256=digest(body), **fields)


@pytest.mark.parametrize(
    "command",
    [
        JOURNEY,
        published("policy", Policy(version=2), version=2),
        published("content", Library(spec="content/1", version=1), version=1),
        held("pause", "*"),
        held("resume", "cart_rescue"),
    ],
    ids=lambda command: f"{command.kind} {command.id}",
)
def test_what_was_published_is_read_as_it_was(command: Any) -> None:
    assert read_command(encode(command)) == command


def test_the_order_of_keys_and_unknown_fields_change_nothing() -> None:
    raw = orjson.dumps(
        {"later": 1, "body": dict(reversed(BODY.items()))}
        | {name: getattr(JOURNEY, name) for name in ("version", "sha256", "id", "kind")}
    )
    assert read_command(raw) == JOURNEY


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (None, "no value"),
        (b"", "no value"),
        (b"pause *", "is no command"),
        (b'"\xff"', "is no command"),
        (b'{"kind":"pause"}', "missing required field `id`"),
        (b" " * (MAX_COMMAND_BYTES + 1), "bytes"),
        (b'{"kind":"pause","id":"*","body":' + b"[" * 400 + b"]" * 400 + b"}", "nested deeper"),
        (b'{"kind":"pause","id":"*","body":' + b"[" * 200_000, "nested deeper"),
        (changed(kind="erase"), "is no command"),
        (changed(version="3"), "is no command"),
        (changed(version=4), "$.version is not that of the body"),
        (changed(version=0), "not 1 to 1000000"),
        (changed(id="another"), "$.id is not that of the body"),
        (changed(sha256=""), "no digest"),
        (changed(sha256="0" * 64), "not the digest"),
        (changed(body=None), "no object"),
        (with_body({"version": 3}), "$.id is not that of the body"),
        (with_body({"id": "Cart", "version": 3}, id="Cart"), "$.id is not that of the body"),
        (with_body(BODY | {"x": "y" * MAX_BODY_BYTES}), "bytes"),
        (
            with_body(BODY | {"x": [1e15] * 50_000}).replace(b"1000000000000000.0", b"1e15"),
            "$.body",
        ),
        (b'{"kind":"pause","id":"Cart Rescue"}', "no id of a journey"),
        (b'{"kind":"pause","id":"a","version":1}', "no version"),
    ],
)
def test_what_is_no_command_says_why(raw: bytes | None, detail: str) -> None:
    with pytest.raises(ContractError) as caught:
        read_command(raw)
    assert caught.value.reason == "bad_command"
    assert detail in caught.value.detail


def test_a_body_too_large_is_refused_before_it_is_published() -> None:
    with pytest.raises(ContractError, match="more than 524288"):
        published("content", {"version": 1, "x": "y" * MAX_BODY_BYTES}, version=1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(
    fields=st.dictionaries(st.sampled_from(("kind", "id", "version", "sha256", "body")), JSON),
    start=st.integers(0, 400),
    replaced=st.binary(max_size=6),
)
def test_whatever_stands_on_the_topic_is_a_command_or_a_bad_one(
    fields: dict[str, Any], start: int, replaced: bytes
) -> None:
    whole = encode(JOURNEY)
    spoilt = whole[:start] + replaced + whole[start + len(replaced) :]
    for raw in (spoilt, msgspec.json.encode(msgspec.json.decode(whole) | fields)):
        try:
            command = read_command(raw)
        except ContractError as fault:
            assert fault.reason == "bad_command"
        else:
            assert read_command(encode(command)) == command
