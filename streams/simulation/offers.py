"""People at a `decide` step whose answer to each offer is known: a world to measure choosers in.

Four kinds, after the uplift literature (Radcliffe, Using control groups to target on predicted
lift, 2007): sure things buy anyway, persuadables buy if asked and more so with a coupon, lost
causes do not buy, do-not-disturbs buy less when addressed. A kind shows only through noisy
features, so that even whoever knows the laws must guess (`best_guess`); the oracle knows the kind.
The numbers are chosen, not fitted: a coupon gains on one person in four, and loses on the others.
NOISE was 0.7 at first. There the linear choosers had 0.33 to 0.37 of an even split's regret after
10 000 decisions, and linear_thompson 0.50 to 0.51 with rewards 2 000 decisions late (4 seeds); so
0.55 was taken. Regret here tells what choosers do where kinds can be told fairly well, and nothing
about real people.
"""

from collections.abc import Iterator
from math import exp
from random import Random
from typing import Final, NamedTuple

from streams.simulation.chance import keyed

ARMS: Final = ("nothing", "remind", "coupon10", "coupon20")
COST_FEN: Final = (0, 0, 1_000, 2_000)  # of the arm, if redeemed
REDEEMED: Final = 0.95  # of those who buy having a coupon

SURE, PERSUADABLE, LOST, DISTURBED = range(4)
KINDS: Final = ("sure thing", "persuadable", "lost cause", "do not disturb")
SHARES: Final = (0.25, 0.25, 0.30, 0.20)
BUYS: Final = (  # probability by kind and arm
    (0.60, 0.61, 0.62, 0.63),
    (0.06, 0.15, 0.42, 0.48),
    (0.020, 0.021, 0.022, 0.023),
    (0.35, 0.18, 0.14, 0.12),
)
ORDER_FEN: Final = 6_000.0  # what an order is worth on average, by kind and person:
ORDER_FACTOR: Final = (1.1, 1.0, 0.8, 1.0)
ORDER_SIGMA: Final = 0.25  # of its logarithm, from order to order

FEATURES: Final = ("recency", "frequency", "views", "coupons", "mutes", "opens", "reach", "noise")
MEANS: Final = (  # by kind; the spread around them is NOISE
    (0.8, 1.2, 0.3, -0.4, -0.3, 0.3, 0.4, 0.0),
    (0.2, -0.2, 1.0, 1.1, -0.4, 0.4, -0.4, 0.0),
    (-0.9, -0.9, -0.9, -0.4, -0.2, -0.8, 0.0, 0.0),
    (0.2, 0.4, 0.0, -0.5, 1.3, -0.2, 0.0, 0.0),
)
NOISE: Final = 0.55
FEATURE_MOST: Final = 3.0


class Person(NamedTuple):
    """Expected gross value, cost and net reward by arm in fen are the truth of `kind`."""

    kind: int
    features: tuple[float, ...]
    draws: tuple[float, float, float]  # would buy, would redeem, how much: the same for every arm


class Answer(NamedTuple):
    value_fen: float
    cost_fen: float


def people(seed: int, count: int) -> Iterator[Person]:
    """One after the other, each at the step once."""
    chance = Random(keyed("offers", seed))
    for _ in range(count):
        kind = chance.choices(range(len(KINDS)), SHARES)[0]
        features = tuple(_clipped(chance.gauss(mean, NOISE)) for mean in MEANS[kind])
        draws = (chance.random(), chance.random(), chance.gauss(0.0, 1.0))
        yield Person(kind, features, draws)


def answer(person: Person, arm: int) -> Answer:
    """What comes of the offer: the order's value, and the coupon's cost if it was redeemed."""
    buys, redeems, size = person.draws
    if buys >= BUYS[person.kind][arm]:
        return Answer(0.0, 0.0)
    spread = exp(ORDER_SIGMA * size - 0.5 * ORDER_SIGMA**2)
    value = ORDER_FEN * ORDER_FACTOR[person.kind] * spread
    return Answer(value, COST_FEN[arm] if redeems < REDEEMED else 0.0)


def true_value(kind: int, arm: int) -> float:
    """Expected gross value in fen."""
    return BUYS[kind][arm] * ORDER_FEN * ORDER_FACTOR[kind]


def true_cost(kind: int, arm: int) -> float:
    """Expected cost in fen."""
    return BUYS[kind][arm] * REDEEMED * COST_FEN[arm]


def true_net(kind: int, arm: int, price: float = 1.0) -> float:
    return true_value(kind, arm) - price * true_cost(kind, arm)


def best_net(kind: int, price: float = 1.0) -> float:
    """The oracle's."""
    return max(true_net(kind, arm, price) for arm in range(len(ARMS)))


def best_guess(features: tuple[float, ...], price: float = 1.0) -> int:
    """The arm of whoever knows all laws but not the kind: nobody can do better from features."""
    weights = [
        share
        * exp(
            -0.5 * sum(((x - mean) / NOISE) ** 2 for x, mean in zip(features, means, strict=True))
        )
        for share, means in zip(SHARES, MEANS, strict=True)
    ]
    nets = [
        sum(weight * true_net(kind, arm, price) for kind, weight in enumerate(weights))
        for arm in range(len(ARMS))
    ]
    return nets.index(max(nets))


def _clipped(feature: float) -> float:
    return min(max(feature, -FEATURE_MOST), FEATURE_MOST)
