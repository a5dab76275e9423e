"""The forecasters a series is forecast by, each on the scale it is good at.

All see the series without its calendar's effects. `log`: what acts in proportion, as seasons of
demand do; there a forecast is a median, which is what the absolute error asks for.
"""

from array import array
from math import exp, log
from typing import Final, Protocol

from streams.learning.forecast.autoregression import Autoregression, Form
from streams.learning.forecast.smoothing import Rates, Smoothing

HIGHEST_LOG: Final = 40.0


class Method(Protocol):
    @property
    def arrays(self) -> tuple["array[float]", ...]: ...
    def learn(self, value: float) -> None: ...
    def forecast(self, horizon: int) -> list[float]: ...


class Corrected:
    """A slow profile, and an autoregression of what departs from it: seasonal ARIMA in effect."""

    __slots__ = ("arrays", "departures", "profile")

    def __init__(self, profile: Smoothing, departures: Autoregression) -> None:
        self.profile = profile
        self.departures = departures
        self.arrays = (*profile.arrays, *departures.arrays)

    def learn(self, value: float) -> None:
        self.departures.learn(value - self.profile.forecast(1)[0])
        self.profile.learn(value)

    def forecast(self, horizon: int) -> list[float]:
        pairs = zip(self.profile.forecast(horizon), self.departures.forecast(horizon), strict=True)
        return [expected + departure for expected, departure in pairs]


class Expert:
    """A method on its scale; `offset` is added before logarithms are taken."""

    __slots__ = ("log", "method", "offset")

    def __init__(self, method: Method, *, log: bool, offset: float) -> None:
        self.method = method
        self.log = log
        self.offset = offset

    def learn(self, value: float) -> None:
        self.method.learn(log(max(value, 0.0) + self.offset) if self.log else value)

    def forecast(self, horizon: int) -> list[float]:
        found = self.method.forecast(horizon)
        if self.log:
            offset = self.offset
            return [exp(min(value, HIGHEST_LOG)) - offset for value in found]
        return found


def experts(season: int, long_season: int, offset: float, *, few: bool = False) -> list[Expert]:
    """`season`: periods, 1 for none; `long_season` above it, 0 for none. `few`: two, for series
    that are many and short of time."""
    short = season if season > 1 else 0

    def corrected(rates: Rates, short: int, long: int) -> Corrected:
        return Corrected(Smoothing(rates, short, long), Autoregression(DEPARTURES))

    proportional: list[Method] = [
        corrected(STEADY, short, long_season),
        corrected(TURNING, short, 0),
    ]
    if few:
        return [Expert(method, log=True, offset=offset) for method in proportional]
    plain: list[Method] = [corrected(STEADY, short, long_season)]
    if season > 1:
        proportional.append(Autoregression(_differenced(season)))
        plain += [Autoregression(_around(season)), corrected(LEVEL_ONLY, 0, 0)]
    return [
        *[Expert(method, log=True, offset=offset) for method in proportional],
        *[Expert(method, log=False, offset=offset) for method in plain],
    ]


# Rates of level, trend and season; and of a profile's departures, the autoregression.
STEADY: Final = Rates(0.004, 0.0, 0.03, 1.0)
TURNING: Final = Rates(0.05, 0.01, 0.3, 1.0)  # its season changes within a few rounds
LEVEL_ONLY: Final = Rates(0.02, 0.0, 0.0, 1.0)
DEPARTURES: Final = Form(lags=((1, 0.6), (2, 0.0), (3, 0.0)), keep=0.9995)


def _differenced(season: int) -> Form:
    """The airline model and what is near to it."""
    return Form(
        lags=((1, 0.7), (2, 0.0), (season, -0.4)),
        errors=(1, season, season + 1),
        difference=season,
    )


def _around(season: int) -> Form:
    near = {1: 0.6, 2: 0.0, 3: 0.0}
    seasonal = {season - 1: 0.0, season: 0.4, season + 1: 0.0} if season > 4 else {season: 0.4}
    return Form(lags=tuple(sorted({**seasonal, **near}.items())), mean=season)
