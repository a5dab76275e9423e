"""One person behind several aliases, in one partition and across two; people who are forgotten."""

import pytest

from streams.contract.records import Mail
from streams.engine.config import Policy
from streams.engine.state import decode_user
from tests.engine.world import (
    DAY_MS,
    HOUR_MS,
    OPEN,
    World,
    alias_in,
    altered,
    with_policy,
)

TWO = altered(OPEN, partitions=2)


def link(world: World, alias: str, other: str) -> None:
    world.see(alias, "identity.linked", {"other": other})
    while world.deliver():
        pass


def users(world: World) -> list[str]:
    return sorted(key[2:].decode() for rows in world.rows() for key in rows if key[:2] == b"u:")


def both(config_partitions: int) -> tuple[World, str, str]:
    world = World(altered(OPEN, partitions=config_partitions))
    return (
        world,
        alias_in(0, config_partitions, "ann"),
        alias_in(config_partitions - 1, config_partitions, "bob"),
    )


@pytest.mark.parametrize("partitions", [1, 2])
def test_linked_aliases_are_one_person_whose_sums_add(partitions: int) -> None:
    world, ann, bob = both(partitions)
    world.see(ann, "order.paid", {"order_id": "1", "amount_fen": 1_000})
    world.see(bob, "order.paid", {"order_id": "2", "amount_fen": 2_000})
    link(world, ann, bob)
    world.see(bob, "order.paid", {"order_id": "3", "amount_fen": 4_000})
    world.deliver()
    assert users(world) == [ann]
    profile = world.profile(ann)
    assert profile is not None
    assert (profile.orders, profile.spend_fen) == (3, 7_000)


@pytest.mark.parametrize("partitions", [1, 2])
def test_the_profile_of_the_alias_that_went_into_another_is_gone(partitions: int) -> None:
    world, ann, bob = both(partitions)
    world.see(bob, "page.viewed")
    assert world.profile(bob) is not None
    link(world, ann, bob)
    assert world.profile(bob) is None


def test_an_alias_never_seen_is_linked_all_the_same() -> None:
    world, ann, bob = both(2)
    link(world, ann, bob)
    world.see(bob, "page.viewed")
    world.deliver()
    assert users(world) == [ann]


def test_the_stricter_consent_survives_a_merge() -> None:
    world, ann, bob = both(2)
    world.see(ann, "consent.granted", time_ms=world.now_ms)
    world.see(bob, "consent.withdrawn", time_ms=world.now_ms)
    link(world, ann, bob)
    profile = world.profile(ann)
    assert profile is not None
    assert profile.consent == []


def test_a_merged_person_keeps_the_group_of_the_alias_first_seen() -> None:
    config = with_policy(TWO, global_holdout=0.5)
    for number in range(20):
        world = World(config)
        old, new = alias_in(1, 2, f"old{number}-"), alias_in(0, 2, f"new{number}-")
        world.see(old, "user.followed")
        world.wait(HOUR_MS)
        world.see(new, "user.followed")
        before = world.profile(old)
        link(world, new, old)
        world.see(new, "user.attributes_given", {"attributes": {"sex": "f"}})
        after = world.profile(new)
        assert before is not None
        assert after is not None
        assert after.holdout == before.holdout


def test_a_person_who_returns_after_an_erasure_stays_in_the_group() -> None:
    config = with_policy(OPEN, global_holdout=0.5)
    for number in range(20):
        world = World(config)
        old, new = f"old{number}", f"new{number}"
        world.see(old, "user.followed")
        world.wait(HOUR_MS)
        world.see(new, "user.followed")
        before = world.profile(old)
        link(world, new, old)
        world.see(new, "user.erasure_requested")
        world.wait(HOUR_MS)
        world.see(new, "user.followed")
        after = world.profile(f"{new}.1")
        assert before is not None
        assert after is not None
        assert after.holdout == before.holdout


def test_an_erasure_deletes_the_person_and_leaves_a_tombstone() -> None:
    world = World()
    world.see("ann", "page.viewed")
    world.see("ann", "user.erasure_requested")
    assert users(world) == []
    assert world.profile("ann") is None
    assert world.outputs[-1].value is None
    assert [key for key in world.rows()[0] if key[:2] == b"a:"] == [b"a:ann"]


def test_what_is_older_than_the_erasure_is_folded_as_erased() -> None:
    world = World()
    world.see("ann", "page.viewed")
    world.see("ann", "user.erasure_requested")
    world.see("ann", "page.viewed", time_ms=world.now_ms - 1)
    assert world.count("fate.erased") == 1
    assert world.count("fate.applied") == 2


def test_a_returning_person_is_another_one() -> None:
    world = World()
    world.see("ann", "order.paid", {"order_id": "1", "amount_fen": 1_000})
    world.see("ann", "user.erasure_requested")
    world.wait(HOUR_MS)
    world.see("ann", "user.followed")
    assert users(world) == ["ann.1"]
    profile = world.profile("ann.1")
    assert profile is not None
    assert profile.orders == 0


def test_an_answer_to_a_message_to_the_erased_person_is_erased() -> None:
    world = World()
    world.see("ann", "user.followed")
    world.see("ann", "user.erasure_requested")
    world.wait(HOUR_MS)
    world.see("ann", "push.opened", {"trigger_id": "1"})
    assert world.count("fate.erased") == 1
    world.see("ann", "user.followed")
    world.see("ann.1", "push.opened", {"trigger_id": "1"})
    assert world.count("fate.erased") == 1


@pytest.mark.parametrize("partitions", [1, 2])
def test_an_erasure_reaches_every_alias_of_the_person(partitions: int) -> None:
    world, ann, bob = both(partitions)
    world.see(bob, "page.viewed")
    link(world, ann, bob)
    world.wait(HOUR_MS)
    world.see(bob, "user.erasure_requested")
    while world.deliver():
        pass
    world.wait(HOUR_MS)
    world.see(bob, "page.viewed")
    world.see(ann, "page.viewed")
    assert not [mail for _, _, mail in world.mail if mail.kind != "model"]
    assert users(world) == sorted([f"{ann}.1", f"{bob}.1"])


def test_a_state_that_arrives_after_the_erasure_is_dropped() -> None:
    world, ann, bob = both(2)
    world.see(bob, "page.viewed")
    world.see(ann, "identity.linked", {"other": bob})
    world.deliver(1)  # the other partition has sent the state
    world.wait(HOUR_MS)
    world.see(ann, "user.erasure_requested")
    while world.deliver():
        pass
    assert users(world) == []
    world.wait(HOUR_MS)
    world.see(bob, "page.viewed")
    assert users(world) == [f"{bob}.1"]


def test_mail_that_is_delivered_twice_is_folded_once() -> None:
    world, ann, bob = both(2)
    world.see(bob, "order.paid", {"order_id": "2", "amount_fen": 2_000})
    world.see(ann, "identity.linked", {"other": bob})
    sent: list[tuple[int, Mail]] = []
    while world.mail:
        source, _, mail = world.mail.pop(0)
        mail = world.stamped(source, mail)
        target = 1 - source
        world.feed(target, mail)
        world.feed(target, mail)
        sent.append((target, mail))
    kinds = [mail.kind for _, mail in sent]
    assert [kind for kind in kinds if kind != "model"] == ["move", "adopt"]
    assert world.count("mail.redelivered") == len(kinds)
    world.see(ann, "user.attributes_given", {"attributes": {"sex": "f"}})
    profile = world.profile(ann)
    assert profile is not None
    assert profile.spend_fen == 2_000


def test_two_partitions_that_link_each_other_agree_on_one_person() -> None:
    world, ann, bob = both(2)
    world.see(ann, "order.paid", {"order_id": "1", "amount_fen": 1_000})
    world.see(bob, "order.paid", {"order_id": "2", "amount_fen": 2_000})
    world.see(ann, "identity.linked", {"other": bob})
    world.see(bob, "identity.linked", {"other": ann})
    for _ in range(20):
        world.deliver(1)
    assert not world.mail
    world.see(ann, "order.paid", {"order_id": "3", "amount_fen": 4_000})
    world.see(bob, "order.paid", {"order_id": "4", "amount_fen": 8_000})
    for _ in range(20):
        world.deliver(1)
    assert not world.mail
    assert len(users(world)) == 1
    profile = world.profile(users(world)[0])
    assert profile is not None
    assert profile.spend_fen == 15_000


def test_links_form_chains_over_partitions() -> None:
    world = World(altered(OPEN, partitions=3))
    people = [alias_in(place, 3, name) for place, name in enumerate(("ann", "bob", "cyd"))]
    for alias in people:
        world.see(alias, "order.paid", {"order_id": alias, "amount_fen": 1_000})
    link(world, people[1], people[2])
    link(world, people[0], people[2])
    world.see(people[2], "order.paid", {"order_id": "4", "amount_fen": 1_000})
    while world.deliver():
        pass
    assert users(world) == [people[0]]
    profile = world.profile(people[0])
    assert profile is not None
    assert profile.spend_fen == 4_000


def test_caps_count_what_was_sent_to_either() -> None:
    world = World(altered(TWO, policy=Policy(global_holdout=0.0, default_consent=True, gap_ms=0)))
    ann, bob = alias_in(0, 2, "ann"), alias_in(1, 2, "bob")
    for alias in (ann, bob):
        world.see(alias, "user.followed")
    world.see(bob, "cart.added", {"item_id": "1"})
    world.wait(HOUR_MS)
    assert world.outcomes == ["ENTERED", "SENT", "COMPLETED"]
    link(world, ann, bob)
    rows = world.rows()[0]
    assert len(decode_user(rows[b"u:" + ann.encode()]).sends) == 1
    world.see(ann, "order.paid", {"order_id": "1", "amount_fen": 1})
    world.wait(DAY_MS // 4)
    world.see(ann, "cart.added", {"item_id": "2"})
    assert world.outcomes[-1] == "REENTRY_BLOCKED"
