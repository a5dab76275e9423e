"""One series forecast online: experts, combined per horizon, with intervals that hold.

A value comes in and is forecast before it is learned. What a calendar known in advance explains is
taken out; experts learn the rest; each of a few horizons follows what its forecasts became. All
is O(1) a value, and the state a few arrays of fixed length. It speaks river's protocol of a
forecaster (river_forecaster.py derives it from river's class, whose import takes seconds).
"""

from array import array
from collections.abc import Mapping, Sequence
from math import isfinite, log
from typing import Final, Literal, NamedTuple
from zlib import crc32

from msgspec import Struct

from streams.learning import rows
from streams.learning.forecast.calendar import TRUST, Calendar
from streams.learning.forecast.combination import Combination
from streams.learning.forecast.experts import experts
from streams.learning.forecast.intervals import Interval

LARGEST: Final = 1e12  # of a value; what is beyond is taken for it
MOST_NAMES: Final = 16
PARTS: Final = (1 / 24, 1 / 8, 1 / 4, 1 / 2, 1.0)  # of the horizon, that are followed
COUNT, CHANGE, LAST, ERROR, SCORED, COVERED, NAIVE, COMPARED = range(8)
FOLLOW: Final = 0.01
FADING: Final = 0.999  # of what is reported of earlier forecasts
WILD: Final = 200.0  # mean changes from one period to the next
SETTLED: Final = 8  # periods after the first season

Missing = Literal["skip", "zero"]
Period = Mapping[str, float]


class Row(Struct, array_like=True):
    """`shape`: season, long season, horizon, few, checksum of the calendar's names; `arrays`: all
    numbers, one after the other."""

    shape: list[int]
    arrays: bytes
    crc32: int


class Quality(NamedTuple):
    """`mase`: mean absolute error over the seasonal naive forecast's at one season ahead, 0 before
    anything was judged; `coverage`: the share of values inside their interval."""

    mase: float
    coverage: float
    judged: float


class SeriesForecaster:
    """Forecasts a series of one value a period, up to `horizon` periods ahead.

    Args:
        season: periods after which it resembles itself; 1: none.
        horizon: the furthest period ahead whose forecasts are followed.
        long_season: a longer one above it, a multiple of it; 0: none.
        calendar: names of what is known in advance; at most 16.
        missing: what a period without a value (None, nan, inf) is: not known, or 0.
        level: the share of values that should lie inside the intervals, 0.5 to 0.99.
        offset: added before logarithms are taken: the smallest amount that matters.
        floor: forecasts are not below, e.g. 0 for counts; None: no floor.
        few: two experts only, at a third of the time.
        stride: forecasts made after every so many periods are followed; 0: as many as their horizon
            asks for. A day of hours for who asks once a day: a fifth of the time.
        calendar_trust: periods that no effect of the calendar at all is worth, above 0.
    """

    def __init__(
        self,
        season: int = 1,
        horizon: int = 12,
        long_season: int = 0,
        calendar: Sequence[str] | None = None,
        missing: Missing = "skip",
        level: float = 0.9,
        offset: float = 1.0,
        floor: float | None = None,
        few: bool = False,
        stride: int = 0,
        calendar_trust: float = TRUST,
    ) -> None:
        self.season, self.horizon, self.long_season = season, horizon, long_season
        self.calendar = calendar
        self.missing, self.level, self.offset, self.floor = missing, level, offset, floor
        self.few, self.stride, self.calendar_trust = few, stride, calendar_trust
        if season < 1 or horizon < 1 or (long_season and long_season % season):
            raise ValueError(
                f"season {season} and horizon {horizon} must be 1 or more, and a long season "
                f"({long_season}) a multiple of the season"
            )
        names = tuple(calendar or ())
        if len(names) > MOST_NAMES:
            raise ValueError(f"{len(names)} names in the calendar: at most {MOST_NAMES}")
        if not 0.5 <= level <= 0.99 or offset <= 0.0:
            raise ValueError(f"level {level} must be in [0.5, 0.99] and offset {offset} above 0")
        if stride < 0 or calendar_trust <= 0.0:
            raise ValueError(
                f"stride {stride} must be 0 or more and calendar_trust {calendar_trust} above 0"
            )
        self._numbers = array("d", bytes(8 * 8))
        self._round = array("f", bytes(4 * season))  # what was, as it was, one season ago
        self._effects = Calendar(names, calendar_trust)
        self._experts = experts(season, long_season, offset, few=few)
        # What is forecast before says nothing about the errors to come.
        self._settled = season + SETTLED
        size = len(self._experts)
        followed = sorted({max(1, round(part * horizon)) for part in PARTS})
        self._followed = [
            Combination(size, ahead, stride or max(1, ahead // 5)) for ahead in followed
        ]
        self._intervals = [Interval(level) for _ in followed]
        # For each period ahead: the horizons followed on both sides, and how near the second is.
        self._between = [_between(followed, ahead) for ahead in range(1, horizon + 1)]

    def learn_one(self, y: float | None, x: Period | None = None) -> None:
        value = self._value(y)
        numbers = self._numbers
        row = self._effects.row(x)
        if value is None:
            for expert in self._experts:
                expert.method.learn(expert.method.forecast(1)[0])
        else:
            value = self._learn_value(value, row)
            for expert in self._experts:
                expert.learn(value)
        numbers[COUNT] += 1.0
        self._issue()

    def forecast(self, horizon: int, xs: Sequence[Period] | None = None) -> list[float]:
        """The next `horizon` periods; `xs`: what is known of each of them."""
        combined, given = self._combined(horizon), self._rows(horizon, xs)
        return [self._with(value, row) for value, row in zip(combined, given, strict=True)]

    def intervals(
        self, horizon: int, xs: Sequence[Period] | None = None
    ) -> list[tuple[float, float]]:
        """Bounds of each of the next `horizon` periods."""
        found = []
        for ahead, value in enumerate(self.forecast(horizon, xs)):
            first, second, nearness = self._between[min(ahead, self.horizon - 1)]
            low, high = self._intervals[first].bounds(value)
            if nearness:
                other_low, other_high = self._intervals[second].bounds(value)
                low += nearness * (other_low - low)
                high += nearness * (other_high - high)
            if self.floor is not None:
                low, high = max(low, self.floor), max(high, self.floor)
            found.append((low, high))
        return found

    def quality(self) -> Quality:
        """Of earlier forecasts at all followed horizons, the last thousands counting."""
        numbers = self._numbers
        if not numbers[SCORED] or not numbers[NAIVE]:
            return Quality(0.0, 0.0, 0.0)
        scored = numbers[SCORED]
        naive = numbers[NAIVE] / numbers[COMPARED]
        return Quality(numbers[ERROR] / scored / naive, numbers[COVERED] / scored, scored)

    @property
    def learned(self) -> int:
        """Periods, the missing ones included."""
        return int(self._numbers[COUNT])

    def state(self) -> bytes:
        """All that was learned, as a row: see `restore`."""
        stored = b"".join(part.tobytes() for part in self._arrays())
        return rows.pack(Row(self._shape(), stored, crc32(stored)))

    def restore(self, row: bytes) -> None:
        """Take over the state of a forecaster of the same settings; bit for bit. One that knew no
        calendar is taken over without effects. Raises ValueError for a row that is broken, of other
        settings or of a newer schema."""
        found = rows.unpack(row, Row)
        parts = self._arrays()
        if self._effects.names and found.shape == self._shape(names=()):
            parts = self._arrays(effects=False)  # it knew of no calendar: effects begin anew
            found.shape = self._shape()
        size = sum(len(part) * part.itemsize for part in parts)
        if found.shape != self._shape() or len(found.arrays) != size:
            raise ValueError(f"a forecaster of shape {found.shape}; this one is {self._shape()}")
        if crc32(found.arrays) != found.crc32:
            raise ValueError("a forecaster's row is damaged: its checksum does not match")
        start = 0
        for part in parts:
            end = start + len(part) * part.itemsize
            part[:] = array(part.typecode, found.arrays[start:end])
            start = end

    def _shape(self, names: tuple[str, ...] | None = None) -> list[int]:
        known = crc32("\n".join(self._effects.names if names is None else names).encode())
        shape = [self.season, self.long_season, self.horizon, int(self.few), known]
        return [*shape, self.stride] if self.stride else shape

    def _arrays(self, *, effects: bool = True) -> list["array[float]"]:
        found = [self._numbers, self._round]
        if effects:
            found += self._effects.arrays
        for expert in self._experts:
            found += expert.method.arrays
        for followed, interval in zip(self._followed, self._intervals, strict=True):
            found += [*followed.arrays, *interval.arrays]
        return found

    def _learn_value(self, value: float, row: list[float]) -> float:
        """Score what was forecast of it; the value without the calendar's effects."""
        numbers, offset = self._numbers, self.offset
        count = int(numbers[COUNT])
        if count >= self._settled:
            # A wild number teaches a bounded amount; where it was right, the next are wild too.
            most = WILD * max(numbers[CHANGE], offset) * self._effects.factor(row)
            value = min(max(value, numbers[LAST] - most), numbers[LAST] + most)
        if row and count:
            expected = self._combined(1)[0]
            if expected + offset > 0.0 and value + offset > 0.0:
                self._effects.learn(row, log((value + offset) / (expected + offset)))
        plain = self._without(value, row)
        if count:
            rate = max(FOLLOW, 1.0 / count)
            numbers[CHANGE] += rate * (abs(plain - numbers[LAST]) - numbers[CHANGE])
        numbers[LAST] = plain
        scale = max(numbers[CHANGE], 1e-9)
        for followed, interval in zip(self._followed, self._intervals, strict=True):
            due = followed.due(count)
            if due is not None:
                followed.learn(due, plain, scale)
                if count - followed.horizon >= self._settled:
                    forecast = self._with(due[-1], row)
                    self._judge(forecast, interval.bounds(forecast), value)
                    interval.learn(forecast, value)
        self._compare(count, value)
        return plain

    def _judge(self, forecast: float, bounds: tuple[float, float], value: float) -> None:
        numbers = self._numbers
        numbers[ERROR] = FADING * numbers[ERROR] + abs(value - forecast)
        numbers[SCORED] = FADING * numbers[SCORED] + 1.0
        numbers[COVERED] = FADING * numbers[COVERED] + (bounds[0] <= value <= bounds[1])

    def _compare(self, count: int, value: float) -> None:
        """The seasonal naive forecast's error, which errors are measured by."""
        numbers, place = self._numbers, count % self.season
        if count >= self.season:
            numbers[NAIVE] = FADING * numbers[NAIVE] + abs(value - self._round[place])
            numbers[COMPARED] = FADING * numbers[COMPARED] + 1.0
        self._round[place] = value

    def _issue(self) -> None:
        count = int(self._numbers[COUNT])
        issuing = [followed for followed in self._followed if followed.issues(count)]
        if not issuing:
            return
        furthest = max(followed.horizon for followed in issuing)
        forecasts = [expert.forecast(furthest) for expert in self._experts]
        for followed in issuing:
            found = [self._bounded(path[followed.horizon - 1]) for path in forecasts]
            combined = sum(map(float.__mul__, followed.weights(), found))
            followed.issue(count, found, combined)

    def _combined(self, horizon: int) -> list[float]:
        """Without the calendar's effects."""
        forecasts = [expert.forecast(horizon) for expert in self._experts]
        weights = [followed.weights() for followed in self._followed]
        found = []
        for ahead in range(horizon):
            first, second, nearness = self._between[min(ahead, self.horizon - 1)]
            values = [self._bounded(path[ahead]) for path in forecasts]
            value = sum(map(float.__mul__, weights[first], values))
            if nearness:
                other = sum(map(float.__mul__, weights[second], values))
                value += nearness * (other - value)
            found.append(value)
        return found

    def _value(self, y: float | None) -> float | None:
        if y is None or not isfinite(y):
            return 0.0 if self.missing == "zero" else None
        return min(max(float(y), -LARGEST), LARGEST)

    def _rows(self, horizon: int, xs: Sequence[Period] | None) -> list[list[float]]:
        if xs is None:
            return [[]] * horizon
        if len(xs) < horizon:
            raise ValueError(f"{len(xs)} periods of the calendar for {horizon} periods ahead")
        return [self._effects.row(period) for period in xs[:horizon]]

    def _without(self, value: float, row: list[float]) -> float:
        if not row or value + self.offset <= 0.0:
            return value
        return (value + self.offset) / self._effects.factor(row) - self.offset

    def _with(self, value: float, row: list[float]) -> float:
        if row and value + self.offset > 0.0:
            value = (value + self.offset) * self._effects.factor(row) - self.offset
        return value if self.floor is None else max(value, self.floor)

    def _bounded(self, value: float) -> float:
        if self.floor is not None:
            value = max(value, self.floor)
        return min(max(value, -LARGEST), LARGEST)


def _between(followed: Sequence[int], ahead: int) -> tuple[int, int, float]:
    """Places of the horizons on both sides of `ahead`, and the weight of the second."""
    for place, horizon in enumerate(followed):
        if horizon == ahead or (horizon > ahead and place == 0):
            return place, place, 0.0
        if horizon > ahead:
            before = followed[place - 1]
            return place - 1, place, (ahead - before) / (horizon - before)
    return len(followed) - 1, len(followed) - 1, 0.0
