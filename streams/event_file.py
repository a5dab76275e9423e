"""Events from a file: its lines, and the time at which each is taken to have arrived.

A file has no arrival times of its own. The clock is the greatest time told so far (ingest_ms, or
else time_ms); a jump of more than a month ahead counts only if most of the following events confirm
it, so that one producer's broken clock cannot make everything after it late.
"""

import gzip
import sys
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from streams.contract.bounds import MAX_RAW_BYTES, MAX_TIME_MS, MIN_TIME_MS
from streams.faults import UserFault

MAX_JUMP_MS = 30 * 86_400_000  # a clock that is off is likelier than a month without any event
WITNESSES = 16  # later events asked whether such a jump is real
_BOM = b"\xef\xbb\xbf"


class FileError(UserFault):
    """One line: which file, what is wrong, what to do."""


class Clock:
    """Event time of a stream of events; never goes back. `now_ms` is 0 before the first event."""

    def __init__(self, now_ms: int = 0) -> None:
        self.now_ms = now_ms

    def stamped(self, raws: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
        """Each event with its arrival time `at_ms`."""
        source, ahead, now_ms = iter(raws), deque[bytes](), self.now_ms
        if not now_ms:
            ahead.extend(islice(source, WITNESSES))
            if not ahead:
                return
            now_ms = self.now_ms = _start_ms(ahead)
        while True:
            if ahead:
                raw = ahead.popleft()
            else:
                try:
                    raw = next(source)
                except StopIteration:
                    return
            told = told_ms(raw)
            if told > now_ms:
                if told - now_ms > MAX_JUMP_MS:
                    ahead.extend(islice(source, WITNESSES - len(ahead)))
                    if not _confirmed(told, ahead):
                        told = now_ms
                now_ms = self.now_ms = told
            yield now_ms, raw


class _Times(msgspec.Struct):
    time_ms: Any = None
    ingest_ms: Any = None
    time: Any = None


_times = msgspec.json.Decoder(_Times)


def told_ms(raw: bytes) -> int:
    """When the event says it arrived or happened; 0 where it says nothing that can be used."""
    try:
        times = _times.decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return 0
    told = times.ingest_ms if times.ingest_ms is not None else times.time_ms
    if type(told) is not int:
        told = _loosely_ms(times.time if told is None else told)
    return told if MIN_TIME_MS <= told <= MAX_TIME_MS else 0


def read_lines(path: Path, most_bytes: int = MAX_RAW_BYTES) -> Iterator[bytes]:
    """The lines of a file of any size, `-` for standard input, unpacked where the name ends in .gz.

    Blank lines are passed over. Of a line longer than `most_bytes` only so much is kept that one
    sees it is too long. Raises FileError.
    """
    most = most_bytes + 8
    try:
        with _open(path) as file:
            line = file.readline(most).removeprefix(_BOM)
            while line:
                if len(line) > most_bytes and not line.endswith(b"\n"):
                    _skip_line(file)
                line = line.strip(b"\r\n\t ")
                if line:
                    yield line
                line = file.readline(most)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise FileError(f"{path}: is no whole gzip file: {error}") from None
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror or error}") from None


def _loosely_ms(told: object) -> int:
    """A time as a number in a text, as a float, or as RFC 3339; 0 for anything else."""
    try:
        if isinstance(told, float) or (isinstance(told, str) and told.strip().isdecimal()):
            return int(float(told))
        moment = msgspec.convert(told, datetime)
    except (ValueError, OverflowError, msgspec.ValidationError):
        return 0
    return 0 if moment.tzinfo is None else int(moment.timestamp() * 1000)


def _open(path: Path) -> IO[bytes]:
    if str(path) == "-":
        return sys.stdin.buffer
    if path.name.endswith(".gz"):
        return cast(IO[bytes], gzip.open(path, "rb"))
    return path.open("rb", buffering=1 << 20)


def _skip_line(file: IO[bytes]) -> None:
    while True:
        rest = file.readline(MAX_RAW_BYTES)
        if not rest or rest.endswith(b"\n"):
            return


def _start_ms(first: Iterable[bytes]) -> int:
    """The earliest of the first events' times that is near their median."""
    times = sorted(told for raw in first if (told := told_ms(raw)))
    if not times:
        return MIN_TIME_MS
    median = times[len(times) // 2]
    return next(told for told in times if told >= median - MAX_JUMP_MS)


def _confirmed(told: int, later: Iterable[bytes]) -> bool:
    times = [time for raw in later if (time := told_ms(raw))]
    return 2 * sum(time >= told - MAX_JUMP_MS for time in times) > len(times)
