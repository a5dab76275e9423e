"""What a message to customer service is about, learned online: one learner against the rest each.

Each label has an AdaGrad over hashed grams, begun with the words of `topics.py`; labels may be
added, up to `MOST_LABELS`. An answer below `SURE` is not given: it is unknown.
Source: Rifkin, Klautau, In defense of one-vs-all classification (JMLR 2004).
"""

from collections.abc import Hashable, Sequence
from math import sqrt
from typing import Any, Final, NamedTuple

import numpy as np
from msgspec import Struct
from river.base import Classifier

from streams.learning import rows
from streams.learning.linear.adagrad import HashedAdaGrad
from streams.learning.linear.hashed import Floats, Places, hashed
from streams.learning.linear.storage import Storage, columns_in
from streams.learning.logistic import sigmoid
from streams.learning.text import grams as g
from streams.learning.text.topics import LABELS, OTHER, WORDS

BUCKETS: Final = 2**16
MOST_LABELS: Final = 16
MOST: Final = 48  # buckets of one text
PLACES: Final = 4  # buckets in a row: few, for a row holds them for all labels
SURE: Final = 0.4  # probability from which an answer is given
UNKNOWN: Final = ""
LEARNT: Final = 0.02  # an error below teaches nothing: most labels are far off most texts
WORD_WEIGHT: Final = 8.0  # of a word of the list
RARE: Final = -1.5  # log-odds of a label before anything is known
HEAD: Final = b"head"
WEIGHTS: Final = b"w/"

Label = bool | str | int


class HeadRow(Struct, array_like=True):
    examples: int
    labels: list[Label]
    intercepts: list[list[float]]


class Guess(NamedTuple):
    """`label` is UNKNOWN where none is sure enough. `confidence`: P(the likeliest label)."""

    label: Label
    confidence: float
    likeliest: Label


class Intent(Classifier):
    """Texts as `buckets_of` their grams. river's protocol takes texts, or features by name.

    Parameters
    ----------
    labels
        Those known from the beginning.

    """

    def __init__(self, labels: Sequence[Label] = LABELS) -> None:
        self.labels: Sequence[Label] = labels
        self.known: list[Label] = list(labels)
        self.examples = 0
        self._learners: list[HashedAdaGrad] = []
        self._storage = Storage(PLACES)
        self._changed = False

    @property
    def _multiclass(self) -> bool:
        return True

    def guess(self, buckets: Sequence[int]) -> Guess:
        """Ties go to the label known first."""
        found = self._scores(buckets) if buckets else []
        if not found:
            return Guess(UNKNOWN, 0.0, UNKNOWN)
        place = max(range(len(found)), key=found.__getitem__)
        label = self.known[place]
        return Guess(label if found[place] >= SURE else UNKNOWN, found[place], label)

    def learn(self, buckets: Sequence[int], label: Label) -> None:
        """Beyond `MOST_LABELS` a new label counts as `other`. Without buckets it learns nothing."""
        if not buckets:
            return
        if label not in self.known:
            if len(self.known) < MOST_LABELS:
                self.known.append(label)
            elif OTHER in self.known:
                label = OTHER
            else:
                return
        places, values = _arrays(buckets)
        learners = self._opened()
        for known, learner in zip(self.known, learners, strict=True):
            target = 1.0 if known == label else 0.0
            logit = learner.logit(places, values)
            if abs(sigmoid(logit) - target) >= LEARNT:
                learner.learn(places, values, known == label, logit)
                self._storage.touch(places)
        self.examples += 1
        self._changed = True

    def buckets_of(self, grams: Sequence[int], most: int = MOST) -> list[int]:
        """Where the learners look for a text: sorted and each once, `MOST` at most."""
        return self.strongest([gram % BUCKETS for gram in grams if gram >= g.SIGNALS], most)

    def strongest(self, buckets: Sequence[int], most: int = MOST) -> list[int]:
        """Of too many those that weigh most, and of equals the first."""
        found = dict.fromkeys(sorted(buckets))
        if len(found) > most:
            weights = [learner.columns[0] for learner in self._opened()]
            places = np.array(list(found), dtype=np.intp)
            strengths = np.sum([np.abs(column[places].astype(float)) for column in weights], axis=0)
            strongest = np.argsort(-strengths, kind="stable")[:most]
            found = dict.fromkeys(places[strongest].tolist())
        return sorted(found)

    def changed_rows(self) -> list[tuple[bytes, bytes]]:
        """Keys and rows changed since the last call, each once."""
        if not self._changed:
            return []
        self._changed = False
        learners = self._opened()
        intercepts = [learner.intercepts for learner in learners]
        head = HeadRow(self.examples, list(self.known), intercepts)
        columns = [column for learner in learners for column in learner.columns]
        weights = [
            (WEIGHTS + str(number).encode(), row) for number, row in self._storage.changed(columns)
        ]
        return [(HEAD, rows.pack(head)), *weights]

    def load_row(self, key: bytes, row: bytes) -> None:
        """Take over an earlier state, rows in any order. Raises ValueError for an unknown key or a
        broken row."""
        if key == HEAD:
            head = rows.unpack(row, HeadRow)
            self.examples, self.known = head.examples, list(head.labels)
            for learner, intercepts in zip(self._opened(), head.intercepts, strict=False):
                learner.intercepts = intercepts
        elif key.startswith(WEIGHTS) and key[len(WEIGHTS) :].isdigit():
            learners = self._opened(columns_in(row, PLACES, 4) // HashedAdaGrad.COLUMNS)
            columns = [column for learner in learners for column in learner.columns]
            self._storage.load(columns, int(key[len(WEIGHTS) :]), row)
        else:
            raise ValueError(f"intent has no row {key!r}")

    def learn_one(self, x: dict[Hashable, Any] | str, y: Label) -> None:
        self.learn(self._buckets(x), y)

    def predict_proba_one(self, x: dict[Hashable, Any] | str, **kwargs: Any) -> dict[Label, float]:
        found = self._scores(self._buckets(x))
        total = sum(found) or 1.0
        return {label: score / total for label, score in zip(self.known, found, strict=True)}

    def _buckets(self, x: dict[Hashable, Any] | str) -> list[int]:
        if isinstance(x, str):
            return self.buckets_of(g.grams(x))
        buckets, values = hashed(x, BUCKETS)
        return [i for i, value in zip(buckets, values, strict=True) if value]

    def _scores(self, buckets: Sequence[int]) -> list[float]:
        places, values = _arrays(buckets)
        learners = self._opened()[: len(self.known)]
        return [sigmoid(learner.logit(places, values)) for learner in learners]

    def _opened(self, least: int = 0) -> list[HashedAdaGrad]:
        """A learner for each label, and at least so many: what a row was written for."""
        for place in range(len(self._learners), max(len(self.known), min(least, MOST_LABELS))):
            learner = HashedAdaGrad(rate=0.3, start=1e-2, size=BUCKETS, kind="f")
            learner.open()
            learner.intercept = RARE
            label = self.known[place] if place < len(self.known) else UNKNOWN
            for bucket in _SEEDS.get(label, ()):
                learner.columns[0][bucket] = WORD_WEIGHT
            self._learners.append(learner)
        return self._learners


def _arrays(buckets: Sequence[int]) -> tuple[Places, Floats]:
    """Buckets and values, of length 1 together."""
    length = len(buckets)
    return np.array(buckets, dtype=np.intp), np.full(length, 1.0 / sqrt(length or 1))


# The longest gram of each word.
_SEEDS: Final[dict[Label, tuple[int, ...]]] = {
    label: tuple(g.longest_gram(word) % BUCKETS for word in words.split())
    for label, words in WORDS.items()
}
