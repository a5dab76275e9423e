"""What could not be taken in, on `wechat.dead-letters`: typed, with the input, for redriving."""

from msgspec import Struct

MAX_KEPT_BYTES = 65_536

# Reason -> what the producer should do about it.
REASONS: dict[str, str] = {
    "empty": "the record has no value; send an event",
    "too_large": "the record is larger than 256 KiB; send less in one event",
    "not_utf8": "the value is not UTF-8; encode it as UTF-8 without BOM",
    "not_json": "the value is no JSON object; check quoting, escapes and numbers",
    "too_deep": "the value is nested deeper than 16 levels; flatten it",
    "not_an_object": "the value is JSON but no object; send one event per record",
    "missing_field": "a required field is missing",
    "wrong_type": "a field has another type than the contract says",
    "out_of_range": "a number, length or count is outside its bounds",
    "bad_time": "time_ms is before 2011 or after 2100; milliseconds since the epoch are expected",
    "time_in_future": "time_ms is more than five minutes ahead; check the producer's clock",
    "bad_subject": "the subject is empty or has control characters",
    "bad_id": "id, source, type or tenant has control or invisible characters",
    "wrong_tenant": "the tenant is not this deployment's",
    "unsupported_version": "specversion is not 1.0",
    "broken_batch": "the record's batch could not be read (bad compression or checksum)",
    "bad_command": "a record of the control topic is no command; let `streams` publish it",
}


class DeadLetter(Struct, kw_only=True, omit_defaults=True):
    dead_letter_id: str  # from the origin, so a redelivery has the same
    reason: str
    detail: str
    at_ms: int
    topic: str
    epoch: int
    partition: int
    offset: int
    raw: str = ""  # base64, cut at MAX_KEPT_BYTES
    raw_bytes: int = 0
