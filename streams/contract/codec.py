"""Bytes to typed records and back. The only place that knows the wire format."""

from typing import Any

import msgspec
from msgspec import Struct

from streams.contract.events import TYPES
from streams.contract.records import Control, Genesis, Mail, Observed, Record, Rejected, Tick


class ContractError(ValueError):
    """The producer's fault. `reason` is a key of dead_letters.REASONS, `detail` says where."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class _ObservedOnWire(Observed, tag="event"):
    data: msgspec.Raw = msgspec.Raw(b"{}")


_EMPTY = msgspec.Raw(b"{}")
_encoder = msgspec.json.Encoder()
_record = msgspec.json.Decoder(Genesis | _ObservedOnWire | Rejected | Tick | Mail | Control)
_data: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(data) for name, data in TYPES.items()
}

encode = _encoder.encode


def decode_record(raw: bytes) -> Record:
    """A log record from its bytes. We wrote what stands on a log: an error is a fault of ours."""
    record: Record = _record.decode(raw)
    if type(record) is not _ObservedOnWire:
        return record
    return Observed(
        record.at_ms,
        record.origin,
        record.id,
        record.source,
        record.type,
        record.alias,
        record.time_ms,
        _data_of(record.type, record.data),
        record.tenant,
        record.brand,
        record.trust,
        record.backfill,
        record.converted,
        record.unknown,
    )


def _data_of(name: str, raw: msgspec.Raw) -> Any:
    decoder = _data.get(name)
    if decoder is None:
        return {}
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError:
        # Taken in when the contract did not know the type, and kept without its data.
        if raw == _EMPTY:
            return {}
        raise


def decode(raw: bytes, what: type[Struct]) -> Any:
    return msgspec.json.decode(raw, type=what)
