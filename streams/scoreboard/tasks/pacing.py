"""A day's money paced by the hour: evenly, by the habit of late (EWMA), or by the forecast.

Series of hourly demand, a day's money of four fifths of the mean day's demand. Every ten minutes
demand comes and takes what the real pacing has released by then; what is not there is refused and
does not come back. Days are judged from the fifth week on, when all have learned.
Three figures, the lower the better: what was refused though the day's money would have paid for it;
what is left of the money when the day ends; and what was spent in other hours than demand came,
against refusing the same share of every hour. Intervals are a bootstrap over weeks.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.engine.budget.account import DAY_MS, Account, Pacing
from streams.engine.budget.pacing import HOURS, WEEK, Curve, released_fen
from streams.engine.profile.hours import HOUR_MS
from streams.scoreboard.board import Indices, Score, interval
from streams.scoreboard.data import Fetch
from streams.scoreboard.forecasting.series import DAY, chosen_on, shop

TASK: Final = "pacing"
MONEY: Final = 0.8  # of the mean day's demand
UNIT_FEN: Final = 1_000  # one of the series
STEPS: Final = 6  # an hour
START: Final = 28  # days before any is judged
MONDAY: Final = 20_335  # since the epoch
OURS: Final = "forecast, once it is better"
HABIT: Final = "habit (EWMA)"
METRICS: Final = (
    "refused though there was money, %",
    "money left at the end of the day, %",
    "money spent in other hours than demand, %",
)

Days = NDArray[np.float64]  # days x hours


class _Habit(Curve):
    """Never follows the forecast, and makes none."""

    @property
    def is_foreseen(self) -> bool:
        return False

    def _foresee(self, account: Account, coming: int) -> None:
        """Nothing."""


class _Forecast(Curve):
    """Follows the forecast from the first one on, good or bad."""

    @property
    def is_foreseen(self) -> bool:
        return bool(self.ahead)


PACERS: Final[Mapping[str, tuple[Pacing, Callable[[], Curve]]]] = {
    OURS: ("demand", Curve),
    "even": ("even", Curve),
    HABIT: ("demand", _Habit),
    "forecast from the first week on": ("demand", _Forecast),
}


class Outcome(NamedTuple):
    """By day, in parts of the day's money; `followed`: on how many days the forecast was."""

    figures: Mapping[str, NDArray[np.float64]]
    followed: int


def run(fetch: Fetch) -> list[Score]:
    hourly = [one for one in chosen_on(fetch) if one.season == DAY]
    series = {one.name: days_of(one.values) for one in hourly}
    series["another shop (hourly, planted)"] = days_of(shop(seed=6).values)
    series["canteen and weekend (hourly, planted)"] = weekends()
    return [score for name, days in series.items() for score in compare(name, days)]


def compare(data: str, days: Days, *, start: int = START) -> list[Score]:
    """Three lines: ours, and the other ways of pacing as its peers."""
    found = {
        name: pace(days, pacing, curve(), start=start) for name, (pacing, curve) in PACERS.items()
    }
    weeks = [number // WEEK for number in range(len(days) - start)]
    ours, habit = found[OURS], found[HABIT]
    scores = []
    for metric in METRICS:
        figures, theirs = ours.figures[metric], habit.figures[metric]
        low, high = interval(_mean_of(figures), weeks)
        gain_low, gain_high = interval(_mean_of(theirs - figures), weeks)
        scores.append(
            Score(
                task=TASK,
                data=data,
                metric=metric,
                ours=_percent(figures),
                low=low,
                high=high,
                better="lower",
                cases=len(weeks),
                peers={
                    name: _percent(outcome.figures[metric])
                    for name, outcome in found.items()
                    if name != OURS
                },
                note=f"less than the habit by {_percent(theirs - figures):.2f} points "
                f"[{gain_low:.2f}, {gain_high:.2f}]; forecast followed on {ours.followed} days",
            )
        )
    return scores


def pace(days: Days, pacing: Pacing, curve: Curve, *, start: int = START) -> Outcome:
    """What became of each day from `start` on."""
    daily_fen = round(MONEY * UNIT_FEN * float(days.sum(axis=1).mean()))
    account = Account("shop", 1, daily_fen=daily_fen, pacing=pacing, zone="UTC")
    found: dict[str, list[float]] = {metric: [] for metric in METRICS}
    followed = 0
    for number, demand in enumerate(days):
        asked_fen = [round(UNIT_FEN * float(value)) for value in demand]
        spent_fen = _spend(account, curve, MONDAY + number, asked_fen)
        if number < start:
            continue
        followed += pacing == "demand" and curve.is_foreseen
        asked, spent = sum(asked_fen), sum(spent_fen)
        most = min(asked, daily_fen)
        pairs = zip(spent_fen, asked_fen, strict=True)
        elsewhere = sum(abs(fen - want * most / max(asked, 1)) for fen, want in pairs) / 2
        for metric, fen in zip(METRICS, (most - spent, daily_fen - spent, elsewhere), strict=True):
            found[metric].append(fen / daily_fen)
    return Outcome({metric: np.array(values) for metric, values in found.items()}, followed)


def _spend(account: Account, curve: Curve, day: int, asked_fen: Sequence[int]) -> list[int]:
    """By hour, of what was asked for by hour; the curve learns on the way."""
    total, by_hour = 0, [0] * HOURS
    step_ms = HOUR_MS // STEPS
    for step in range(HOURS * STEPS):
        hour, part = divmod(step, STEPS)
        now_ms = day * DAY_MS + step * step_ms + step_ms // 2
        wanted = asked_fen[hour] * (part + 1) // STEPS - asked_fen[hour] * part // STEPS
        if not wanted:
            continue
        curve.count(account, wanted, now_ms)
        fen = max(0, min(wanted, released_fen(account, curve, day, now_ms) - total))
        total += fen
        by_hour[hour] += fen
    return by_hour


def days_of(values: NDArray[np.float64]) -> Days:
    """Whole days; what is missing was not asked for."""
    whole = len(values) // HOURS * HOURS
    return np.nan_to_num(values[:whole]).reshape(-1, HOURS)


def weekends(weeks: int = 26, seed: int = 3) -> Days:
    """Lunch on weekdays, evenings at weekends; over-dispersed counts."""
    rng = np.random.default_rng(seed)
    hours = np.arange(HOURS)

    def peak(at: float, width: float) -> NDArray[np.float64]:
        return np.asarray(np.exp(-(((hours - at) / width) ** 2)))

    weekday = 40.0 * (peak(12, 2.0) + 0.5 * peak(18, 2.0) + 0.05)
    weekend = 48.0 * (peak(15, 3.0) + 1.5 * peak(21, 2.0) + 0.05)
    means = np.array([weekend if day % WEEK >= 5 else weekday for day in range(weeks * WEEK)])
    return rng.poisson(rng.gamma(10.0, means / 10.0)).astype(float)


def _percent(values: NDArray[np.float64]) -> float:
    return 100.0 * float(np.mean(values))


def _mean_of(values: NDArray[np.float64]) -> Callable[[Indices], float]:
    """Of the days at these places."""
    return lambda places: _percent(values[places])
