"""Who is suspected of abuse, why, in which partitions, and how it ends."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contract.codec import decode
from streams.contract.insights import Alert
from streams.contract.partitioning import partition_of
from streams.contract.records import Mail
from streams.contract.topics import INSIGHTS, MAIL
from streams.engine import insight
from streams.engine.config import Config
from streams.engine.models.abuse import AbuseModel, Suspected
from streams.engine.state import encode_user
from tests.engine.journeys import journey
from tests.engine.test_determinism import folded
from tests.engine.world import DAY_MS, HOUR_MS, MINUTE_MS, OPEN, World, altered

COUPON = """
id = "readers_coupon"
version = 1
title = "Coupon for readers"
status = "live"
priority = 5
reason = "READ"
[entry]
on = "article.read"
reentry = { cooldown = "1m" }
[[step]]
id = "offer"
send = { coupon = "WINBACK10" }
expire = "2d"
"""
REMINDER = (
    COUPON.replace("readers_coupon", "readers_note")
    .replace("article.read", "menu.clicked")
    .replace('coupon = "WINBACK10"', 'template = "cart_remind_v1"')
)


@pytest.fixture(autouse=True, scope="module")
def alone() -> Iterator[None]:
    """The other models have tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(insight, "MODELS", (AbuseModel,))
        patch.setattr(insight.Insight, "complete", lambda *_: None)
        yield


def quiet(partitions: int) -> Config:
    return altered(OPEN, partitions=partitions, journeys=(journey(COUPON), journey(REMINDER)))


def suspected(world: World, who: str) -> Suspected:
    engine = world.folds[partition_of(who, world.config.partitions)].engine
    person = engine.store.get(who)
    assert person is not None
    return engine.insight.model(AbuseModel).suspected(person, world.now_ms)


def reasons(world: World, people: Sequence[str]) -> dict[str, tuple[str, ...]]:
    return {who: suspected(world, who).reasons for who in people}


def letters(world: World) -> int:
    mail = [decode(one.value, Mail) for one in world.outputs if one.topic == MAIL and one.value]
    return sum(one.kind == "model" and one.body.get("model") == "abuse" for one in mail)


def alerts(world: World) -> list[Alert]:
    told = [one.value for one in world.outputs if one.topic == INSIGHTS and one.value]
    return [decode(raw, Alert) for raw in told if b'"abuse_ring"' in raw]


def claim(world: World, who: str, coupon: object, device: str = "", views: int = 0) -> None:
    for number in range(views):
        world.see(who, "product.viewed", {"item_id": f"i{number}", "category": "tea"})
        world.wait(40_000 + 7_000 * (number % 5))
    data = {"coupon_id": f"{coupon}-{who}", "device": device}
    world.see(who, "coupon.claimed", data)
    world.deliver()


def names(count: int, what: str = "person") -> list[str]:
    return [f"{what}{number}" for number in range(count)]


def offer(world: World, who: str, kind: str = "article.read") -> str:
    """What became of the step that sends, once it was due."""
    world.see(who, kind, {"article_id": "a", "key": "k"})
    return next(one.outcome for one in reversed(world.decisions) if one.step == "offer")


def ring(world: World, size: int = 6, coupons: int = 3, device: str = "phone") -> list[str]:
    people = names(size, "ring")
    for coupon in range(coupons):
        for who in people:
            claim(world, who, coupon, device)
            world.wait(7 * MINUTE_MS)
    return people


@pytest.mark.parametrize("partitions", [1, 4])
def test_accounts_on_one_device_that_live_on_coupons_are_a_ring(partitions: int) -> None:
    world = World(quiet(partitions))
    people = ring(world)
    assert set(reasons(world, people).values()) == {("ring_device",)}
    (alert,) = alerts(world)
    assert alert.name == "device:phone"
    assert alert.level >= alert.reference


@pytest.mark.parametrize("size", [2, 3, 4])
def test_a_household_on_one_tablet_is_no_ring(size: int) -> None:
    world = World(quiet(4))
    assert set(reasons(world, ring(world, size)).values()) == {()}
    assert alerts(world) == []


def test_thirty_honest_people_at_one_address_are_no_ring() -> None:
    world = World(quiet(4))
    people = names(30, "dorm")
    for number, who in enumerate(people):
        claim(world, who, number, f"phone of {who}", views=12)
        order = {"order_id": f"o{number}", "amount_fen": 900, "address": "dormitory"}
        world.see(who, "order.created", order)
        world.see(who, "order.paid", order)
    world.deliver()
    assert set(reasons(world, people).values()) == {()}


def test_an_honest_person_at_the_address_of_a_ring_is_not_hit() -> None:
    world = World(quiet(4))
    shared = {"order_id": "o", "amount_fen": 900, "address": "here"}
    people = names(6, "ring")
    for coupon in range(3):
        for who in people:
            claim(world, who, coupon, f"phone of {who}")
            world.see(who, "order.paid", {**shared, "order_id": f"{who}{coupon}", "coupon_id": "c"})
            world.wait(9 * MINUTE_MS)
    claim(world, "neighbour", 1, "a phone", views=15)
    world.see("neighbour", "order.paid", {**shared, "order_id": "mine"})
    world.deliver()
    assert set(reasons(world, people).values()) == {("ring_address",)}
    assert suspected(world, "neighbour").reasons == ()


def test_people_a_shop_s_tablet_signed_up_are_no_ring() -> None:
    world = World(quiet(4))
    people = names(20, "guest")
    for who in people:
        world.see(who, "user.followed", {"via_qr": True, "device": "tablet"})
        claim(world, who, "welcome", "tablet")
        world.wait(4 * MINUTE_MS)
    for who in people[:8]:
        claim(world, who, "second", f"phone of {who}", views=2)
    assert set(reasons(world, people).values()) == {()}


def test_invited_accounts_that_claim_and_stay_away_give_their_inviter_away() -> None:
    world = World(quiet(4))
    people = names(12, "invited")
    world.see("host", "product.viewed", {"item_id": "i", "category": "tea"})
    for who in people:
        world.see(who, "user.followed", {"invited_by": "host", "device": f"phone of {who}"})
        claim(world, who, "welcome", f"phone of {who}")
        world.wait(6 * HOUR_MS)
    world.deliver()
    assert set(reasons(world, [*people, "host"]).values()) == {("invite_farm",)}
    assert "host" not in alerts(world)[0].name, "who invited is a person"


def test_many_coupons_within_a_minute_are_a_reason_by_themselves() -> None:
    world = World(quiet(4))
    for coupon in range(7):
        claim(world, "bot", coupon)
        world.wait(4_000)
    found = suspected(world, "bot")
    assert found.reasons == ("coupon_velocity",)
    assert found.probability > 0.5


def test_a_steady_beat_is_a_reason_once_coupons_are_taken() -> None:
    world = World(quiet(4))
    for number in range(40):
        world.see("bot", "product.viewed", {"item_id": f"i{number}", "category": "tea"})
        world.wait(5_000)
    assert suspected(world, "bot").reasons == ()
    claim(world, "bot", 1)
    assert suspected(world, "bot").reasons == ("machine_rhythm",)


def test_refunding_what_coupons_bought_is_a_reason() -> None:
    world = World(quiet(4))
    for number in range(5):
        order = {"order_id": f"o{number}", "amount_fen": 900, "coupon_id": "c"}
        claim(world, "buyer", number, views=3)
        world.see("buyer", "order.paid", order)
        world.see("buyer", "coupon.used", {"coupon_id": "c"})
        world.see("buyer", "order.refunded", order)
        world.wait(DAY_MS)
    assert suspected(world, "buyer").reasons == ("refund_abuse",)


def test_an_honest_heavy_buyer_is_not_hit() -> None:
    world = World(quiet(4))
    for number in range(60):
        claim(world, "buyer", number, "phone", views=3)
        if number % 2:
            order = {"order_id": f"o{number}", "amount_fen": 90_000, "address": "home"}
            world.see("buyer", "order.paid", order)
        world.wait(20 * MINUTE_MS)
    assert suspected(world, "buyer").reasons == ()


def test_the_explanation_adds_up_to_the_chance() -> None:
    world = World(quiet(4))
    found = suspected(world, ring(world)[0])
    assert found.why[0].feature == "ring_device"
    assert sum(part.contribution for part in found.why) > 0.0


def test_a_suspected_person_gets_no_coupon_and_everything_else() -> None:
    world = World(quiet(4))
    who = ring(world)[0]
    assert offer(world, who) == "ABUSE_SUSPECTED"
    assert world.decisions[-2].seen == {"suspected.ring_device": 1.0}
    assert offer(world, who, "menu.clicked") == "SENT"
    assert offer(world, "somebody") == "SENT"


def test_who_appeals_and_is_cleared_gets_coupons_again_and_stays_exempt() -> None:
    world = World(quiet(4))
    who = ring(world)[0]
    world.see(who, "abuse.cleared", {"by": "staff-1", "exempt_days": 10})
    world.deliver()
    assert suspected(world, who).reasons == ()
    assert offer(world, who) == "SENT"
    world.wait(9 * DAY_MS)
    claim(world, who, "again", "phone")
    assert suspected(world, who).reasons == ()
    world.wait(2 * DAY_MS)
    assert suspected(world, who).reasons == ("ring_device",)


def test_what_staff_confirmed_marks_a_person_nothing_was_known_of() -> None:
    world = World(quiet(4))
    world.see("ann", "abuse.confirmed", {"reason": "invite_farm"})
    assert suspected(world, "ann").reasons == ("invite_farm",)
    world.wait(31 * DAY_MS)
    assert suspected(world, "ann").reasons == ()


def test_labels_teach_every_partition() -> None:
    world = World(quiet(4))
    people = ring(world, 12)
    before = suspected(world, people[0]).probability
    for who in people[1:]:
        world.see(who, "abuse.cleared", {})
    world.deliver()
    assert suspected(world, people[0]).probability < before
    models = [fold.engine.insight.model(AbuseModel) for fold in world.folds]
    logits = [model._suspicion.logit([1.0] * 8) for model in models]
    assert logits == pytest.approx([logits[0]] * 4, rel=1e-3), "but for the order of arrival"


def test_a_mark_ends_after_thirty_days() -> None:
    world = World(quiet(4))
    people = ring(world)
    world.wait(31 * DAY_MS)
    assert set(reasons(world, people).values()) == {()}


def test_only_the_first_sight_and_news_cost_mail() -> None:
    world = World(quiet(4))
    for coupon in range(20):
        claim(world, "ann", coupon, "phone", views=12)
        world.wait(HOUR_MS)
    first = letters(world)
    assert first <= 1
    world.wait(16 * DAY_MS)
    claim(world, "ann", "later", "phone", views=12)
    assert letters(world) <= 2 * first


def test_backfill_makes_nobody_suspected() -> None:
    world = World(quiet(4))
    for coupon in range(9):
        world.see("ann", "coupon.claimed", {"coupon_id": f"c{coupon}"}, backfill=True)
    assert suspected(world, "ann").reasons == ()


def test_who_did_nothing_for_days_keeps_no_bytes() -> None:
    world = World(quiet(1))
    world.see("ann", "product.viewed", {"item_id": "i", "category": "tea"})
    person = world.folds[0].engine.store.get("ann")
    assert person is not None
    assert person.state.abuse is not None
    busy = len(encode_user(person.state, 0))
    world.wait(4 * DAY_MS)
    assert person.state.abuse is None
    assert busy - len(encode_user(person.state, 0)) < 60


def test_an_erased_person_leaves_no_id_in_any_row() -> None:
    world = World(quiet(4))
    who = ring(world)[0]
    world.see(who, "user.erasure_requested")
    world.deliver()
    rows = {key: row for part in world.rows() for key, row in part.items() if key[:2] == b"m:"}
    assert not [key for key, row in rows.items() if who.encode() in row]


@pytest.mark.parametrize("partitions", [2, 4])
def test_as_many_partitions_as_one_likes_suspect_the_same_people(partitions: int) -> None:
    found = []
    for count in (1, partitions):
        world = World(quiet(count))
        people = [*ring(world, 7), *ring(world, 3, device="tablet")]
        for number in range(9):
            claim(world, "bot", number)
            world.wait(3_000)
        found.append(reasons(world, [*people, "bot"]))
    assert found[0] == found[1]


steps = st.lists(
    st.tuples(
        st.sampled_from(("ann", "bob", "cyd", "dan", "eve", "fay", "gus")),
        st.sampled_from(
            (
                *("coupon.claimed", "coupon.claimed", "order.paid", "user.followed"),
                *("product.viewed", "abuse.cleared", "abuse.confirmed", "identity.linked"),
                "user.erasure_requested",
            )
        ),
        st.integers(0, 2),
        st.sampled_from((0, 0, 1, 5, 600, 2_880)),
    ),
    max_size=40,
)


@given(history=steps, batch=st.sampled_from((1, 3, 50)))
@settings(max_examples=12, deadline=None)
def test_batches_cache_and_restarts_change_no_byte(
    history: list[tuple[str, str, int, int]], batch: int
) -> None:
    world = World(quiet(2))
    for number, (who, kind, variant, minutes) in enumerate(history):
        data = {"coupon_id": f"c{number}", "item_id": "i", "order_id": f"o{number}"}
        data |= {"device": f"device{variant // 2}", "address": "here", "invited_by": "gus"}
        world.see(who, kind, {**data, "other": "bob"})
        if variant:
            world.deliver(3)
        world.wait(minutes * MINUTE_MS)
    world.deliver()
    for partition, log in enumerate(world.logs):
        expected = folded(log, partition, len(log), 1_000)
        assert folded(log, partition, batch, 2) == expected
        assert all(len(row) <= 16_384 for row in expected[1].values())


@pytest.mark.parametrize("verdict", ["abuse.confirmed", "abuse.cleared"])
def test_a_verdict_of_long_ago_holds_no_more(verdict: str) -> None:
    world = World(quiet(1))
    old_ms = world.now_ms - 200 * DAY_MS
    world.see("bot", verdict, {"reason": "event_velocity"}, time_ms=old_ms, backfill=True)
    assert suspected(world, "bot").reasons == ()
    for number in range(9):
        claim(world, "bot", number)
        world.wait(3_000)
    assert suspected(world, "bot").reasons == ("coupon_velocity",)


def test_a_newer_or_unknown_row_is_refused() -> None:
    world = World(quiet(1))
    model = world.folds[0].engine.insight.model(AbuseModel)
    with pytest.raises(ValueError, match="no row"):
        model.load_row(b"m:abuse/other", b"")


def test_metrics_tell_whom_the_rules_marked() -> None:
    world = World(quiet(4))
    ring(world)
    assert world.count("model.abuse.marked.ring_device") >= 1
    assert world.count("model.abuse.groups") == 1
