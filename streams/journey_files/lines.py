"""The lines of an inline test, read strictly.

    event       +10m order.paid {order_id='o1', amount_fen=8000}
    expected    +30m SENT channel=mini_programme arm=remind
                QUIET_DEFERRED until=08:00
                no SENT
                EXITED

A time is an offset from the test's clock; an expected line without one matches at any time.
"""

import re
import tomllib
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from streams.contract.decisions import OUTCOMES
from streams.contract.events import TYPES
from streams.engine.moment import DAILY_CHECK
from streams.expressions import duration_ms, not_known, show_duration

# What an expected line may say of a decision, and of the trigger it led to.
KEYS: Final = {
    "step": "the step",
    "arm": "the arm that was drawn",
    "channel": "the channel",
    "kind": "coupon, message, content or ad",
    "template": "the template",
    "coupon": "the coupon's SKU",
    "item": "the item or article shown",
    "category": "its category",
    "ad": "the ad",
    "until": "when it goes out or may be asked again, HH:MM in the person's zone",
}
# Filled in where a line leaves them out: the events of what was just sent.
OF_LAST_TRIGGER: Final = ("push.", "coupon.")

_EVENT: Final = re.compile(r"\+(\S+)\s+([a-z_]+\.[a-z_]+)\s*(\{.*\})?")
_EXPECTED: Final = re.compile(r"(?:(no)\s+)?(?:\+(\S+)\s+)?([A-Z][A-Z_]*)((?:\s+\S+=\S+)*)")
_UNTIL: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class LineError(ValueError):
    """What is wrong with a line of a test, with the line."""


class GivenEvent(NamedTuple):
    line: str
    at_ms: int  # after the clock
    type: str
    data: dict[str, Any]


class Expected(NamedTuple):
    """`at_ms` None: at any time. `said`: KEYS of the decision and its trigger."""

    line: str
    absent: bool
    at_ms: int | None
    outcome: str
    said: dict[str, str]


def clock_ms(text: str) -> int:
    """A moment with its zone, `2026-11-23T10:00:00+08:00`. Raises LineError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise LineError(f"clock = {text!r}: write it as 2026-11-23T10:00:00+08:00") from None
    if moment.tzinfo is None:
        raise LineError(f"clock = {text!r}: has no zone; add one, as in {text}+08:00")
    return int(moment.timestamp() * 1000)


def read_event(line: str) -> GivenEvent:
    """Raises LineError."""
    found = _EVENT.fullmatch(line.strip())
    if found is None:
        raise LineError(f"{line!r}: write +<time> <event type> {{field=value, ...}}")
    offset, kind, table = found.groups()
    if kind not in TYPES and kind != DAILY_CHECK:
        raise LineError(f"{line!r}: {not_known(kind, [*TYPES, DAILY_CHECK], what='event type')}")
    try:
        data = tomllib.loads(f"data = {table or '{}'}")["data"]
    except tomllib.TOMLDecodeError as error:
        message = str(error).partition(" (at")[0]
        raise LineError(f"{line!r}: {message}; write {{field='text', other=5}}") from None
    _check_fields(line, kind, data)
    return GivenEvent(line, _offset(line, offset), kind, data)


def read_expected(line: str) -> Expected:
    """Raises LineError."""
    found = _EXPECTED.fullmatch(line.strip())
    if found is None:
        raise LineError(f"{line!r}: write [no] [+<time>] OUTCOME [key=value ...]")
    absent, offset, outcome, rest = found.groups()
    if outcome not in OUTCOMES:
        raise LineError(f"{line!r}: {not_known(outcome, OUTCOMES, what='outcome')}")
    said = dict(pair.split("=", 1) for pair in rest.split())
    for key in said:
        if key not in KEYS:
            raise LineError(f"{line!r}: {not_known(key, KEYS, what='key')}")
    if "until" in said and _UNTIL.fullmatch(said["until"]) is None:
        raise LineError(f"{line!r}: until is a time of the day, as 08:00")
    at_ms = None if offset is None else _offset(line, offset)
    return Expected(line, bool(absent), at_ms, outcome, said)


def show_offset(ms: int) -> str:
    return "+" + ("0m" if ms == 0 else show_duration(ms))


def _offset(line: str, text: str) -> int:
    try:
        return 0 if text.strip("0mshd") == "" else duration_ms(text)
    except ValueError as error:
        raise LineError(f"{line!r}: {error}") from None


def _check_fields(line: str, kind: str, data: dict[str, Any]) -> None:
    if kind == DAILY_CHECK:
        if data:
            raise LineError(f"{line!r}: {DAILY_CHECK} has no fields")
        return
    known = TYPES[kind].__struct_fields__
    for name in data:
        if name not in known:
            raise LineError(f"{line!r}: {not_known(name, known, what=kind + ' field')}")
    filled = {"trigger_id": "x", "coupon_id": "x"} if kind.startswith(OF_LAST_TRIGGER) else {}
    try:
        msgspec.convert({**filled, **data}, TYPES[kind])
    except msgspec.ValidationError as error:
        raise LineError(f"{line!r}: {str(error).replace(' - at `$', ' at `')}") from None
