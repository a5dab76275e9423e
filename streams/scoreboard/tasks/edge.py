"""What a model loses by becoming small enough for a mini-programme, on real ratings.

Learned on the first four fifths of ML-100k's ratings in order of time, judged on the rest: full
weights against 8 bits, 4 bits, and 8 bits with the smallest half dropped. Peers of a size: the full
weights as JSON.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.evaluation.scores import log_loss
from streams.learning.edge import Bits, EdgeScorer, compress, decode, encode
from streams.learning.logistic import sigmoid
from streams.scoreboard.board import Indices, Score, interval
from streams.scoreboard.data import Fetch
from streams.scoreboard.labelled import Example, Signs, fast_auc, ratings_of_people

BUCKETS = 4_096
KINDS: tuple[tuple[str, Bits, float], ...] = (
    ("8 bits", 8, 1.0),
    ("4 bits", 4, 1.0),
    ("8 bits, half of the weights", 8, 0.5),
)
BAR = 0.002
RESAMPLES = 200


def run(fetch: Fetch) -> list[Score]:
    return compare("ML-100k: four stars or more", ratings_of_people(fetch, BUCKETS), BUCKETS)


def compare(data: str, examples: Sequence[Example], buckets: int) -> list[Score]:
    cut = len(examples) * 4 // 5
    model = Signs(rate=0.1)
    model.widen(buckets)
    for example in examples[:cut]:
        model.learn(example.x, example.y)
    test = examples[cut:]
    labels = np.array([example.y for example in test])
    people = [example.person for example in test]
    full = probabilities(model.weights, model.intercept, test)
    plain = len(msgspec.json.encode(model.weights))
    found = []
    for name, bits, keep in KINDS:
        text = encode(compress("ratings", model.weights, model.intercept, bits=bits, keep=keep))
        scorer = EdgeScorer(decode(text))
        small = probabilities(scorer.weights, scorer.model.intercept, test)

        def lost(at: Indices, small: NDArray[np.float64] = small) -> float:
            return fast_auc(full, labels, at) - fast_auc(small, labels, at)

        low, high = interval(lost, people, resamples=RESAMPLES)
        more = log_loss(small.tolist(), labels.tolist()) - log_loss(full.tolist(), labels.tolist())
        found.append(
            Score(
                task="edge",
                data=data,
                metric=f"AUC lost, {name}",
                ours=fast_auc(full, labels) - fast_auc(small, labels),
                low=low,
                high=high,
                better="lower",
                bar=BAR,
                cases=len(test),
                note=f"full AUC {fast_auc(full, labels):.4f}; log-loss {more:+.5f}; "
                f"{len(text):,} bytes instead of {plain:,}",
            )
        )
    return found


def probabilities(
    weights: Sequence[float], intercept: float, examples: Sequence[Example]
) -> NDArray[np.float64]:
    return np.array(
        [
            sigmoid(intercept + sum(weights[int(place)] for place in example.x))
            for example in examples
        ]
    )
