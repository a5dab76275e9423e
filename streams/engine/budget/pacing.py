"""How much of a day's money is released by now: evenly, or as demand is expected by the hour.

Two expectations of demand by local hour, in fen. The habit starts flat with the weight of one day's
money; at the end of a day it decays by an eighth and takes in what was asked for on that day.
So it follows a change within about a week, one odd day does not turn it, and it knows no weekdays.
The forecast of the coming day knows hours and weekdays. It is followed once it has been judged on
two weeks and missed clearly less than the habit would have; else the habit is. On a day on which
much more is asked for than was forecast by then, the habit's release counts where it is greater.

Demand counts refused spends too: money spent alone would only show what was released before.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from msgspec import Struct, field

from streams.engine.budget.account import SLACK_PART, Account, day_start_ms
from streams.engine.profile.hours import HOUR_MS, local_day, offset_ms
from streams.learning.forecast.forecaster import SeriesForecaster

HOURS: Final = 24
WEEK: Final = 7
KEPT_OF_EIGHT: Final = 7
MIN_WAIT_MS: Final = 1_000
MAX_WAIT_MS: Final = 600_000

# Hundredths of the day's money: what is less in an hour hardly matters, on the scale of logarithms.
UNIT_PART: Final = 100
LEARNED_DAYS: Final = 7  # before the first forecast: each weekday once
JUDGED_DAYS: Final = 14  # before a forecast is followed
KEPT_MISS: Final = 27, 28  # of what was missed, a day: about four weeks count
CLEARLY: Final = 95  # percent of the habit's miss
SURPRISE_PART: Final = 4  # of the demand forecast for a day: so much more by now is a surprise
MILLION: Final = 1_000_000


class Curve(Struct, array_like=True):
    """Demand by hour: `past` is the habit, `current` the day that is still going on, `ahead` the
    forecast of that day made before it began (empty: none yet), as weights.

    `learned`: the forecaster's row, which counts in `unit_fen`. `judged`: days; `missed`: by the
    forecast and by the habit on them, fading, in millionths of a day's money. `expected_fen`: the
    demand forecast for the day; `surprised`: much more came, so until midnight both are followed.
    """

    past: list[int] = []
    current: list[int] = field(default_factory=lambda: [0] * HOURS)
    day: int = 0
    learned: bytes = b""
    unit_fen: int = 0
    ahead: list[int] = []
    judged: int = 0
    missed: tuple[int, int] = (0, 0)
    expected_fen: int = 0
    surprised: bool = False

    def weights(self, account: Account) -> list[int]:
        """One for each hour, all positive."""
        if account.pacing == "even":
            return [1] * HOURS
        return self.ahead if self.is_foreseen else self.habit(account)

    def habit(self, account: Account) -> list[int]:
        past = self.past or [account.daily_fen // HOURS] * HOURS
        return [weight + 1 for weight in past]

    @property
    def is_foreseen(self) -> bool:
        """Whether the forecast is followed."""
        forecast, habit = self.missed
        return self.judged >= JUDGED_DAYS and 100 * forecast < CLEARLY * habit

    def count(self, account: Account, demand_fen: int, at_ms: int) -> None:
        """Learn that so much was asked for; `at_ms` says when."""
        day = local_day(account.zone, at_ms)
        if day > self.day:
            if self.day:
                self._close(account, day)
            self.current = [0] * HOURS
            self.day = day
        hour = (at_ms + offset_ms(account.zone, at_ms)) // HOUR_MS % HOURS
        self.current[hour] += demand_fen
        if self.is_foreseen and not self.surprised:
            by_now_fen = self.expected_fen * sum(self.ahead[: hour + 1]) // sum(self.ahead)
            more_fen = sum(self.current) - by_now_fen
            self.surprised = SURPRISE_PART * more_fen > self.expected_fen

    def _close(self, account: Account, coming: int) -> None:
        """The day is over: judge what was expected of it, learn it, expect the coming day."""
        if self.ahead:
            kept, of = KEPT_MISS
            found = self.ahead, self.habit(account)
            forecast, habit = (
                before * kept // of + missed(weights, self.current)
                for before, weights in zip(self.missed, found, strict=True)
            )
            self.missed = forecast, habit
            self.judged += 1
        if self.past:  # the account's first day may be a part of one
            self._foresee(account, coming)
        past = self.past or [account.daily_fen // HOURS] * HOURS
        pairs = zip(past, self.current, strict=True)
        self.past = [old * KEPT_OF_EIGHT // 8 + new for old, new in pairs]
        self.surprised = False

    def _foresee(self, account: Account, coming: int) -> None:
        self.unit_fen = self.unit_fen or max(1, account.daily_fen // UNIT_PART)
        model = _forecaster()
        if self.learned:
            model.restore(self.learned)
        for fen in self.current:
            model.learn_one(fen / self.unit_fen)
        # Days on which nothing was asked for say nothing; weekdays must stay in their place.
        for _ in range((coming - self.day - 1) % WEEK * HOURS):
            model.learn_one(None)
        self.learned = model.state()
        if model.learned >= LEARNED_DAYS * HOURS:
            expected = model.forecast(HOURS)
            self.expected_fen = int(sum(expected) * self.unit_fen)
            scale = MILLION / max(sum(expected), 1e-9)
            self.ahead = [1 + int(value * scale) for value in expected]


def _forecaster() -> SeriesForecaster:
    """Of demand by the hour; asked once a day."""
    return SeriesForecaster(
        season=HOURS,
        horizon=HOURS,
        long_season=WEEK * HOURS,
        floor=0.0,
        few=True,
        stride=HOURS,
    )


def missed(weights: Sequence[int], demand_fen: Sequence[int]) -> int:
    """The largest part of a day's money that is too early or too late at any hour, in millionths:
    the distance of Kolmogorov between what is released and what was asked for, which is some."""
    total, wanted = sum(weights), sum(demand_fen)
    sums = zip(accumulate(weights), accumulate(demand_fen), strict=True)
    widest = max([abs(released * wanted - asked * total) for released, asked in sums])
    return widest * MILLION // (total * wanted)


def released_fen(account: Account, curve: Curve, day: int, now_ms: int) -> int:
    """Of the day's money, the slack that runs ahead included; never above the day's."""
    start_ms = day_start_ms(account.zone, day)
    length_ms = day_start_ms(account.zone, day + 1) - start_ms
    elapsed_ms = min(max(0, now_ms - start_ms), length_ms)
    daily_fen = account.limit_fen(day)
    share_fen = _share_fen(daily_fen, curve.weights(account), elapsed_ms, length_ms)
    if account.pacing == "demand" and curve.surprised:
        habit_fen = _share_fen(daily_fen, curve.habit(account), elapsed_ms, length_ms)
        share_fen = max(share_fen, habit_fen)
    return min(daily_fen, share_fen + daily_fen // SLACK_PART)


def _share_fen(daily_fen: int, weights: Sequence[int], elapsed_ms: int, length_ms: int) -> int:
    hour, part_ms = divmod(elapsed_ms * HOURS, length_ms)
    reached = sum(weights[:hour]) * length_ms
    if hour < HOURS:
        reached += weights[hour] * part_ms
    return daily_fen * reached // (sum(weights) * length_ms)


def wait_ms(account: Account, curve: Curve, missing_fen: int, now_ms: int) -> int:
    """About how long until so much more is released, between one second and ten minutes."""
    weights = curve.weights(account)
    hour = (now_ms + offset_ms(account.zone, now_ms)) // HOUR_MS % HOURS
    hour_fen = max(1, account.daily_fen * weights[hour] // sum(weights))
    return min(MAX_WAIT_MS, max(MIN_WAIT_MS, missing_fen * HOUR_MS // hour_fen))
