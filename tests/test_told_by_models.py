"""What models say of themselves is put together over partitions."""

from streams.told_by_models import measures


def test_measures_are_averaged_by_labels_and_counts_are_summed() -> None:
    folds = [
        {"model.churn.auc": 0.8, "model.churn.matured": 300.0, "input": 9.0},
        {"model.churn.auc": 0.6, "model.churn.matured": 100.0},
    ]
    assert measures(folds) == {"churn": {"auc": 0.75, "matured": 400.0}}


def test_a_model_without_labels_still_has_a_line() -> None:
    assert measures([{"model.demand.mase": 0.0}]) == {"demand": {"mase": 0.0}}
