"""The laws the synthetic people live by: when they come, what disappoints them, when they leave.

A person's life runs on a grid of local days. At the start of a day an alive person leaves for good
with probability `daily_hazard`, silently or by unfollowing; otherwise visits are a Poisson process
with rate `daily_rate` spread over the day by the person's hours. Both depend on what a marketer
could see (bad experiences, messages, orders, age, a fading interest) and on a frailty nobody can
see. Between two events of a person they are deterministic: that is what makes the exact oracle of
truth.py possible.

The numbers are chosen, not fitted. They give some 1.5 % departures a day (a month loses a third of
the followers, the order of magnitude of young official accounts). They are also chosen so that what
matters can be learned in two or three weeks: most of the difference between people can be seen,
the frailty is small and visits are frequent. With a frailty of 0.5, a fifth of people fading, a
quarter of weekly and monthly visitors and people joining until day 18, Bayes' rule with the right
laws and unknown rates stays 0.033 AUC below the oracle, so that no model could come near it; with
these numbers it stays 0.005 to 0.011 below. A small gap to the oracle is thus a statement about
this population, not about every one. When somebody leaves is left to the draw in any case.
"""

from math import exp, log
from typing import NamedTuple

DAY_MS = 86_400_000
LN_2 = log(2.0)

BASE_HAZARD = 0.0095  # a day, for a settled, content, buying person of average frailty
FRAILTY_SIGMA = 0.1  # of its logarithm: what no observer can ever learn from one life
UNFOLLOW_SHARE = 0.35  # of departures are an unfollow, the others are silence
NEWCOMER_EXCESS = 1.5  # a new follower leaves 2.5 times as easily ...
NEWCOMER_DAYS = 3.0  # ... which wears off with this time constant
UNCONVERTED_AFTER_DAYS = 5  # who has not ordered or applied by then is less attached:
UNCONVERTED_FACTOR = 2.2
DISAPPOINTMENT_WEIGHT = 1.2  # log-hazard per bad experience: leaving is 3.3 times as likely
DISAPPOINTMENT_HALF_LIFE_DAYS = 6.0
DISAPPOINTMENT_RATE_WEIGHT = 0.3  # and visits 26 % rarer: a declining engagement
ANNOYANCE_WEIGHT = 0.8  # log-hazard per unit above what people put up with
ANNOYANCE_HALF_LIFE_DAYS = 4.0
ANNOYANCE_TOLERANCE = 0.6  # about two messages a week
FADING_WEIGHT = 1.2  # log-hazard of an interest that has faded altogether
HAZARD_MOST = 0.5


class Blow(NamedTuple):
    """Something that happened to a person, and how much it counted then; it fades with time."""

    at_ms: int
    weight: float


class Nature(NamedTuple):
    """What a person is born with."""

    visits_per_day: float
    fading_per_day: float  # the rate falls by exp(-fading * age); 0 for most people
    frailty: float  # log-hazard
    joined_day: int
    shift_ms: int  # the person's local midnight after that of the grid, 0 to a day
    weekday: int  # of the person's local day 0, Monday is 0
    weekdays: tuple[float, ...]


class Standing(NamedTuple):
    """What has happened to a person so far, as it counts on a day."""

    disappointment: float
    annoyance: float
    converted: bool


def daily_rate(nature: Nature, day: int, standing: Standing) -> float:
    """Expected visits on that local day of a person who is still there."""
    return (
        nature.visits_per_day
        * nature.weekdays[(nature.weekday + day) % 7]
        * exp(
            -nature.fading_per_day * (day - nature.joined_day)
            - DISAPPOINTMENT_RATE_WEIGHT * standing.disappointment
        )
    )


def daily_hazard(nature: Nature, day: int, standing: Standing) -> float:
    """Probability that a person who is still there leaves at the start of that local day."""
    age = day - nature.joined_day
    if age <= 0:
        return 0.0
    log_hazard = (
        nature.frailty
        + DISAPPOINTMENT_WEIGHT * standing.disappointment
        + FADING_WEIGHT * (1.0 - exp(-nature.fading_per_day * age))
    )
    if standing.annoyance > ANNOYANCE_TOLERANCE:
        log_hazard += ANNOYANCE_WEIGHT * (standing.annoyance - ANNOYANCE_TOLERANCE)
    hazard = BASE_HAZARD * exp(log_hazard) * (1.0 + NEWCOMER_EXCESS * exp(-age / NEWCOMER_DAYS))
    if not standing.converted and age > UNCONVERTED_AFTER_DAYS:
        hazard *= UNCONVERTED_FACTOR
    return min(hazard, HAZARD_MOST)


def faded(weight: float, elapsed_ms: int, half_life_days: float) -> float:
    """What is left of a weight after a time; times before it count as no time."""
    elapsed = max(elapsed_ms, 0) / (half_life_days * DAY_MS)
    return weight * exp(-LN_2 * elapsed)


def remaining(blows: list[Blow], at_ms: int, half_life_days: float) -> float:
    """What all blows up to `at_ms` still weigh then."""
    if not blows:
        return 0.0
    return sum(
        faded(blow.weight, at_ms - blow.at_ms, half_life_days)
        for blow in blows
        if blow.at_ms <= at_ms
    )
