"""The 用户画像: what events make of it, when it is published, and what others may read in it."""

import pytest

from streams.contract.profiles import Profile
from streams.engine.chance import fraction, identifier, key_of
from streams.engine.profile.hours import add_counts, best_hours, count_hour, offset_ms
from streams.engine.profile.tags import FULL, MOST, count_tag
from streams.engine.state import UserState
from tests.engine.world import DAY_MS, HOUR_MS, MINUTE_MS, NOON_MS, World


def published(world: World, user_id: str = "ann") -> Profile:
    """The profile as of now: a change of attributes makes the engine publish."""
    world.see(user_id, "user.attributes_given", {"attributes": {"sex": "f"}})
    profile = world.profile(user_id)
    assert profile is not None
    return profile


def test_the_first_event_publishes_a_profile() -> None:
    world = World()
    world.see("ann", "page.viewed")
    assert world.profile("ann") is not None


def test_an_ordinary_event_publishes_nothing_until_the_daily_check() -> None:
    world = World()
    world.see("ann", "page.viewed")
    before = len(world.outputs)
    world.see("ann", "page.viewed")
    assert len(world.outputs) == before
    world.wait(DAY_MS)
    profile = world.profile("ann")
    assert profile is not None
    assert profile.events == 2


def test_nothing_new_is_not_published_again() -> None:
    world = World()
    world.see("ann", "page.viewed")
    world.wait(40 * DAY_MS)
    stages = [o for o in world.outputs if o.topic == "profiles"]
    assert len(stages) < 12


def test_money_counts_once_whether_order_or_payment_tells_of_it_first() -> None:
    for first, second in (
        ("order.paid", "payment.succeeded"),
        ("payment.succeeded", "order.paid"),
    ):
        world = World()
        data = {"order_id": "7", "amount_fen": 900, "transaction_id": "t", "total_fen": 900}
        world.see("ann", first, data)
        world.see("ann", second, data)
        profile = published(world)
        assert (profile.orders, profile.spend_fen) == (1, 900)


def test_a_refund_takes_back_at_most_what_was_spent() -> None:
    world = World()
    world.see("ann", "order.paid", {"order_id": "7", "amount_fen": 900})
    world.see("ann", "order.refunded", {"order_id": "7", "amount_fen": 2_000})
    assert published(world).spend_fen == 0


def test_an_order_that_was_only_made_is_no_money() -> None:
    world = World()
    world.see("ann", "order.created", {"order_id": "7", "amount_fen": 900})
    assert published(world).spend_fen == 0


def test_ordered_items_are_signs_of_interest() -> None:
    world = World()
    items = [{"item_id": "1", "category": "tea"}, {"item_id": "2", "category": "cups"}]
    world.see("ann", "order.paid", {"order_id": "7", "items": items})
    assert {interest.category for interest in published(world).interests} == {"tea", "cups"}


def test_what_the_person_refused_is_no_interest() -> None:
    world = World()
    for _ in range(5):
        world.see("ann", "product.viewed", {"item_id": "1", "category": "tea"})
    assert published(world).interests[0].category == "tea"
    world.see("ann", "feedback.not_interested", {"item_id": "1"})
    assert published(world).interests == []


def test_an_attribute_of_a_later_time_wins() -> None:
    world = World()
    for city, ago_ms in (("Hangzhou", 0), ("Suzhou", MINUTE_MS)):
        data = {"attributes": {"city": city}, "provenance": "form"}
        world.see("ann", "user.attributes_given", data, time_ms=world.now_ms - ago_ms)
    assert published(world).attributes["city"] == "Hangzhou"


@pytest.mark.parametrize(("lifecycle", "silent_days"), [("new", 0), ("at_risk", 9), ("lost", 30)])
def test_the_stage_follows_from_silence(lifecycle: str, silent_days: int) -> None:
    world = World()
    world.see("ann", "page.viewed")
    world.wait(silent_days * DAY_MS)
    profile = world.profile("ann")
    assert profile is not None
    if silent_days:
        assert profile.lifecycle == lifecycle
    else:
        assert profile.lifecycle in ("new", "at_risk")


def test_three_orders_make_a_loyal_person_and_unfollowing_ends_it() -> None:
    world = World()
    for number in range(3):
        world.see("ann", "order.paid", {"order_id": f"{number}", "amount_fen": 900})
    assert published(world).lifecycle == "loyal"
    world.wait(MINUTE_MS)
    world.see("ann", "user.unfollowed")
    profile = world.profile("ann")
    assert profile is not None
    assert profile.lifecycle == "unfollowed"
    assert not profile.followed


def test_channels_and_hours_are_those_of_the_persons_own_day() -> None:
    world = World()
    world.see("ann", "user.attributes_given", {"attributes": {"zone": "America/New_York"}})
    for _ in range(3):
        world.see("ann", "product.viewed", {"item_id": "1"})
    world.see("ann", "article.read", {"article_id": "1"})
    profile = published(world)
    assert profile.active_hours == [0]
    assert [channel.category for channel in profile.channels] == [
        "mini_programme",
        "official_account",
    ]
    assert profile.channels[0].score == 0.75


def test_answers_to_a_message_are_counted_for_its_journey() -> None:
    world = World()
    world.see("ann", "user.followed")
    world.see("ann", "cart.added", {"item_id": "pot"})
    world.wait(HOUR_MS)
    (trigger,) = world.triggers
    world.see("ann", "push.opened", {"trigger_id": trigger.trigger_id})
    world.see("ann", "push.clicked", {"trigger_id": trigger.trigger_id})
    world.see("ann", "push.opened", {"trigger_id": "not ours"})
    assert world.count("response.cart_rescue.push.opened") == 1
    assert world.count("response.cart_rescue.push.clicked") == 1


def test_counts_of_hours_halve_when_full_and_add_up_in_a_merge() -> None:
    hours = UserState(first_seen_ms=0).hours
    for _ in range(300):
        count_hour(hours, "Asia/Shanghai", NOON_MS)
    assert 100 < hours[12] < 256
    add_counts(hours, bytearray(hours))
    assert best_hours(hours) == [12]
    assert hours[12] < 256


def test_an_offset_follows_summer_time() -> None:
    summer_ms, winter_ms = 1_783_000_000_000, 1_768_000_000_000
    assert offset_ms("Europe/London", summer_ms) == HOUR_MS
    assert offset_ms("Europe/London", winter_ms) == 0


def test_the_memory_of_tags_is_bounded_and_keeps_the_frequent() -> None:
    tags: dict[str, int] = {}
    for number in range(1_000):
        count_tag(tags, "tea")
        count_tag(tags, f"t{number % 50}")
    assert len(tags) == MOST
    assert max(tags.values()) < FULL
    assert "tea" in tags


def test_chance_is_uniform_and_depends_on_every_word() -> None:
    seed = key_of("seed")
    draws = [fraction(seed, "a", str(number)) for number in range(2_000)]
    assert min(draws) >= 0.0
    assert max(draws) < 1.0
    assert abs(sum(draws) / 2_000 - 0.5) < 0.02
    assert identifier(seed, "a", "bc") != identifier(seed, "ab", "c")
    assert identifier(seed, "a") != identifier(key_of("other"), "a")
    assert len(key_of("s" * 100)) == 64
