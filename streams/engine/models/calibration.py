"""From the odds of silence to a calibrated probability of churn, learned online from matured pairs.

Two corrections. Platt scaling, silence = sigmoid(slope * logit + shift), by Newton steps with a
prior at the identity, so that it acts only on what hundreds of pairs agree on. And people who were
active and yet unfollowed within the horizon: their share is counted, and added to what silence
leaves.
Old pairs are forgotten slowly: a model that has itself got better is not corrected for its past
for long.
Source: Platt, Probabilistic outputs for support vector machines (1999).
"""

from msgspec import Struct

from streams.engine.models.logistic import sigmoid

PRIOR = 400.0  # information, in units of p(1-p): some three thousand pairs
KEPT = 0.9995  # at each pair: the last two thousand count
SLOPES = (0.5, 2.0)
SHIFTS = (-2.0, 2.0)


class Calibration(Struct, array_like=True):
    slope: float = 1.0
    shift: float = 0.0
    information_slope: float = (
        PRIOR  # of the second derivatives, slope-slope, slope-shift, shift-shift
    )
    information_both: float = 0.0
    information_shift: float = PRIOR
    ended: float = 1.0  # active people who unfollowed within the horizon; a prior of one in forty
    stayed: float = 39.0

    def apply(self, logit: float) -> float:
        """P(churn) from the log-odds of silence, within +-30."""
        silence = sigmoid(self.slope * logit + self.shift)
        return silence + (1.0 - silence) * self.ended / (self.ended + self.stayed)

    def learn(self, logit: float, *, silent: bool, ended: bool) -> None:
        """What came of a score: silence, or activity and then an unfollow, or activity alone."""
        if not silent:
            self.ended = KEPT * self.ended + (1.0 - KEPT) + (1.0 if ended else 0.0)
            self.stayed = KEPT * self.stayed + (1.0 - KEPT) * 39.0 + (0.0 if ended else 1.0)
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
