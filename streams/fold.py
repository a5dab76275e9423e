"""What the runtime folds over one partition's log: bytes in, effects and rows out.

A fold is pure: no I/O, no clock, no chance of its own. Worker, replay and simulation drive the same
one, and the small benchmark job is another one. Its rows are its whole state: loading the last
value of each key into a new fold gives one that goes on exactly where the first stood.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol


class Output(NamedTuple):
    """A record for partition p of a topic (its short name); value None is a tombstone."""

    topic: str
    key: bytes
    value: bytes | None


class Row(NamedTuple):
    """A piece of state; value None deletes the key."""

    key: bytes
    value: bytes | None


class Fold(Protocol):
    def handle(self, value: bytes) -> Sequence[Output]:
        """Fold one log record, in log order. Outputs depend on the records so far, no more."""

    def changed_rows(self) -> Iterable[Row]:
        """The rows changed since the last call, each once, in the order of their first change."""

    def load_row(self, key: bytes, value: bytes) -> None:
        """Take over a row of an earlier fold. Raises ValueError for a row of a newer version."""

    def next_due_ms(self) -> int | None:
        """When the next timer is due, in the log's time; None where no timer is set."""

    @property
    def now_ms(self) -> int:
        """The log's time: the greatest at_ms so far; 0 before the first record."""

    def counts(self) -> Mapping[str, float]:
        """What was counted; names are stable, values are part of the state. Asked for after each
        batch, so it costs next to nothing."""

    def counters(self) -> Mapping[str, float]:
        """`counts`, and what models measured so far, which takes a millisecond to work out: for
        who shows it."""
