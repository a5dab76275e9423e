"""The intake: what producers wrote becomes a log record, accepted or rejected, with its partition.

Pure and stateless: the same input gives the same record wherever and however often it is taken in.
Bytes -> JSON -> envelope -> person's alias -> data by type. What is of the wrong type but clear is
converted, what is unknown is counted and dropped, what is wrong is rejected with a reason of
`dead_letters.REASONS` and a detail that names the field and never a value. Duplicates and lateness
are not judged here: the fold does, for it alone sees them in the log's order.
"""

import hmac
import re
from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from streams.contract.bounds import MAX_AHEAD_MS, MAX_RAW_BYTES, MAX_TIME_MS, MIN_TIME_MS
from streams.contract.codec import ContractError
from streams.contract.dead_letters import MAX_KEPT_BYTES
from streams.contract.envelope import PASSED_OVER, Envelope
from streams.contract.events import TYPES, Attributes
from streams.contract.ordinary import DATA_READERS, read_envelope
from streams.contract.parsing import parsed
from streams.contract.partitioning import partition_of
from streams.contract.records import Observed, Origin, Rejected
from streams.contract.reductions import REDUCED
from streams.contract.shapes import Shape, convert_loosely, shape_of, strangers, unknown_fields
from streams.contract.text import has_invisible, may_have_invisible, scrubbed
from streams.learning.text.grams import grams

__all__ = ["Intake", "partition_of"]

_ENVELOPE: Final = shape_of(Envelope)
_ENVELOPE_KNOWN: Final = _ENVELOPE.known | PASSED_OVER
_SHAPES: Final[dict[str, Shape]] = {name: shape_of(data) for name, data in TYPES.items()}
_ACCOUNT_WIDE: Final = ("unionid:", "external_userid:")  # one id over all apps of the account
_USER_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,32})?")
_ATTRIBUTE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_THINGS: Final = ("device", "address")
_ALIASES_KEPT: Final = 65_536  # twice: two generations, some 30 MB at most
_SHORTEST_NATIVE_ID: Final = (
    16  # WeChat's have 28 and more; a shorter one may stand in a text by chance
)


class Intake:
    """Takes in one deployment's events. `key` is the secret that keeps aliases irreversible."""

    def __init__(self, *, key: bytes, tenant: str, partitions: int) -> None:
        if len(key) < 16:
            raise ValueError("the alias key has fewer than 16 bytes; give a random one of 32")
        if partitions < 1:
            raise ValueError(f"partitions is {partitions}; at least 1 is needed")
        self._key = key
        self._tenant = tenant
        self._partitions = partitions
        self._recent: dict[tuple[str, str], _Person] = {}
        self._older: dict[tuple[str, str], _Person] = {}

    def take(
        self, raw: bytes | None, origin: Origin, at_ms: int
    ) -> tuple[int, Observed | Rejected]:
        """The log partition and the log record of one record of the event topic. Never raises."""
        try:
            return self._ordinary(raw, origin, at_ms) or self._observed(raw, origin, at_ms)
        except ContractError as fault:
            kept = b"" if raw is None else raw
            return origin.partition % self._partitions, Rejected(
                at_ms=at_ms,
                origin=origin,
                reason=fault.reason,
                detail=fault.detail,
                raw=b64encode(kept[:MAX_KEPT_BYTES]).decode(),
                raw_bytes=len(kept),
            )

    def rejected_batch(self, origin: Origin, at_ms: int, detail: str) -> tuple[int, Rejected]:
        """For a record batch that cannot be read: `origin` is its first offset, `detail` ours."""
        rejected = Rejected(at_ms=at_ms, origin=origin, reason="broken_batch", detail=detail)
        return origin.partition % self._partitions, rejected

    def alias_of(self, subject: str, source: str) -> str:
        """The pseudonym of a native id: 128 bits of HMAC-SHA256 as 22 characters of base64url.

        `user:<user_id>` is pseudonymous already and gives the user id. Raises ContractError.
        """
        return self._person(subject, source, "$.subject").alias

    def _ordinary(
        self, raw: bytes | None, origin: Origin, at_ms: int
    ) -> tuple[int, Observed] | None:
        """What `_observed` gives for an event with nothing to convert, count, reduce or scrub.

        None for every other input: this is only the shorter way to the same record.
        """
        if not raw or len(raw) > MAX_RAW_BYTES or may_have_invisible(raw):
            return None
        # Of two `data` the first would go unread.
        if raw.count(b'"data"') != 1:
            return None
        try:
            event = read_envelope(raw)
            reader = DATA_READERS.get(event.type)
            if reader is None:
                return None
            data = reader.read(event.data)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return None
        if event.tenant != self._tenant or event.time_ms > at_ms + MAX_AHEAD_MS:
            return None
        structure = reader.structure
        if structure in REDUCED and _is_reducible(data, REDUCED[structure]):
            return None
        alias, partition, native = self._person(event.subject, event.source, "$.subject")
        if native and raw.count(native) > 1:
            return None
        if structure in REDUCED:
            self._reduce_things(data, REDUCED[structure])
        return partition, Observed(
            at_ms,
            origin,
            event.id,
            event.source,
            event.type,
            alias,
            event.time_ms,
            data,
            event.tenant,
            event.brand,
            event.trust,
            event.backfill,
            0,
            _drop_strange_attributes(data) if structure is Attributes else 0,
        )

    def _observed(self, raw: bytes | None, origin: Origin, at_ms: int) -> tuple[int, Observed]:
        fields = parsed(raw)
        assert raw is not None
        envelope, converted = _envelope(fields)
        if envelope.tenant != self._tenant:
            raise ContractError("wrong_tenant", "$.tenant is not this deployment's")
        if envelope.time_ms > at_ms + MAX_AHEAD_MS:
            raise ContractError("time_in_future", f"$.time_ms: {_unit_hint(envelope.time_ms)}")
        alias, partition, native = self._person(envelope.subject, envelope.source, "$.subject")
        data = envelope.data
        shape = _SHAPES.get(envelope.type)
        if shape is not None and shape.structure in REDUCED:
            converted += self._reduce(data, REDUCED[shape.structure], envelope.source)
        suspect = may_have_invisible(raw)
        if suspect or (native and raw.count(native) > 1):
            if suspect:
                _refuse_invisible_ids(envelope)
            converted += _scrub_envelope(envelope, native.decode(), alias)
            data, changed = scrubbed(data, native.decode(), alias)
            converted += changed
        unknown = strangers(fields, _ENVELOPE_KNOWN)
        typed: Any = {}
        if shape is not None:
            typed, changed, strange = _typed(data, shape)
            converted += changed
            unknown += strange
        return partition, Observed(
            at_ms,
            origin,
            envelope.id,
            envelope.source,
            envelope.type,
            alias,
            envelope.time_ms,
            typed,
            envelope.tenant,
            envelope.brand,
            envelope.trust,
            envelope.backfill,
            converted,
            unknown,
        )

    def _reduce(self, data: dict[str, Any], rules: dict[str, str], source: str) -> int:
        """Apply `REDUCED` in place; how many values became less than they were."""
        changed = 0
        for name, rule in rules.items():
            if rule == "grams":
                changed += _without_text(data, name)
                continue
            value = data.get(name)
            text = str(value) if type(value) is int else value
            if type(text) is not str or not text:
                continue
            if rule == "alias":
                data[name] = self._other_alias(text, name, source, data)
                changed += text is not value
            elif rule in _THINGS:
                data[name] = self._pseudonym(rule, text)
                changed += text is not value
            else:
                # A geohash of five characters is a cell of five kilometres.
                less = text.partition("?")[0].partition("#")[0] if rule == "no_query" else text[:5]
                data[name] = less
                changed += less != value
        return changed

    def _reduce_things(self, data: Any, rules: dict[str, str]) -> None:
        for name, rule in rules.items():
            if rule in _THINGS and getattr(data, name):
                setattr(data, name, self._pseudonym(rule, getattr(data, name)))

    def _pseudonym(self, kind: str, text: str) -> str:
        """Of a thing and not of a person: a namespace of its own. Blanks and case do not count."""
        said = "".join(text.split()).casefold()
        if not said:
            return ""
        # With one separator more than an alias's message it equals none.
        message = f"{self._tenant}\x1f{kind}\x1f\x1f{said}".encode()
        return urlsafe_b64encode(hmac.digest(self._key, message, "sha256")[:16])[:22].decode()

    def _other_alias(self, other: str, name: str, source: str, data: dict[str, Any]) -> str:
        other_source = data.pop("other_source", None) if name == "other" else None
        if type(other_source) is not str or not other_source:
            other_source = source
        elif has_invisible(other_source):
            raise ContractError("bad_id", "$.data.other_source has control characters")
        return self._person(other, other_source, f"$.data.{name}").alias

    def _person(self, subject: str, source: str, field: str) -> "_Person":
        key = (subject, source)
        found = self._recent.get(key)
        if found is not None:
            return found
        found = self._older.get(key)
        if found is None:
            alias = self._new_alias(subject, source, field)
            partition = partition_of(alias, self._partitions)
            found = _Person(alias, partition, _native(subject).encode())
        if len(self._recent) >= _ALIASES_KEPT:
            self._older, self._recent = self._recent, {}
        self._recent[key] = found
        return found

    def _new_alias(self, subject: str, source: str, field: str) -> str:
        if subject.split() != [subject] or has_invisible(subject):
            raise ContractError("bad_subject", f"{field} has blanks or control characters")
        if subject.startswith("user:"):
            user_id = subject[5:]
            if _USER_ID.fullmatch(user_id) is None:
                raise ContractError("bad_subject", f"{field}: after user: a user id is expected")
            return user_id
        if subject in _ACCOUNT_WIDE:
            raise ContractError("bad_subject", f"{field}: after the prefix an id is expected")
        namespace = "" if subject.startswith(_ACCOUNT_WIDE) else source
        # The separator cannot stand in an id, so no two triples give the same message.
        message = f"{self._tenant}\x1f{namespace}\x1f{subject}".encode()
        return urlsafe_b64encode(hmac.digest(self._key, message, "sha256")[:16])[:22].decode()


def _without_text(data: dict[str, Any], name: str) -> int:
    """Numbers in the place of a text, which goes no further, of whatever type and length it is."""
    said = data.get(name, "")
    if said == "":
        return 0
    del data[name]
    text = str(said) if type(said) is int or type(said) is float else said
    if type(text) is str:
        data["grams"] = grams(text)
    return int(type(said) is not str)


def _is_reducible(data: Any, rules: dict[str, str]) -> bool:
    for name, rule in rules.items():
        text = getattr(data, name)
        if text and rule not in _THINGS and (rule != "no_query" or "?" in text or "#" in text):
            return True
    return False


class _Person(NamedTuple):
    alias: str
    partition: int
    native: bytes  # what must not stand anywhere else in the event


def _envelope(fields: dict[str, Any]) -> tuple[Envelope, int]:
    version = fields.get("specversion", "1.0")
    if version != "1.0" and type(version) is str:
        raise ContractError("unsupported_version", "$.specversion is not 1.0")
    try:
        return msgspec.convert(fields, Envelope), 0
    except msgspec.ValidationError:
        changed = _time_from_text(fields)
    try:
        envelope, converted = convert_loosely(fields, _ENVELOPE)
    except msgspec.ValidationError as error:
        raise _fault(error, "$", fields) from None
    return envelope, converted + changed


def _time_from_text(fields: dict[str, Any]) -> int:
    """CloudEvents writes `time` as RFC 3339 text; it counts where `time_ms` is absent."""
    text = fields.get("time")
    if fields.get("time_ms") is not None or type(text) is not str:
        return 0
    try:
        moment = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        raise ContractError("bad_time", "$.time is no RFC 3339 time") from None
    if moment.tzinfo is None:
        raise ContractError("bad_time", "$.time has no offset from UTC")
    fields["time_ms"] = (moment - _EPOCH) // timedelta(milliseconds=1)
    return 1


def _fault(
    error: msgspec.ValidationError, where: str, fields: dict[str, Any] | None = None
) -> ContractError:
    """The reason and the field of a failed validation. msgspec's messages never hold values."""
    message, _, path = str(error).partition(" - at ")
    field = where + path.rpartition("`$")[2].rstrip("`")
    if message.startswith("Object missing"):
        return ContractError("missing_field", f"{field}: {message}")
    if ", got `" in message:
        return ContractError("wrong_type", f"{field}: {message}")
    if fields is not None and field in ("$.time_ms", "$.ingest_ms"):
        return ContractError("bad_time", f"{field}: {_unit_hint(fields[field[2:]])}")
    if field == "$.subject" and message.endswith(">= 1"):
        return ContractError("bad_subject", "$.subject is empty")
    return ContractError("out_of_range", f"{field}: {message}")


def _unit_hint(value: object) -> str:
    if isinstance(value, int):
        if MIN_TIME_MS <= value * 1_000 <= MAX_TIME_MS:
            return "seconds were sent, milliseconds are expected"
        if MIN_TIME_MS <= value // 1_000 <= MAX_TIME_MS:
            return "microseconds were sent, milliseconds are expected"
        if MIN_TIME_MS <= value // 1_000_000 <= MAX_TIME_MS:
            return "nanoseconds were sent, milliseconds are expected"
        if MIN_TIME_MS <= value <= MAX_TIME_MS:
            return f"more than {MAX_AHEAD_MS} ms ahead"
    return "outside 2011 to 2100"


def _typed(data: dict[str, Any], shape: Shape) -> tuple[Any, int, int]:
    """The typed data, how many values were converted, how many fields are unknown."""
    converted = 0
    unknown = unknown_fields(data, shape)
    try:
        typed: Any = msgspec.convert(data, shape.structure)
    except msgspec.ValidationError:
        try:
            typed, converted = convert_loosely(data, shape)
        except msgspec.ValidationError as error:
            raise _fault(error, "$.data") from None
    if shape.structure is Attributes:
        unknown += _drop_strange_attributes(typed)
    return typed, converted, unknown


def _refuse_invisible_ids(envelope: Envelope) -> None:
    for name in ("id", "source", "type", "tenant"):
        if has_invisible(getattr(envelope, name)):
            raise ContractError("bad_id", f"$.{name} has control or invisible characters")


def _native(subject: str) -> str:
    """The native id that must not go further; nothing where it is a pseudonym or very short."""
    prefix, _, rest = subject.rpartition(":")
    native = rest if prefix else subject
    return "" if prefix == "user" or len(native) < _SHORTEST_NATIVE_ID else native


def _scrub_envelope(envelope: Envelope, native: str, alias: str) -> int:
    changed = 0
    for name in ("brand", "trust"):
        text = getattr(envelope, name)
        clean, count = scrubbed(text, native, alias)
        setattr(envelope, name, clean)
        changed += count
    if native and native in envelope.id:
        envelope.id = envelope.id.replace(native, alias)
        changed += 1
    return changed


def _drop_strange_attributes(attributes: Attributes) -> int:
    """An attribute's name is lower snake case; others are dropped and counted as unknown."""
    before = len(attributes.attributes)
    attributes.attributes = {
        name: value
        for name, value in attributes.attributes.items()
        if _ATTRIBUTE.fullmatch(name) is not None
    }
    return before - len(attributes.attributes)
