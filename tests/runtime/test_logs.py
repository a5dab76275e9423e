"""The logs: one JSON object a line, and nobody in them."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from streams.runtime import logs

OPENID = "oLVPpjqs9BhvzwPj5A-vTYAX3GLc"
EXTERNAL_USERID = "wmEAlECwAAHrbWYDetiu5jyHFSEWqYAg"
PERSONS = {
    "openid": OPENID,
    "external_userid": EXTERNAL_USERID,
    "telephone": "13812345678",
    "telephone_with_country": "+86 13812345678",
    "identity_number": "11010519491231002X",
    "email": "li.lei@example.com",
}


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure(level="debug", style="json", stream=stream, worker="w-1")
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_json_with_time_level_worker_and_fields(out: io.StringIO) -> None:
    logs.get("streams.decide").info("recovered", partition=3, seconds=0.5)
    (line,) = lines(out)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "recovered",
        "level": "info",
        "logger": "streams.decide",
        "worker": "w-1",
        "partition": 3,
        "seconds": 0.5,
    }


def test_a_field_that_is_not_on_the_allow_list_is_dropped_and_counted(out: io.StringIO) -> None:
    logs.get("streams").warning("odd", openid=OPENID, nickname="李雷", reason="missing_field")
    (line,) = lines(out)
    assert line["dropped"] == 2
    assert line["reason"] == "missing_field"
    assert OPENID not in out.getvalue()
    assert "李雷" not in out.getvalue()


@pytest.mark.parametrize("person", PERSONS.values(), ids=PERSONS.keys())
def test_a_person_in_an_allowed_field_or_the_text_is_blotted_out(
    out: io.StringIO, person: str
) -> None:
    logs.get("streams").error(f"failed for {person}", error=f"bad value '{person}' in a field")
    assert person not in out.getvalue()
    assert lines(out)[0]["error"] == f"bad value '{logs.BLOT}' in a field"


@pytest.mark.parametrize("person", PERSONS.values(), ids=PERSONS.keys())
def test_a_person_in_a_traceback_is_blotted_out(out: io.StringIO, person: str) -> None:
    try:
        raise ValueError(person)
    except ValueError:
        logs.get("streams").exception("failed")
    assert person not in out.getvalue()
    assert "ValueError" in lines(out)[0]["exception"]


def test_another_librarys_message_goes_through_the_same_net(out: io.StringIO) -> None:
    logging.getLogger("aiokafka").warning("cannot decode %r", {"FromUserName": OPENID})
    (line,) = lines(out)
    assert line["logger"] == "aiokafka"
    assert line["event"] == f"cannot decode {{'FromUserName': '{logs.BLOT}'}}"


def test_below_the_level_nothing_is_written(out: io.StringIO) -> None:
    logs.configure(level="warning", style="json", stream=out)
    logs.get("streams").info("quiet")
    assert out.getvalue() == ""


def test_a_huge_text_is_cut(out: io.StringIO) -> None:
    logs.get("streams").error("failed", error="x" * 1_000_000)
    assert len(out.getvalue()) < 10_000


def test_ids_of_decisions_and_numbers_stay_as_they_are(out: io.StringIO) -> None:
    logs.get("streams").info("why", decision_id="5f2c7a9be1d04c68", partitions={2, 0, 1}, offset=17)
    line = lines(out)[0]
    assert (line["decision_id"], line["partitions"], line["offset"]) == (
        "5f2c7a9be1d04c68",
        [0, 1, 2],
        17,
    )
