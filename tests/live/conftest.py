from collections.abc import Iterator

import pytest

from streams.runtime.local_kafka import LocalKafka


@pytest.fixture(scope="session")
def bootstrap() -> Iterator[str]:
    """A real Kafka: the one named by STREAMS_TEST_KAFKA, or one of our own."""
    with LocalKafka.or_given() as kafka:
        yield kafka.bootstrap
