"""The forecaster as one of river's, for pipelines and evaluations of river's own."""

from river import time_series

from streams.learning.forecast.forecaster import SeriesForecaster


class RiverForecaster(SeriesForecaster, time_series.base.Forecaster):
    """`SeriesForecaster` with river's base class: clones, shows itself, passes river's checks."""
