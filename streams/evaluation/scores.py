"""Measures of probability forecasts, exact and without dependencies.

The area under the ROC curve is the rank statistic with ties counted half, not an approximation by
thresholds. Scores outside [CLIP, 1 - CLIP] are clipped for the log-loss only.
"""

from collections.abc import Sequence
from math import log

from msgspec import Struct

CLIP = 1e-6
BINS = 10


class Bin(Struct, frozen=True):
    """Forecasts within an interval of equal width, and how often it came true."""

    low: float
    high: float
    count: int
    mean_score: float
    share: float


def auc(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """P(a positive scores above a negative), ties half; 0.5 where one of the classes is missing."""
    order = sorted(range(len(scores)), key=scores.__getitem__)
    return ordered_auc(order, scores, labels, [1] * len(scores))


def ordered_auc(
    order: Sequence[int], scores: Sequence[float], labels: Sequence[bool], weights: Sequence[int]
) -> float:
    """The same with each case counted `weights[i]` times; `order` sorts the scores upwards."""
    won = 0.0
    below = positives = tied_negative = tied_positive = 0
    last = None
    for i in order:
        weight = weights[i]
        if not weight:
            continue
        if scores[i] != last:
            won += tied_positive * (below + 0.5 * tied_negative)
            below += tied_negative
            positives += tied_positive
            tied_negative = tied_positive = 0
            last = scores[i]
        if labels[i]:
            tied_positive += weight
        else:
            tied_negative += weight
    won += tied_positive * (below + 0.5 * tied_negative)
    below += tied_negative
    positives += tied_positive
    return won / (positives * below) if positives and below else 0.5


def log_loss(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """Mean negative log-likelihood in nats; 0 without cases."""
    total = 0.0
    for score, label in zip(scores, labels, strict=True):
        clipped = min(max(score, CLIP), 1.0 - CLIP)
        total -= log(clipped if label else 1.0 - clipped)
    return total / len(scores) if scores else 0.0


def brier(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """Mean squared error of the probability; 0 without cases."""
    total = sum((score - label) ** 2 for score, label in zip(scores, labels, strict=True))
    return total / len(scores) if scores else 0.0


def reliability(scores: Sequence[float], labels: Sequence[bool], bins: int = BINS) -> list[Bin]:
    """The bins that have cases, from low to high."""
    count, scored, hit = [0] * bins, [0.0] * bins, [0] * bins
    for score, label in zip(scores, labels, strict=True):
        i = min(int(score * bins), bins - 1)
        count[i] += 1
        scored[i] += score
        hit[i] += label
    return [
        Bin(i / bins, (i + 1) / bins, n, scored[i] / n, hit[i] / n)
        for i, n in enumerate(count)
        if n
    ]


def calibration_error(scores: Sequence[float], labels: Sequence[bool], bins: int = BINS) -> float:
    """Expected calibration error: mean distance of forecast and frequency over bins, by cases."""
    table = reliability(scores, labels, bins)
    total = sum(row.count for row in table)
    return sum(row.count * abs(row.mean_score - row.share) for row in table) / total if total else 0


def equal_mass_error(scores: Sequence[float], labels: Sequence[bool], bins: int = BINS) -> float:
    """The same over bins of equally many cases, from the lowest scores to the highest."""
    cases, error = len(scores), 0.0
    order = sorted(range(cases), key=scores.__getitem__)
    for number in range(bins):
        mine = order[number * cases // bins : (number + 1) * cases // bins]
        error += abs(sum(scores[case] - labels[case] for case in mine))
    return error / cases if cases else 0.0
