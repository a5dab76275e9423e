"""The forecast's task measures ours beside its peers at the same origins."""

import numpy as np
import pytest

from streams.scoreboard.forecasting import peers
from streams.scoreboard.forecasting.series import Series, shop
from streams.scoreboard.tasks import forecast


def wave(length: int = 120) -> Series:
    places = np.arange(length)
    noise = np.random.default_rng(1).normal(size=length)
    values = 50.0 + 20.0 * np.sin(2 * np.pi * places / 6) + 3.0 * noise
    return Series("wave", values, season=6, horizon=4, start=48, step=3)


def test_a_series_has_a_line_for_its_error_and_one_for_its_coverage() -> None:
    one = forecast.judge(wave(), {"seasonal naive": peers.seasonal_naive})
    error, coverage = forecast.lines(one)
    assert error.ours < error.peers["seasonal naive"]
    assert error.low <= error.ours <= error.high
    assert error.cases == len(wave().origins) * 4
    assert error.bar == pytest.approx(0.95 * error.peers["seasonal naive"])
    assert 0.7 < coverage.ours <= 1.0


def test_the_headline_is_the_mean_ratio_to_the_best_peer_of_each_series() -> None:
    never = {"never": lambda series: np.zeros((len(series.origins), series.horizon))}
    against = {"seasonal naive": peers.seasonal_naive, **never}
    judged = [forecast.judge(wave(length), against) for length in (90, 120)]
    ratio, coverage = forecast.headline(judged, "both")
    singles = [forecast.lines(one)[0] for one in judged]
    expected = np.mean([one.ours / one.peers["seasonal naive"] for one in singles])
    assert ratio.ours == pytest.approx(expected)
    assert ratio.low <= ratio.ours <= ratio.high
    assert coverage.metric == "coverage of 90 % intervals"


def test_nobody_sees_what_comes_after_the_origin() -> None:
    series = wave()
    changed = series._replace(values=series.values.copy())
    changed.values[90:] = 1e6
    seen = [number for number, origin in enumerate(series.origins) if origin <= 90]
    for peer in (
        lambda one: forecast.ours(one)[0],
        peers.seasonal_naive,
        peers.river_holt_winters,
        peers.river_snarimax,
    ):
        assert np.array_equal(peer(series)[seen], peer(changed)[seen])


def test_missing_values_are_the_last_known_ones_for_who_cannot_miss_any() -> None:
    found = peers.filled(np.array([1.0, np.nan, np.nan, 4.0]))
    assert found.tolist() == [1.0, 1.0, 1.0, 4.0]


def test_the_planted_shop_is_the_same_every_time_and_says_what_is_known_in_advance() -> None:
    one, two = shop(weeks=12), shop(weeks=12)
    assert np.array_equal(one.values, two.values)
    names = {name for known in one.known for name in known}
    assert {"promotion", "payday", "sale_festival"} <= names
    assert one.truth is not None
    assert np.mean(one.values) == pytest.approx(np.mean(one.truth), rel=0.05)
