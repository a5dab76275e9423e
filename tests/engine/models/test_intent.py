"""What people want of customer service is guessed, and learned when the session tells its topic."""

import pytest

from streams.engine.insight import MODELS, Insight
from streams.engine.models.intent import PREFIX, WAITS_S, IntentModel
from streams.engine.models.said_state import Asked
from streams.engine.store import Person
from streams.learning.text.grams import grams
from tests.engine.world import DAY_MS, HOUR_MS, OPEN, World, alias_in, altered

QUIET = altered(OPEN, journeys=())
NEW = "师傅几点上门安装"  # of a topic the list does not have


def model(world: World, partition: int = 0) -> IntentModel:
    insight: Insight = world.folds[partition].engine.insight
    return insight.model(IntentModel)


def person(world: World, alias: str) -> Person:
    found = world.folds[0].engine.store.get(alias)
    assert found is not None
    return found


def say(world: World, alias: str, text: str) -> None:
    world.see(alias, "message.received", {"grams": grams(text)})


def ask(world: World, alias: str, text: str, topic: str) -> None:
    say(world, alias, text)
    world.see(alias, "service.session_started", {"agent": "kf-3"})
    world.wait(HOUR_MS)
    world.see(alias, "service.session_ended", {"topic": topic})


def intent(world: World, alias: str) -> str:
    return model(world).intent(person(world, alias).state, world.now_ms)


def test_the_model_stands_in_the_list() -> None:
    assert IntentModel in MODELS


def test_a_message_is_understood_before_its_topic_is_known() -> None:
    world = World(QUIET)
    say(world, "ann", "你好")
    say(world, "ann", "我的快递到哪了，物流没动")
    assert intent(world, "ann") == "order_status"
    world.wait(25 * HOUR_MS)
    assert intent(world, "ann") == ""


def test_topics_that_come_later_are_learned() -> None:
    world = World(QUIET)
    for number in range(12):
        ask(world, f"p{number}", NEW, "预约安装")
        ask(world, f"q{number}", "我要退款", "退款")
    say(world, "ann", NEW)
    assert intent(world, "ann") == "预约安装"
    assert world.count("model.intent.matured") == 24
    assert world.count("model.intent.accuracy") > 0.6
    assert 0.6 < world.count("model.intent.answered") <= 1.0


def test_a_topic_is_learned_once() -> None:
    world = World(QUIET)
    ask(world, "ann", NEW, "预约安装")
    world.see("ann", "service.session_ended", {"topic": "预约安装"})
    assert world.count("model.intent.examples") == 1


def test_a_message_waits_a_day_at_most_and_then_leaves_the_row() -> None:
    world = World(QUIET)
    say(world, "ann", NEW)
    asked = person(world, "ann").state.asked
    assert asked is not None
    assert 0 < len(asked.grams) <= 96
    world.wait(3 * DAY_MS)
    assert person(world, "ann").state.asked is None
    assert world.count("model.intent.expired") == 1
    world.see("ann", "service.session_ended", {"topic": "预约安装"})
    assert world.count("model.intent.examples") == 0


def test_once_learned_the_grams_leave_the_row() -> None:
    world = World(QUIET)
    ask(world, "ann", NEW, "预约安装")
    asked = person(world, "ann").state.asked
    assert asked is not None
    assert asked.grams == b""


@pytest.mark.parametrize("topic", ["", "  "])
def test_a_session_without_a_topic_teaches_nothing(topic: str) -> None:
    world = World(QUIET)
    ask(world, "ann", NEW, topic)
    assert world.count("model.intent.examples") == 0


def test_a_message_from_after_the_session_or_long_before_is_not_of_it() -> None:
    world = World(QUIET)
    say(world, "ann", NEW)
    started = {"topic": "预约安装"}
    world.see("ann", "service.session_started", started, time_ms=world.now_ms - HOUR_MS)
    assert world.count("model.intent.examples") == 0
    say(world, "bob", NEW)
    world.wait(1_000 * WAITS_S + 1_000)
    world.see("bob", "service.session_started", started)
    assert world.count("model.intent.examples") == 0


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("message.received", {"grams": grams("你好")}),
        ("service.session_ended", {"topic": "退款"}),
    ],
)
def test_what_is_told_of_long_ago_leaves_the_waiting_message_alone(
    kind: str, data: dict[str, object]
) -> None:
    world = World(QUIET)
    say(world, "ann", NEW)
    old_ms = world.now_ms - 30 * DAY_MS
    world.see("ann", kind, data, time_ms=old_ms, backfill=True)
    world.wait(HOUR_MS)
    world.see("ann", "service.session_ended", {"topic": "预约安装"})
    assert world.count("model.intent.examples") == 1


def test_other_partitions_learn_it_too() -> None:
    world = World(altered(QUIET, partitions=2))
    for number in range(8):
        ask(world, alias_in(0, 2, f"p{number}-"), NEW, "预约安装")
    world.wait(HOUR_MS)
    world.see(alias_in(0, 2), "qr.scanned")
    world.deliver()
    theirs = model(world, 1)
    assert theirs.metrics()["examples"] == 8


def test_rows_stay_below_16_kilobytes_and_bring_back_the_model() -> None:
    world = World(altered(QUIET, partitions=2))
    alias = alias_in(0, 2)
    for number in range(40):
        said = NEW + "".join(chr(0x4E00 + 9 * number + i) for i in range(60))
        say(world, alias, said)
        world.see(alias, "service.session_ended", {"topic": "题" * 40 + str(number % 30)})
    rows = {key: row for key, row in world.rows()[0].items() if key.startswith(PREFIX)}
    assert max(map(len, rows.values())) <= 16_384
    ours = model(world)
    copy = IntentModel(ours.around)
    for key, row in rows.items():
        copy.load_row(key, row)
    assert copy.metrics() == ours.metrics()
    assert copy.share() == ours.share()


def test_a_row_nobody_knows_is_refused() -> None:
    for key in (PREFIX + b"other", b"m:other/x"):
        with pytest.raises(ValueError, match="no row"):
            model(World(QUIET)).load_row(key, b"")


def test_of_two_people_who_are_one_the_later_message_counts() -> None:
    world = World(QUIET)
    say(world, "ann", "我要退款")
    world.wait(HOUR_MS)
    say(world, "bob", "我的快递到哪了")
    world.see("ann", "identity.linked", {"other": "bob"})
    asked = person(world, "ann").state.asked or person(world, "bob").state.asked
    assert isinstance(asked, Asked)
    assert asked.guess == "order_status"
