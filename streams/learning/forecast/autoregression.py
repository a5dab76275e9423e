"""An autoregression with seasonal lags and past errors, learned online: the ARIMA family.

Two forms. Around a mean: each lag and the target are taken relative to the mean of the last
season, or to zero. Differenced: the target and the lags are changes over one season.
Past errors enter as regressors (extended least squares), so moving-average terms are learned in
the same pass.
Source: Box, Jenkins, Time series analysis (1970); extended least squares: Ljung, Soderstrom (1983).
"""

from array import array
from collections.abc import Sequence
from typing import Final, NamedTuple

from streams.learning.forecast.regression import RecursiveLeastSquares

SCALE, COUNT = range(2)
BOUND: Final = 5.0  # of an error, in scales: what it teaches at most
SCALE_RATE: Final = 0.02
LEAST_SCALE: Final = 1e-9
REACH: Final = 8.0  # forecasts stay within so many scales of the values known


class Form(NamedTuple):
    """`lags` and `errors` in periods, with the coefficients believed in at first."""

    lags: tuple[tuple[int, float], ...]
    errors: tuple[int, ...] = ()
    difference: int = 0  # periods; 0: around a moving mean
    mean: int = 0  # periods of it; 0: around zero
    keep: float = 0.998
    trust: float = 5.0

    @property
    def span(self) -> int:
        return max([lag for lag, _ in self.lags] + [self.mean]) + self.difference

    @property
    def error_span(self) -> int:
        return max(self.errors, default=0)


class Autoregression:
    __slots__ = ("_lags", "_span", "arrays", "errors", "form", "numbers", "past", "squares")

    def __init__(self, form: Form) -> None:
        self.form = form
        self._lags = [lag for lag, _ in form.lags]
        self._span = form.span
        start = [0.0, *(weight for _, weight in form.lags), *(0.0 for _ in form.errors)]
        self.squares = RecursiveLeastSquares(start, keep=form.keep, trust=form.trust)
        self.numbers = array("d", bytes(16))
        self.past = array("f", bytes(4 * self._span))
        self.errors = array("f", bytes(4 * form.error_span))
        self.arrays = (self.numbers, self.past, self.errors, *self.squares.arrays)

    def learn(self, value: float) -> None:
        form, numbers = self.form, self.numbers
        count = int(numbers[COUNT])
        error = 0.0
        if count >= self._span:
            history = _unrolled(self.past, count)
            base = self._base(history)
            target = value - base
            rate = max(SCALE_RATE, 1.0 / (count - self._span + 1))
            numbers[SCALE] += rate * (abs(target) - numbers[SCALE])
            scale = max(numbers[SCALE], LEAST_SCALE)
            row = self._row(history, base, scale)
            expected = self.squares.predict(row)
            error = min(max(target / scale - expected, -BOUND), BOUND)
            self.squares.learn(row, expected + error)
            error *= scale
        self.past[count % self._span] = value
        if form.errors:
            self.errors[count % len(self.errors)] = error
        numbers[COUNT] = count + 1

    def forecast(self, horizon: int) -> list[float]:
        count, back = int(self.numbers[COUNT]), self.form.difference
        if count <= self._span:
            return [self.past[(count - 1) % self._span] if count else 0.0] * horizon
        scale = max(self.numbers[SCALE], LEAST_SCALE)
        history = _unrolled(self.past, count)
        low, high = min(history) - REACH * scale, max(history) + REACH * scale
        constant, *weights = self.squares.coefficients
        by_lag = list(zip(self._lags, weights, strict=False))
        moved = self._moving(weights[len(by_lag) :], horizon)
        mean = 0.0 if back else self._base(history)
        # What the lags see: departures from the mean, or changes over `difference` periods.
        most = max(self._lags)
        if back:
            seen = [history[-lag] - history[-lag - back] for lag in range(most, 0, -1)]
        else:
            seen = [value - mean for value in history[-most:]]
        found: list[float] = []
        for ahead in range(horizon):
            step = constant * scale + moved[ahead]
            for lag, weight in by_lag:
                step += weight * seen[-lag]
            base = history[-back] if back else mean
            value = min(max(base + step, low), high)
            seen.append(value - base)
            history.append(value)
            found.append(value)
        return found

    def _moving(self, weights: Sequence[float], horizon: int) -> list[float]:
        """What past errors add to each coming period; errors to come are 0."""
        moved = [0.0] * horizon
        if self.form.errors:
            errors = _unrolled(self.errors, int(self.numbers[COUNT]))
            for lag, weight in zip(self.form.errors, weights, strict=True):
                for ahead in range(min(lag, horizon)):
                    moved[ahead] += weight * errors[ahead - lag]
        return moved

    def _base(self, history: Sequence[float]) -> float:
        form = self.form
        if form.difference:
            return history[-form.difference]
        return sum(history[-form.mean :]) / form.mean if form.mean else 0.0

    def _row(self, history: Sequence[float], mean: float, scale: float) -> list[float]:
        back = self.form.difference
        if back:
            seen = [history[-lag] - history[-lag - back] for lag in self._lags]
        else:
            seen = [history[-lag] - mean for lag in self._lags]
        row = [1.0, *[value / scale for value in seen]]
        if self.form.errors:
            count, size = int(self.numbers[COUNT]), len(self.errors)
            row += [self.errors[(count - lag) % size] / scale for lag in self.form.errors]
        return row


def _unrolled(ring: "array[float]", count: int) -> list[float]:
    """The values of a ring that holds the last ones, oldest first."""
    place = count % len(ring)
    return [*ring[place:], *ring[:place]]
