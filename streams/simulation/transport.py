"""The way of an event to us: small delays, some out of order, late, sent twice or broken."""

from collections.abc import Callable
from math import log
from random import Random
from typing import Any

import orjson

from streams.simulation.hazard import DAY_MS
from streams.simulation.hours import HOUR_MS

Envelope = dict[str, Any]

# Shares of events; what is broken comes besides the event itself, so that nothing true is lost.
LATE_HOURS = 0.003  # a phone without network
LATE_DAYS = 0.0003  # beyond what any pipeline waits for
REPEATED = 0.005  # a producer's retry
BROKEN = 0.001
UNKNOWN = 0.0005  # of a type the contract does not know yet, by a newer producer
IRREGULAR = LATE_HOURS + LATE_DAYS + REPEATED + BROKEN + UNKNOWN
FASTEST_MS = 150
TYPICAL_MS = 1_500


class Transport:
    """Holds what is under way, by the hour of its arrival."""

    def __init__(self, start_ms: int) -> None:
        self._start_ms = start_ms
        self._under_way: dict[int, list[tuple[int, int, Envelope | bytes]]] = {}
        self._sent = 0

    def send(self, envelope: Envelope, rng: Random, least_ms: int = 0) -> bool:
        """Whether it will arrive early enough to count. `least_ms` delays it on purpose."""
        delay_ms = least_ms + FASTEST_MS - int(TYPICAL_MS * log(1.0 - rng.random()))
        lot = rng.random()
        arrives_ms = envelope["time_ms"] + delay_ms
        if lot < IRREGULAR:
            arrives_ms = self._irregular(envelope, rng, lot, arrives_ms)
        envelope["ingest_ms"] = arrives_ms
        self._put(arrives_ms, envelope)
        return not LATE_HOURS <= lot < LATE_HOURS + LATE_DAYS

    def _irregular(self, envelope: Envelope, rng: Random, lot: float, arrives_ms: int) -> int:
        """Late, or with company: when the event itself arrives."""
        copy = envelope | {"ingest_ms": arrives_ms}
        if lot < (known := LATE_HOURS):
            return arrives_ms + int(rng.uniform(0.5, 20.0) * HOUR_MS)
        if lot < (known := known + LATE_DAYS):
            return arrives_ms + int(rng.uniform(8.0, 11.0) * DAY_MS)
        if lot < (known := known + REPEATED):
            copy["ingest_ms"] += 500 + int(rng.expovariate(1 / 30_000))
            self._put(copy["ingest_ms"], copy)
        elif lot < known + BROKEN:
            copy["id"] += "-b"
            self._put(arrives_ms, BREAKS[int(rng.random() * len(BREAKS))](copy))
        else:
            copy |= {"id": copy["id"] + "-x", "type": "channels.live_entered", "data": {"room": 7}}
            self._put(arrives_ms, copy)
        return arrives_ms

    def arrivals(self, hour: int) -> list[Envelope | bytes]:
        """What arrives in that hour, in order of arrival."""
        arrived = self._under_way.pop(hour, [])
        arrived.sort()  # time and number differ, so no two envelopes are compared
        return [envelope for _, _, envelope in arrived]

    def _put(self, arrives_ms: int, envelope: Envelope | bytes) -> None:
        self._sent += 1
        hour = (arrives_ms - self._start_ms) // HOUR_MS
        if hour not in self._under_way:
            self._under_way[hour] = []
        self._under_way[hour].append((arrives_ms, self._sent, envelope))


def _cut(envelope: Envelope) -> bytes:
    raw = orjson.dumps(envelope)
    return raw[: len(raw) * 2 // 3]


def _without_subject(envelope: Envelope) -> bytes:
    del envelope["subject"]
    return orjson.dumps(envelope)


def _changed(**fields: Any) -> Callable[[Envelope], bytes]:
    return lambda envelope: orjson.dumps(envelope | fields)


def _from_the_future(envelope: Envelope) -> bytes:
    return orjson.dumps(envelope | {"time_ms": envelope["time_ms"] + 3 * DAY_MS})


# The ways in which producers send what cannot be taken in, each a dead letter with another reason.
BREAKS: tuple[Callable[[Envelope], bytes], ...] = (
    _cut,
    _without_subject,
    _from_the_future,
    _changed(time_ms=1_700_000_000),  # seconds
    _changed(data=["no", "object"]),
    _changed(specversion="0.3"),
    _changed(subject="  "),
    _changed(id=""),
    _changed(type="item.reviewed", data={"stars": 11, "item_id": "x"}),
    lambda envelope: b"[" + orjson.dumps(envelope) + b"]",
    lambda envelope: orjson.dumps(envelope).replace(b'"data"', b'"da\xfft\xe9"'),
    lambda envelope: orjson.dumps(envelope)[:-1] + b',"deep":' + b"[" * 40 + b"]" * 40 + b"}",
)
