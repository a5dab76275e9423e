"""What models say of themselves: measures of progressive validation, over partitions."""

from collections.abc import Mapping, Sequence
from typing import Final

# Averaged by how many labels each partition has seen; counts are summed.
AVERAGED: Final = (
    "auc",
    "log_loss",
    "ece",
    "accuracy",
    "hit_at_3",
    "mase",
    "coverage",
    "skill",
    "serving",
)
# What a partition has measured on: the first of these that counts.
LABELS: Final = ("matured", "seen", "judged", "examples", "actions")
SUMMED: Final = (*LABELS, "alarms", "suspensions")
TOLD: Final = (*LABELS, "suspensions")  # of those that are summed, in a report


def measures(folds: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Model -> measure -> value, from the counters of each partition's fold."""
    found: dict[str, dict[str, float]] = {}
    for name in sorted({name for fold in folds for name in fold if name.startswith("model.")}):
        _, model, measure = name.split(".", 2)
        if measure in TOLD or measure in AVERAGED:
            value = over_partitions(folds, model, measure)
            if value is not None:
                found.setdefault(model, {})[measure] = round(value, 4)
    return found


def over_partitions(folds: Sequence[Mapping[str, float]], model: str, measure: str) -> float | None:
    """One measure of a model, which lives in each partition: a sum, or a mean weighted by how much
    each has measured. None where no partition has it."""
    name = f"model.{model}.{measure}"
    found = [fold for fold in folds if name in fold]
    if not found:
        return None
    if measure in SUMMED:
        return sum(fold[name] for fold in found)
    weights = [_labels(fold, model) for fold in found]
    total = sum(fold[name] * weight for fold, weight in zip(found, weights, strict=True))
    return total / sum(weights)


def _labels(fold: Mapping[str, float], model: str) -> float:
    counts = (fold.get(f"model.{model}.{name}", 0.0) for name in LABELS)
    return max(1.0, next((count for count in counts if count), 0.0))
