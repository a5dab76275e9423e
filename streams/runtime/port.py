"""The runtime's own port to Kafka: the little it needs, so that a seeded in-memory Kafka can stand
in.

`Kafka` is implemented by kafka.py (aiokafka) and by simulation/memory_kafka.py.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from streams.fold import Row


class Stored(NamedTuple):
    """A record as a reader sees it."""

    offset: int
    key: bytes | None
    value: bytes | None


class Append(NamedTuple):
    """Records for one partition, appended together and in order."""

    topic: str
    partition: int
    records: Sequence[Row]


class FencedError(Exception):
    """Another owner of this partition has taken over: stop, write nothing more."""


class IndefiniteError(Exception):
    """The broker did not say whether the append happened: discard the writer and recover from the
    topic.
    """


class Writer(Protocol):
    """A fenced writer: opening one fences every earlier writer of the same id."""

    async def commit(self, appends: Sequence[Append]) -> None:
        """Append all or nothing. Raises FencedError or IndefiniteError; then the writer is dead."""

    async def close(self) -> None: ...


class Appender(Protocol):
    """Idempotent appends, in order per partition; returns when the broker has all of them."""

    async def append(self, appends: Sequence[Append]) -> int | None:
        """The broker's time in ms where it tells one. Raises IndefiniteError; then the appender is
        dead and nothing after it was sent.
        """

    async def close(self) -> None: ...


class Kafka(Protocol):
    async def open_writer(self, writer_id: str) -> Writer: ...

    async def open_appender(self) -> Appender: ...

    async def read(self, topic: str, partition: int, offset: int, most: int) -> list[Stored]:
        """Committed records from `offset` on, at most `most`; empty at the end of what is
        committed.
        """

    async def end_offset(self, topic: str, partition: int) -> int:
        """The last stable offset: everything below it is decided."""

    async def done_reading(self, partition: int) -> None:
        """No more reads of this partition for now."""
