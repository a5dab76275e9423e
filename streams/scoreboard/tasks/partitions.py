"""People split over partitions: how far behind one learner of everybody are many that tell?

Each partition has its own people and learner; what they learned they tell each other at most so
often, and it arrives a period later. One pass, each example scored before it is learned.
Peers: partitions that tell nothing, and weights averaged by examples at each period.
The same question for recommenders: recommend_apart.py.
"""

from collections.abc import Callable, Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from streams.learning.logistic import LogisticDelta, OnlineLogistic, sigmoid
from streams.scoreboard.board import Indices, Score, interval
from streams.scoreboard.data import Fetch
from streams.scoreboard.labelled import (
    Example,
    Signs,
    fast_auc,
    ratings_of_people,
    weeks_of_customers,
)
from streams.scoreboard.tasks import recommend_apart

BUCKETS = 4_096
MINUTE_S, HOUR_S = 60.0, 3_600.0
NEVER_S = float("inf")
BAR = 0.01
RESAMPLES = 40

Make = Callable[[], OnlineLogistic]
Period = Callable[[Sequence[OnlineLogistic]], None]


def run(fetch: Fetch) -> list[Score]:
    names, weeks = weeks_of_customers(fetch)
    found = compare("CDNOW: buys in the coming week", weeks, learner(len(names), 0.05), (MINUTE_S,))
    liked = ratings_of_people(fetch, BUCKETS)
    found += compare("ML-100k: four stars or more", liked, learner(BUCKETS, 0.1, Signs), (HOUR_S,))
    return found + recommend_apart.run(fetch)


def learner(size: int, rate: float, kind: type[OnlineLogistic] = OnlineLogistic) -> Make:
    def make() -> OnlineLogistic:
        model = kind(rate=rate)
        model.begin([f"f{place}" for place in range(size)], [0.0] * size)
        return model

    return make


def compare(
    data: str, examples: Sequence[Example], make: Make, periods_s: Sequence[float]
) -> list[Score]:
    """How much AUC is lost by splitting, for each period."""
    labels = np.array([example.y for example in examples])
    people = [example.person for example in examples]
    single = scores(examples, make, 1, NEVER_S, Telling)
    auc = fast_auc(single, labels)
    found = []
    for partitions in (4, 16):
        alone = auc - fast_auc(scores(examples, make, partitions, NEVER_S, Telling), labels)
        for period_s in periods_s:
            told = scores(examples, make, partitions, period_s, Telling)
            averaged = scores(examples, make, partitions, period_s, Averaging)

            def gap(at: Indices, told: NDArray[np.float64] = told) -> float:
                return fast_auc(single, labels, at) - fast_auc(told, labels, at)

            low, high = interval(gap, people, resamples=RESAMPLES)
            found.append(
                Score(
                    task="partitions",
                    data=f"{data}, {partitions} partitions, told every {period_s:.0f} s",
                    metric="AUC lost against one learner",
                    ours=auc - fast_auc(told, labels),
                    low=low,
                    high=high,
                    better="lower",
                    bar=BAR,
                    cases=len(examples),
                    peers={
                        "each alone": alone,
                        "weights averaged": auc - fast_auc(averaged, labels),
                    },
                    note=f"AUC of one learner {auc:.4f}, over all examples from the first on",
                )
            )
    return found


class Telling:
    """Learners tell what they learned; it arrives when the next period is over."""

    def __init__(self, learners: Sequence[OnlineLogistic]) -> None:
        self._learners = learners
        self._mail: list[tuple[int, LogisticDelta]] = []
        for learner in learners:
            learner.begin_sharing()

    def period(self) -> None:
        for sender, delta in self._mail:
            for place, learner in enumerate(self._learners):
                if place != sender:
                    learner.absorb(delta)
        told = [(place, learner.share()) for place, learner in enumerate(self._learners)]
        self._mail = [(place, delta) for place, delta in told if delta is not None]


class Averaging:
    """All take the mean of the weights, by examples since the last time, at once."""

    def __init__(self, learners: Sequence[OnlineLogistic]) -> None:
        self._learners = learners
        self._examples = [0] * len(learners)

    def period(self) -> None:
        since = [
            model.examples - before
            for model, before in zip(self._learners, self._examples, strict=True)
        ]
        self._examples = [model.examples for model in self._learners]
        if not any(since):
            return
        mean = np.average([[*m.weights, m.intercept] for m in self._learners], 0, weights=since)
        for model in self._learners:
            *model.weights, model.intercept = mean.tolist()


def scores(
    examples: Sequence[Example],
    make: Make,
    partitions: int,
    period_s: float,
    how: type[Telling] | type[Averaging],
) -> NDArray[np.float64]:
    """The probability given to each example, before it was learned."""
    learners = [make() for _ in range(partitions)]
    together = how(learners)
    found = np.empty(len(examples))
    due_s = examples[0].known_s + period_s
    for place, example in enumerate(examples):
        if example.known_s >= due_s:
            together.period()
            due_s = example.known_s + period_s
        model = learners[crc32(example.person.encode()) % partitions]
        found[place] = sigmoid(model.logit(example.x))
        model.learn(example.x, example.y)
    return found
