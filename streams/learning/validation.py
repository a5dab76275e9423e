"""Progressive validation of probabilities: AUC, log-loss, Brier score, calibration error.

Scores are counted in 512 bins, positives and negatives apart. That gives the exact AUC but for
pairs that share a bin, which count half: an error of some 1e-4 where ten thresholds (a common
default) are wrong by some 1e-2. Counts of several partitions add up to those of all. Beyond 65 536
pairs everything is halved, so figures follow the last hundred thousand pairs and not the whole
past.
"""

from math import log
from typing import Self

from msgspec import Struct

BINS = 512
MOST_PAIRS = 65_536
GROUPS = 10  # of about equal mass, for the calibration error
LEAST = 1e-6  # probabilities are taken no closer to 0 or 1 than this by the log-loss


UNKNOWN = {"auc": 0.5, "log_loss": 0.0, "brier": 0.0, "ece": 0.0, "prevalence": 0.0}


class Validation(Struct, array_like=True):
    """Pairs of (probability given, what happened). `matured` counts all of them, ever."""

    matured: int = 0
    pairs: int = 0
    log_loss_sum: float = 0.0
    brier_sum: float = 0.0
    positives: list[int] = []
    negatives: list[int] = []

    @classmethod
    def empty(cls) -> Self:
        return cls(positives=[0] * BINS, negatives=[0] * BINS)

    def add(self, probability: float, happened: bool) -> None:
        place = min(int(probability * BINS), BINS - 1)
        likelihood = probability if happened else 1.0 - probability
        (self.positives if happened else self.negatives)[place] += 1
        self.log_loss_sum -= log(max(likelihood, LEAST))
        self.brier_sum += (1.0 - likelihood) ** 2
        self.matured += 1
        self.pairs += 1
        if self.pairs >= MOST_PAIRS:
            self._halve()

    def merge(self, other: Self) -> None:
        """Add the pairs of another partition."""
        self.matured += other.matured
        self.pairs += other.pairs
        self.log_loss_sum += other.log_loss_sum
        self.brier_sum += other.brier_sum
        self.positives = [a + b for a, b in zip(self.positives, other.positives, strict=True)]
        self.negatives = [a + b for a, b in zip(self.negatives, other.negatives, strict=True)]

    def metrics(self) -> dict[str, float]:
        """auc is 0.5 while undefined; everything else 0 before the first pair."""
        if not self.pairs:
            return {**UNKNOWN, "matured": float(self.matured)}
        pairs = self.pairs
        return {
            "auc": self._auc(),
            "log_loss": self.log_loss_sum / pairs,
            "brier": self.brier_sum / pairs,
            "ece": self._calibration_error(),
            "matured": float(self.matured),
            "prevalence": sum(self.positives) / pairs,
        }

    def _auc(self) -> float:
        below = 0
        won = 0.0
        for positive, negative in zip(self.positives, self.negatives, strict=True):
            won += positive * (below + 0.5 * negative)
            below += negative
        pairs = sum(self.positives) * below
        return won / pairs if pairs else 0.5

    def _calibration_error(self) -> float:
        """Mean |share that happened - probability given| over groups of neighbouring bins."""
        total = sum(self.positives) + sum(self.negatives)
        error = 0.0
        size = happened = 0
        given = 0.0
        for place, positive in enumerate(self.positives):
            count = positive + self.negatives[place]
            size += count
            happened += positive
            given += count * (place + 0.5) / BINS
            if size >= total / GROUPS or place == BINS - 1:
                error += abs(happened - given)
                size = happened = 0
                given = 0.0
        return error / total if total else 0.0

    def _halve(self) -> None:
        # Rounding half to even neither gains nor loses pairs on the whole.
        self.positives = [round(count / 2) for count in self.positives]
        self.negatives = [round(count / 2) for count in self.negatives]
        left = sum(self.positives) + sum(self.negatives)
        self.log_loss_sum *= left / self.pairs
        self.brier_sum *= left / self.pairs
        self.pairs = left
