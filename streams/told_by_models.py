"""What a run's models say of themselves: measures of progressive validation, over partitions."""

from collections.abc import Mapping

# Averaged by how many labels each partition has seen; counts are summed.
AVERAGED = (
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
SUMMED = ("matured", "examples", "actions", "seen", "judged", "suspensions")


def measures(folds: list[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Model -> measure -> value, from the counters of each partition's fold."""
    found: dict[str, dict[str, float]] = {}
    for name in sorted({name for fold in folds for name in fold if name.startswith("model.")}):
        _, model, measure = name.split(".", 2)
        values = [fold[name] for fold in folds if name in fold]
        if measure in SUMMED:
            found.setdefault(model, {})[measure] = sum(values)
        elif measure in AVERAGED:
            weights = [_labels(fold, model) for fold in folds if name in fold]
            weighted = sum(v * w for v, w in zip(values, weights, strict=True))
            found.setdefault(model, {})[measure] = round(weighted / sum(weights), 4)
    return found


def _labels(fold: Mapping[str, float], model: str) -> float:
    return max(1.0, *(fold.get(f"model.{model}.{name}", 0.0) for name in SUMMED[:5]))
