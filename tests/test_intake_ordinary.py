"""The intake's short way for ordinary events gives what its careful way gives, to the byte."""

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streams.contract.codec import encode
from streams.contract.envelope import PASSED_OVER
from streams.contract.events import TYPES
from streams.contract.records import Observed, Origin, Rejected
from streams.contract.shapes import Shape, shape_of
from streams.intake import Intake
from tests.poison.corpus import CORPUS, Poison

AT_MS = 1_763_798_400_000
ORIGIN = Origin("events", 1, 3, 17)
OPENID = b"o9AgO5Kd5ggOC-bXrbNODIiE3bGY"
KEY = b"a key of thirty-two bytes or so!"

Pairs = list[tuple[bytes, bytes]]  # keys may stand twice; values are JSON, or nearly

ENVELOPE: Pairs = [
    (b"id", b'"e1"'),
    (b"source", b'"wx:mp:wx1"'),
    (b"subject", b'"%s"' % OPENID),
    (b"time_ms", b"%d" % AT_MS),
]
SCANNED: Pairs = [*ENVELOPE, (b"type", b'"qr.scanned"')]
SELDOM: Pairs = [
    (b"specversion", b'"1.0"'),
    (b"tenant", b'"default"'),
    (b"brand", '"云上良品"'.encode()),
    (b"trust", b'"signed"'),
    (b"ingest_ms", b"%d" % (AT_MS + 5)),
    (b"backfill", b"true"),
    (b"time", b'"2025-11-22T08:00:00Z"'),
]
ODD = [
    *(b"null", b"true", b"0", b"-0", b"-1", b"1.0", b"0.5", b"-0.0", b"1e0", b"1E400"),
    *(b"01", b"1.", b"18446744073709551615", b"18446744073709551616", b"NaN", b"Infinity", b"5"),
    *(b'""', b'"5"', b'"1.0"', b'"true"', b'" "', b'"a b"', b'"/p?q=1"', b'"/p#f"', b'"default"'),
    *(b'"' + b"x" * size + b'"' for size in (5, 6, 64, 65, 128, 129)),
    *(b'"data"', b'"unionid:"', b'"user:u1"', b'"user:"', b'"2.0"', b'"%s"' % OPENID),
    *(b'"\\ud800"', b'"\\u0000"', b'"\\u0061"', b'"a\\"b"'),
    *(b'"\xff"', b'"\xed\xa0\x80"', b'"\x01"', b"1763798400"),
    *(f'"{text}"'.encode() for text in ("零\u200b宽", "全，角", "🎁", "\u2028", "\x7f", "\u3000")),
    *(b"[]", b"{}", b"[1]", b'["a"]', b'[{"item_id":"a","odd":1}]', b'[{"item_id":"a"}]'),
    *(b'[{"coupon_id":"a"},{"coupon_id":"b","amount_fen":"7"}]', b"[" * 20 + b"]" * 20, b"[}"),
    *(b'{"sex":"female"}', b'{"Sex":"female","sex":"male"}', b'{"sex":"a","sex":"b"}'),
    b"[" * 9_999,
]


def fitting(shape: Shape, name: str) -> bytes:
    if name in shape.texts:
        return b'"wx4"'
    if name in shape.nested:
        return b"[" + written(list(all_fields(shape.nested[name]))) + b"]"
    return {
        "via_qr": b"true",
        "grams": b"[70]",
        "tags": b'["a"]',
        "attributes": b'{"sex":"female"}',
    }.get(name, b"1")


def all_fields(shape: Shape) -> Pairs:
    names = shape.structure.__struct_fields__
    return [(name.encode(), fitting(shape, name)) for name in names]


def written(pairs: Pairs) -> bytes:
    return b"{" + b",".join(b'"%s":%s' % pair for pair in pairs) + b"}"


@st.composite
def disturbed(draw: st.DrawFn, pairs: Pairs) -> Pairs:
    """Some fields gone, some odd, some twice, some strange, in any order."""
    pairs = [pair for pair in pairs if draw(st.integers(0, 19)) != 0]
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 2)))):
        known = [name for name, _ in pairs] or [b"id"]
        name = draw(st.sampled_from([*known, b"odd", *(n.encode() for n in sorted(PASSED_OVER))]))
        pair = (name, draw(st.sampled_from(ODD)))
        if draw(st.booleans()):
            pairs = [pair if old[0] == name else old for old in pairs]
        else:
            pairs.insert(draw(st.integers(0, len(pairs))), pair)
    return pairs


@st.composite
def inputs(draw: st.DrawFn) -> bytes:
    name = draw(st.sampled_from([*TYPES, "odd.type"]))
    fields = all_fields(shape_of(TYPES[name])) if name in TYPES else []
    data = draw(disturbed([pair for pair in fields if draw(st.booleans())] or fields))
    pairs = [*ENVELOPE, (b"type", b'"%s"' % name.encode()), (b"data", written(data))]
    pairs += [pair for pair in SELDOM if draw(st.integers(0, 3)) == 0]
    raw = written(draw(st.permutations(draw(disturbed(pairs)))))
    if draw(st.integers(0, 4)) == 0:
        at, gone = draw(st.integers(0, len(raw))), draw(st.integers(0, 2))
        raw = raw[:at] + draw(st.binary(max_size=2)) + raw[at + gone :]
    return raw


class CarefulIntake(Intake):
    def _ordinary(
        self, raw: bytes | None, origin: Origin, at_ms: int
    ) -> tuple[int, Observed] | None:
        return None


def same_either_way(raw: bytes | None) -> Observed | Rejected:
    options = {"key": KEY, "tenant": "default", "partitions": 4}
    partition, record = Intake(**options).take(raw, ORIGIN, AT_MS)  # type: ignore[arg-type]
    careful = CarefulIntake(**options).take(raw, ORIGIN, AT_MS)  # type: ignore[arg-type]
    assert (partition, record) == careful
    assert encode(record) == encode(careful[1])
    if isinstance(record, Observed) and isinstance(careful[1], Observed):
        assert type(record.data) is type(careful[1].data)
    return record


def takes_the_short_way(raw: bytes) -> bool:
    taken = Intake(key=KEY, tenant="default", partitions=4)._ordinary(raw, ORIGIN, AT_MS)
    return taken is not None


@settings(max_examples=600)
@given(inputs())
@example(written([*SCANNED, (b"data", b"[" * 9_999)]))
@example(written([*SCANNED, (b"data", b'{"\xff":1}'), (b"data", b"{}")]))
def test_an_input_gives_the_same_record_by_the_short_and_the_careful_way(raw: bytes) -> None:
    same_either_way(raw)


@pytest.mark.parametrize("poison", CORPUS, ids=lambda poison: poison.name)
def test_a_poisonous_input_gives_the_same_record_either_way(poison: Poison) -> None:
    same_either_way(poison.make(AT_MS))


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("name", [name for name, _ in [*ENVELOPE, *SELDOM]], ids=bytes.decode)
def test_an_odd_envelope_field_gives_the_same_record_either_way(name: bytes, odd: bytes) -> None:
    rest = [pair for pair in ENVELOPE if pair[0] != name]
    same_either_way(written([(name, odd), *rest, (b"type", b'"qr.scanned"'), (b"data", b"{}")]))


@pytest.mark.parametrize("name", TYPES)
def test_an_odd_field_of_data_gives_the_same_record_either_way(name: str) -> None:
    fields = all_fields(shape_of(TYPES[name]))
    for field, _ in [*fields, (b"odd", b"")]:
        for odd in ODD:
            data = written([*(pair for pair in fields if pair[0] != field), (field, odd)])
            kind = b'"%s"' % name.encode()
            same_either_way(written([*ENVELOPE, (b"type", kind), (b"data", data)]))


@pytest.mark.parametrize("name", ["product.viewed", "order.paid", "payment.succeeded"])
def test_an_ordinary_event_takes_the_short_way(name: str) -> None:
    data = written(all_fields(shape_of(TYPES[name])))
    kind = b'"%s"' % name.encode()
    raw = written([*ENVELOPE, *SELDOM, (b"type", kind), (b"data", data)])
    assert takes_the_short_way(raw)
    record = same_either_way(raw)
    assert isinstance(record, Observed)
    assert msgspec.to_builtins(record.data)
