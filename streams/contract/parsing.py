"""Bytes to a JSON object, or why they are none: size, encoding, depth, form."""

import re
from typing import Any, Final

import orjson

from streams.contract.bounds import MAX_DEPTH, MAX_RAW_BYTES
from streams.contract.codec import ContractError

_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NO_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
_ONE_KIND: Final = bytes.maketrans(b"{}", b"[]")


def parsed(raw: bytes | None) -> dict[str, Any]:
    """The fields of an event as received. Raises ContractError."""
    if not raw:
        raise ContractError("empty", "the record has no value")
    if len(raw) > MAX_RAW_BYTES:
        raise ContractError("too_large", f"the value has more than {MAX_RAW_BYTES} bytes")
    try:
        fields = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _unreadable(raw, error.pos) from None
    if type(fields) is not dict:
        raise ContractError("not_an_object", "$ is JSON but no object")
    if is_too_deep(raw):
        raise ContractError("too_deep", f"$ is nested deeper than {MAX_DEPTH} levels")
    return fields


def is_too_deep(raw: bytes) -> bool:
    """Whether JSON is nested deeper than MAX_DEPTH levels."""
    # Few brackets cannot be nested deeply; only an input with many is walked.
    return raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _depth(raw) > MAX_DEPTH


def _unreadable(raw: bytes, position: int) -> ContractError:
    if raw.startswith(b"\x1f\x8b"):
        return ContractError("not_utf8", "the value is compressed; let the Kafka client compress")
    if raw.startswith(b"\xef\xbb\xbf"):
        return ContractError("not_utf8", "the value begins with a byte order mark")
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return ContractError("not_utf8", f"byte {error.start} begins no UTF-8 character")
    if _depth(raw) > MAX_DEPTH:
        return ContractError("too_deep", f"$ is nested deeper than {MAX_DEPTH} levels")
    if not raw.strip():
        return ContractError("empty", "the value is blank")
    return ContractError("not_json", f"no JSON at character {position}")


def _depth(raw: bytes) -> int:
    """How deep the brackets are nested, up to one more than allowed.

    Strings go, then one pass after the other removes the innermost pairs, all in C: an input of
    nothing but brackets must not hold up its neighbours.
    """
    brackets = _STRING.sub(b"", raw).translate(_ONE_KIND, _NO_BRACKETS)
    brackets += b"]" * (brackets.count(b"[") - brackets.count(b"]"))
    depth = 0
    while b"[]" in brackets and depth <= MAX_DEPTH:
        brackets = brackets.replace(b"[]", b"")
        depth += 1
    return depth
