"""Every input record ends in exactly one fate, and the sums are exact."""

from streams.engine.outcome import FATES
from tests.engine.world import DAY_MS, OPEN, World, alias_in, altered


def assert_conserved(world: World) -> None:
    fates = sum(world.count(f"fate.{fate}") for fate in FATES if fate != "redelivered")
    forwarded, received = world.count("mail.forwarded"), world.count("mail.received")
    assert world.count("input") + received == fates + forwarded


def test_a_new_event_is_applied() -> None:
    world = World()
    world.see("ann", "page.viewed")
    assert world.count("fate.applied") == 1
    assert_conserved(world)


def test_the_same_event_id_of_the_same_source_is_a_duplicate() -> None:
    world = World()
    world.see("ann", "page.viewed", id="a")
    world.see("ann", "page.viewed", id="a")
    assert world.count("fate.applied") == 1
    assert world.count("fate.duplicate") == 1
    assert_conserved(world)


def test_the_same_event_id_of_another_person_is_no_duplicate() -> None:
    world = World()
    world.see("ann", "page.viewed", id="a")
    world.see("bob", "page.viewed", id="a")
    assert world.count("fate.applied") == 2


def test_a_duplicate_is_known_among_the_latest_32_events() -> None:
    world = World()
    for number in range(32):
        world.see("ann", "page.viewed", id=f"{number}")
    world.see("ann", "page.viewed", id="0")
    assert world.count("fate.duplicate") == 1
    assert world.count("fate.applied") == 32


def test_a_duplicate_of_a_forgotten_event_is_late_and_decides_nothing_again() -> None:
    world = World()
    first = world.see("ann", "cart.added", {"item_id": "pot"}, id="first")
    for number in range(40):
        world.see("ann", "page.viewed", id=f"{number}", time_ms=first.time_ms + number * 1_000)
    again = world.event("ann", "cart.added", {"item_id": "pot"}, id="first")
    again.time_ms = first.time_ms
    world.feed(0, again)
    assert world.count("fate.late") == 1
    assert_conserved(world)


def test_an_origin_already_folded_is_redelivered_and_no_input() -> None:
    world = World()
    event = world.see("ann", "page.viewed")
    world.feed(0, event)
    assert world.count("fate.redelivered") == 1
    assert world.count("input") == 1
    assert_conserved(world)


def test_a_redelivery_is_known_per_source_partition_and_epoch() -> None:
    world = World()
    event = world.see("ann", "page.viewed", id="a")
    origin = event.origin
    for number, changed in enumerate((("events", 1, 0), ("events", 0, 1), ("other", 0, 0))):
        event = world.event("ann", "page.viewed", id=f"b{number}")
        event.origin = type(origin)(*changed, origin.offset)
        world.feed(0, event)
    assert world.count("fate.applied") == 4


def test_an_event_older_than_the_bound_is_late() -> None:
    world = World()
    bound_ms = world.now_ms - world.config.late_ms
    world.see("ann", "page.viewed", time_ms=bound_ms)
    world.see("ann", "page.viewed", time_ms=bound_ms - 1)
    assert world.count("fate.applied") == 1
    assert world.count("fate.late") == 1
    assert_conserved(world)


def test_consent_is_never_late() -> None:
    world = World()
    old_ms = world.now_ms - world.config.late_ms - DAY_MS
    world.see("ann", "consent.withdrawn", {"purpose": "marketing"}, time_ms=old_ms)
    assert world.count("fate.applied") == 1


def test_a_backfill_is_not_late() -> None:
    world = World()
    world.see("ann", "page.viewed", time_ms=world.now_ms - 90 * DAY_MS, backfill=True)
    assert world.count("fate.applied") == 1


def test_a_late_event_of_a_stranger_leaves_no_state() -> None:
    world = World()
    world.see("ann", "page.viewed", time_ms=world.now_ms - 90 * DAY_MS)
    assert world.count("users") == 0


def test_a_rejected_input_becomes_one_dead_letter() -> None:
    world = World()
    rejected = world.reject("not_json")
    world.feed(0, rejected)
    letters = [output for output in world.outputs if output.topic == "dead-letters"]
    assert len(letters) == 1
    assert world.count("fate.dead_lettered") == 1
    assert world.count("fate.redelivered") == 1
    assert_conserved(world)


def test_unknown_types_are_applied_and_counted() -> None:
    world = World()
    world.see("ann", "something.new")
    assert world.count("fate.applied") == 1
    assert world.count("clean.unknown_type") == 1


def test_a_forwarded_event_is_counted_once_where_it_is_applied() -> None:
    world = World(altered(OPEN, partitions=2))
    ann, bob = alias_in(0, 2, "ann"), alias_in(1, 2, "bob")
    world.see(bob, "page.viewed")
    world.see(ann, "identity.linked", {"other": bob})
    world.deliver()
    world.see(bob, "page.viewed")
    assert_conserved(world)
    world.deliver()
    assert world.count("fate.applied") == 3
    assert world.count("mail.forwarded") == world.count("mail.received") == 1
    assert_conserved(world)
