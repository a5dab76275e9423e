"""An open-loop run into two files: the events, and the truth about the people who made them."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import orjson

from streams.contract.codec import encode
from streams.simulation.population import AliasOf, Population

# 2026-10-01 00:00 in Shanghai: any fixed time would do.
START_MS = 1_790_784_000_000
HOURS_PER_DAY = 24


class Simulated(NamedTuple):
    users: int
    events: int
    broken: int


def simulate(
    users: int,
    days: int,
    seed: str,
    scenario: str,
    out: Path,
    truth: Path,
    progress: Callable[[int, int], None] | None = None,
    *,
    start_ms: int = START_MS,
    alias_of: AliasOf | None = None,
) -> Simulated:
    """Write events as NDJSON in order of arrival, and one row of truth per user.

    The same arguments give the same bytes. `progress` is told (hours done, hours in all). Raises
    ValueError for arguments that make no run, OSError where a file cannot be written.
    """
    if days < 1:
        raise ValueError(f"a run of {days} days is not possible; give at least 1")
    population = Population(users, scenario, seed, start_ms, alias_of)
    hours, events, broken = days * HOURS_PER_DAY, 0, 0
    with out.open("wb", buffering=1 << 20) as file:
        for hour in range(hours):
            for event in population.hour(hour):
                if isinstance(event, bytes):
                    file.write(event + b"\n")
                    broken += 1
                else:
                    file.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))
                    events += 1
            if progress is not None:
                progress(hour + 1, hours)
    with truth.open("wb", buffering=1 << 20) as file:
        for row in population.truth():
            file.write(encode(row) + b"\n")
    return Simulated(users=users, events=events + broken, broken=broken)
