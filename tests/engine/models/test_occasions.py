"""Of each day is known whether it is a public holiday, just before one, or a shopping festival."""

from datetime import date

import pytest

from streams.engine.calendars import EPOCH
from streams.engine.models.occasions import BEFORE, FESTIVAL, HOLIDAY, occasions


def day_number(text: str) -> int:
    return (date.fromisoformat(text) - EPOCH).days


NATIONAL_DAY = frozenset(map(day_number, ("2026-10-01", "2026-10-02", "2026-10-03")))


@pytest.mark.parametrize(
    ("date", "on"),
    [
        ("2026-09-27", []),
        ("2026-09-28", [BEFORE]),
        ("2026-09-30", [BEFORE]),
        ("2026-10-01", [HOLIDAY]),
        ("2026-10-03", [HOLIDAY]),
        ("2026-10-04", []),
        ("2026-06-18", [FESTIVAL]),
        ("2027-11-11", [FESTIVAL]),
        ("2026-12-12", [FESTIVAL]),
    ],
)
def test_a_day_has_its_occasions(date: str, on: list[str]) -> None:
    assert occasions(day_number(date), NATIONAL_DAY) == dict.fromkeys(on, 1.0)


def test_a_festival_may_fall_on_a_holiday() -> None:
    day = day_number("2026-06-18")
    assert set(occasions(day, frozenset({day}))) == {HOLIDAY, FESTIVAL}
