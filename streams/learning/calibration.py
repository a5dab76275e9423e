"""From the odds of silence to a calibrated probability of churn, learned online from scores given.

Two corrections. Platt scaling, silence = sigmoid(slope * logit + shift), by Newton steps with a
prior at the identity, so that it acts only on what thousands of pairs agree on. And the chance that
somebody ends the relation within the horizon, counted per score given, not per pair matured: an
unfollow is known at once and its absence only after the horizon, so among matured pairs it is too
frequent as long as the crowd grows.
Calibrations of one model over different people tell each other the sums a Newton step is made of:
information, and information times parameters. Each fades with all pairs, whoever had them.
Source: Platt, Probabilistic outputs for support vector machines (1999).
"""

from msgspec import Struct
from msgspec.structs import astuple

from streams.learning.logistic import sigmoid

PRIOR = 400.0  # information, in units of p(1-p): some three thousand pairs
KEPT = 0.9995  # at each score or pair: the last two thousand count
GIVEN, ENDED = 80.0, 2.0  # scores before the first, and how many of them ended in an unfollow
SLOPES = (0.5, 2.0)
SHIFTS = (-2.0, 2.0)
OWN = 8  # numbers of CalibrationDelta
GIVEN_PLACE, ENDED_PLACE = 6, 7
MOST = 1e12  # of a sum told: no calibration is that far


class CalibrationDelta(Struct, array_like=True):
    """Sums over the pairs and scores since the last call of `share`."""

    pairs: float
    information_slope: float
    information_both: float
    information_shift: float
    slope_sum: float  # information times parameters, and the errors
    shift_sum: float
    given: float
    ended: float


class Calibration(Struct, array_like=True):
    slope: float = 1.0
    shift: float = 0.0
    information_slope: float = PRIOR  # second derivatives: slope-slope, slope-shift, shift-shift
    information_both: float = 0.0
    information_shift: float = PRIOR
    given: float = GIVEN
    ended: float = ENDED
    own: list[float] = []  # as in CalibrationDelta; empty: nothing is to be shared

    def apply(self, logit: float) -> float:
        """P(churn) from the log-odds of silence, within +-30."""
        silence = sigmoid(self.slope * logit + self.shift)
        return 1.0 - (1.0 - silence) * (1.0 - self.ended / self.given)

    def give(self) -> None:
        """A score goes on record."""
        self.given = KEPT * self.given + (1.0 - KEPT) * GIVEN + 1.0
        self.ended = KEPT * self.ended + (1.0 - KEPT) * ENDED
        if self.own:
            self.own[GIVEN_PLACE] += 1.0

    def end(self) -> None:
        """A person with a score on record ended the relation within the horizon."""
        self.ended = min(self.ended + 1.0, self.given)
        if self.own:
            self.own[ENDED_PLACE] += 1.0

    def learn(self, logit: float, *, silent: bool) -> None:
        """A score matured: the horizon passed, in silence or not."""
        probability = sigmoid(self.slope * logit + self.shift)
        weight = max(probability * (1.0 - probability), 1e-3)
        fresh = (1.0 - KEPT) * PRIOR
        a = KEPT * self.information_slope + fresh + weight * logit * logit
        b = KEPT * self.information_both + weight * logit
        c = KEPT * self.information_shift + fresh + weight
        error = (1.0 if silent else 0.0) - probability
        if self.own:
            self._keep(weight, logit, weight * (self.slope * logit + self.shift) + error)
        determinant = a * c - b * b
        self.slope = clipped(self.slope + error * (c * logit - b) / determinant, SLOPES)
        self.shift = clipped(self.shift + error * (a - b * logit) / determinant, SHIFTS)
        self.information_slope, self.information_both, self.information_shift = a, b, c

    def begin_sharing(self) -> None:
        """What is learned from here on is for `share`."""
        if not self.own:
            self.own = [0.0] * OWN

    def share(self) -> CalibrationDelta | None:
        """What was learned since the last call and not absorbed from others; None: nothing."""
        own = self.own
        if not any(own):
            return None
        self.own = [0.0] * OWN
        return CalibrationDelta(*own)

    def absorb(self, delta: CalibrationDelta) -> None:
        """Take over what others learned; what is not finite changes nothing."""
        told = astuple(delta)
        if not all(0.0 <= abs(part) < MOST for part in told) or min(told[0], told[6]) < 0.0:
            return
        kept, fresh = KEPT**delta.pairs, (1.0 - KEPT**delta.pairs) * PRIOR
        a, c = kept * self.information_slope + fresh, kept * self.information_shift + fresh
        b = kept * self.information_both
        slope_sum = a * self.slope + b * self.shift + delta.slope_sum
        shift_sum = b * self.slope + c * self.shift + delta.shift_sum
        a, b, c = (
            a + delta.information_slope,
            b + delta.information_both,
            c + delta.information_shift,
        )
        determinant = a * c - b * b
        if determinant > 0.0:
            self.slope = clipped((c * slope_sum - b * shift_sum) / determinant, SLOPES)
            self.shift = clipped((a * shift_sum - b * slope_sum) / determinant, SHIFTS)
            self.information_slope, self.information_both, self.information_shift = a, b, c
        kept = KEPT**delta.given
        self.given = kept * self.given + (1.0 - kept) * GIVEN + delta.given
        self.ended = min(kept * self.ended + (1.0 - kept) * ENDED + delta.ended, self.given)

    def _keep(self, weight: float, logit: float, target: float) -> None:
        own = self.own
        own[0] += 1.0
        own[1] += weight * logit * logit
        own[2] += weight * logit
        own[3] += weight
        own[4] += target * logit
        own[5] += target


def clipped(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])
