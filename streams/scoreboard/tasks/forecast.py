"""Demand forecasts: single pass, rolling origins, every horizon up to 12 periods or 24 hours.

For each series the mean absolute scaled error (MASE: over the seasonal naive error of the series'
start) beside all peers at the same origins, and the share of values inside the 90 % intervals. The
headline is the mean, over the series, of our MASE over that of the peer that is best on that very
series. Constants of the method were chosen while looking at the first eleven series; the others
were kept for the end. Intervals are a bootstrap over blocks of neighbouring origins.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.learning.forecast.forecaster import SeriesForecaster
from streams.scoreboard.board import LEVEL, RESAMPLES, Score, interval
from streams.scoreboard.data import Fetch
from streams.scoreboard.forecasting import peers
from streams.scoreboard.forecasting.peers import Forecasts, Peer
from streams.scoreboard.forecasting.series import Series, chosen_on, kept_for_the_end

TASK: Final = "forecast"
BAR: Final = 0.95  # of the best peer's error
COVERAGE: Final = 0.90
COVERAGE_BAR: Final = (0.88, 0.92)
BLOCK_HORIZONS: Final = 2  # origins whose forecasts overlap are drawn together


class Judged(NamedTuple):
    """One series: errors by origin, over the scale; nan where the value is missing."""

    series: Series
    errors: NDArray[np.float64]  # means by origin
    inside: NDArray[np.float64]  # shares by origin
    peers: Mapping[str, NDArray[np.float64]]

    @property
    def best(self) -> NDArray[np.float64]:
        """Errors of the peer that is best on this series."""
        return min(self.peers.values(), key=lambda errors: float(np.nanmean(errors)))

    @property
    def blocks(self) -> list[int]:
        """Of each origin."""
        size = max(1, -(-BLOCK_HORIZONS * self.series.horizon // self.series.step))
        return [number // size for number in range(len(self.errors))]


def run(fetch: Fetch) -> list[Score]:
    peers.check_installed()
    first = [judge(series, peers.PEERS) for series in chosen_on(fetch)]
    last = [judge(series, peers.PEERS) for series in kept_for_the_end(fetch)]
    scores = [
        *headline(first, f"mean of {len(first)} series"),
        *headline(last, f"mean of {len(last)} series kept for the end"),
    ]
    return scores + [score for one in (*first, *last) for score in lines(one)]


def judge(series: Series, against: Mapping[str, Peer]) -> Judged:
    forecasts, low, high = ours(series)
    actual = np.array([series.values[at : at + series.horizon] for at in series.origins])
    known = ~np.isnan(actual)
    inside = np.where(known, (low <= actual) & (actual <= high), np.nan)

    def errors(found: Forecasts) -> NDArray[np.float64]:
        return np.nanmean(np.abs(found - actual), axis=1) / series.scale

    found = {name: errors(peer(series)) for name, peer in against.items()}
    return Judged(series, errors(forecasts), np.nanmean(inside, axis=1), found)


def ours(series: Series) -> tuple[Forecasts, Forecasts, Forecasts]:
    """Forecasts and bounds: origins x horizon. Every value is learned once, in order."""
    names = sorted({name for known in series.known for name in known})
    model = SeriesForecaster(
        season=series.season,
        horizon=series.horizon,
        long_season=series.long_season,
        calendar=names,
        level=COVERAGE,
        floor=0.0 if np.nanmin(series.values[: series.start]) >= 0.0 else None,
    )
    forecasts, bounds, learned = [], [], 0
    for origin in series.origins:
        for place in range(learned, origin):
            model.learn_one(float(series.values[place]), series.known[place] if names else None)
        learned = origin
        ahead = series.known[origin : origin + series.horizon] or None
        forecasts.append(model.forecast(series.horizon, ahead))
        bounds.append(model.intervals(series.horizon, ahead))
    low, high = np.moveaxis(np.array(bounds), -1, 0)
    return np.array(forecasts), low, high


def headline(judged: Sequence[Judged], data: str) -> list[Score]:
    """Means over the series of the ratio to the best peer and of the coverage."""
    rng = np.random.default_rng(len(judged))
    ratios, covered = [], []
    blocks = [np.split(np.arange(len(one.blocks)), _starts(one.blocks)) for one in judged]
    for _ in range(RESAMPLES):
        drawn = [_drawn(one, rng) for one in blocks]
        pairs = list(zip(judged, drawn, strict=True))
        ratios.append(np.mean([_ratio(one, places) for one, places in pairs]))
        covered.append(np.mean([np.nanmean(one.inside[places]) for one, places in pairs]))
    tail = (1.0 - LEVEL) / 2.0
    low, high = (float(bound) for bound in np.quantile(ratios, [tail, 1.0 - tail]))
    covered_low, covered_high = (float(b) for b in np.quantile(covered, [tail, 1.0 - tail]))
    cases = sum(len(one.errors) * one.series.horizon for one in judged)
    return [
        Score(
            task=TASK,
            data=data,
            metric="MASE over the best peer's",
            ours=float(np.mean([_ratio(one, slice(None)) for one in judged])),
            low=low,
            high=high,
            better="lower",
            bar=BAR,
            cases=cases,
            note="the best peer is chosen for each series, afterwards",
        ),
        Score(
            task=TASK,
            data=data,
            metric="coverage of 90 % intervals",
            ours=float(np.mean([np.nanmean(one.inside) for one in judged])),
            low=covered_low,
            high=covered_high,
            better="within",
            bar=COVERAGE_BAR[0],
            bar_high=COVERAGE_BAR[1],
            cases=cases,
        ),
    ]


def lines(one: Judged) -> list[Score]:
    """Of one series: its error beside all peers, and its coverage."""
    low, high = interval(lambda places: float(np.nanmean(one.errors[places])), one.blocks)
    inside = interval(lambda places: float(np.nanmean(one.inside[places])), one.blocks)
    cases = len(one.errors) * one.series.horizon
    best = float(np.nanmean(one.best))
    note = f"ratio to the best peer {_ratio(one, slice(None)):.3f}"
    if one.series.truth is not None:
        note += f"; who knows the planted mean has {_oracle(one.series):.3f}"
    return [
        Score(
            task=TASK,
            data=one.series.name,
            metric="MASE",
            ours=float(np.nanmean(one.errors)),
            low=low,
            high=high,
            better="lower",
            bar=BAR * best,
            cases=cases,
            peers={name: float(np.nanmean(errors)) for name, errors in one.peers.items()},
            note=note,
        ),
        Score(
            task=TASK,
            data=one.series.name,
            metric="coverage of 90 % intervals",
            ours=float(np.nanmean(one.inside)),
            low=inside[0],
            high=inside[1],
            better="within",
            bar=COVERAGE_BAR[0],
            bar_high=COVERAGE_BAR[1],
            cases=cases,
        ),
    ]


def _ratio(one: Judged, places: NDArray[np.int64] | slice) -> float:
    return float(np.nanmean(one.errors[places]) / np.nanmean(one.best[places]))


def _starts(blocks: Sequence[int]) -> NDArray[np.int64]:
    """Where a block after the first begins."""
    return np.flatnonzero(np.diff(blocks)) + 1


def _oracle(series: Series) -> float:
    truth, horizon = series.truth, series.horizon
    assert truth is not None
    missed = [np.abs(truth - series.values)[at : at + horizon] for at in series.origins]
    return float(np.nanmean(missed)) / series.scale


def _drawn(blocks: Sequence[NDArray[np.int64]], rng: np.random.Generator) -> NDArray[np.int64]:
    """Places of as many whole blocks as there are, drawn with repetitions."""
    return np.concatenate([blocks[number] for number in rng.integers(0, len(blocks), len(blocks))])
