from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.runtime.local_kafka import LocalKafka

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One broker serves all live tests: they share a process when tests run in several."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("kafka"))


@pytest.fixture(scope="session")
def bootstrap() -> Iterator[str]:
    """A real Kafka: the one named by STREAMS_TEST_KAFKA, or one of our own."""
    with LocalKafka.or_given() as kafka:
        yield kafka.bootstrap
