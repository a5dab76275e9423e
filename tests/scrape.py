"""Reads what a scrape of the metrics returns."""

from prometheus_client.parser import text_string_to_metric_families

from streams.runtime.metrics import Metrics

Samples = dict[str, list[tuple[dict[str, str], float]]]


def samples(metrics: Metrics) -> Samples:
    """The series of a scrape, by sample name: labels and value of each."""
    body, _ = metrics.exposition()
    found: Samples = {}
    for family in text_string_to_metric_families(body.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def value(metrics: Metrics, name: str, **labels: str) -> float:
    """The one series of this name with exactly these labels."""
    (found,) = [number for has, number in samples(metrics).get(name, []) if has == labels]
    return found
