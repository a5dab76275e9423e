"""Series to forecast: real ones out of packages, and a shop's hourly demand with known truth."""

import csv
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from math import nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from river import datasets

from streams.scoreboard.data import Fetch, Source

CO2 = "16695fa2786e53414e5a6b54767a3fdf5de99cfbc68617f69d1362d92776a92f"
EL_NINO = "b647be00e0fd264be9764e317e6b963f35030014ecca2b21b204521716e463ad"
SUNSPOTS = "f67889b1d9002cd5227f0e0ef54e35b419cdd85a31279adef6f73fb41e5c0a9b"
NILE = "88e97bea7249e5832a85e41aec6ce4b8f7b1b14aae930c8363da7f193286b598"
MACRO = "d93c0d3a7a77ef83c3af14e46032bb1d02ae3a512b22ab94159a8ca226fcf708"
EQUIPMENT = "elec_equip", "fb0e86774484d2c9179374377041600ffd25ea0236aeaf7d293bf2df5ae86369"
CDNOW = Source(
    "Lifetimes",
    "0.11.3",
    "lifetimes/datasets/CDNOW_master.txt",
    "eff6889ed364c5199d6eacbbeb7a6d559971df4406ac876f322c373f00a072ef",
)
RATINGS = Source(
    "recbole",
    "1.2.1",
    "recbole/dataset_example/ml-100k/ml-100k.inter",
    "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
)

DAY = 24
WEEK = 168
START = date(2025, 9, 1)  # a Monday
WEEKS = 26
LIFTS = {  # of the planted demand, as factors
    "promotion": 2.2,
    "sale_festival": 3.5,
    "payday": 1.3,
    "month_end": 1.15,
    "spring_festival": 0.55,
}
SALE_FESTIVALS = (date(2025, 9, 9), date(2025, 11, 11), date(2025, 12, 12))
SPRING_FESTIVAL = (date(2026, 2, 16), date(2026, 2, 22))


class Series(NamedTuple):
    """A series and how it is judged: origins from `start` on, every `step` periods."""

    name: str
    values: NDArray[np.float64]  # nan: missing
    season: int  # periods; 1: none
    horizon: int
    start: int  # what a peer may be tuned on, and what MASE is scaled by
    step: int
    long_season: int = 0  # a week of hours above the day's
    known: tuple[Mapping[str, float], ...] = ()  # of each period, known in advance
    truth: NDArray[np.float64] | None = None  # the planted mean

    @property
    def origins(self) -> range:
        """How many periods are known when a forecast is made."""
        return range(self.start, len(self.values) - self.horizon + 1, self.step)

    @property
    def scale(self) -> float:
        """Mean absolute error of the seasonal naive forecast within the start."""
        start = self.values[: self.start]
        return float(np.nanmean(np.abs(start[self.season :] - start[: -self.season])))


def chosen_on(fetch: Fetch) -> list[Series]:
    """The series that were looked at while the method was made."""
    return [
        _series("airline (monthly)", [y for _, y in datasets.AirlinePassengers()], 12, 12, 48, 1),
        _series("co2 (weekly)", _column(fetch, "co2", CO2), 52, 12, 520, 16),
        _series("elnino (monthly)", _months(fetch), 12, 12, 240, 4),
        _series("sunspots (yearly)", _column(fetch, "sunspots", SUNSPOTS), 11, 12, 110, 2),
        *_cdnow(fetch),
        *_ratings(fetch),
        _series("water flow (hourly)", [y for _, y in datasets.WaterFlow()], 24, 24, 504, 7, WEEK),
        _series("trump approval (daily)", [y for _, y in datasets.TrumpApproval()], 7, 12, 200, 8),
        shop(),
    ]


def kept_for_the_end(fetch: Fetch) -> list[Series]:
    """The series nobody looked at before the method was fixed."""
    quarters = "macrodata", MACRO
    return [
        _series("nile (yearly)", _column(fetch, "nile", NILE), 1, 12, 30, 1),
        _series("electric equipment (monthly)", _column(fetch, *EQUIPMENT), 12, 12, 84, 2),
        _series("us unemployment (quarterly)", _column(fetch, *quarters, 10), 4, 12, 60, 2),
        _series("us consumption (quarterly)", _column(fetch, *quarters, 3), 4, 12, 60, 2),
        _series("us inflation (quarterly)", _column(fetch, *quarters, 12), 4, 12, 60, 2),
        shop(seed=6)._replace(name="another shop (hourly, planted)"),
    ]


def _series(
    name: str, values: object, season: int, horizon: int, start: int, step: int, long: int = 0
) -> Series:
    return Series(name, np.asarray(values, dtype=float), season, horizon, start, step, long)


def _column(fetch: Fetch, name: str, sha256: str, column: int = 1) -> list[float]:
    member = f"statsmodels/datasets/{name}/{name}.csv"
    path = fetch.file(Source("statsmodels", "0.15.0", member, sha256))
    with path.open(encoding="ascii") as lines:
        found = list(csv.reader(lines))[1:]
    return [float(row[column]) if row[column] else nan for row in found]


def _months(fetch: Fetch) -> list[float]:
    member = "statsmodels/datasets/elnino/elnino.csv"
    path = fetch.file(Source("statsmodels", "0.15.0", member, EL_NINO))
    with path.open(encoding="ascii") as lines:
        found = list(csv.reader(lines))[1:]
    return [float(value) for row in found for value in row[1:]]


def _cdnow(fetch: Fetch) -> list[Series]:
    """Purchases a day and a week; the crowd of the first quarter, so the level falls then."""
    days: Counter[date] = Counter()
    for line in fetch.file(CDNOW).read_text("ascii").splitlines()[1:]:
        day = datetime.strptime(line.split()[1], "%Y%m%d").replace(tzinfo=UTC).date()
        days[day] += 1
    first, last = min(days), max(days)
    daily = [float(days[first + timedelta(n)]) for n in range((last - first).days + 1)]
    whole = len(daily) // 7 * 7
    weekly = np.reshape(daily[:whole], (-1, 7)).sum(axis=1)
    return [
        _series("cdnow (daily)", daily, 7, 12, 140, 4),
        _series("cdnow (weekly)", weekly, 1, 12, 26, 1),
    ]


def _ratings(fetch: Fetch) -> list[Series]:
    """Ratings an hour and a day: bursts, for people rate a hundred films in a sitting."""
    hours: Counter[int] = Counter()
    for line in fetch.file(RATINGS).read_text("ascii").splitlines()[1:]:
        hours[int(float(line.split("\t")[3])) // 3600] += 1
    first = -(-min(hours) // DAY) * DAY  # whole days only
    last = max(hours) // DAY * DAY
    hourly = np.array([float(hours[hour]) for hour in range(first, last)])
    daily = hourly.reshape(-1, DAY).sum(axis=1)
    return [
        _series("ml-100k (hourly)", hourly, DAY, DAY, 1344, 37, WEEK),
        _series("ml-100k (daily)", daily, 7, 12, 63, 2),
    ]


def shop(weeks: int = WEEKS, seed: int = 5) -> Series:
    """Hourly orders: hours of the day, weekdays, growth, a slow wander, and a calendar; over-
    dispersed counts. Promotions are announced, their lift is not."""
    rng = np.random.default_rng(seed)
    hours = np.arange(weeks * WEEK)
    hour, weekday = hours % DAY, hours // DAY % 7
    by_hour = (
        0.15 + np.exp(-(((hour - 12) / 3.0) ** 2)) + 1.6 * np.exp(-(((hour - 20.5) / 2.5) ** 2))
    )
    late = np.where(weekday >= 5, 0.35 * np.exp(-(((hour - 15) / 4.0) ** 2)), 0.0)
    by_day = np.array([0.95, 0.9, 0.92, 0.96, 1.1, 1.25, 1.15])[weekday]
    wander = np.zeros(len(hours))
    for place in range(1, len(hours)):
        wander[place] = 0.995 * wander[place - 1] + 0.015 * rng.normal()
    mean = 30.0 * (by_hour + late) * by_day * np.exp(wander + 0.25 * hours / len(hours))
    known = _calendar(weeks, rng)
    for place, names in enumerate(known):
        for name in names:
            mean[place] *= LIFTS[name]
    counts = rng.poisson(rng.gamma(25.0, mean / 25.0)).astype(float)
    start = min(8, weeks // 2) * WEEK
    return Series("shop (hourly, planted)", counts, DAY, DAY, start, 25, WEEK, tuple(known), mean)


def _calendar(weeks: int, rng: np.random.Generator) -> list[dict[str, float]]:
    found: list[dict[str, float]] = []
    for number in range(weeks * 7):
        day = START + timedelta(number)
        names: dict[str, float] = {}
        if day in SALE_FESTIVALS:
            names["sale_festival"] = 1.0
        if day.day in (10, 15):
            names["payday"] = 1.0
        if (day + timedelta(2)).day <= 2:
            names["month_end"] = 1.0
        if SPRING_FESTIVAL[0] <= day <= SPRING_FESTIVAL[1]:
            names["spring_festival"] = 1.0
        opens = int(rng.integers(9, 20)) if rng.random() < 0.15 else DAY
        for hour in range(DAY):
            promoted = {"promotion": 1.0} if opens <= hour < opens + 4 else {}
            found.append({**names, **promoted})
    return found
