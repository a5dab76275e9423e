"""Where a replay writes: an NDJSON file per kind of output, each line a record's exact bytes.

`profiles.ndjson` is what the compacted topic keeps: the last profile of each user, in the order of
these last changes; an erased user has no line. `reports.ndjson` has which commands took effect, and
then of the sums of each journey and partition the last.
"""

from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec

from streams.contract.topics import DEAD_LETTERS, DECISIONS, INSIGHTS, PROFILES, REPORTS, TRIGGERS
from streams.faults import UserFault
from streams.fold import Output

BUFFER_BYTES = 1 << 20
NAMES = ("triggers", "decisions", "profiles", "dead-letters", "reports", "insights")


class OutputError(UserFault):
    """One line: which file or folder cannot be written and why."""


class _Report(msgspec.Struct):
    """Whose report it is; one of a command has no journey."""

    partition: int
    journey: str = ""


class Outputs:
    """The output files of one run in the folder `out`. `watch` is told each output as it comes."""

    def __init__(self, out: Path, *, watch: Callable[[Output], None] | None = None) -> None:
        self.out = out
        self._profiles_raw = out / "profiles.ndjson.partial"
        self._watch = watch
        self._files: dict[str, IO[bytes]] = {}
        try:
            out.mkdir(parents=True, exist_ok=True)
            for name in NAMES:
                path = self._profiles_raw if name == "profiles" else out / f"{name}.ndjson"
                self._files[name] = path.open("wb", buffering=BUFFER_BYTES)
        except OSError as error:
            self._close_files()
            raise OutputError(f"{out}: cannot be written: {error.strerror}") from None
        self._write = dict.fromkeys(TRIGGERS.values(), self._files["triggers"].write)
        self._write[DECISIONS] = self._files["decisions"].write
        self._write[DEAD_LETTERS] = self._files["dead-letters"].write
        self._write[REPORTS] = self._files["reports"].write
        self._write[INSIGHTS] = self._files["insights"].write
        self._write[PROFILES] = self._files["profiles"].write
        self._lines = 0
        self._last_line: dict[bytes, int] = {}
        self._whose_report = msgspec.json.Decoder(_Report)
        self._last_reports: dict[tuple[str, int], bytes] = {}

    def write(self, output: Output) -> None:
        if self._watch is not None:
            self._watch(output)
        topic, key, value = output
        if topic == PROFILES:
            if value is None:
                self._last_line.pop(key, None)
                return
            self._last_line[key] = self._lines
            self._lines += 1
        if value is None:
            raise ValueError(f"a tombstone for {key!r} on {topic}, which is not compacted")
        if topic == REPORTS:
            report = self._whose_report.decode(value)
            if report.journey:
                self._last_reports[report.journey, report.partition] = value
                return
        self._write[topic](value + b"\n")

    def close(self) -> None:
        """Flush, and keep of profiles and reports only the last."""
        for _, report in sorted(self._last_reports.items()):
            self._files["reports"].write(report + b"\n")
        self._close_files()
        wanted = frozenset(self._last_line.values())
        with (
            self._profiles_raw.open("rb", buffering=BUFFER_BYTES) as raw,
            (self.out / "profiles.ndjson").open("wb", buffering=BUFFER_BYTES) as file,
        ):
            for number, line in enumerate(raw):
                if number in wanted:
                    file.write(line)
        self._profiles_raw.unlink()

    def _close_files(self) -> None:
        for file in self._files.values():
            file.close()
