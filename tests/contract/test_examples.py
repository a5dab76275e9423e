"""The examples in docs/ do what the contract asks of a producer and of a push service."""

import runpy
from pathlib import Path
from typing import Any

import orjson
import pytest

from streams.contract.records import Observed, Origin
from streams.contract.schemas import files
from streams.intake import Intake

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
NOW_MS = 1_763_798_400_300


def example(name: str) -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / name))


def take(event: dict[str, Any]) -> Any:
    intake = Intake(key=b"a key of thirty-two bytes or so!", tenant="default", partitions=4)
    return intake.take(orjson.dumps(event), Origin("events", 1, 0, 0), NOW_MS)[1]


class Sender:
    def __init__(self) -> None:
        self.sent: list[str] = []

    def __call__(self, trigger: dict[str, Any]) -> tuple[str, str]:
        self.sent.append(trigger["trigger_id"])
        return "accepted", "0"


class Crash(Exception):
    pass


def crash(_: dict[str, Any]) -> tuple[str, str]:
    raise Crash


@pytest.fixture
def push() -> dict[str, Any]:
    return example("push_service.py")


@pytest.fixture
def outbox(push: dict[str, Any], tmp_path: Path) -> Any:
    made = push["Outbox"](str(tmp_path / "outbox.db"))
    made.accept(files()["examples/trigger.coupon.json"])
    return made


def test_every_event_of_the_producer_passes_the_intake() -> None:
    for event in example("producer.py")["examples"](NOW_MS):
        record = take(event)
        assert isinstance(record, Observed), record
        assert (record.converted, record.unknown) == (0, 0)


def test_the_producer_gives_what_it_tells_again_the_same_id() -> None:
    made = example("producer.py")["examples"]
    assert [e["id"] for e in made(NOW_MS)] == [e["id"] for e in made(NOW_MS + 5)]


def test_a_trigger_is_sent_once_however_often_it_comes(push: dict[str, Any], outbox: Any) -> None:
    send = Sender()
    for _ in range(3):
        outbox.accept(files()["examples/trigger.coupon.json"])
        push["push_due"](outbox, send, NOW_MS)
    assert len(send.sent) == 1


def test_a_trigger_waits_for_its_time(push: dict[str, Any], outbox: Any) -> None:
    send = Sender()
    push["push_due"](outbox, send, NOW_MS - 1)
    assert (outbox.untold(), send.sent) == ([], [])
    push["push_due"](outbox, send, NOW_MS)
    assert [event["type"] for event in outbox.untold()] == ["push.accepted"]


def test_an_expired_trigger_is_dropped_and_told(push: dict[str, Any], outbox: Any) -> None:
    send = Sender()
    push["push_due"](outbox, send, NOW_MS + 172_800_000)
    assert ([event["type"] for event in outbox.untold()], send.sent) == (["push.expired"], [])


def test_what_was_being_sent_in_a_crash_is_told_as_unknown_and_not_sent_again(
    push: dict[str, Any], outbox: Any
) -> None:
    with pytest.raises(Crash):
        push["push_due"](outbox, crash, NOW_MS)
    send = Sender()
    push["push_due"](outbox, send, NOW_MS)
    assert ([event["type"] for event in outbox.untold()], send.sent) == (["push.unknown"], [])


def test_a_result_is_told_until_it_has_been(push: dict[str, Any], outbox: Any) -> None:
    push["push_due"](outbox, Sender(), NOW_MS)
    (event,) = outbox.untold()
    assert outbox.untold() == [event]
    outbox.told(event)
    assert outbox.untold() == []


def test_the_result_finds_the_person_of_the_trigger(push: dict[str, Any], outbox: Any) -> None:
    push["push_due"](outbox, Sender(), NOW_MS)
    (event,) = outbox.untold()
    trigger = orjson.loads(files()["examples/trigger.coupon.json"])
    record = take(event)
    assert isinstance(record, Observed), record
    assert (record.alias, record.data.trigger_id) == (trigger["user_id"], trigger["trigger_id"])
