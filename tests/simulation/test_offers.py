"""The world of offers: its truth is what its people do."""

from collections import defaultdict
from statistics import fmean, stdev

import pytest

from streams.simulation import offers


def test_what_people_do_is_what_is_said_to_be_true_of_them() -> None:
    values, costs = defaultdict(list), defaultdict(list)
    for person in offers.people(3, 40_000):
        for arm in range(len(offers.ARMS)):
            value, cost = offers.answer(person, arm)
            values[person.kind, arm].append(value)
            costs[person.kind, arm].append(cost)
    for (kind, arm), found in values.items():
        for truth, sample in (
            (offers.true_value(kind, arm), found),
            (offers.true_cost(kind, arm), costs[kind, arm]),
        ):
            assert fmean(sample) == pytest.approx(
                truth, abs=4.0 * stdev(sample) / len(sample) ** 0.5 + 1e-9
            )


def test_a_coupon_is_the_best_for_persuadables_only() -> None:
    best = [
        max(range(len(offers.ARMS)), key=lambda arm, kind=kind: offers.true_net(kind, arm))
        for kind in range(len(offers.KINDS))
    ]
    assert [offers.ARMS[arm].startswith("coupon") for arm in best] == [False, True, False, False]


def test_the_same_seed_is_the_same_people() -> None:
    assert list(offers.people(5, 20)) == list(offers.people(5, 20))
    assert list(offers.people(5, 20)) != list(offers.people(6, 20))


def test_whoever_knows_the_laws_loses_little_to_the_oracle() -> None:
    crowd = list(offers.people(8, 4_000))
    guessed = fmean(offers.true_net(p.kind, offers.best_guess(p.features)) for p in crowd)
    oracle = fmean(offers.best_net(p.kind) for p in crowd)
    even = fmean(offers.true_net(p.kind, arm) for p in crowd for arm in range(len(offers.ARMS)))
    assert even < guessed < oracle
    assert oracle - guessed < 0.15 * (oracle - even)
