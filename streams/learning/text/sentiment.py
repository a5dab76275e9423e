"""The sentiment of a text, learned online from rated ones: P(positive), calibrated.

Three learners look at the grams: AdaGrad, naive Bayes, AROW, each good where the others are not.
A fourth looks at the signals of the lexicon and starts with opinions of its own, so the first
texts are not judged blindly. An online logistic regression weighs their log-odds, learned from what
they said before they learned the answer; that calibrates too. All are sums over features, and so
is the result: it can be told which grams made it.
Source: Wolpert, Stacked generalization (1992), on out-of-sample predictions.
"""

from bisect import bisect_left
from collections.abc import Hashable, Sequence
from math import sqrt
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from msgspec import Struct
from river.base import Classifier

from streams.learning import rows
from streams.learning.linear.adagrad import HashedAdaGrad
from streams.learning.linear.arow import HashedAROW
from streams.learning.linear.bayes import HashedBayes
from streams.learning.linear.hashed import Floats, HashedLinear, Places, hashed
from streams.learning.linear.storage import Storage
from streams.learning.logistic import OnlineLogistic, sigmoid
from streams.learning.text import grams as g

Tone = Literal["negative", "neutral", "positive"]

BAND: Final = 0.15  # closer to one half is neutral
HEAD: Final = b"head"
WEIGHTS: Final = b"w/"
BAYES_SCALE: Final = 0.06  # naive Bayes takes what is said twice for two opinions
TRUST: Final = {"adagrad": 0.5, "bayes": 0.2, "arow": 0.45, "signals": 0.5}  # at first

# Where the lexicon's learner starts: opinions of ours, in log-odds. They are learned away.
PER_WORD, FIRST_WORD, LAST_WORD, AFTER_TURN = 0.6, 0.1, 0.2, 0.2


class HeadRow(Struct, array_like=True):
    examples: int
    intercepts: list[list[float]]  # of the three learners
    signals: list[list[float]]  # weights, squares, and the intercept with its own
    stack: bytes


class Part(NamedTuple):
    """What one gram adds to the log-odds of positive. Signals have names; grams are numbers."""

    gram: int
    name: str
    log_odds: float


class _Said(NamedTuple):
    """A text as the four learners see it, and their log-odds."""

    buckets: Places
    values: Floats
    ones: Floats
    signals: Places
    marks: Floats  # a one for each
    logits: list[float]


class Sentiment(Classifier):
    """Texts as `grams` makes them. river's protocol takes texts as well, or features by name.

    Parameters
    ----------
    lexicon
        Whether the lexicon has a say.

    """

    def __init__(self, lexicon: bool = True) -> None:
        self.lexicon = lexicon
        self.adagrad = HashedAdaGrad(rate=0.5, size=g.BUCKETS, kind="f")
        self.bayes = HashedBayes(alpha=0.3, size=g.BUCKETS, kind="f")
        self.arow = HashedAROW(r=1.0, size=g.BUCKETS, kind="f")
        self.signals = HashedAdaGrad(rate=0.05, start=1.0, size=g.SIGNALS)
        self.signals.open()
        if lexicon:
            self.signals.columns[0][:] = _opinions()
        self.stack = OnlineLogistic(rate=0.02)
        self.stack.begin(list(TRUST), list(TRUST.values()))
        self._storage = Storage()
        self._changed = False

    @property
    def examples(self) -> int:
        return self.stack.examples

    def probability(self, grams: Sequence[int]) -> float:
        """P(positive); without any gram what is known of texts at large."""
        return sigmoid(self.stack.logit(self._said(grams).logits))

    def learn(self, grams: Sequence[int], positive: bool) -> float:
        """One step towards the answer; returns the probability before it."""
        said = self._said(grams)
        probability = self.stack.learn(said.logits, positive)
        self.adagrad.learn(said.buckets, said.values, positive, said.logits[0])
        self.bayes.learn(said.buckets, said.ones, positive)
        self.arow.learn(said.buckets, said.values, positive, said.logits[2])
        if self.lexicon:
            self.signals.learn(said.signals, said.marks, positive, said.logits[3])
        self._storage.touch(said.buckets)
        self._changed = True
        return probability

    def explain(self, grams: Sequence[int]) -> list[Part]:
        """Largest first, the intercepts as gram -1; the sum is the log-odds of `probability`."""
        said, trust = self._said(grams), self.stack.weights
        sums = dict.fromkeys((*said.buckets.tolist(), -1), 0.0)
        for learner, values, weight in self._experts(said):
            parts = learner.contributions(said.buckets, values)
            for bucket, part in zip(said.buckets.tolist(), parts.tolist(), strict=True):
                sums[bucket] += weight * part
            sums[-1] += weight * (learner.logit(said.buckets, values) - float(parts.sum()))
        if self.lexicon:
            parts = self.signals.contributions(said.signals, said.marks)
            for number, part in zip(said.signals.tolist(), parts.tolist(), strict=True):
                sums[number] = trust[3] * part
            sums[-1] += trust[3] * self.signals.intercept
        sums[-1] += self.stack.intercept
        found = [Part(number, _name(number), part) for number, part in sums.items()]
        return sorted(found, key=lambda part: (-abs(part.log_odds), part.gram))

    def changed_rows(self) -> list[tuple[bytes, bytes]]:
        """Keys and rows changed since the last call, each once."""
        if not self._changed:
            return []
        self._changed = False
        learners = (self.adagrad, self.bayes, self.arow)
        intercepts = [learner.intercepts for learner in learners]
        head = HeadRow(self.examples, intercepts, self._signals_state(), self.stack.to_row())
        columns = [column for learner in learners for column in learner.columns]
        weights = [
            (WEIGHTS + str(number).encode(), row) for number, row in self._storage.changed(columns)
        ]
        return [(HEAD, rows.pack(head)), *weights]

    def load_row(self, key: bytes, row: bytes) -> None:
        """Take over an earlier state. Raises ValueError for an unknown key or a broken row."""
        learners = (self.adagrad, self.bayes, self.arow)
        if key == HEAD:
            head = rows.unpack(row, HeadRow)
            for learner, intercepts in zip(learners, head.intercepts, strict=True):
                learner.intercepts = intercepts
                learner.examples = head.examples
            *parts, self.signals.intercepts = head.signals
            for column, numbers in zip(self.signals.columns, parts, strict=True):
                if len(numbers) != len(column):
                    raise ValueError(f"the row has {len(numbers)} signals, not {len(column)}")
                column[:] = numbers
            self.stack.from_row(head.stack)
        elif key.startswith(WEIGHTS) and key[len(WEIGHTS) :].isdigit():
            for learner in learners:
                learner.open()
            columns = [column for learner in learners for column in learner.columns]
            self._storage.load(columns, int(key[len(WEIGHTS) :]), row)
        else:
            raise ValueError(f"sentiment has no row {key!r}")

    def learn_one(self, x: dict[Hashable, Any] | str, y: bool | str | int) -> None:
        self.learn(_grams_of(x), bool(y))

    def predict_proba_one(
        self, x: dict[Hashable, Any] | str, **kwargs: Any
    ) -> dict[bool | str | int, float]:
        probability = self.probability(_grams_of(x))
        return {False: 1.0 - probability, True: probability}

    def _said(self, grams: Sequence[int]) -> _Said:
        numbers = sorted(set(grams))
        first, last = bisect_left(numbers, g.SIGNALS), bisect_left(numbers, g.BUCKETS)
        signals = np.array(numbers[bisect_left(numbers, 0) : first], dtype=np.intp)
        marks = np.ones(len(signals))
        buckets = np.array(numbers[first:last], dtype=np.intp)
        ones = np.ones(len(buckets))
        values = ones / sqrt(len(buckets) or 1)
        logits = [
            self.adagrad.logit(buckets, values),
            BAYES_SCALE * self.bayes.logit(buckets, ones),
            self.arow.logit(buckets, values),
            self.signals.logit(signals, marks) if self.lexicon else 0.0,
        ]
        return _Said(buckets, values, ones, signals, marks, logits)

    def _signals_state(self) -> list[list[float]]:
        return [*(column.tolist() for column in self.signals.columns), self.signals.intercepts]

    def _experts(self, said: _Said) -> list[tuple[HashedLinear, Floats, float]]:
        trust = self.stack.weights
        return [
            (self.adagrad, said.values, trust[0]),
            (self.bayes, said.ones, trust[1] * BAYES_SCALE),
            (self.arow, said.values, trust[2]),
        ]


def tone(probability: float) -> Tone:
    """Negative, neutral within `BAND` of one half, or positive."""
    if abs(probability - 0.5) < BAND:
        return "neutral"
    return "positive" if probability > 0.5 else "negative"


def _opinions() -> list[float]:
    weights = [0.0] * g.SIGNALS
    for number, name in g.NAMES.items():
        if " - " in name:
            weights[number] = PER_WORD if name.startswith("praise") else -PER_WORD
    for signal, weight in ((g.FIRST, FIRST_WORD), (g.LAST, LAST_WORD), (g.AFTER, AFTER_TURN)):
        weights[signal], weights[signal + 1] = weight, -weight
    return weights


def _grams_of(x: dict[Hashable, Any] | str) -> list[int]:
    if isinstance(x, str):
        return g.grams(x)
    buckets, values = hashed(x, g.HASHED)
    return [g.SIGNALS + i for i, value in zip(buckets, values, strict=True) if value]


def _name(number: int) -> str:
    return "intercept" if number < 0 else g.NAMES.get(number, f"gram {number}")
