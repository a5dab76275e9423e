"""Conversion of the invited, generations, groups, and who shared what."""

from math import isfinite, log
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.learning.growth.conversion import InviteConversion
from streams.learning.growth.generations import DAYS, WINDOW_DAYS, Generations
from streams.learning.growth.groups import HALF_LIFE_MS, MOST, Groups
from streams.learning.growth.shares import KEPT_MS, MOST_WAITING, Opening, Shares
from streams.learning.growth.shares import MOST as MOST_SHARES

COUNTS = st.integers(0, 60)


def taught(number: int = 3_000) -> InviteConversion:
    """Channel 0 converts 40 %, channel 1 converts 10 %, and some inviters twice as often."""
    model, random = InviteConversion(2), Random(2)
    records: dict[int, tuple[int, int]] = {}
    for _ in range(number):
        inviter, channel = random.randrange(100), random.randrange(2)
        settled, succeeded = records.get(inviter, (0, 0))
        share = (0.4, 0.1)[channel] * (2.0 if inviter < 20 else 0.75)
        converted = random.random() < share
        model.learn(channel, settled, succeeded, converted)
        records[inviter] = settled + 1, succeeded + converted
    return model


def test_nothing_known_is_the_channel_s_rate() -> None:
    model = taught()
    assert model.probability(0) == pytest.approx(0.4, abs=0.08)
    assert model.probability(1) == pytest.approx(0.1, abs=0.06)


def test_an_inviter_s_own_record_counts_the_more_the_longer_it_is() -> None:
    model = taught()
    short, long = model.probability(0, 2, 2), model.probability(0, 40, 32)
    assert model.probability(0) < short < long < 0.8


def test_probabilities_keep_to_what_happened() -> None:
    assert taught().validation.metrics()["ece"] < 0.06


def test_contributions_add_up_to_the_log_odds() -> None:
    model = taught(500)
    total = sum(part for _, _, part in model.contributions(0, 5, 3, ()))
    probability = model.probability(0, 5, 3)
    assert total == pytest.approx(log(probability / (1.0 - probability)))


@given(st.lists(st.tuples(COUNTS, COUNTS, st.booleans()), max_size=20))
def test_no_record_makes_a_probability_unsound(cases: list[tuple[int, int, bool]]) -> None:
    model = InviteConversion(1, ["other"])
    for settled, succeeded, converted in cases:
        model.learn(0, settled - 5, succeeded, converted, [float("nan")])
    assert 0.0 < model.probability(0, 3, 9, [1e308]) < 1.0
    assert all(map(isfinite, model.validation.metrics().values()))


def test_the_model_taken_over_from_its_row_goes_on_bit_for_bit() -> None:
    model, twin = taught(300), InviteConversion(2)
    twin.from_row(model.to_row())
    for one in (model, twin):
        one.learn(1, 3, 2, True)
    assert twin.to_row() == model.to_row()


def test_rates_learned_in_partitions_add_up() -> None:
    one, other = taught(200), InviteConversion(2)
    delta = one.share()
    assert delta is not None
    other.absorb(delta)
    assert (other.settled, other.succeeded) == (one.settled, one.succeeded)
    assert one.share() is None


def test_the_coefficient_counts_people_brought_within_the_window_by_days_that_are_over() -> None:
    generations = Generations()
    for day in (10, 11, 30):
        for _ in range(10):
            generations.joined(day)
    for after in (0.5, 3.0, 13.9, 14.0, -0.1):
        generations.brought(10, after)
    generations.brought(30, 1.0)
    generations.converted(11, 2.0)
    assert generations.coefficient(today=11 + WINDOW_DAYS + 1) == pytest.approx(3 / 20)
    assert generations.customers(today=11 + WINDOW_DAYS + 1) == pytest.approx(1 / 20)
    assert generations.coefficient(today=10) == 0.0


@given(st.lists(st.tuples(st.integers(0, 200), st.booleans()), max_size=60))
def test_days_of_two_partitions_add_up_to_those_of_one(moves: list[tuple[int, bool]]) -> None:
    parts, whole = (Generations(), Generations()), Generations()
    for day, here in sorted(moves):
        parts[here].joined(day)
        whole.joined(day)
    parts[0].merge(parts[1])
    assert [(one.day, one.newcomers) for one in parts[0].days] == [
        (one.day, one.newcomers) for one in whole.days
    ]
    assert len(whole.days) <= DAYS


def test_a_group_s_influence_fades() -> None:
    groups = Groups()
    groups.joined(1, "mums", 0)
    groups.active(1, "mums", 0)
    groups.converted(1, 0)
    influence = groups.influences(HALF_LIFE_MS)[0]
    assert (influence.joins, influence.active, influence.conversions) == (0.5, 0.5, 0.5)


def test_the_weakest_group_leaves_for_a_new_one() -> None:
    groups = Groups()
    for number in range(MOST + 5):
        for _ in range(1 if number == 7 else 2):
            groups.joined(number, f"group {number}", 1_000 + number)
    names = [influence.name for influence in groups.influences(2_000)]
    assert len(names) == MOST
    assert "group 7" not in names


def test_sums_of_groups_stay_finite_over_the_years() -> None:
    groups = Groups()
    for year in range(30):
        groups.joined(1, "old", year * 13 * HALF_LIFE_MS)
    assert 1.0 <= groups.influences(29 * 13 * HALF_LIFE_MS)[0].joins < 1.01


@pytest.mark.parametrize("shared_first", [True, False])
def test_a_share_meets_its_opening_in_any_order(shared_first: bool) -> None:
    shares = Shares()
    first = shares.shared("ref", "ann", 1) if shared_first else shares.opened("ref", BOB)
    second = shares.opened("ref", BOB) if shared_first else shares.shared("ref", "ann", 1)
    assert first == []
    assert second == [("ann", BOB)]


BOB = Opening("bob", 2)


def test_nobody_opens_their_own_share() -> None:
    shares = Shares()
    shares.shared("ref", "bob", 1)
    assert shares.opened("ref", BOB) == []


def test_what_two_people_share_belongs_to_nobody() -> None:
    shares = Shares()
    shares.shared("wechat", "ann", 1)
    shares.shared("wechat", "carl", 1)
    assert shares.opened("wechat", BOB) == []
    assert shares.is_word("wechat")


def test_shares_are_bounded_and_expire() -> None:
    shares = Shares()
    for number in range(MOST_SHARES + 50):
        shares.shared(f"ref {number}", "ann", number)
    assert len(shares.shares) <= MOST_SHARES
    for number in range(MOST_SHARES):
        shares.shared(f"later {number}", "ann", KEPT_MS + 10_000_000)
    assert not any(ref.startswith("ref") for ref in shares.shares)
    for number in range(20):
        shares.opened("unknown", Opening(f"opener {number}", KEPT_MS + 10_000_000))
    assert len(shares.shares["unknown"].waiting) == MOST_WAITING


def test_what_expires_does_not_depend_on_the_order_of_loading() -> None:
    shares, twin = Shares(), Shares()
    for number in range(MOST_SHARES):
        shares.shared(f"ref {number}", "ann", number)
    for ref in sorted(shares.shares, reverse=True):
        twin.load(ref, shares.shares[ref])
    for one in (shares, twin):
        one.shared("new", "ann", MOST_SHARES)
    assert shares.shares.keys() == twin.shares.keys()


def test_a_forgotten_person_is_in_no_share() -> None:
    shares = Shares()
    shares.shared("mine", "ann", 1)
    shares.opened("other", Opening("ann", 2))
    shares.opened("other", BOB)
    shares.forget("ann")
    assert "ann" not in repr(shares.shares)
    assert shares.shared("other", "carl", 3) == [("carl", BOB)]
