"""The intake as producers, the log and the person's privacy meet it."""

import string

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.bounds import MAX_AHEAD_MS
from streams.contract.events import TYPES, Item
from streams.contract.records import Observed, Origin, Rejected
from streams.intake import Intake, partition_of

AT_MS = 1_763_798_400_000
ORIGIN = Origin("events", 1, 3, 17)
KEY = b"a key of thirty-two bytes or so!"
OPENID = "o9AgO5Kd5ggOC-bXrbNODIiE3bGY"


def intake(**changes: object) -> Intake:
    options = {"key": KEY, "tenant": "default", "partitions": 4} | changes
    return Intake(**options)  # type: ignore[arg-type]


def event(**changes: object) -> bytes:
    return orjson.dumps(
        {
            "id": "e1",
            "source": "wx:mp:wx1",
            "type": "product.viewed",
            "subject": OPENID,
            "time_ms": AT_MS,
            "data": {"item_id": "sku-1", "category": "dress", "price_fen": 19_900},
        }
        | changes
    )


def observed(raw: bytes, at_ms: int = AT_MS) -> Observed:
    _, record = intake().take(raw, ORIGIN, at_ms)
    assert isinstance(record, Observed), record
    return record


def reason(raw: bytes | None, at_ms: int = AT_MS) -> str:
    _, record = intake().take(raw, ORIGIN, at_ms)
    assert isinstance(record, Rejected), record
    return record.reason


def test_an_event_becomes_a_typed_pseudonymous_stamped_record() -> None:
    expected = Observed(
        at_ms=AT_MS,
        origin=ORIGIN,
        id="e1",
        source="wx:mp:wx1",
        type="product.viewed",
        alias=intake().alias_of(OPENID, "wx:mp:wx1"),
        time_ms=AT_MS,
        data=Item(item_id="sku-1", category="dress", price_fen=19_900),
    )
    assert observed(event()) == expected


def test_the_log_partition_is_where_the_person_lives() -> None:
    partition, record = intake().take(event(), ORIGIN, AT_MS)
    assert isinstance(record, Observed)
    assert partition == partition_of(record.alias, 4)


def test_the_same_input_gives_the_same_record_in_any_instance() -> None:
    busy = intake()
    for person in range(100):
        busy.take(event(subject=f"o{person}"), ORIGIN, AT_MS)
    assert busy.take(event(), ORIGIN, AT_MS) == intake().take(event(), ORIGIN, AT_MS)


def test_aliases_stay_right_when_the_cache_has_turned_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.intake._ALIASES_KEPT", 4)
    small = intake()
    for _ in range(2):
        for person in range(50):
            alias = intake().alias_of(f"o{person}", "wx:mp:wx1")
            assert small.alias_of(f"o{person}", "wx:mp:wx1") == alias


def test_an_alias_is_22_characters_of_base64url() -> None:
    alias = intake().alias_of(OPENID, "wx:mp:wx1")
    assert len(alias) == 22
    assert set(alias) <= set(string.ascii_letters + string.digits + "-_")


def test_an_alias_is_the_published_computation() -> None:
    """Pinned: another value would make every person a new one."""
    assert intake().alias_of(OPENID, "wx:mp:wx1") == "xeIk4Z4Lve6tl8wzTTVyPg"


def test_an_alias_depends_on_key_tenant_app_and_id() -> None:
    aliases = [
        intake().alias_of(OPENID, "wx:mp:wx1"),
        intake().alias_of(OPENID + "x", "wx:mp:wx1"),
        intake().alias_of(OPENID, "wx:mp:wx2"),
        intake(tenant="other").alias_of(OPENID, "wx:mp:wx1"),
        intake(key=b"another key of enough bytes").alias_of(OPENID, "wx:mp:wx1"),
    ]
    assert len(set(aliases)) == 5


@pytest.mark.parametrize("prefix", ["unionid:", "external_userid:"])
def test_an_account_wide_id_is_one_person_over_all_apps(prefix: str) -> None:
    one = intake().alias_of(prefix + OPENID, "wx:mp:wx1")
    assert one == intake().alias_of(prefix + OPENID, "wecom:ww1")


def test_a_push_result_finds_the_person_by_the_triggers_user_id() -> None:
    alias = intake().alias_of(OPENID, "wx:mp:wx1")
    result = observed(
        event(
            type="push.clicked",
            source="push:oa",
            subject=f"user:{alias}.2",
            data={"trigger_id": "t1"},
        )
    )
    assert result.alias == f"{alias}.2"
    assert partition_of(result.alias, 4) == partition_of(alias, 4)


def test_an_identity_link_names_the_other_by_alias() -> None:
    linked = observed(event(type="identity.linked", data={"other": f"unionid:{OPENID}"}))
    assert linked.data.other == intake().alias_of(f"unionid:{OPENID}", "")


def test_an_identity_link_may_name_another_app() -> None:
    data = {"other": "o-in-another-app", "other_source": "wx:oa:wx2", "method": "code2session"}
    linked = observed(event(type="identity.linked", data=data))
    assert linked.data.other == intake().alias_of("o-in-another-app", "wx:oa:wx2")
    assert linked.data.other_source == ""


def test_a_link_of_a_person_with_himself_stays_one() -> None:
    linked = observed(event(type="identity.linked", data={"other": OPENID}))
    assert linked.data.other == linked.alias


def test_who_invited_is_an_alias_too() -> None:
    joined = observed(event(type="group.member_joined", data={"invited_by": "o-of-a-friend"}))
    assert joined.data.invited_by == intake().alias_of("o-of-a-friend", "wx:mp:wx1")


@pytest.mark.parametrize(
    "changes",
    [
        {"id": f"{OPENID}-17"},
        {"brand": OPENID},
        {"data": {"item_id": "a", "exposure_id": f"x:{OPENID}"}},
        {"data": {"item_id": "a", "tags": [OPENID]}},
        {"subject": f"unionid:{OPENID}", "id": f"{OPENID}-17"},
        {
            "type": "order.paid",
            "data": {"order_id": "o", "items": [{"item_id": OPENID}]},
        },
    ],
)
def test_the_native_id_is_replaced_wherever_it_stands(changes: dict[str, object]) -> None:
    record = observed(event(**changes))
    assert OPENID not in repr(record)
    assert record.alias in repr((record.id, record.brand, record.data))
    assert record.converted == 1


def test_a_url_loses_its_query_and_a_geohash_its_precision() -> None:
    url = "https://shop.example/p?token=secret#top"
    assert observed(event(type="menu.clicked", data={"url_no_query": url})).data.url_no_query == (
        "https://shop.example/p"
    )
    assert (
        observed(event(type="page.viewed", data={"page": "p/item?phone=1"})).data.page == "p/item"
    )
    located = observed(event(type="location.reported", data={"geohash": "wx4g0bm6c408"}))
    assert located.data.geohash == "wx4g0"
    assert located.converted == 1


def test_unknown_fields_of_envelope_data_and_lines_are_dropped_and_counted() -> None:
    data = {"order_id": "o", "colour": 1, "items": [{"item_id": "a", "x": 1}, {"item_id": "b"}]}
    record = observed(event(type="order.paid", data=data, shop="s", datacontenttype="a/json"))
    assert record.unknown == 3
    assert [line.item_id for line in record.data.items] == ["a", "b"]


def test_an_unknown_type_is_accepted_without_its_data() -> None:
    record = observed(event(type="galaxy.visited", data={"planet": OPENID}))
    assert (record.type, record.data) == ("galaxy.visited", {})


def test_clear_values_of_another_type_are_converted_and_counted() -> None:
    data = {"item_id": 17, "price_fen": "19900", "dwell_ms": 5.0, "category": None}
    record = observed(event(time_ms=str(AT_MS), data=data))
    assert record.data == Item(item_id="17", price_fen=19_900, dwell_ms=5)
    assert record.time_ms == AT_MS
    assert record.converted == 5


def test_values_in_order_lines_are_converted_and_counted() -> None:
    data = {"order_id": "o", "items": [{"item_id": 1, "quantity": "2", "category": None}]}
    record = observed(event(type="order.paid", data=data))
    assert (record.data.items[0].item_id, record.data.items[0].quantity) == ("1", 2)
    assert record.converted == 3


def test_cloudevents_time_counts_where_time_ms_is_absent() -> None:
    record = observed(event(time_ms=None, time="2025-11-22T16:00:00.123+08:00"))
    assert record.time_ms == 1_763_798_400_123
    assert record.converted == 1


@given(st.datetimes(), st.integers(-23 * 60, 23 * 60))
def test_any_rfc_3339_time_is_taken_or_refused_but_never_breaks(
    moment: object, offset: int
) -> None:
    sign = "-" if offset < 0 else "+"
    text = f"{moment:%Y-%m-%dT%H:%M:%S}{sign}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
    _, record = intake().take(event(time_ms=None, time=text.rjust(25, "0")), ORIGIN, AT_MS)
    assert isinstance(record, Observed) or record.reason in ("bad_time", "time_in_future")


def test_the_clock_may_be_five_minutes_ahead_and_no_more() -> None:
    assert observed(event(time_ms=AT_MS + MAX_AHEAD_MS)).time_ms == AT_MS + MAX_AHEAD_MS
    assert reason(event(time_ms=AT_MS + MAX_AHEAD_MS + 1)) == "time_in_future"


def test_old_events_are_taken_in_for_the_fold_judges_lateness() -> None:
    assert observed(event(time_ms=AT_MS - 400 * 86_400_000)).time_ms < AT_MS


def test_invisible_characters_are_removed_from_text_and_counted() -> None:
    record = observed(event(data={"item_id": "a", "category": "连\u200b衣\u202e裙\n新"}))
    assert record.data.category == "连衣裙 新"
    assert record.converted == 1


def test_a_strange_attribute_name_is_dropped_and_counted() -> None:
    attributes = {"sex": "f", "__proto__": "x", "Age Band": "30"}
    record = observed(event(type="user.attributes_given", data={"attributes": attributes}))
    assert record.data.attributes == {"sex": "f"}
    assert record.unknown == 2


def test_backfill_is_kept_for_the_fold_to_see() -> None:
    assert observed(event(backfill=True)).backfill is True


def test_a_broken_batch_is_a_rejected_record_of_its_first_offset() -> None:
    partition, record = intake().rejected_batch(Origin("events", 1, 6, 40), AT_MS, "bad lz4")
    assert partition == 2
    assert (record.reason, record.detail, record.origin.offset) == ("broken_batch", "bad lz4", 40)


def test_a_short_key_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match="give a random one of 32"):
        intake(key=b"short")


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_can_be_sent_with_nothing_but_what_it_needs(kind: str) -> None:
    needed = {"item_id": "a", "article_id": "a", "stars": 5, "ad_id": "a", "order_id": "o"}
    needed |= {"transaction_id": "t", "coupon_id": "c", "trigger_id": "t", "form_id": "f"}
    needed |= {"other": "unionid:u"}
    fields = TYPES[kind].__struct_fields__
    record = observed(event(type=kind, data={n: v for n, v in needed.items() if n in fields}))
    assert type(record.data) is TYPES[kind]
