"""What forecasts are measured against: what a user would pick instead.

Each peer is asked at every origin, in order, and sees only what came before. Those of river learn
every value once; those of statsmodels are fitted again a few times and, between fits, taken along
with their parameters as they are. Settings are chosen on the start of the series alone.
"""

import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import linear_model, optim, preprocessing, time_series

from streams.faults import UserFault
from streams.scoreboard.forecasting.series import Series

Values = NDArray[np.float64]
Forecasts = NDArray[np.float64]  # origins x horizon
Peer = Callable[[Series], Forecasts]

REFITS = 4  # of a model of statsmodels along a series
FITTED_ON = 1_000  # values, the latest
LONG_SEASON = 13  # from here on seasons are Fourier terms: seasonal ARIMA takes minutes a fit
HARMONICS = 4
LARGEST = 1e12  # a forecast beyond is taken for it; river's own may diverge


def check_installed() -> None:
    """Raises UserFault where a peer is missing."""
    if find_spec("statsmodels") is None:
        raise UserFault(
            "the peers of the forecast need statsmodels: install this package with the extra bench"
        )


def filled(values: Values) -> Values:
    """Missing values taken for the last one before."""
    known = np.where(np.isnan(values), -1, np.arange(len(values)))
    return values[np.maximum(np.maximum.accumulate(known), 0)]


def seasonal_naive(series: Series) -> Forecasts:
    return _naive(series, series.season)


def long_seasonal_naive(series: Series) -> Forecasts:
    """Of a week for hours; else the same as the seasonal naive."""
    return _naive(series, series.long_season or series.season)


def _naive(series: Series, season: int) -> Forecasts:
    values = filled(series.values)
    ahead = np.arange(series.horizon) % season
    return np.array([values[origin - season + ahead] for origin in series.origins])


def river_holt_winters(series: Series) -> Forecasts:
    """Of a grid the settings with the least error within the start, also multiplicative."""
    season, values = series.season, filled(series.values)
    kinds = (False, True) if np.all(values > 0.0) else (False,)
    made = [
        lambda a=a, b=b, g=g, kind=kind: time_series.HoltWinters(
            alpha=a, beta=b, gamma=g, seasonality=season if season > 1 else 0, multiplicative=kind
        )
        for a, b, g, kind in product((0.1, 0.3, 0.6), (0.01, 0.1), (0.1, 0.4), kinds)
    ]
    return _best_of_river(series, values, made)


def river_snarimax(series: Series) -> Forecasts:
    season, values = series.season, filled(series.values)

    def made(p: int, d: int, q: int, sp: int, sd: int, rate: float | None) -> Any:
        regressor = (
            preprocessing.StandardScaler() | linear_model.LinearRegression()
            if rate is None
            else preprocessing.StandardScaler()
            | linear_model.LinearRegression(optimizer=optim.SGD(rate), intercept_lr=rate)
        )
        seasonal = {"m": season, "sp": sp, "sd": sd} if season > 1 else {}
        return time_series.SNARIMAX(p=p, d=d, q=q, regressor=regressor, **seasonal)

    grid = [
        (1, 0, 0, 1, 1, None),
        (3, 0, 0, 2, 0, None),
        (2, 1, 1, 1, 1, None),
        (season if season > 1 else 3, 0, 1, 1, 0, None),
        (12, 1, 12, 1, 0, 0.01),
        (3, 1, 0, 1, 1, 0.001),
    ]
    return _best_of_river(series, values, [lambda g=g: made(*g) for g in grid])


def _best_of_river(series: Series, values: Values, made: list[Callable[[], Any]]) -> Forecasts:
    start = series.start
    first = start // 2
    errors = []
    for make in made:
        tried = _along(make(), series, values[:start], range(first, start - series.horizon, 7))
        actual = [
            values[at : at + series.horizon] for at in range(first, start - series.horizon, 7)
        ]
        errors.append(float(np.mean(np.abs(tried - np.array(actual)))))
    best = made[int(np.argmin(errors))]
    return _along(best(), series, values, series.origins)


def _along(model: Any, series: Series, values: Values, origins: range) -> Forecasts:
    found, learned = [], 0
    known = [dict(names) for names in series.known]
    takes = isinstance(model, time_series.SNARIMAX) and bool(known)
    for origin in origins:
        for place in range(learned, origin):
            if takes:
                model.learn_one(float(values[place]), known[place])
            else:
                model.learn_one(float(values[place]))
        learned = origin
        ahead = known[origin : origin + series.horizon] if takes else None
        found.append(model.forecast(horizon=series.horizon, xs=ahead))
    return np.clip(np.nan_to_num(np.array(found, dtype=float), nan=0.0), -LARGEST, LARGEST)


def statsmodels_arima(series: Series) -> Forecasts:
    """Of a few orders the one with the least AIC on the start. What is known in advance and seasons
    longer than a year's months (as Fourier terms) are regressed on first."""
    # Peers are there only where the extra is installed.
    space = import_module("statsmodels.tsa.statespace.sarimax")
    season = series.season
    regressors = _regressors(series)
    if 1 < season < LONG_SEASON:
        seasons = [(0, 1, 1, season), (0, 1, 1, season), (1, 0, 1, season)]
        orders = list(zip([(0, 1, 1), (1, 0, 1), (2, 0, 1)], seasons, strict=True))
    else:
        orders = [(order, (0, 0, 0, 0)) for order in ((0, 1, 1), (2, 0, 1), (3, 0, 0))]

    def fitted(order: Any, values: Values, parameters: Values | None = None) -> Any:
        plain, seasonal = order
        trend = "c" if plain[1] + seasonal[1] == 0 else None
        model = space.SARIMAX(values, order=plain, seasonal_order=seasonal, trend=trend)
        if parameters is not None:
            return model.filter(parameters)
        return model.fit(disp=False, maxiter=50)

    with _quietly():
        first = max(0, series.start - FITTED_ON)
        _, rest = _regressed(series, regressors, first, series.start)
        best = min(orders, key=lambda order: float(fitted(order, rest).aic))
        found, parameters = [], None
        for first, origin, fresh in _refits(series):
            if fresh:
                weights, rest = _regressed(series, regressors, first, origin)
                parameters, begin = fitted(best, rest).params, first
            explained = regressors[begin : origin + series.horizon] @ weights
            rest = series.values[begin:origin] - explained[: origin - begin]
            ahead = fitted(best, rest, parameters).forecast(series.horizon)
            found.append(explained[origin - begin :] + ahead)
    return np.array(found)


def _regressors(series: Series) -> Values:
    """Rows of periods, beyond the last by a horizon; no column where nothing is to regress on."""
    places = np.arange(len(series.values) + series.horizon)
    parts: list[Values] = []
    for season, harmonics in ((series.season, HARMONICS), (series.long_season, 2 * HARMONICS)):
        if season >= LONG_SEASON:
            turns = 2.0 * np.pi * places / season
            for number in range(1, harmonics + 1):
                parts += [np.sin(number * turns), np.cos(number * turns)]
    for name in sorted({name for known in series.known for name in known}):
        column = [known.get(name, 0.0) for known in series.known]
        parts.append(np.array(column + [0.0] * series.horizon))
    if parts:
        parts += [np.ones(len(places)), places / len(places)]
    return np.array(parts, dtype=float).reshape(len(parts), len(places)).T


def _regressed(
    series: Series, regressors: Values, first: int, origin: int
) -> tuple[Values, Values]:
    """Weights of the regressors, and what they leave of the values."""
    values, rows = series.values[first:origin], regressors[first:origin]
    known = ~np.isnan(values)
    weights = np.linalg.lstsq(rows[known], values[known], rcond=None)[0]
    return weights, values - rows @ weights


def statsmodels_ets(series: Series) -> Forecasts:
    """Of a few forms the one with the least AIC on the start."""
    smoothing = import_module("statsmodels.tsa.exponential_smoothing.ets")
    values, season = filled(series.values), series.season
    kinds: list[dict[str, Any]] = [
        {"error": "add", "trend": "add", "damped_trend": True},
        {"error": "add"},
    ]
    if season > 1:
        kinds = [{**kind, "seasonal": "add", "seasonal_periods": season} for kind in kinds]
        if np.all(values > 0.0):
            kinds.append({**kinds[0], "error": "mul", "seasonal": "mul"})

    # As many seasonal states as a long season has are not estimated by maximum likelihood.
    states = "heuristic" if season >= LONG_SEASON else "estimated"

    def model(kind: dict[str, Any], first: int, end: int) -> Any:
        return smoothing.ETSModel(values[first:end], initialization_method=states, **kind)

    def aic(kind: dict[str, Any]) -> float:
        first = max(0, series.start - FITTED_ON)
        return float(model(kind, first, series.start).fit(disp=False, maxiter=200).aic)

    with _quietly():
        best = min(kinds, key=aic)
        found, parameters = [], None
        for first, origin, fresh in _refits(series):
            if fresh:
                parameters = model(best, first, origin).fit(disp=False, maxiter=200).params
                begin = first
            smoothed = model(best, begin, origin).smooth(parameters)
            found.append(np.asarray(smoothed.forecast(series.horizon)))
    return np.array(found)


def _refits(series: Series) -> Iterator[tuple[int, int, bool]]:
    """First value to fit on, origin, whether to fit anew."""
    every = -(-len(series.origins) // REFITS)
    for number, origin in enumerate(series.origins):
        yield max(0, origin - FITTED_ON), origin, number % every == 0


class _quietly(warnings.catch_warnings):
    """Fits say that they did not converge; they count as they are."""

    def __enter__(self) -> None:  # type: ignore[override]
        super().__enter__()
        warnings.simplefilter("ignore")


PEERS: dict[str, Peer] = {
    "seasonal naive": seasonal_naive,
    "weekly seasonal naive": long_seasonal_naive,
    "river HoltWinters": river_holt_winters,
    "river SNARIMAX": river_snarimax,
    "statsmodels ARIMA": statsmodels_arima,
    "statsmodels ETS": statsmodels_ets,
}
