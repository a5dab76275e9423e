"""What is true of each synthetic person, as a row, and the best churn forecast made from it.

The oracle knows a row up to a moment: the true visit rate, the true hazard with its frailty, and
what an observer could see (the last activity, past experiences). It does not know whether a silent
person has left. On the grid of days this has an exact answer by Bayes' rule: going forward from the
last activity, the weight of "still there, but silent" against "left". No forecast from the same
observations can rank or calibrate better, whatever it is made of.
"""

from functools import lru_cache
from math import exp
from typing import NamedTuple

from msgspec import Struct

from streams.simulation.hazard import (
    ANNOYANCE_HALF_LIFE_DAYS,
    DAY_MS,
    DISAPPOINTMENT_HALF_LIFE_DAYS,
    UNFOLLOW_SHARE,
    Blow,
    Nature,
    Standing,
    daily_hazard,
    daily_rate,
    remaining,
)
from streams.simulation.hours import Hours


class Truth(Struct, kw_only=True):
    """One person. Times are milliseconds since the epoch, 0 where it never happened."""

    user: int
    ids: list[tuple[str, str]]  # (subject, source) of each native id
    user_ids: list[str]  # the aliases of `ids`, where the simulation was told how to make them
    segment: str
    rhythm: str
    response: str  # persuadable | sure_thing | lost_cause | sleeping_dog
    interests: dict[str, float]  # at the end of the run; sum 1
    nature: Nature
    hours: tuple[int, ...]  # relative frequency of visits by local hour
    start_ms: int
    joined_ms: int
    left_ms: int = 0
    left_how: str = ""  # silent | unfollow
    erased_ms: int = 0
    revived: int = 0  # how often a coupon brought the person back
    converted_ms: int = 0  # first order or application
    orders: int = 0
    spend_fen: int = 0
    marketing_consent: bool = False
    disappointments: list[Blow] = []
    annoyances: list[Blow] = []
    activity_ms: list[int] = []  # accepted activity, in the order it was sent
    visits: list[tuple[int, str]] = []  # start and first category of each visit that had one


def churn_probability(
    truth: Truth, *, t_ms: int, last_active_ms: int, horizon_days: int = 7
) -> float:
    """P(unfollows within the horizon after t, or shows no activity in it | silent since last
    activity).

    `last_active_ms` is the latest activity at or before `t_ms` that had arrived by then. What
    happens after `t_ms` has no influence.
    """
    path = _Path(truth, t_ms)
    day_t = path.day_of(t_ms)
    here, gone, leaving = path.silent_until(last_active_ms, t_ms)
    seen = here + gone + leaving
    if seen <= 0.0:
        return 1.0
    end_ms = t_ms + horizon_days * DAY_MS
    silent, left = here / seen, (gone + leaving) / seen
    present, unfollowed = silent, 0.0  # the same without asking for silence
    unfollowed_silent = 0.0
    silent *= exp(-path.visits(day_t, t_ms, end_ms))
    for day in range(day_t + 1, path.day_of(end_ms) + 1):
        hazard = path.hazard(day)
        left += silent * hazard
        unfollowed += present * hazard * UNFOLLOW_SHARE
        unfollowed_silent += silent * hazard * UNFOLLOW_SHARE
        present *= 1.0 - hazard
        silent *= (1.0 - hazard) * exp(-path.visits(day, t_ms, end_ms))
    return min(left + silent + unfollowed - unfollowed_silent, 1.0)


class _Path:
    """Hazard and rate of a person who stays silent from a moment on."""

    def __init__(self, truth: Truth, known_ms: int) -> None:
        self._nature = truth.nature
        self._start_ms = truth.start_ms
        self._hours = _hours(truth.hours)
        self._disappointments = [b for b in truth.disappointments if b.at_ms <= known_ms]
        self._annoyances = [b for b in truth.annoyances if b.at_ms <= known_ms]
        converted_ms = truth.converted_ms
        self._converted_ms = converted_ms if 0 < converted_ms <= known_ms else 0

    def day_of(self, time_ms: int) -> int:
        return (time_ms - self._start_ms - self._nature.shift_ms) // DAY_MS

    def hazard(self, day: int) -> float:
        return daily_hazard(self._nature, day, self._standing(day))

    def visits(self, day: int, from_ms: int, to_ms: int) -> float:
        """Expected visits of that local day within a span of time."""
        if day <= self._nature.joined_day:  # the day of joining has the visit of joining only
            return 0.0
        begin_ms = self._start_ms + self._nature.shift_ms + day * DAY_MS
        share = self._hours.share_before(to_ms - begin_ms)
        share -= self._hours.share_before(from_ms - begin_ms)
        return share * daily_rate(self._nature, day, self._standing(day)) if share > 0 else 0.0

    def silent_until(self, last_active_ms: int, t_ms: int) -> "_Silence":
        first, day_t = self.day_of(last_active_ms), self.day_of(t_ms)
        here, gone, leaving = exp(-self.visits(first, last_active_ms, t_ms)), 0.0, 0.0
        for day in range(first + 1, day_t + 1):
            hazard = self.hazard(day)
            gone += here * hazard * (1.0 - UNFOLLOW_SHARE)
            if day == day_t:  # an unfollow of today may be still to come
                begin_ms = self._start_ms + self._nature.shift_ms + day * DAY_MS
                to_come = 1.0 - self._hours.share_before(t_ms - begin_ms)
                leaving = here * hazard * UNFOLLOW_SHARE * to_come
            here *= (1.0 - hazard) * exp(-self.visits(day, last_active_ms, t_ms))
        return _Silence(here, gone, leaving)

    def _standing(self, day: int) -> Standing:
        at_ms = self._start_ms + day * DAY_MS  # the day is planned at the grid's midnight
        return Standing(
            remaining(self._disappointments, at_ms, DISAPPOINTMENT_HALF_LIFE_DAYS),
            remaining(self._annoyances, at_ms, ANNOYANCE_HALF_LIFE_DAYS),
            0 < self._converted_ms <= at_ms,
        )


class _Silence(NamedTuple):
    """Weights of what a silence may mean; an unfollow before t would have been seen and is left
    out.
    """

    here: float
    gone: float
    leaving: float


@lru_cache(maxsize=64)
def _hours(weights: tuple[int, ...]) -> Hours:
    return Hours(weights, habit_hours=0)
