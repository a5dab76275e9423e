"""The worker's Prometheus metrics: seconds and bytes, bounded labels, a few calls per batch.

A label's values come from the closed lists of the contract; anything else counts as `other`, so
no producer can make series. What is summed over partitions here is summed again over workers in a
query; counters start at zero with the process and count only what this process folded.
"""

import platform
import time
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

from streams import __version__
from streams.contract.dead_letters import REASONS
from streams.contract.decisions import OUTCOMES
from streams.contract.triggers import KINDS
from streams.engine.insight import MODELS as LISTED
from streams.told_by_models import over_partitions

OTHER = "other"
FATES = ("applied", "duplicate", "late", "dead_lettered", "erased", "redelivered")
MAIL = ("forwarded", "received", "redelivered")
CLEANED = ("attribute", "clipped", "converted", "imputed", "unknown_field", "unknown_type")
MODELS = ("churn", "interest", *(model.NAME for model in LISTED))
RECORDS = ("genesis", "event", "rejected", "tick", "mail", "control")
# Partitions with a label of their own; a deployment with more sees the rest as `other`.
MAX_LABELLED_PARTITIONS = 256

BATCH_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LAG_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
RECOVERY_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60, 120, 300)
BATCH_RECORDS = (1, 4, 16, 64, 256, 1024, 4096, 16384)

# Fold counter `<prefix>.<name>` -> metric, its label, the values the label may take.
COUNTED: dict[str, tuple[str, str, tuple[str, ...], str]] = {
    "fate": ("streams_events", "fate", FATES, "Input records by where each ended."),
    "record": ("streams_log_records", "record", RECORDS, "Log records folded, by kind."),
    "trigger": ("streams_triggers", "kind", KINDS, "Triggers emitted, by kind."),
    "outcome": ("streams_decisions", "outcome", tuple(OUTCOMES), "Decisions, by reason code."),
    "reject": ("streams_dead_letters", "reason", tuple(REASONS), "Dead letters, by reason."),
    "mail": ("streams_mail", "step", MAIL, "Records between partitions, by step."),
    "clean": ("streams_cleaned_values", "action", CLEANED, "Values that cleaning changed."),
    "letter": (
        "streams_model_letters_refused",
        "model",
        MODELS,
        "Letters between partitions that were malformed, or to no model of this release.",
    ),
}
# Fold counter `model.<model>.<measure>` -> metric. All are of progressive validation: predicted
# first, compared when the truth is known.
MEASURED: dict[str, tuple[str, str]] = {
    "auc": ("streams_model_auc", "Area under the ROC curve; 0.5 while unknown."),
    "log_loss": ("streams_model_log_loss", "Mean log loss in nats."),
    "ece": ("streams_model_calibration_error", "Expected calibration error, 0 to 1."),
    "brier": ("streams_model_brier", "Mean squared error of the probability."),
    "accuracy": ("streams_model_accuracy", "Share of classes that were the likeliest."),
    "mase": ("streams_model_mase", "Mean absolute scaled error of forecasts; below 1 beats naive."),
    "coverage": ("streams_model_coverage", "Share of periods within their 90 % interval."),
    "skill": ("streams_model_skill", "1 - loss / loss of the base rate; below 0 is worse than it."),
    "serving": ("streams_model_serving", "Share of partitions where the model drives decisions."),
    "staleness": (
        "streams_model_staleness_days",
        "Age of the model: from the last label learned to the last prediction.",
    ),
    "hit_at_3": ("streams_model_hit_at_3", "Share of choices among the three best guesses."),
    "hit_at_3_popularity": (
        "streams_model_hit_at_3_popularity",
        "The same for the three most popular categories.",
    ),
}
# Measures that told_by_models.py sums over partitions; it averages the others.
SUMMED: dict[str, tuple[str, str]] = {
    "matured": ("streams_model_matured", "Predictions whose truth is known."),
    "seen": ("streams_model_seen", "Choices compared with the guess before them."),
    "examples": ("streams_model_examples", "Labelled examples learned."),
    "alarms": ("streams_model_alarms", "Confirmed drifts."),
    "suspensions": ("streams_model_suspensions", "Times a gate took the model out of service."),
}
HELD: dict[str, tuple[str, str]] = {
    "users": ("streams_users", "People in state."),
    "state.rows": ("streams_state_rows", "Rows of state held."),
    "state.bytes": ("streams_state_bytes", "Encoded size of the state held."),
}


class Metrics:
    """All metrics of one worker, in a registry of its own."""

    def __init__(
        self, *, partitions: int = 0, now_seconds: Callable[[], float] = time.time
    ) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._now_seconds = now_seconds
        self._last: dict[int, dict[str, float]] = {}
        self._measures: dict[int, Callable[[], Mapping[str, float]]] = {}
        self._counted: dict[str, dict[str, Counter]] = {}
        self._measured: dict[str, Gauge] = {}
        self._shown: dict[tuple[str, str], None] = {}  # what has a value now
        self._held: dict[str, Gauge] = {}
        self._ready: set[int] = set()
        self._families()
        self._partitions.set(partitions)

    def batch(
        self,
        partition: int,
        records: int,
        fold_seconds: float,
        commit_seconds: float,
        lag_seconds: float,
    ) -> None:
        """After each commit. `lag_seconds`: from the newest record's time to its commit."""
        self._records.inc(records)
        self._batch_records.observe(records)
        self._fold_seconds.observe(fold_seconds)
        self._commit_seconds.observe(commit_seconds)
        self._lag_seconds.observe(max(0.0, lag_seconds))
        self._partition_lag.labels(_partition(partition)).set(max(0.0, lag_seconds))
        self._last_batch.set(self._now_seconds())

    def counters(self, partition: int, counters: Mapping[str, float]) -> None:
        """What the fold counts, after a commit; differences to the last call are added."""
        last = self._last.get(partition)
        if last is not None:
            for name, value in counters.items():
                added = value - last.get(name, 0.0)
                if added > 0:
                    self._count(name, added)
        self._last[partition] = dict(counters)

    def recovery(
        self,
        partition: int,
        seconds: float,
        counters: Mapping[str, float] | None = None,
        measures: Callable[[], Mapping[str, float]] | None = None,
    ) -> None:
        """The partition is ours and up to date. What its fold counted before is not counted again:
        `counters` is where it stands now; without it the next call of `counters` only says so.
        `measures` tells what models measured, when somebody looks."""
        self._recovery_seconds.observe(seconds)
        self._ready.add(partition)
        self._partitions_ready.set(len(self._ready))
        self._last.pop(partition, None)
        self._measures.pop(partition, None)
        if measures is not None:
            self._measures[partition] = measures
        if counters is not None:
            self.counters(partition, counters)

    def revoked(self, partition: int) -> None:
        """The partition is no longer ours."""
        self._last.pop(partition, None)
        self._measures.pop(partition, None)
        self._ready.discard(partition)
        self._partitions_ready.set(len(self._ready))
        if partition < MAX_LABELLED_PARTITIONS:
            for gauge in (self._partition_lag, self._pipeline_depth):
                gauge.remove_by_labels({"partition": _partition(partition)})

    def assigned(self, partitions: int) -> None:
        """How many partitions the group has given to this worker."""
        self._partitions_assigned.set(partitions)

    def fenced(self, partition: int) -> None:
        """Another worker has taken over the partition."""
        self._fenced.inc()
        self.revoked(partition)

    def recovered(self, partition: int) -> None:
        """A commit ended without an answer: the partition goes back to what its topic says."""
        self._indefinite.inc()
        self._ready.discard(partition)
        self._partitions_ready.set(len(self._ready))

    def pipeline_depth(self, partition: int, batches: int) -> None:
        """Batches between fetch and commit."""
        self._pipeline_depth.labels(_partition(partition)).set(batches)

    def intake(self, partition: int, records: int) -> None:
        """After each batch the intake appended to the log."""
        self._intake_records.inc(records)

    def skew(self, seconds: float) -> None:
        """Our clock minus the broker's."""
        self._skew.set(seconds)

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """The metrics as text and its content type, as the scraper's Accept header wants it."""
        self._gauge()
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    def _count(self, name: str, added: float) -> None:
        prefix, _, value = name.partition(".")
        children = self._counted.get(prefix)
        if children is not None:
            children.get(value, children[OTHER]).inc(added)

    def _gauge(self) -> None:
        """What is worked out for who looks, and not after each batch."""
        folds = [
            {**counted, **self._measures[partition]()} if partition in self._measures else counted
            for partition, counted in self._last.items()
        ]
        for name, gauge in self._held.items():
            gauge.set(sum(fold.get(name, 0.0) for fold in folds))
        for model in MODELS:
            for measure, gauge in self._measured.items():
                value = over_partitions(folds, model, measure)
                if value is not None:
                    gauge.labels(model).set(value)
                    self._shown[model, measure] = None
                elif (model, measure) in self._shown:
                    gauge.remove_by_labels({"model": model})
                    del self._shown[model, measure]

    def _families(self) -> None:
        self._info = _info(self.registry)
        for prefix, (name, label, values, text) in COUNTED.items():
            family = Counter(name, text, [label], registry=self.registry)
            self._counted[prefix] = {value: family.labels(value) for value in (*values, OTHER)}
        for measure, (name, text) in {**MEASURED, **SUMMED}.items():
            self._measured[measure] = self._labelled_gauge(name, text, "model")
        for held, (name, text) in HELD.items():
            self._held[held] = self._gauge_of(name, text)
        self._batch_families()
        self._partition_families()

    def _batch_families(self) -> None:
        self._records = self._counter("streams_folded_records", "Log records folded and committed.")
        self._batch_records = self._histogram(
            "streams_batch_records", "Records of a batch.", BATCH_RECORDS
        )
        self._fold_seconds = self._histogram(
            "streams_batch_fold_seconds", "Time to fold a batch.", BATCH_SECONDS
        )
        self._commit_seconds = self._histogram(
            "streams_batch_commit_seconds", "Time to commit a batch.", BATCH_SECONDS
        )
        self._lag_seconds = self._histogram(
            "streams_event_lag_seconds", "From a record's time to its commit.", LAG_SECONDS
        )
        self._intake_records = self._counter("streams_intake_records", "Records taken in.")
        self._last_batch = self._gauge_of(
            "streams_last_batch_timestamp_seconds", "When the last batch was committed."
        )
        self._skew = self._gauge_of("streams_clock_skew_seconds", "Our clock minus the broker's.")

    def _partition_families(self) -> None:
        self._recovery_seconds = self._histogram(
            "streams_recovery_seconds", "From fencing to ready, per partition.", RECOVERY_SECONDS
        )
        self._fenced = self._counter("streams_fenced", "Partitions lost to a newer owner.")
        self._indefinite = self._counter("streams_indefinite_commits", "Commits without an answer.")
        self._partitions = self._gauge_of(
            "streams_partitions", "Partitions of the deployment, over all workers."
        )
        self._partitions_assigned = self._gauge_of(
            "streams_partitions_assigned", "Partitions the group gave to this worker."
        )
        self._partitions_ready = self._gauge_of(
            "streams_partitions_ready", "Partitions recovered and running."
        )
        self._partition_lag = self._labelled_gauge(
            "streams_partition_lag_seconds", "Event-time lag of the last batch.", "partition"
        )
        self._pipeline_depth = self._labelled_gauge(
            "streams_pipeline_depth", "Batches between fetch and commit.", "partition"
        )

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, registry=self.registry)

    def _gauge_of(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self.registry)

    def _labelled_gauge(self, name: str, text: str, label: str) -> Gauge:
        return Gauge(name, text, [label], registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: Iterable[float]) -> Histogram:
        return Histogram(name, text, buckets=tuple(buckets), registry=self.registry)


def _info(registry: CollectorRegistry) -> Gauge:
    info = Gauge("streams_build_info", "Constant 1.", ["version", "python"], registry=registry)
    info.labels(__version__, platform.python_version()).set(1)
    return info


def _partition(partition: int) -> str:
    return str(partition) if partition < MAX_LABELLED_PARTITIONS else OTHER
