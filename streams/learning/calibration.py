"""From the odds of silence to a calibrated probability of churn, learned online from scores given.

Two corrections. Platt scaling, silence = sigmoid(slope * logit + shift), by Newton steps with a
prior at the identity, so that it acts only on what thousands of pairs agree on. And the chance that
somebody ends the relation within the horizon, counted per score given, not per pair matured: an
unfollow is known at once and its absence only after the horizon, so among matured pairs it is too
frequent as long as the crowd grows.
Source: Platt, Probabilistic outputs for support vector machines (1999).
"""

from msgspec import Struct

from streams.learning.logistic import sigmoid

PRIOR = 400.0  # information, in units of p(1-p): some three thousand pairs
KEPT = 0.9995  # at each score or pair: the last two thousand count
GIVEN, ENDED = 80.0, 2.0  # scores before the first, and how many of them ended in an unfollow
SLOPES = (0.5, 2.0)
SHIFTS = (-2.0, 2.0)


class Calibration(Struct, array_like=True):
    slope: float = 1.0
    shift: float = 0.0
    information_slope: float = PRIOR  # second derivatives: slope-slope, slope-shift, shift-shift
    information_both: float = 0.0
    information_shift: float = PRIOR
    given: float = GIVEN
    ended: float = ENDED

    def apply(self, logit: float) -> float:
        """P(churn) from the log-odds of silence, within +-30."""
        silence = sigmoid(self.slope * logit + self.shift)
        return 1.0 - (1.0 - silence) * (1.0 - self.ended / self.given)

    def give(self) -> None:
        """A score goes on record."""
        self.given = KEPT * self.given + (1.0 - KEPT) * GIVEN + 1.0
        self.ended = KEPT * self.ended + (1.0 - KEPT) * ENDED

    def end(self) -> None:
        """A person with a score on record ended the relation within the horizon."""
        self.ended = min(self.ended + 1.0, self.given)

    def learn(self, logit: float, *, silent: bool) -> None:
        """A score matured: the horizon passed, in silence or not."""
        probability = sigmoid(self.slope * logit + self.shift)
        weight = max(probability * (1.0 - probability), 1e-3)
        fresh = (1.0 - KEPT) * PRIOR
        a = KEPT * self.information_slope + fresh + weight * logit * logit
        b = KEPT * self.information_both + weight * logit
        c = KEPT * self.information_shift + fresh + weight
        error = (1.0 if silent else 0.0) - probability
        determinant = a * c - b * b
        self.slope = clipped(self.slope + error * (c * logit - b) / determinant, SLOPES)
        self.shift = clipped(self.shift + error * (a - b * logit) / determinant, SHIFTS)
        self.information_slope, self.information_both, self.information_shift = a, b, c


def clipped(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])
