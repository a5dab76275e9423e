"""Adaptive regularisation of weights: a large-margin learner that trusts what it saw often.

Each weight has a variance; what is certain moves little. Its margins are no log-odds: they count
as half of some, and whoever combines learners calibrates.
Source: Crammer, Kulesza, Dredze, Adaptive regularization of weight vectors (NIPS 2009), diagonal.
"""

from operator import mul

from streams.learning.linear.hashed import Buckets, HashedLinear, Kind, Values

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

    def logit(self, buckets: Buckets, values: Values) -> float:
        return sum(self.contributions(buckets, values))

    def contributions(self, buckets: Buckets, values: Values) -> list[float]:
        if not self.columns:
            return [0.0] * len(buckets)
        margins = map(mul, map(self.columns[0].__getitem__, buckets), values)
        return [LOG_ODDS * margin for margin in margins]

    def learn(self, buckets: Buckets, values: Values, y: bool) -> None:
        self.open()
        self.examples += 1
        sign = 1.0 if y else -1.0
        margin = sign * self.logit(buckets, values) / LOG_ODDS
        if margin >= 1.0:
            return
        means, known = self.columns  # variances as what is known already: 1 - variance
        pairs = list(zip(buckets, values, strict=True))
        confidence = sum((1.0 - known[i]) * value * value for i, value in pairs)
        beta = 1.0 / (confidence + self.r)
        step = sign * (1.0 - margin) * beta
        for i, value in pairs:
            gain = (1.0 - known[i]) * value
            means[i] += step * gain
            known[i] += beta * gain * gain
