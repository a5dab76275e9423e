"""Is the person still there, and how often do they come?"""

from itertools import product
from math import exp, prod
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.learning.presence import HAZARD, RATES, Presence


def likelihoods(silent_days: int) -> tuple[list[float], list[float]]:
    """By enumeration: weights of being there, and of having left, after days of silence."""
    there, left = [], []
    for rate in RATES:
        weights = {True: 0.0, False: 0.0}
        for leaves in product((True, False), repeat=silent_days):
            gone = any(leaves)
            days = leaves.index(True) if gone else silent_days
            stayed = prod([(1.0 - HAZARD) * exp(-rate)] * days)
            if not any(leaves[days + 1 :]):  # leaving is once only
                weights[gone] += stayed * (HAZARD if gone else 1.0)
        there.append(weights[False] / len(RATES))
        left.append(weights[True] / len(RATES))
    return there, left


@pytest.mark.parametrize("silent_days", [0, 1, 2, 5])
def test_the_posterior_is_bayes_rule_by_enumeration(silent_days: int) -> None:
    posterior = Presence().posterior(active=0.0, span=0.0, silence=float(silent_days))
    there, left = likelihoods(silent_days)
    assert posterior.there == pytest.approx(there)
    assert posterior.left == pytest.approx(left)


@given(st.floats(0, 60), st.floats(0, 60), st.floats(0, 60), st.integers(1, 8))
def test_a_day_ahead_is_the_first_day_after_one_more_silent_day(
    active: float, idle: float, silence: float, days: int
) -> None:
    presence = Presence()
    ahead = list(presence.posterior(active=active, span=active + idle, silence=silence).days(days))
    then = presence.posterior(active=active, span=active + idle, silence=silence + days - 1)
    assert ahead[-1] == pytest.approx(next(then.days(1)), rel=1e-9, abs=1e-12)


def test_silence_says_more_of_who_used_to_come_daily() -> None:
    presence = Presence()
    daily = presence.posterior(active=20.0, span=20.0, silence=7.0)
    weekly = presence.posterior(active=3.0, span=20.0, silence=7.0)
    assert daily.gone / daily.total > 0.9
    assert weekly.gone / weekly.total < 0.5


def test_the_shares_of_rates_are_learned_from_the_people() -> None:
    presence, random = Presence(), Random(1)
    for _ in range(12_000):
        often = random.random() < 0.7
        rate = RATES[5] if often else RATES[1]
        days = sum(random.random() < 1.0 - exp(-rate) for _ in range(60))
        presence.learn(presence.posterior(active=float(days), span=60.0, silence=0.0))
    assert sum(presence.shares) == pytest.approx(1.0)
    assert presence.shares[5] == pytest.approx(0.7, abs=0.05)
    assert min(presence.shares) > 0.0
