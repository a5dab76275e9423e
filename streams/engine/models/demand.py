"""Demand 需求预测: orders by category and channel, coupons claimed and used, and what is to come.

Counted is by the log's time: orders in all and by channel by the hour, categories and coupons by
the day (China Standard Time). Each series belongs to one partition; after midnight the others send
it what they counted, so a count is one over all partitions, and ten minutes later the day closes:
the series learns, and is forecast, the coming 24 hours or 7 days with 90 % intervals. A coupon
whose expected claims exceed what is left of its stock is an alert.
What holidays, the days before and shopping festivals do is learned as a factor of each, from the
first one on, and is no habit of its weekday.

Bounded: a partition keeps 64 series; a newcomer takes the place of the least one when it has been
met more often than that (Misra, Gries, Finding repeated elements, 1982).
Backfilled events belong to days long closed and are not counted.
"""

from typing import Annotated, Final
from zlib import crc32

import msgspec
from msgspec import Meta, Struct

from streams.contract.insights import Forecast
from streams.contract.policy import DAY_MS
from streams.engine.models.letters import Count, Name, check_size
from streams.engine.models.model import Body, Model, Surroundings, alert
from streams.engine.models.occasions import OCCASIONS, occasions
from streams.engine.moment import Moment
from streams.engine.outcome import Effect
from streams.engine.profile.activity import ZONE_MS, day_of
from streams.learning import rows
from streams.learning.forecast.forecaster import Period, SeriesForecaster

HOUR_MS: Final = 3_600_000
GRACE_MS: Final = 600_000  # after midnight: by then the others have sent theirs
WEEK: Final = 7
HOURS: Final = 24
SERIES: Final = 64  # of a partition
HERE_BYTES: Final = 6_500  # of what was counted on the open day; some 300 names
GATHERED_BYTES: Final = 9_000  # of what waits for its day to close: both stand in one row
ROUNDS: Final = 2  # seasons learned before anything is told
FADING: Final = 0.9  # of how often a series is met, a day
HOURLY: Final = ("orders", "channel:")  # and whatever begins so
# Periods that no effect of an occasion is worth: half a day of hours, or two days.
TRUST_HOURS: Final = 12.0
TRUST_DAYS: Final = 2.0

CALENDAR: Final = b"m:demand/calendar"
COUNTS: Final = b"m:demand/counts"
PREFIX: Final = b"m:demand/series/"


class Calendar(Struct, array_like=True):
    """Local days since the epoch; 0: nothing was counted yet."""

    open: int = 0  # the day that is counted
    closed: int = 0  # the last one closed
    late: int = 0  # what came after its day had been closed; it counts in the next one
    dropped: int = 0  # of names beyond the bounds


class Counts(Struct, array_like=True):
    """By name, one number for each hour or one for the day: `here`, of the open day; `gathered`,
    by day, of the series this partition keeps."""

    here: dict[str, list[int]] = {}
    gathered: dict[int, dict[str, list[int]]] = {}


class Counted(Struct):
    """What another partition counted on one day, of the series kept here."""

    day: Annotated[int, Meta(ge=0, le=100_000)]
    counts: dict[Name, list[Count]]

    def __post_init__(self) -> None:
        for name, counts in self.counts.items():
            check_size(f"counts of {name}", len(counts), _periods(name))


class SeriesRow(Struct, array_like=True):
    met: float = 0.0  # how often, fading; what decides whether it stays
    total: int = 0  # ever
    learned: bytes = b""


class Series:
    """A series and its forecaster."""

    def __init__(self, name: str, row: SeriesRow | None = None) -> None:
        self.row = SeriesRow() if row is None else row
        self.hourly = name.startswith(HOURLY)
        self.step_ms = HOUR_MS if self.hourly else DAY_MS
        season, trust = (HOURS, TRUST_HOURS) if self.hourly else (WEEK, TRUST_DAYS)
        self.forecaster = SeriesForecaster(
            season=season,
            horizon=season,
            calendar=OCCASIONS,
            floor=0.0,
            few=self.hourly,
            calendar_trust=trust,
        )
        if self.row.learned:
            self.forecaster.restore(self.row.learned)

    def learn(self, counts: list[int], on: Period) -> None:
        """What was counted on one day, and what was on."""
        row = self.row
        row.met = FADING * row.met + sum(counts)
        row.total += sum(counts)
        for count in counts:
            self.forecaster.learn_one(float(count), on)

    def coming(self, day: int, holidays: frozenset[int]) -> list[Period]:
        """What is on in each of the periods ahead, from the beginning of `day` on."""
        if self.hourly:
            return [occasions(day, holidays)] * HOURS
        return [occasions(day + ahead, holidays) for ahead in range(WEEK)]

    @property
    def told(self) -> bool:
        """Whether enough was learned to speak of what is to come."""
        return self.forecaster.learned >= ROUNDS * self.forecaster.season


class DemandModel(Model):
    NAME = "demand"
    LISTENS = frozenset({"order.paid", "coupon.claimed", "coupon.used"})

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._calendar = Calendar()
        self._counts = Counts()
        self._here_bytes = 0
        self._series: dict[str, Series] = {}
        self._changed: dict[bytes, None] = {}
        library = around.config.content
        self._stocks = {f"coupon:{one.sku}": one.stock for one in library.coupons if one.stock}

    def expected(self, name: str, periods: int) -> float:
        """How many are expected in the first hours or days after the last midnight, of at most 24
        or 7; 0 for what this partition does not keep."""
        series = self._series.get(name)
        if series is None:
            return 0.0
        xs = series.coming(self._calendar.closed + 1, self.around.holidays())
        return sum(series.forecaster.forecast(min(periods, series.forecaster.horizon), xs))

    def learn(self, moment: Moment) -> list[Effect]:
        if moment.backfill:
            return []
        # The record that brings the new day closes the old one before it is counted.
        effects = self.settle(moment.now_ms) if moment.now_ms >= self.due_ms else []
        self._open(moment.now_ms)
        here, calendar = self._counts.here, self._calendar
        hour = (moment.now_ms + ZONE_MS) // HOUR_MS % HOURS
        for name in _names(moment):
            counts = here.get(name)
            if counts is None:
                counts = [0] * _periods(name)
                size = _size(name, counts)
                if self._here_bytes + size > HERE_BYTES:
                    calendar.dropped += 1
                    self._changed[CALENDAR] = None
                    continue
                here[name] = counts
                self._here_bytes += size
            counts[hour % len(counts)] += 1
        self._changed[COUNTS] = None
        return effects

    def settle(self, now_ms: int) -> list[Effect]:
        calendar, day = self._calendar, day_of(now_ms)
        effects: list[Effect] = []
        if day > calendar.open:
            effects += self._hand_over()
            calendar.open = day
        grace_ms = GRACE_MS if self.around.partitions > 1 else 0
        ready = day_of(now_ms - grace_ms) - 1  # the last day that may be closed
        if ready - calendar.closed > WEEK:
            # Whole weeks without a record say nothing, and leave the weekdays in place.
            first = min(self._counts.gathered, default=ready)
            silent = max(min(ready, first - 1) - calendar.closed, 0)
            calendar.closed += silent // WEEK * WEEK
        while calendar.closed < ready:
            calendar.closed += 1
            effects += self._close(calendar.closed, now_ms)
        self._plan()
        self._changed |= dict.fromkeys((CALENDAR, COUNTS))
        return effects

    def read(self, letter: Body) -> Counted:
        return msgspec.convert(letter, Counted)

    def receive(self, letter: Counted, now_ms: int) -> list[Effect]:
        self._open(now_ms)
        self._gather(letter.day, letter.counts)
        return []

    # Rows.

    def changed_rows(self) -> list[tuple[bytes, bytes | None]]:
        changed, self._changed = self._changed, {}
        return [(key, self._row(key)) for key in changed]

    def load_row(self, key: bytes, row: bytes) -> None:
        if key == CALENDAR:
            self._calendar = rows.unpack(row, Calendar)
            self._plan()
        elif key == COUNTS:
            self._counts = rows.unpack(row, Counts)
            self._here_bytes = _bytes_of(self._counts.here)
        elif key.startswith(PREFIX):
            name = key[len(PREFIX) :].decode()
            self._series[name] = Series(name, rows.unpack(row, SeriesRow))
        else:
            super().load_row(key, row)

    def metrics(self) -> dict[str, float]:
        """Means over the series that have been judged."""
        found = [self._series[name].forecaster.quality() for name in sorted(self._series)]
        judged = [quality for quality in found if quality.judged]
        return {
            "series": float(len(found)),
            "mase": sum(quality.mase for quality in judged) / max(len(judged), 1),
            "coverage": sum(quality.coverage for quality in judged) / max(len(judged), 1),
            "late": float(self._calendar.late),
            "dropped": float(self._calendar.dropped),
        }

    # Inside.

    def _open(self, now_ms: int) -> None:
        """The first day begins."""
        calendar = self._calendar
        if not calendar.open:
            calendar.open = day_of(now_ms)
            calendar.closed = calendar.open - 1
            self._plan()
            self._changed[CALENDAR] = None

    def _plan(self) -> None:
        """Due at the end of the open day, or of the grace of the one before."""
        calendar = self._calendar
        if not calendar.open:
            return
        self.due_ms = (calendar.open + 1) * DAY_MS - ZONE_MS
        if calendar.closed < calendar.open - 1:
            self.due_ms = calendar.open * DAY_MS - ZONE_MS + GRACE_MS

    def _hand_over(self) -> list[Effect]:
        """The open day is over: what was counted goes to the partitions that keep the series."""
        around, day = self.around, self._calendar.open
        parts: list[dict[str, list[int]]] = [{} for _ in range(around.partitions)]
        for name, counts in self._counts.here.items():
            parts[crc32(name.encode()) % around.partitions][name] = counts
        self._counts.here, self._here_bytes = {}, 0
        self._gather(day, parts[around.partition])
        return [
            self.letter(to, {"day": day, "counts": part})
            for to, part in enumerate(parts)
            if part and to != around.partition
        ]

    def _gather(self, day: int, found: dict[str, list[int]]) -> None:
        calendar = self._calendar
        if not found:
            return
        if day <= calendar.closed:
            calendar.late += sum(map(sum, found.values()))
            day = calendar.closed + 1
        gathered = self._counts.gathered.setdefault(day, {})
        used = sum(map(_bytes_of, self._counts.gathered.values()))
        for name, counts in found.items():
            before = gathered.get(name)
            if before is None:
                used += _size(name, counts)
                if used > GATHERED_BYTES:
                    used -= _size(name, counts)
                    calendar.dropped += sum(counts)
                    continue
                gathered[name] = list(counts)
            else:
                gathered[name] = [one + other for one, other in zip(before, counts, strict=True)]
        self._changed |= dict.fromkeys((CALENDAR, COUNTS))

    def _close(self, day: int, now_ms: int) -> list[Effect]:
        found = self._counts.gathered.pop(day, {})
        for name, counts in found.items():
            self._admit(name, sum(counts))
        ends_ms = (day + 1) * DAY_MS - ZONE_MS
        last = ends_ms + DAY_MS > now_ms  # of what is past, nothing is told any more
        effects: list[Effect] = []
        on = occasions(day, self.around.holidays())
        for name in sorted(self._series):
            series = self._series[name]
            series.learn(found.get(name) or [0] * _periods(name), on)
            self._changed[PREFIX + name.encode()] = None
            if last and series.told:
                effects += self._tell(name, series, ends_ms, now_ms)
        return effects

    def _admit(self, name: str, count: int) -> None:
        """A place for the series, if it is met often enough."""
        if name in self._series:
            return
        if len(self._series) >= SERIES:
            least = min(self._series, key=lambda other: (self._series[other].row.met, other))
            row = self._series[least].row
            self._changed[PREFIX + least.encode()] = None
            if row.met >= count:
                row.met -= count
                self._calendar.dropped += count
                return
            del self._series[least]
        self._series[name] = Series(name)

    def _tell(self, name: str, series: Series, start_ms: int, now_ms: int) -> list[Effect]:
        """What is to come from `start_ms` on, and whether it is more than there is."""
        forecaster, around = series.forecaster, self.around
        ahead = forecaster.horizon
        xs = series.coming(day_of(start_ms), self.around.holidays())
        mean = forecaster.forecast(ahead, xs)
        bounds = forecaster.intervals(ahead, xs)
        quality = forecaster.quality()
        told: list[Effect] = [
            Forecast(
                series=name,
                at_ms=now_ms,
                partition=around.partition,
                start_ms=start_ms,
                step_ms=series.step_ms,
                mean=[round(value, 3) for value in mean],
                low=[round(low, 3) for low, _ in bounds],
                high=[round(high, 3) for _, high in bounds],
                mase=round(quality.mase, 4),
                coverage=round(quality.coverage, 4),
                judged=round(quality.judged),
                tenant=around.config.tenant,
            )
        ]
        stock = self._stocks.get(name, 0)
        left = max(stock - series.row.total, 0)
        if stock and sum(mean) > left:
            detail = "more claims are expected in seven days than are left: add stock or slow down"
            told.append(
                alert(around, "stock", name, now_ms, level=sum(mean), reference=left, detail=detail)
            )
        return told

    def _row(self, key: bytes) -> bytes | None:
        if key == CALENDAR:
            return rows.pack(self._calendar)
        if key == COUNTS:
            return rows.pack(self._counts)
        series = self._series.get(key[len(PREFIX) :].decode())
        if series is None:
            return None
        series.row.learned = series.forecaster.state()
        return rows.pack(series.row)


def _names(moment: Moment) -> list[str]:
    """The series an event counts in."""
    if moment.type == "order.paid":
        categories = [f"item:{category}" for category in dict.fromkeys(moment.ordered)]
        return ["orders", f"channel:{_channel(moment.source)}", *categories]
    coupon = moment.data.sku or moment.data.stock_id or moment.data.coupon_id
    return [("coupon:" if moment.type == "coupon.claimed" else "coupon_used:") + coupon]


def _periods(name: str) -> int:
    """How many numbers a day has in the series."""
    return HOURS if name.startswith(HOURLY) else 1


def _bytes_of(counted: dict[str, list[int]]) -> int:
    return sum([_size(name, counts) for name, counts in counted.items()])


def _size(name: str, counts: list[int]) -> int:
    """Bytes of it in a row, from above."""
    return len(name.encode()) + 6 + 5 * len(counts)


def _channel(source: str) -> str:
    """oa, mp or another app of WeChat; else whatever kind of source it is."""
    kind, _, rest = source.partition(":")
    return rest.partition(":")[0] or kind if kind == "wx" else kind
