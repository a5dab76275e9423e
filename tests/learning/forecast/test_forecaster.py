"""A series is forecast online: better than by repeating it, with intervals that hold, bounded."""

import subprocess
import sys
from math import cos, inf, isfinite, nan, pi
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import checks

from streams.learning.forecast.forecaster import SeriesForecaster
from streams.learning.forecast.river_forecaster import RiverForecaster

SHAPES = (
    {"season": 1, "horizon": 4},
    {"season": 7, "horizon": 7},
    {"season": 24, "horizon": 24, "long_season": 168, "calendar": ("promotion", "festival")},
    {"season": 24, "horizon": 24, "few": True},
    {"season": 24, "horizon": 24, "long_season": 168, "few": True, "stride": 24},
)


def shop(days: int, seed: int = 1) -> list[float]:
    """Orders an hour: two hours of the day when people buy, noise in proportion."""
    random = Random(seed)
    return [
        float(round((20 + 15 * cos(2 * pi * (hour % 24 - 20) / 24)) * random.uniform(0.8, 1.2)))
        for hour in range(24 * days)
    ]


def learned(model: SeriesForecaster, values: list[float]) -> SeriesForecaster:
    for value in values:
        model.learn_one(value)
    return model


@pytest.mark.parametrize("shape", SHAPES[:2], ids=repr)
def test_the_forecaster_passes_the_checks_of_river(shape: dict[str, object]) -> None:
    checks.check_estimator(RiverForecaster(**shape))


def test_a_season_is_known_after_three_rounds() -> None:
    model = learned(SeriesForecaster(season=24, horizon=24), shop(3))
    expected = [20 + 15 * cos(2 * pi * (hour - 20) / 24) for hour in range(24)]
    errors = [abs(a - b) for a, b in zip(model.forecast(24), expected, strict=True)]
    assert sum(errors) / 24 < 3.0


def test_growth_goes_on() -> None:
    model = learned(SeriesForecaster(season=1, horizon=4), [100.0 + 5 * n for n in range(60)])
    assert model.forecast(4)[3] == pytest.approx(415.0, rel=0.02)


def test_it_leads_the_seasonal_naive_forecast_where_there_is_noise() -> None:
    model = learned(SeriesForecaster(season=24, horizon=24), shop(15))
    assert model.quality().mase < 0.9


def test_ninety_percent_intervals_hold_also_when_the_noise_doubles() -> None:
    random, model, inside, total = Random(2), SeriesForecaster(season=1, horizon=3), 0, 0
    for number in range(900):
        if number > 200:
            low, high = model.intervals(1)[0]
        spread = 5.0 if number < 500 else 10.0
        value = 50.0 + random.gauss(0.0, spread)
        if number > 200:
            inside, total = inside + (low <= value <= high), total + 1
        model.learn_one(value)
    assert 0.88 <= inside / total <= 0.92
    assert model.quality().coverage == pytest.approx(0.9, abs=0.02)


def test_a_promotion_is_no_habit_and_the_next_one_is_foreseen() -> None:
    model = SeriesForecaster(season=24, horizon=24, calendar=("promotion",))
    for number, value in enumerate(shop(25)):
        promoted = number % 24 == 12 and number % 5 == 0
        model.learn_one(value * (3 if promoted else 1), {"promotion": 1.0} if promoted else None)
    plain = model.forecast(24)[12]
    xs = [{"promotion": 1.0} if ahead == 12 else {} for ahead in range(24)]
    assert 1.0 < plain < 15.0
    assert model.forecast(24, xs)[12] / plain == pytest.approx(3.0, rel=0.25)


def test_what_no_effect_is_worth_says_how_much_one_example_teaches() -> None:
    effects = []
    for trust in (0.5, 2.0, 8.0):
        model = SeriesForecaster(season=7, horizon=7, calendar=("festival",), calendar_trust=trust)
        learned(model, [50.0] * 20)
        model.learn_one(150.0, {"festival": 1.0})
        plain, on = model.forecast(1)[0], model.forecast(1, [{"festival": 1.0}])[0]
        effects.append(on / plain)
    assert 2.6 > effects[0] > effects[1] > effects[2] > 1.05


def test_a_forecast_asked_for_once_a_day_is_followed_once_a_day_and_as_good() -> None:
    values, whole = shop(15), SeriesForecaster(season=24, horizon=24, few=True)
    daily = SeriesForecaster(season=24, horizon=24, few=True, stride=24)
    learned(whole, values)
    learned(daily, values)
    assert 0 < daily.quality().judged < whole.quality().judged
    assert daily.forecast(24) == pytest.approx(whole.forecast(24), rel=0.05)


def test_a_missing_period_is_skipped_or_counts_as_nothing_as_chosen() -> None:
    values = shop(20)
    skipping = learned(SeriesForecaster(season=24, horizon=24), values)
    zero = learned(SeriesForecaster(season=24, horizon=24, missing="zero"), values)
    for _ in range(24):
        skipping.learn_one(None)
        zero.learn_one(nan)
    assert sum(skipping.forecast(24)) == pytest.approx(480, rel=0.1)
    assert sum(zero.forecast(24)) < 0.7 * sum(skipping.forecast(24))


def test_a_hole_does_not_shift_the_season() -> None:
    values = shop(20)
    model = learned(SeriesForecaster(season=24, horizon=24), values)
    before = model.forecast(24)
    learned(model, [nan] * 24)
    after = model.forecast(24)
    assert max(range(24), key=before.__getitem__) == pytest.approx(
        max(range(24), key=after.__getitem__), abs=1
    )


def test_counts_are_not_forecast_below_their_floor() -> None:
    random = Random(3)
    values = [float(random.random() < 0.05) for _ in range(300)]
    model = learned(SeriesForecaster(season=24, horizon=24, floor=0.0), values)
    assert min(model.forecast(24)) >= 0.0
    assert all(0.0 <= low <= high for low, high in model.intervals(24))


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.sampled_from([nan, inf, -inf, 1e308, -1e308, 0.0]),
            st.floats(allow_nan=True, allow_infinity=True),
        ),
        max_size=40,
    ),
    st.sampled_from(SHAPES),
)
def test_no_number_makes_a_forecast_that_is_none(
    values: list[float | None], shape: dict[str, object]
) -> None:
    model = SeriesForecaster(**shape)
    for value in values:
        model.learn_one(value, {"promotion": 1e308, "festival": nan})
    found = [*model.forecast(30), *(bound for pair in model.intervals(30) for bound in pair)]
    assert all(map(isfinite, found))
    assert all(low <= high for low, high in model.intervals(30))


def test_a_wild_number_is_forgotten() -> None:
    values = shop(20)
    wild = [*values[:200], 1e308, *values[201:]]
    model = learned(SeriesForecaster(season=24, horizon=24), wild)
    assert 0.0 < sum(model.forecast(24)) < 2e3


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 90), st.sampled_from(SHAPES))
def test_taken_over_from_its_row_it_goes_on_bit_for_bit(
    split: int, shape: dict[str, object]
) -> None:
    values = shop(4)
    model = learned(SeriesForecaster(**shape), values[:split])
    successor = SeriesForecaster(**shape)
    successor.restore(model.state())
    learned(model, values[split:])
    learned(successor, values[split:])
    assert successor.state() == model.state()
    assert successor.forecast(24) == model.forecast(24)
    assert successor.intervals(24) == model.intervals(24)


def test_asking_changes_nothing() -> None:
    model = learned(SeriesForecaster(season=7, horizon=7), shop(2))
    before = model.state()
    model.forecast(20)
    model.intervals(20)
    model.quality()
    assert model.state() == before


@pytest.mark.parametrize(
    ("shape", "most"), zip(SHAPES, (2_000, 4_000, 6_000, 3_000, 3_000), strict=True)
)
def test_the_state_is_small_and_does_not_grow(shape: dict[str, object], most: int) -> None:
    model = learned(SeriesForecaster(**shape), shop(2))
    size = len(model.state())
    learned(model, shop(10))
    assert size == len(model.state()) <= most


def test_a_damaged_row_is_refused() -> None:
    model = learned(SeriesForecaster(season=7), shop(2))
    row = bytearray(model.state())
    row[len(row) // 2] ^= 1
    with pytest.raises(ValueError, match="checksum"):
        SeriesForecaster(season=7).restore(bytes(row))


def test_a_row_of_other_settings_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        SeriesForecaster(season=12).restore(SeriesForecaster(season=7).state())
    with pytest.raises(ValueError, match="shape"):
        SeriesForecaster(calendar=["a"]).restore(SeriesForecaster(calendar=["b"]).state())
    with pytest.raises(ValueError, match="shape"):
        SeriesForecaster(stride=2).restore(SeriesForecaster().state())


def test_a_row_that_knew_no_calendar_is_taken_over_without_effects() -> None:
    old = learned(SeriesForecaster(season=7), shop(2))
    model = SeriesForecaster(season=7, calendar=["festival"])
    model.restore(old.state())
    assert model.forecast(12) == old.forecast(12)
    assert model.forecast(12, [{"festival": 1.0}] * 12) == old.forecast(12)
    model.learn_one(500.0, {"festival": 1.0})
    assert model.forecast(1, [{"festival": 1.0}])[0] > model.forecast(1)[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"season": 0},
        {"season": 24, "long_season": 100},
        {"level": 1.0},
        {"offset": 0.0},
        {"stride": -1},
        {"calendar_trust": 0.0},
        {"calendar": [f"name {number}" for number in range(17)]},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\d"):
        SeriesForecaster(**wrong)


def test_a_calendar_must_reach_as_far_as_the_forecast() -> None:
    model = SeriesForecaster(season=7, calendar=("promotion",))
    with pytest.raises(ValueError, match="2 periods of the calendar for 3"):
        model.forecast(3, [{}, {}])


FATE = """
from hashlib import sha256
from streams.learning.forecast.forecaster import SeriesForecaster
model = SeriesForecaster(season=7, horizon=7, calendar=("promotion", "festival"))
for number in range(60):
    model.learn_one(float(number * number % 31), {"promotion": float(number % 9 == 0)})
print(sha256(model.state()).hexdigest())
"""


def test_outputs_do_not_depend_on_the_hash_seed() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", FATE],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "7")
    }
    assert len(found) == 1
