"""Forecasts of a series, learned one value at a time, with intervals that hold."""
