"""What is known of a day beforehand: public holidays, the days before, shopping festivals.

Holidays are the policy's own list (`quiet.holidays`): one calendar for silence and for demand.
Weekends worked in exchange for bridging days are not in it, and so not known here.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from streams.engine.calendars import EPOCH

HOLIDAY, BEFORE, FESTIVAL = OCCASIONS = ("holiday", "before_holiday", "shopping_festival")
DAYS_BEFORE: Final = 3
FESTIVALS: Final = ((6, 18), (11, 11), (12, 12))  # month and day: these never move


def occasions(day: int, holidays: frozenset[int]) -> Mapping[str, float]:
    """What is on, each 1. `day` and `holidays`: days since the epoch, in China Standard Time."""
    found: dict[str, float] = {}
    if day in holidays:
        found[HOLIDAY] = 1.0
    elif any(day + ahead in holidays for ahead in range(1, DAYS_BEFORE + 1)):
        found[BEFORE] = 1.0
    on = EPOCH + timedelta(days=day)
    if (on.month, on.day) in FESTIVALS:
        found[FESTIVAL] = 1.0
    return found
