"""Commands on the log: journeys, policy, content and pauses take effect where they stand."""

from typing import Any

import msgspec

from streams.contract.policy import Policy
from streams.contract.reports import Applied
from streams.engine.fold import EngineFold
from tests.engine.journeys import CART, CONTENT, journey, library
from tests.engine.world import DAY_MS, HOUR_MS, OPEN, World, altered

CART_2 = CART.replace("version = 1", "version = 2").replace('wait = "30m"', 'wait = "2h"')
OTHER = CART.replace('"cart_rescue"', '"other"').replace("priority = 10", "priority = 50")


def world_of(partitions: int = 1) -> World:
    world = World(altered(OPEN, partitions=partitions, journeys=(journey(CART),)))
    world.see("ann", "user.followed")
    return world


def add(world: World, alias: str = "ann") -> None:
    world.see(alias, "cart.added", {"item_id": "pot", "category": "tea"})


def told(world: World) -> list[str]:
    """What each command came to: its problem, empty where it took effect."""
    return [one.problem for one in world.reports if isinstance(one, Applied)]


def test_every_partition_says_that_a_journey_is_in_force() -> None:
    world = world_of(partitions=3)
    command = world.publish(journey(CART_2))
    found = [one for one in world.reports if isinstance(one, Applied)]
    assert [one.partition for one in found] == [0, 1, 2]
    assert {(one.id, one.version, one.sha256, one.problem) for one in found} == {
        ("cart_rescue", 2, command.sha256, "")
    }


def test_people_inside_stay_on_their_version_and_others_enter_the_new_one() -> None:
    world = world_of()
    add(world)
    world.publish(journey(CART_2))
    world.see("bob", "user.followed")
    add(world, "bob")
    world.wait(HOUR_MS)
    assert [trigger.user_id for trigger in world.triggers] == ["ann"]
    assert world.triggers[0].campaign_version == 1
    world.wait(HOUR_MS)
    assert [trigger.campaign_version for trigger in world.triggers] == [1, 2]


def test_restart_puts_people_before_the_first_step_of_the_new_version() -> None:
    world = world_of()
    add(world)
    world.publish(journey(CART_2, migrate="restart"))
    world.wait(HOUR_MS)
    assert world.outcomes == ["ENTERED", "RESTARTED"]
    world.wait(3 * HOUR_MS)
    assert [trigger.campaign_version for trigger in world.triggers] == [2]


def test_exit_ends_the_older_version_for_people_inside() -> None:
    world = world_of()
    add(world)
    world.publish(journey(CART_2, migrate="exit"))
    world.wait(HOUR_MS)
    assert world.outcomes == ["ENTERED", "EXITED"]


def test_a_version_is_immutable() -> None:
    world = world_of()
    changed = journey(CART, title="别的")
    world.publish(changed)
    world.publish(journey(CART))
    assert "raise the version" in told(world)[0]
    assert told(world)[1] == "", "the same content again is no fault"


def test_an_older_version_does_not_come_back() -> None:
    world = world_of()
    world.publish(journey(CART_2))
    world.publish(journey(CART, version=1, title="旧"))
    assert told(world)[0] == ""
    assert "raise the version" in told(world)[1]


def test_a_journey_that_does_not_compile_is_refused_and_the_old_one_stays() -> None:
    world = world_of()
    world.publish(journey(CART_2, entry={"on": "cart.added", "where": "data.colour == 'red'"}))
    assert "data.colour is not known" in told(world)[0]
    add(world)
    world.wait(HOUR_MS)
    assert len(world.triggers) == 1


def test_a_body_that_was_changed_on_the_way_is_refused() -> None:
    world = world_of()
    body: dict[str, Any] = msgspec.to_builtins(journey(CART_2))
    body.pop("test", None)
    command = world.command("journey", "cart_rescue", body, 2)
    tampered = msgspec.structs.replace(
        command, body={**body, "title": "x", "version": 3}, version=3,
        origin=msgspec.structs.replace(command.origin, offset=command.origin.offset + 1),
    )  # fmt: skip
    world.feed(0, tampered)
    assert told(world) == ["", "its digest is not that of its body"]


def test_a_command_that_is_delivered_twice_counts_once() -> None:
    world = world_of()
    command = world.publish(journey(CART_2))
    world.feed(0, command)
    assert told(world) == [""]


def test_a_pause_holds_entries_and_sends_back_until_it_is_ended() -> None:
    world = world_of()
    add(world)
    world.command("pause", "cart_rescue")
    world.wait(HOUR_MS)
    add(world)
    assert world.triggers == []
    assert world.outcomes == ["ENTERED", "JOURNEY_PAUSED", "COMPLETED", "JOURNEY_PAUSED"]
    world.command("resume", "cart_rescue")
    world.wait(21 * HOUR_MS)
    add(world)
    world.wait(HOUR_MS)
    assert len(world.triggers) == 1


def test_a_pause_of_everything_is_ended_for_everything() -> None:
    world = world_of()
    world.publish(journey(OTHER))
    world.command("pause", "*")
    add(world)
    assert set(world.outcomes) == {"JOURNEY_PAUSED"}
    world.command("resume", "*")
    add(world)
    world.wait(HOUR_MS)
    assert len(world.triggers) == 1


def test_a_pause_of_what_is_not_there_says_what_is() -> None:
    world = world_of()
    world.command("pause", "cart_rescu")
    assert told(world) == ["no journey 'cart_rescu' is published; there are: cart_rescue"]


def test_a_journey_in_shadow_decides_and_sends_nothing() -> None:
    world = world_of()
    world.publish(journey(CART_2, status="shadow"))
    add(world)
    world.wait(3 * HOUR_MS)
    assert world.triggers == []
    assert "SHADOWED" in world.outcomes


def test_a_policy_takes_effect_at_once() -> None:
    world = world_of()
    strict = msgspec.to_builtins(Policy(caps=(), default_consent=False, version=2))
    world.command("policy", "policy", strict, 2)
    assert told(world) == [""]
    add(world)
    world.wait(HOUR_MS)
    assert "NO_CONSENT" in world.outcomes


def test_other_content_takes_effect_at_once() -> None:
    world = world_of()
    other = msgspec.to_builtins(library(CONTENT.replace("您选的商品还在购物车里", "还在等您")))
    world.command("content", "content", other, 1)
    assert told(world) == [""]


def test_what_was_published_is_there_after_a_restart() -> None:
    world = world_of()
    world.publish(journey(CART_2))
    world.command("pause", "cart_rescue")
    rows = world.rows()[0]
    fold = EngineFold(0)
    for key in sorted(rows):
        fold.load_row(key, rows[key])
    world.folds[0] = fold
    add(world)
    assert world.outcomes[-1] == "JOURNEY_PAUSED"
    world.command("resume", "cart_rescue")
    add(world)
    world.wait(3 * HOUR_MS)
    assert [trigger.campaign_version for trigger in world.triggers] == [2]


def test_a_command_of_a_newer_release_is_refused_with_a_reason() -> None:
    world = world_of()
    world.command("teleport", "x")
    assert told(world) == ["no command 'teleport': it is of a newer version"]


def test_versions_that_nobody_can_be_in_any_more_are_forgotten() -> None:
    world = world_of()
    for version in range(2, 5):
        world.publish(journey(CART, version=version, exit={"after": "1d"}))
        world.wait(30 * DAY_MS)
    world.publish(journey(CART, version=9))
    kept = [key for key in world.rows()[0] if key.startswith(b"j:")]
    assert kept == [b"j:cart_rescue/4", b"j:cart_rescue/9"]
