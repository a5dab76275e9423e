"""Naive Bayes over hashed features: the ratio of how common each is in the two classes.

Sharp from the first examples on, and far too sure of itself: whoever combines learners calibrates.
Source: McCallum, Nigam, A comparison of event models for naive Bayes (1998), multinomial;
Wang, Manning, Baselines and bigrams (ACL 2012), the log-count ratio.
"""

from collections.abc import Sequence

import numpy as np

from streams.learning.linear.hashed import Buckets, Floats, HashedLinear, Kind, Values


class HashedBayes(HashedLinear):
    """P(True | features), classes taken as equally common. Negative values count as 0.

    Parameters
    ----------
    alpha
        Added to every count.
    size
        Buckets.
    kind
        Precision of the arrays.

    """

    def __init__(self, alpha: float = 0.3, size: int = 2**18, kind: Kind = "d") -> None:
        super().__init__(size, kind)
        self.alpha = alpha
        self.total_false = 0.0
        self.total_true = 0.0

    def contributions(self, buckets: Buckets, values: Values) -> Floats:
        if not self.columns:
            return np.zeros(len(buckets))
        counts_false, counts_true = self.columns
        alpha, shift = self.alpha, (self.total_false + 1.0) / (self.total_true + 1.0)
        in_false, in_true = counts_false[buckets], counts_true[buckets]
        counted = np.maximum(values, 0.0) * (in_false + in_true > 0.0)
        found: Floats = counted * np.log((in_true + alpha) / (in_false + alpha) * shift)
        return found

    def learn(self, buckets: Buckets, values: Values, y: bool, logit: float | None = None) -> None:
        self.open()
        counted = np.maximum(values, 0.0)
        self.columns[1 if y else 0][buckets] += counted
        total = float(counted.sum())
        if y:
            self.total_true += total
        else:
            self.total_false += total
        self.examples += 1

    @property
    def intercepts(self) -> list[float]:
        return [self.total_false, self.total_true]

    @intercepts.setter
    def intercepts(self, numbers: Sequence[float]) -> None:
        self.total_false, self.total_true = numbers
