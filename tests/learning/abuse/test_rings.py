"""People behind one thing: who counts, what makes a ring, what makes room."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.learning.abuse.groups import Groups, Rings
from streams.learning.abuse.rings import (
    HOLLOW,
    LIVING,
    MEMBERS,
    PLAIN,
    Bar,
    Group,
    is_ring,
    joined,
    pack,
    standing,
    unpack,
    weight_of,
)

BAR = Bar(people=5, weight=4.0, living=3, hollow=0.5, hollow_days=0, share=0.25, marks=LIVING)
EMPTY = Group(0, 0, 0, "device", ())


def group(*said: int, day: int = 100) -> Group:
    found = EMPTY
    for tag, one in enumerate(said):
        found = joined(found, tag, day, one, tag)
    return found


def test_who_only_claims_lives_on_coupons_and_who_looks_and_buys_does_not() -> None:
    assert standing(claims=3.0, others=2.0, bought=0.0) == LIVING
    assert standing(claims=1.0, others=1.0, bought=0.0) == HOLLOW
    assert standing(claims=3.0, others=60.0, bought=0.0) == PLAIN
    assert standing(claims=3.0, others=2.0, bought=2.0) == PLAIN
    assert standing(claims=0.0, others=0.0, bought=0.0) == PLAIN


def test_five_who_live_on_coupons_are_a_ring_and_a_household_is_none() -> None:
    assert is_ring(group(*[LIVING] * 5), BAR, 100)
    assert is_ring(group(*[LIVING] * 3, *[HOLLOW] * 2), BAR, 100)
    assert not is_ring(group(*[LIVING] * 2, *[PLAIN] * 3), BAR, 100)
    assert not is_ring(group(*[LIVING] * 4), BAR, 100), "fewer people than the bar"
    assert not is_ring(group(*[HOLLOW] * 20), BAR, 100), "nobody claimed twice"


def test_thirty_honest_people_at_one_address_are_no_ring_for_a_few_coupon_lovers() -> None:
    assert not is_ring(group(*[LIVING] * 4, *[PLAIN] * 26), BAR, 100)


def test_the_hollow_count_only_once_they_stayed_away() -> None:
    bar = BAR._replace(hollow=1.0, hollow_days=1, living=0)
    found = group(*[HOLLOW] * 8)
    assert weight_of(found, bar, 100) == 0.0
    assert weight_of(found, bar, 101) == 8.0


def test_a_member_told_of_again_counts_once_with_what_was_said_last() -> None:
    found = group(PLAIN, PLAIN)
    found = joined(found, 0, 101, LIVING, 9)
    assert len(found.members) == 2
    assert weight_of(found, BAR, 101) == 1.0


def test_who_is_not_told_of_for_a_month_drops_out() -> None:
    assert len(joined(group(*[LIVING] * 5), 9, 131, LIVING, 9).members) == 1


def test_no_more_members_are_kept_than_fit() -> None:
    assert len(group(*[LIVING] * 200).members) == MEMBERS


@given(
    st.lists(st.tuples(st.integers(0, 65_535), st.integers(0, 60), st.sampled_from((0, 1, 2)))),
    st.text(max_size=40),
)
def test_a_row_gives_the_group_back(told: list[tuple[int, int, int]], name: str) -> None:
    found = EMPTY._replace(name=name)
    for number, (tag, day, said) in enumerate(told):
        found = joined(found, tag, day, said, number)
    assert unpack(pack(found)) == found


@pytest.mark.parametrize("row", [b"", b"short", pack(group(1, 2))[:-2]])
def test_a_broken_row_is_refused(row: bytes) -> None:
    with pytest.raises(ValueError, match="broken"):
        unpack(row)


def test_the_smallest_of_the_groups_told_of_longest_ago_makes_room() -> None:
    groups = Groups(capacity=10)
    for number in range(10):
        groups.put(number, group(*[LIVING] * (1 if number == 3 else 4))._replace(touched=number))
    groups.put(99, group(LIVING)._replace(touched=99))
    assert len(groups) == 10
    assert groups.get(3) is None
    assert dict(groups.changed_rows())[3] is None


def test_what_makes_room_does_not_depend_on_the_order_rows_were_loaded_in() -> None:
    first, random = Groups(capacity=40), Random(3)
    for number in range(40):
        size = random.randrange(1, 4)
        first.put(number, group(*[PLAIN] * size)._replace(touched=number))
    rows = first.changed_rows()
    random.shuffle(rows)
    second = Groups(capacity=40)
    for number, row in rows:
        assert row is not None
        second.load(number, row)
    for groups in (first, second):
        for number in range(100, 130):
            groups.put(number, group(PLAIN)._replace(touched=number))
    assert sorted(first.changed_rows()) == sorted(second.changed_rows())


def test_a_ring_is_known_until_its_verdict_ends() -> None:
    rings = Rings()
    rings.put(17, 1, until_s=1_000, now_s=0)
    assert rings.kind(17, 999) == 1
    assert rings.kind(17, 1_000) is None
    assert rings.kind(18, 0) is None
    rings.put(17, 1, until_s=500, now_s=0)
    assert rings.kind(17, 999) == 1, "an earlier end does not shorten it"


def test_rings_come_back_from_their_rows_and_rows_stay_small() -> None:
    rings = Rings()
    for number in range(20_000):
        rings.put(number * 16, 0, until_s=10_000 + number, now_s=0) if number < 1_000 else None
    rows = rings.changed_rows()
    assert all(len(row) <= 16_384 for _, row in rows)
    other = Rings()
    for _, row in rows:
        other.load(row)
    assert len(other) == len(rings)
    assert other.kind(999 * 16, 0) == 0
