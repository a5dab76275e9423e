"""Platt scaling learned online: p = sigmoid(slope * logit + shift), by Newton steps on matured pairs.

It starts at the identity with a prior as strong as some hundred pairs and forgets slowly, so a model that
has itself got better is not corrected for its past for long.
Source: Platt, Probabilistic outputs for support vector machines (1999).
"""

from msgspec import Struct

from streams.engine.models.logistic import sigmoid

PRIOR = 20.0  # information, in units of p(1-p): about a hundred pairs
KEPT = 0.999  # of the information at each pair: the last thousand pairs count
LIMITS = (0.25, 4.0)  # of the slope: a scale that turns the ranking round is never right


class Calibration(Struct, array_like=True):
    slope: float = 1.0
    shift: float = 0.0
    information_slope: float = PRIOR
    information_both: float = 0.0
    information_shift: float = PRIOR

    def apply(self, logit: float) -> float:
        return sigmoid(self.slope * logit + self.shift)

    def learn(self, logit: float, happened: bool) -> None:
        """One Newton step; `logit` is the uncalibrated one, within +-30."""
        probability = self.apply(logit)
        weight = max(probability * (1.0 - probability), 1e-3)
        fresh = (1.0 - KEPT) * PRIOR
        a = KEPT * self.information_slope + fresh + weight * logit * logit
        b = KEPT * self.information_both + weight * logit
        c = KEPT * self.information_shift + fresh + weight
        error = (1.0 if happened else 0.0) - probability
        determinant = a * c - b * b
        self.slope += error * (c * logit - b) / determinant
        self.shift += error * (a - b * logit) / determinant
        self.slope = min(max(self.slope, LIMITS[0]), LIMITS[1])
        self.shift = min(max(self.shift, -5.0), 5.0)
        self.information_slope, self.information_both, self.information_shift = a, b, c
