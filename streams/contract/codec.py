"""Bytes to typed records and back. The only place that knows the wire format."""

from typing import Any

import msgspec
from msgspec import Struct

from streams.contract.events import TYPES
from streams.contract.records import Genesis, Mail, Observed, Record, Rejected, Tick


class ContractError(ValueError):
    """The producer's fault. `reason` is a key of dead_letters.REASONS, `detail` says where."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class _ObservedOnWire(Observed, tag="event"):
    data: msgspec.Raw = msgspec.Raw(b"{}")


_encoder = msgspec.json.Encoder()
_record = msgspec.json.Decoder(Genesis | _ObservedOnWire | Rejected | Tick | Mail)
_data: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(data) for name, data in TYPES.items()
}

encode = _encoder.encode


def decode_record(raw: bytes) -> Record:
    """A log record from its bytes. What stands on a log was written by us: an error is a fault of ours."""
    record = _record.decode(raw)
    if type(record) is _ObservedOnWire:
        data = _data.get(record.type)
        record.data = data.decode(record.data) if data is not None else {}
    return record


def decode(raw: bytes, what: type[Struct]) -> Any:
    return msgspec.json.decode(raw, type=what)
