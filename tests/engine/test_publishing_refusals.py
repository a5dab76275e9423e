"""A command that a partition cannot take over is answered, and the fold goes on as before."""

from typing import Any

import msgspec
import pytest

from streams.contract.codec import decode, encode
from streams.contract.control import published
from streams.contract.records import Control, Genesis, Origin
from streams.contract.reports import Applied
from streams.contract.topics import CONTROL, REPORTS
from streams.engine.config import Config
from streams.engine.fold import EngineFold

JOURNEY: dict[str, Any] = {
    "spec": "journey/1",
    "id": "looked",
    "version": 1,
    "title": "looked",
    "status": "live",
    "entry": {"on": "product.viewed"},
    "step": [{"id": "show", "send": {"show": "entry"}}],
}
TOO_LONG = "99999999999w"


def problem_with(change: dict[str, Any]) -> str:
    """What the partition answers to the journey with this change; empty: it is in force."""
    fold = EngineFold(0)
    config = msgspec.to_builtins(Config())
    fold.handle(encode(Genesis(at_ms=0, partition=0, partitions=4, seed="wechat", config=config)))
    command = published("journey", JOURNEY | change, id="looked", version=1)
    origin = Origin(CONTROL, 0, 0, 0)
    record = Control(1, origin, "journey", "looked", 1, command.sha256, command.body)
    (output,) = [one for one in fold.handle(encode(record)) if one.topic == REPORTS]
    answer: Applied = decode(output.value or b"", Applied)
    assert bool(answer.problem) == (b"j:looked/1" not in {row.key for row in fold.changed_rows()})
    return answer.problem


def test_a_right_journey_has_no_problem() -> None:
    assert problem_with({}) == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"exit": {"after": TOO_LONG}}, "is too long"),
        ({"entry": {"on": "product.viewed", "late": TOO_LONG}}, "is too long"),
        ({"step": [{"id": "rest", "wait": TOO_LONG}]}, "is too long"),
        ({"step": []}, "step"),
        ({"entry": {"on": "product.viewed", "where": "("}}, "entry.where"),
        ({"colour": "red"}, "is no journey"),
        ({"title": "x" * 20_000}, "is larger than"),
    ],
)
def test_a_journey_with_a_fault_is_refused_with_what_is_wrong(
    change: dict[str, Any], said: str
) -> None:
    assert said in problem_with(change)
