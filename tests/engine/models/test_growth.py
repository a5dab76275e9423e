"""Who brings whom, through the engine: within a partition and across."""

import pytest

from streams.contract.partitioning import partition_of
from streams.engine.models.growth import OPEN_MS, GrowthModel
from streams.engine.models.growth_state import Grown
from streams.engine.models.segments import SegmentModel
from streams.engine.state import UserState
from tests.engine.world import DAY_MS, HOUR_MS, OPEN, World, alias_in, altered

PARTITIONS = pytest.mark.parametrize("partitions", [1, 4])
NAMES = ("ann", "bob", "carl", "dora", "eve")


def world(partitions: int = 1) -> World:
    return World(altered(OPEN, partitions=partitions, journeys=()))


def state(world: World, alias: str) -> UserState:
    fold = world.folds[partition_of(alias, world.config.partitions)]
    person = fold.engine.store.get(alias)
    assert person is not None
    return person.state


def model(world: World, alias: str = "ann") -> GrowthModel:
    fold = world.folds[partition_of(alias, world.config.partitions)]
    return fold.engine.insight.model(GrowthModel)


def invite(world: World, inviter: str, invited: str) -> None:
    world.see(invited, "user.followed", {"invited_by": inviter})
    world.deliver()


def order(world: World, alias: str) -> None:
    world.see(alias, "order.paid", {"order_id": f"order of {alias}", "amount_fen": 5_000})
    world.deliver()


def wait(world: World, days: int) -> None:
    for _ in range(days):
        for alias in NAMES:
            fold = world.folds[partition_of(alias, world.config.partitions)]
            if fold.engine.store.get(alias) is not None:
                world.see(alias, "page.viewed", {"page": "home"})
        world.wait(DAY_MS)
        world.deliver()


@PARTITIONS
def test_an_inviter_is_credited_for_people_who_came_and_for_those_who_ordered(
    partitions: int,
) -> None:
    it = world(partitions)
    it.see("ann", "page.viewed", {"page": "home"})
    invite(it, "ann", "bob")
    invite(it, "ann", "carl")
    order(it, "bob")
    assert GrowthModel.invited(state(it, "ann")) == 2
    assert GrowthModel.invited_converted(state(it, "ann")) == 1
    assert GrowthModel.invited_by(state(it, "bob"))
    assert not GrowthModel.invited_by(state(it, "ann"))


@PARTITIONS
def test_nobody_is_credited_for_what_the_invited_bring(partitions: int) -> None:
    it = world(partitions)
    it.see("ann", "page.viewed", {"page": "home"})
    invite(it, "ann", "bob")
    invite(it, "bob", "carl")
    order(it, "carl")
    assert GrowthModel.invited_converted(state(it, "bob")) == 1
    assert GrowthModel.invited(state(it, "ann")) == 1
    assert GrowthModel.invited_converted(state(it, "ann")) == 0


def test_all_counts_are_the_same_in_one_partition_and_in_four() -> None:
    found = []
    for partitions in (1, 4):
        it = world(partitions)
        it.see("ann", "page.viewed", {"page": "home"})
        invite(it, "ann", "bob")
        invite(it, "ann", "carl")
        invite(it, "bob", "dora")
        order(it, "bob")
        wait(it, 16)
        found.append([state(it, alias).grown for alias in ("ann", "bob", "carl", "dora")])
    assert found[0] == found[1]
    assert found[0][0] == Grown(invited=2, converted=1, settled=2, succeeded=1)


def test_an_order_after_two_weeks_converts_nobody() -> None:
    it = world()
    it.see("ann", "page.viewed", {"page": "home"})
    invite(it, "ann", "bob")
    wait(it, OPEN_MS // DAY_MS + 1)
    order(it, "bob")
    grown = state(it, "ann").grown
    assert grown is not None
    assert (grown.invited, grown.converted, grown.settled) == (1, 0, 1)


@pytest.mark.parametrize(
    ("before", "inviter", "invited"),
    [
        ([], "ann", "ann"),
        ([("ann", "bob")], "bob", "ann"),
        ([("ann", "bob")], "carl", "bob"),
        ([("", "bob")], "carl", "bob"),
        ([], "stranger", "bob"),
    ],
    ids=["oneself", "each other", "a second time", "of a customer", "by a stranger"],
)
def test_such_an_invitation_credits_nobody(
    before: list[tuple[str, str]], inviter: str, invited: str
) -> None:
    it = world()
    for alias in ("ann", "carl"):
        it.see(alias, "page.viewed", {"page": "home"})
    for first, second in before:
        if first:
            invite(it, first, second)
        else:
            order(it, second)
    invite(it, inviter, invited)
    if inviter != "stranger":
        assert GrowthModel.invited(state(it, inviter)) == 0
    grown = state(it, invited).grown
    assert grown is None or grown.open is None or grown.open.inviter != inviter


def test_the_probability_is_asked_while_the_invitation_is_open() -> None:
    it = world()
    it.see("ann", "page.viewed", {"page": "home"})
    invite(it, "ann", "bob")
    growth = model(it)
    probability = growth.invite_conversion(state(it, "bob"))
    assert 0.0 < probability < 1.0
    assert {part.feature for part in growth.why_invite_conversion(state(it, "bob"))} >= {"rate"}
    order(it, "bob")
    assert growth.invite_conversion(state(it, "bob")) == 1.0
    assert growth.invite_conversion(state(it, "ann")) == 0.0


@PARTITIONS
def test_whoever_opens_a_share_on_the_first_day_came_by_the_sharer(partitions: int) -> None:
    it = world(partitions)
    it.see("ann", "page.viewed", {"page": "home"})
    it.now_ms += 2 * DAY_MS
    it.see("ann", "share.initiated", {"item_id": "tea", "ref": "share-77"})
    it.deliver()
    it.see("bob", "share.opened", {"item_id": "tea", "ref": "share-77"})
    it.deliver()
    order(it, "bob")
    assert GrowthModel.invited(state(it, "ann")) == 1
    assert GrowthModel.invited_converted(state(it, "ann")) == 1


def test_whoever_has_been_here_before_came_by_nobody() -> None:
    it = world()
    for alias in ("ann", "bob"):
        it.see(alias, "page.viewed", {"page": "home"})
    it.now_ms += 2 * DAY_MS
    it.see("ann", "share.initiated", {"ref": "share-77"})
    it.see("bob", "share.opened", {"ref": "share-77"})
    it.deliver()
    assert not GrowthModel.invited_by(state(it, "bob"))


@PARTITIONS
def test_a_word_that_everybody_shares_is_no_reference(partitions: int) -> None:
    it = world(partitions)
    for alias in ("ann", "bob"):
        it.see(alias, "share.initiated", {"ref": "wechat"})
        it.deliver()
    it.see("carl", "share.opened", {"ref": "wechat"})
    it.see("ann", "share.initiated", {"ref": "wechat"})
    assert it.mail == []
    assert not GrowthModel.invited_by(state(it, "carl"))


@PARTITIONS
@pytest.mark.parametrize("erased", ["ann", "bob"])
def test_an_erased_person_is_in_nobody_s_row(partitions: int, erased: str) -> None:
    it = world(partitions)
    it.see("ann", "share.initiated", {"ref": "share-77"})
    invite(it, "ann", "bob")
    it.see("bob", "share.opened", {"ref": "share-78"})
    it.deliver()
    it.now_ms += HOUR_MS
    it.see(erased, "user.erasure_requested")
    it.deliver()
    left = "bob" if erased == "ann" else "ann"
    assert erased not in repr(state(it, left).grown)
    rows = [row for fold in it.folds for row in fold.changed_rows() if row.key[:2] == b"m:"]
    assert rows
    assert not any(erased.encode() in (row.value or b"") for row in rows)


def test_groups_are_known_by_the_customers_they_brought() -> None:
    it = world()
    it.see("ann", "page.viewed", {"page": "home"})
    data = {"group_id": "mums", "invited_by": "ann"}
    it.see("bob", "group.member_joined", data)
    it.deliver()
    order(it, "bob")
    influence = model(it).influences(it.now_ms)[0]
    assert (influence.name, round(influence.joins), round(influence.conversions)) == ("mums", 1, 1)


def test_the_coefficient_counts_newcomers_and_whom_they_brought() -> None:
    it = world()
    it.see("ann", "page.viewed", {"page": "home"})
    invite(it, "ann", "bob")
    wait(it, 17)
    today = (it.now_ms + 8 * HOUR_MS) // DAY_MS
    assert model(it).generations.coefficient(today) == pytest.approx(0.5)


def test_two_who_turn_out_to_be_one_add_up() -> None:
    here, there = alias_in(0, 4), alias_in(1, 4)
    it = world(4)
    for alias in (here, there):
        it.see(alias, "page.viewed", {"page": "home"})
    invite(it, here, "bob")
    invite(it, there, "carl")
    it.see(here, "identity.linked", {"other": there, "method": "phone"})
    it.deliver()
    order(it, "carl")
    grown = state(it, here).grown
    assert grown is not None
    assert (grown.invited, grown.converted) == (2, 1)


def test_segments_and_growth_cost_nothing_for_whoever_has_none() -> None:
    it = world()
    it.see("ann", "page.viewed", {"page": "home"})
    assert state(it, "ann").grown is None
    assert SegmentModel.segment(state(it, "ann")) == ""
