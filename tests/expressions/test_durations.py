"""Durations as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.expressions import duration_ms, show_duration
from streams.expressions.durations import MAX_DURATION_MS


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("90s", 90_000),
        ("30m", 1_800_000),
        ("6h", 21_600_000),
        ("7d", 604_800_000),
        ("2w", 1_209_600_000),
        ("250ms", 250),
        ("1h30m", 5_400_000),
        ("0s", 0),
    ],
)
def test_a_duration_is_numbers_with_units(text: str, ms: int) -> None:
    assert duration_ms(text) == ms


@pytest.mark.parametrize(
    "text", ["", "7", "d", "7 d", "-7d", "1.5h", "7days", "30m1h", "7d7d", "٧d", "7d\n", "9" * 999]
)
def test_what_is_no_duration_is_refused_with_the_way_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="as in 30m, 7d or 1h30m"):
        duration_ms(text)


def test_a_duration_of_more_than_a_hundred_years_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 36500d"):
        duration_ms("36501d")


@given(st.integers(0, MAX_DURATION_MS))
def test_what_is_shown_is_read_back(ms: int) -> None:
    assert duration_ms(show_duration(ms)) == ms


def test_a_duration_is_shown_as_one_would_write_it() -> None:
    shown = [show_duration(ms) for ms in (0, 604_800_000, 5_400_000, -1_500)]
    assert shown == ["0s", "7d", "1h30m", "-1s500ms"]
