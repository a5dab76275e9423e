"""Uplift where the truth is known: whose order probability a coupon raises, and by how much.

Three worlds (streams/benchmarks/bandit_worlds.py), one pass each. Whether a person gets the arm of
the coupon is drawn with a probability that depends on their features and is logged; whether they
order is known 24 hours later. Every estimate is given before its outcome is learned; judged are
those of the last half of the stream. Peers on the same stream: two river logistic regressions, one
for the treated and one for those held out, their difference being the estimate, with and without
products of the features; and river's linear regression on the outcome weighted by its propensity.

The Qini coefficient is computed from the outcomes alone, as with real people; the rank correlation
with the true effects. Intervals are a bootstrap over people. Each person stands in a stream once.
"""

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from river import compose, linear_model, optim, preprocessing
from river.feature_extraction import PolynomialExtender

from streams.benchmarks import bandit_worlds
from streams.benchmarks.bandit_worlds import ORDER_FEN, Numbers
from streams.evaluation.uplift import own_effects, qini, rank_correlation
from streams.learning.uplift import Uplift
from streams.scoreboard.board import Score, interval
from streams.scoreboard.data import Fetch
from streams.simulation import offers

COUPON: Final = 2  # the arm whose effect is asked for; nobody gets another but the first
RESAMPLES: Final = 300
Features = Sequence[float]


class Stream(NamedTuple):
    contexts: list[tuple[float, ...]]
    treated: NDArray[np.bool_]
    shares: Numbers  # probability of being treated
    outcomes: Numbers  # 1: ordered
    truth: Numbers  # each person's effect on the probability of an order


class Learner(Protocol):
    def effect(self, x: Features) -> float: ...
    def learn(self, x: Features, treated: bool, share: float, outcome: float) -> None: ...


class Ours:
    def __init__(self) -> None:
        self.uplift = Uplift([f"f{place}" for place in range(bandit_worlds.WIDTH)])

    def effect(self, x: Features) -> float:
        return self.uplift.predict(x).mean

    def learn(self, x: Features, treated: bool, share: float, outcome: float) -> None:
        self.uplift.learn(x, treated, share, outcome)


class TwoModels:
    """river, one logistic regression for each group."""

    def __init__(self, products: bool) -> None:
        self.models = [self._model(products) for _ in range(2)]

    @staticmethod
    def _model(products: bool) -> compose.Pipeline:
        regression = linear_model.LogisticRegression(optim.AdaGrad(0.1))
        steps = [PolynomialExtender(2)] if products else []  # type: ignore[no-untyped-call]
        return compose.Pipeline(*steps, preprocessing.StandardScaler(), regression)

    def effect(self, x: Features) -> float:
        row = _named(x)
        held_out, treated = (model.predict_proba_one(row).get(True, 0.0) for model in self.models)
        return float(treated - held_out)

    def learn(self, x: Features, treated: bool, share: float, outcome: float) -> None:
        self.models[treated].learn_one(_named(x), outcome > 0.0)


class Transformed:
    """river's linear regression on what is the effect in expectation."""

    def __init__(self) -> None:
        self.model = preprocessing.StandardScaler() | linear_model.LinearRegression(
            optim.AdaGrad(0.1)
        )

    def effect(self, x: Features) -> float:
        return float(self.model.predict_one(_named(x)))

    def learn(self, x: Features, treated: bool, share: float, outcome: float) -> None:
        own = outcome / share if treated else -outcome / (1.0 - share)
        self.model.learn_one(_named(x), own)


class Partitions:
    """People by turns over so many learners, which tell each other their results every so many;
    0: never."""

    def __init__(self, count: int, told_every: int) -> None:
        self._learners = [Ours() for _ in range(count)]
        self._told_every = told_every
        self._asked = self._learned = 0
        self._told: list[tuple[int, Features, bool, float, float]] = []

    def effect(self, x: Features) -> float:
        self._asked += 1
        return self._learners[self._asked % len(self._learners)].effect(x)

    def learn(self, x: Features, treated: bool, share: float, outcome: float) -> None:
        self._learned += 1
        own = self._learned % len(self._learners)
        self._learners[own].learn(x, treated, share, outcome)
        if not self._told_every:
            return
        self._told.append((own, x, treated, share, outcome))
        if self._learned % self._told_every == 0:
            for place, learner in enumerate(self._learners):
                for sender, *result in self._told:
                    if sender != place:
                        learner.learn(*result)
            self._told.clear()


def _named(x: Features) -> dict[Hashable, Any]:
    return dict(enumerate(x))


PEERS: Final[dict[str, Callable[[], Learner]]] = {
    "river, two logistic regressions": lambda: TwoModels(products=False),
    "river, two with products": lambda: TwoModels(products=True),
    "river, transformed outcome": Transformed,
}


def run(fetch: Fetch, *, people: int = 20_000, seed: int = 7) -> list[Score]:
    del fetch  # nothing to be had from outside
    found = [score for name in bandit_worlds.WORLDS for score in world_scores(name, people, seed)]
    return [*found, told_score("interactions", people, seed)]


def told_score(name: str, people: int, seed: int, partitions: int = 16) -> Score:
    """Partitions that tell each other their results every hour, beside one learner of all results
    and partitions that tell nothing."""
    stream = made(name, people, seed)
    judged = slice(people // 2, people)
    truth = stream.truth[judged]

    def ranked(learner: Learner) -> Numbers:
        return estimates(stream, learner)[judged]

    ours = ranked(Partitions(partitions, told_every=bandit_worlds.HOUR))
    low, high = interval(
        lambda places: rank_correlation(ours[places], truth[places]),
        range(len(truth)),
        resamples=RESAMPLES,
    )
    return Score(
        task="uplift",
        data=f"{name}, results 24 h late, {partitions} partitions, told every hour",
        metric="rank correlation with the true effect",
        ours=rank_correlation(ours, truth),
        low=low,
        high=high,
        cases=len(truth),
        peers={
            "one learner of all": rank_correlation(ranked(Ours()), truth),
            "each alone": rank_correlation(ranked(Partitions(partitions, told_every=0)), truth),
        },
    )


def world_scores(name: str, people: int, seed: int) -> list[Score]:
    stream = made(name, people, seed)
    judged = slice(people // 2, people)
    effects = own_effects(stream.outcomes[judged], stream.treated[judged], stream.shares[judged])
    truth = stream.truth[judged]
    ours = estimates(stream, Ours())[judged]
    theirs = {peer: estimates(stream, make())[judged] for peer, make in PEERS.items()}
    persons = range(len(truth))
    score = partial(Score, task="uplift", data=f"{name}, results 24 h late", cases=len(truth))
    low, high = interval(
        lambda places: qini(ours[places], effects[places]), persons, resamples=RESAMPLES
    )
    gained = score(
        metric="qini",
        ours=qini(ours, effects),
        low=low,
        high=high,
        bar=0.0,
        peers={peer: qini(one, effects) for peer, one in theirs.items()},
        note=f"orders per person; of the true order {qini(truth, truth):.4f}",
    )
    low, high = interval(
        lambda places: rank_correlation(ours[places], truth[places]),
        persons,
        resamples=RESAMPLES,
    )
    ranked = score(
        metric="rank correlation with the true effect",
        ours=rank_correlation(ours, truth),
        low=low,
        high=high,
        bar=0.6,
        peers={peer: rank_correlation(one, truth) for peer, one in theirs.items()},
    )
    return [gained, ranked]


def made(name: str, people: int, seed: int) -> Stream:
    """Who has been active lately is treated more often, as a real policy would."""
    world = bandit_worlds.WORLDS[name](seed, people)
    contexts = np.array(world.contexts)
    shares = np.clip(0.55 + 0.2 * contexts[:, 0], 0.2, 0.9)
    treated = np.array(world.draws) < shares
    ordered = world.value > 0.0
    outcomes = np.where(treated, ordered[:, COUPON], ordered[:, 0]).astype(np.float64)
    if name == "offers":
        buys = np.array(offers.BUYS)
        kinds = [person.kind for person in offers.people(seed, people)]
        truth = (buys[:, COUPON] - buys[:, 0])[kinds]
    else:
        truth = (world.expected[:, COUPON] - world.expected[:, 0]) / ORDER_FEN
    return Stream(world.contexts, treated, shares, outcomes, truth)


def estimates(stream: Stream, learner: Learner) -> Numbers:
    """Of each person when they came, by who has learned what had matured by then."""
    found = np.zeros(len(stream.contexts))
    for number, x in enumerate(stream.contexts):
        found[number] = learner.effect(x)
        then = number - bandit_worlds.DELAYS["24 h"]
        if then >= 0:
            learner.learn(
                stream.contexts[then],
                bool(stream.treated[then]),
                float(stream.shares[then]),
                float(stream.outcomes[then]),
            )
    return found
