"""Adaptive regularisation of weights: a large-margin learner that trusts what it saw often.

Each weight has a variance; what is certain moves little. Its margins are no log-odds: they count
as half of some, and whoever combines learners calibrates.
Source: Crammer, Kulesza, Dredze, Adaptive regularization of weight vectors (NIPS 2009), diagonal.
"""

import numpy as np

from streams.learning.linear.hashed import Buckets, Floats, HashedLinear, Kind, Values

LOG_ODDS = 2.0  # of one unit of margin


class HashedAROW(HashedLinear):
    """P(True | features).

    Parameters
    ----------
    r
        The larger, the smaller the steps.
    size
        Buckets.
    kind
        Precision of the arrays.

    """

    def __init__(self, r: float = 1.0, size: int = 2**18, kind: Kind = "d") -> None:
        super().__init__(size, kind)
        self.r = r

    def contributions(self, buckets: Buckets, values: Values) -> Floats:
        if not self.columns:
            return np.zeros(len(buckets))
        return self.columns[0][buckets] * (LOG_ODDS * np.asarray(values))

    def learn(self, buckets: Buckets, values: Values, y: bool, logit: float | None = None) -> None:
        self.open()
        self.examples += 1
        sign = 1.0 if y else -1.0
        logit = self.logit(buckets, values) if logit is None else logit
        margin = sign * logit / LOG_ODDS
        if margin >= 1.0:
            return
        means, known = self.columns  # variances as what is known already: 1 - variance
        gains = (1.0 - known[buckets]) * np.asarray(values)
        beta = 1.0 / (float((gains * values).sum()) + self.r)
        means[buckets] += sign * (1.0 - margin) * beta * gains
        known[buckets] += beta * gains * gains
