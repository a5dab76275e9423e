"""The metrics: what a scrape says after what the runtime reported."""

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contract.dead_letters import REASONS
from streams.contract.decisions import OUTCOMES
from streams.contract.triggers import KINDS
from streams.runtime.metrics import Metrics
from tests.scrape import samples, value

MAX_SERIES = 2_000


def test_a_new_partition_counts_from_its_first_batch() -> None:
    metrics = Metrics()
    metrics.recovery(0, 0.1, {})
    metrics.counters(0, {"fate.applied": 5.0, "outcome.SENT": 2.0})
    metrics.counters(0, {"fate.applied": 9.0, "outcome.SENT": 2.0})
    assert value(metrics, "streams_events_total", fate="applied") == 9
    assert value(metrics, "streams_decisions_total", outcome="SENT") == 2


def test_what_a_partition_counted_before_its_recovery_is_not_counted_again() -> None:
    metrics = Metrics()
    metrics.recovery(3, 1.5, {"fate.applied": 1_000_000.0})
    metrics.counters(3, {"fate.applied": 1_000_007.0})
    assert value(metrics, "streams_events_total", fate="applied") == 7


def test_a_recovery_without_counters_takes_the_next_ones_as_its_start() -> None:
    metrics = Metrics()
    metrics.recovery(3, 1.5)
    metrics.counters(3, {"fate.applied": 1_000_000.0})
    assert value(metrics, "streams_events_total", fate="applied") == 0


def test_a_partition_that_went_back_counts_on_from_there() -> None:
    metrics = Metrics()
    metrics.recovery(0, 0.1, {})
    metrics.counters(0, {"trigger.coupon": 10.0})
    metrics.recovered(0)
    metrics.recovery(0, 0.1, {"trigger.coupon": 8.0})
    metrics.counters(0, {"trigger.coupon": 9.0})
    assert value(metrics, "streams_triggers_total", kind="coupon") == 11
    assert value(metrics, "streams_indefinite_commits_total") == 1


def test_a_value_outside_the_contract_counts_as_other() -> None:
    metrics = Metrics()
    metrics.recovery(0, 0.1, {})
    metrics.counters(0, {"reject.made_up": 4.0, "nonsense.x": 1.0, "plain": 2.0})
    assert value(metrics, "streams_dead_letters_total", reason="other") == 4


def test_every_member_of_the_contract_has_its_series_from_the_start() -> None:
    found = samples(Metrics())
    for name, label, members in (
        ("streams_triggers_total", "kind", KINDS),
        ("streams_decisions_total", "outcome", OUTCOMES),
        ("streams_dead_letters_total", "reason", REASONS),
    ):
        assert {labels[label] for labels, _ in found[name]} == {*members, "other"}


def test_model_measures_are_averaged_over_partitions_by_what_they_measured() -> None:
    metrics = Metrics()
    metrics.recovery(0, 0.1, {"model.churn.auc": 0.9, "model.churn.matured": 300.0})
    metrics.recovery(1, 0.1, {"model.churn.auc": 0.5, "model.churn.matured": 100.0})
    assert value(metrics, "streams_model_auc", model="churn") == 0.8
    assert value(metrics, "streams_model_matured", model="churn") == 400


def test_what_models_measured_is_asked_for_when_somebody_looks() -> None:
    metrics, looks = Metrics(), []

    def measures() -> dict[str, float]:
        looks.append(1)
        return {"model.churn.auc": 0.5 + 0.1 * len(looks), "model.churn.matured": 100.0}

    metrics.recovery(0, 0.1, {"users": 1.0}, measures)
    for users in range(50):
        metrics.counters(0, {"users": float(users)})
    assert not looks
    assert value(metrics, "streams_model_auc", model="churn") == 0.6
    assert value(metrics, "streams_users") == 49
    metrics.revoked(0)
    assert "streams_model_auc" not in samples(metrics)


def test_refused_letters_count_by_model() -> None:
    metrics = Metrics()
    metrics.recovery(0, 0.1, {})
    metrics.counters(0, {"letter.growth": 2.0, "letter.unknown": 1.0})
    assert value(metrics, "streams_model_letters_refused_total", model="growth") == 2
    assert value(metrics, "streams_model_letters_refused_total", model="other") == 1


def test_a_revoked_partition_leaves_nothing_behind() -> None:
    metrics = Metrics()
    metrics.recovery(5, 0.1, {"users": 9.0, "state.bytes": 7_500.0, "model.churn.auc": 0.9})
    metrics.batch(5, 1, 0.1, 0.1, 0.1)
    metrics.pipeline_depth(5, 2)
    metrics.revoked(5)
    found = samples(metrics)
    assert value(metrics, "streams_partitions_ready") == 0
    assert value(metrics, "streams_state_bytes") == 0
    assert value(metrics, "streams_users") == 0
    for name in ("streams_partition_lag_seconds", "streams_pipeline_depth", "streams_model_auc"):
        assert name not in found


def test_a_fenced_partition_is_no_longer_served() -> None:
    metrics = Metrics()
    metrics.recovery(1, 0.1, {})
    metrics.fenced(1)
    assert value(metrics, "streams_fenced_total") == 1
    assert value(metrics, "streams_partitions_ready") == 0


def test_a_batch_shows_in_seconds() -> None:
    metrics = Metrics(partitions=4, now_seconds=lambda: 1_700_000_000.0)
    metrics.batch(2, 512, 0.02, 0.03, 0.25)
    assert value(metrics, "streams_folded_records_total") == 512
    assert value(metrics, "streams_batch_commit_seconds_sum") == 0.03
    assert value(metrics, "streams_partition_lag_seconds", partition="2") == 0.25
    assert value(metrics, "streams_last_batch_timestamp_seconds") == 1_700_000_000.0
    assert value(metrics, "streams_partitions") == 4


def test_two_workers_in_one_process_do_not_share_their_metrics() -> None:
    one, other = Metrics(), Metrics()
    one.intake(0, 7)
    assert value(one, "streams_intake_records_total") == 7
    assert value(other, "streams_intake_records_total") == 0


def test_a_scraper_that_wants_openmetrics_gets_it() -> None:
    body, content_type = Metrics().exposition("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(min_value=0, max_value=100_000),
            st.dictionaries(st.text(max_size=20), st.floats(min_value=0, max_value=1e9)),
        ),
        max_size=50,
    )
)
def test_no_input_makes_more_than_the_promised_series(
    reports: list[tuple[int, dict[str, float]]],
) -> None:
    metrics = Metrics()
    for partition, counters in reports:
        known = {f"reject.{name}": value for name, value in counters.items()}
        metrics.recovery(partition, 1.0, {})
        metrics.counters(partition, {**counters, **known})
        metrics.batch(partition, 1, 0.1, 0.1, 0.1)
        metrics.pipeline_depth(partition, 1)
    for partition in range(2_000):
        metrics.batch(partition, 1, 0.1, 0.1, 0.1)
        metrics.pipeline_depth(partition, 1)
    assert sum(len(series) for series in samples(metrics).values()) <= MAX_SERIES
