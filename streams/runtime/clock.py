"""The time the log's writer stamps on records: the wall's, or for tests and benchmarks the events'
own.
"""

import time
from collections.abc import Callable

from streams.event_file import told_ms

MAX_JUMP_MS = 30 * 86_400_000  # two partitions of a backlog may be days apart

Clock = Callable[[bytes | None], int]


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


def wall_clock(_raw: bytes | None) -> int:
    return wall_ms()


class EventClock:
    """Simulated time: the greatest time told so far by the events one worker took in. An event that
    claims to be more than a month ahead of the others is not believed."""

    def __init__(self) -> None:
        self.now_ms = 0

    def __call__(self, raw: bytes | None) -> int:
        if raw is not None:
            told = told_ms(raw)
            if self.now_ms < told and (not self.now_ms or told < self.now_ms + MAX_JUMP_MS):
                self.now_ms = told
        return self.now_ms
