"""Worlds in which the truth of each arm is known, and what choosing in them costs by learning.

A world holds everything that chance decides, for every arm: contexts, what each arm would bring
and cost, and the number an arm is drawn by. So whoever chooses meets the same people, answers and
draws (common random numbers), and what differs is the choosing.

- `linear`: the probability of an order is linear in the features, apart for each arm.
- `offers`: people of four kinds (streams/simulation/offers.py); a coupon costs when redeemed.
- `interactions`: its log-odds hold products of features and a threshold, apart for each arm.

Regret is the sum over decisions of the best arm's expected net reward less the chosen arm's; in
`offers` expectations are those of the person's kind, which features tell only in part, so there
even who knows all laws has some.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from streams.engine.choices.choice import draw
from streams.simulation import offers

Numbers = NDArray[np.float64]

HOUR: Final = 200  # decisions
DELAYS: Final = {"0": 0, "1 h": HOUR, "24 h": 24 * HOUR}
WIDTH: Final = 8
ORDER_FEN: Final = 6_000.0


class World(NamedTuple):
    """Rows are decisions in their order; columns of `value`, `cost` and `expected` are arms."""

    name: str
    contexts: list[tuple[float, ...]]
    value: Numbers  # fen, gross
    cost: Numbers
    expected: Numbers  # net
    draws: list[float]  # uniform in [0, 1)
    cost_most: tuple[int, ...]  # an arm can cost


class Learner(Protocol):
    def shares(self, context: Sequence[float]) -> Sequence[float]:
        """The probability of each arm."""
        ...

    def learn(
        self, context: Sequence[float], arm: int, share: float, value: float, cost: float
    ) -> None: ...


class Played(NamedTuple):
    """The arm of each decision and the distribution it was drawn from."""

    arms: NDArray[np.int64]
    shares: Numbers


def linear(seed: int, count: int) -> World:
    rng = np.random.default_rng((1, seed))
    contexts = _contexts(rng, count)
    slopes = rng.normal(0.0, 0.06, (WIDTH, 4))
    likely = np.clip(0.25 + rng.normal(0.0, 0.03, 4) + contexts @ slopes, 0.01, 0.99)
    return _orders("linear", contexts, likely, rng)


def interactions(seed: int, count: int) -> World:
    rng = np.random.default_rng((2, seed))
    contexts = _contexts(rng, count)
    odds = -1.2 + rng.normal(0.0, 0.2, 4) + contexts @ rng.normal(0.0, 0.25, (WIDTH, 4))
    for arm in range(4):
        for _ in range(3):
            one, other = rng.choice(WIDTH, 2, replace=False)
            odds[:, arm] += rng.choice((-0.7, 0.7)) * contexts[:, one] * contexts[:, other]
        odds[:, arm] += 1.0 * (contexts[:, rng.integers(WIDTH)] > 0.5)
    return _orders("interactions", contexts, 1.0 / (1.0 + np.exp(-odds)), rng)


def of_offers(seed: int, count: int) -> World:
    people = list(offers.people(seed, count))
    arms = range(len(offers.ARMS))
    answers = np.array([[offers.answer(person, arm) for arm in arms] for person in people])
    net = np.array([[offers.true_net(kind, arm) for arm in arms] for kind in range(4)])
    kinds = np.array([person.kind for person in people])
    draws = np.random.default_rng((3, seed)).random(count)
    return World(
        "offers",
        [person.features for person in people],
        answers[:, :, 0],
        answers[:, :, 1],
        net[kinds],
        draws.tolist(),
        offers.COST_FEN,
    )


WORLDS: Final[dict[str, Callable[[int, int], World]]] = {
    "linear": linear,
    "offers": of_offers,
    "interactions": interactions,
}


def play(world: World, learner: Learner, delay: int) -> Played:
    """Decide one after the other; what came of a decision is learned `delay` decisions later."""
    arms: list[int] = []
    shares: list[Sequence[float]] = []
    for number, (context, u) in enumerate(zip(world.contexts, world.draws, strict=True)):
        given = learner.shares(context)
        arms.append(draw(given, u))
        shares.append(given)
        then = number - delay
        if then >= 0:
            arm = arms[then]
            learner.learn(
                world.contexts[then],
                arm,
                shares[then][arm],
                float(world.value[then, arm]),
                float(world.cost[then, arm]),
            )
    return Played(np.array(arms), np.array(shares))


def regret(world: World, arms: NDArray[np.int64]) -> float:
    """Per decision, in fen."""
    chosen = world.expected[np.arange(len(arms)), arms]
    return float((world.expected.max(axis=1) - chosen).mean())


def chi_square(shares: Numbers, arms: NDArray[np.int64]) -> tuple[float, int]:
    """Drawn frequencies against stated probabilities, and the degrees of freedom.

    Draws are grouped by the probability stated, in tenths; each group adds the squared distance
    of arms drawn from arms expected, over the variance of a sum of such draws. A distribution
    that is not the one drawn from shows as a value far above the degrees of freedom.
    """
    drawn = np.zeros(shares.shape)
    drawn[np.arange(len(arms)), arms] = 1.0
    total, freedom = 0.0, 0
    for tenth in range(10):
        within = (shares >= tenth / 10) & (shares < (tenth + 1) / 10)
        stated = shares[within]
        variance = float((stated * (1.0 - stated)).sum())
        if variance >= 5.0:
            total += float((drawn[within] - stated).sum()) ** 2 / variance
            freedom += 1
    return total, freedom


def _contexts(rng: np.random.Generator, count: int) -> Numbers:
    return np.clip(rng.normal(0.0, 1.0, (count, WIDTH)), -3.0, 3.0)


def _orders(name: str, contexts: Numbers, likely: Numbers, rng: np.random.Generator) -> World:
    count = len(contexts)
    bought = rng.random((count, 1)) < likely
    return World(
        name,
        [tuple(row) for row in contexts.tolist()],
        (ORDER_FEN * bought).astype(np.float64),
        np.zeros(likely.shape),
        ORDER_FEN * likely,
        rng.random(count).tolist(),
        (0, 0, 0, 0),
    )
