"""How many people one person brings: the viral coefficient, by the day people joined.

For each joining day: the newcomers, how many people those brought within the window, and how many
of those became customers. Whole numbers by day, so those of partitions add. The coefficient counts
days whose window has passed: younger ones would look worse than they are.
"""

from typing import Self

from msgspec import Struct

WINDOW_DAYS = 14
DAYS = 56  # that are remembered


class Day(Struct, array_like=True):
    day: int
    newcomers: int = 0
    brought: int = 0
    converted: int = 0


class Generations(Struct, array_like=True):
    """Days in ascending order, at most DAYS of them."""

    days: list[Day] = []

    def joined(self, day: int) -> None:
        found = self._day(day)
        if found is not None:
            found.newcomers += 1

    def brought(self, joined_day: int, after_days: float) -> None:
        """Somebody who joined on `joined_day` brought a person so long after joining."""
        found = self._day(joined_day) if 0.0 <= after_days < WINDOW_DAYS else None
        if found is not None:
            found.brought += 1

    def converted(self, joined_day: int, after_days: float) -> None:
        """A person brought so long after somebody joined on `joined_day` ordered."""
        found = self._day(joined_day) if 0.0 <= after_days < WINDOW_DAYS else None
        if found is not None:
            found.converted += 1

    @property
    def latest(self) -> int:
        """The latest day anything is known of; 0: nothing is."""
        return self.days[-1].day if self.days else 0

    def coefficient(self, today: int, days: int = 28) -> float:
        """People brought per newcomer, of the last days whose window has passed; 0 without any."""
        newcomers, brought, _ = self._sums(today, days)
        return brought / newcomers if newcomers else 0.0

    def customers(self, today: int, days: int = 28) -> float:
        """Customers won per newcomer, likewise."""
        newcomers, _, converted = self._sums(today, days)
        return converted / newcomers if newcomers else 0.0

    def merge(self, other: Self) -> None:
        """Add what another partition counted."""
        for theirs in other.days:
            ours = self._day(theirs.day)
            if ours is not None:
                ours.newcomers += theirs.newcomers
                ours.brought += theirs.brought
                ours.converted += theirs.converted

    def _sums(self, today: int, days: int) -> tuple[int, int, int]:
        last = last_closed(today)
        closed = [one for one in self.days if last - days < one.day <= last]
        return (
            sum(one.newcomers for one in closed),
            sum(one.brought for one in closed),
            sum(one.converted for one in closed),
        )

    def _day(self, day: int) -> Day | None:
        """None where that is too long ago."""
        days = self.days
        place = len(days)
        while place and days[place - 1].day > day:
            place -= 1
        if place and days[place - 1].day == day:
            return days[place - 1]
        if days and day <= days[-1].day - DAYS:
            return None
        found = Day(day)
        days.insert(place, found)
        while days[0].day <= days[-1].day - DAYS:
            del days[0]
        return found


def last_closed(today: int) -> int:
    """The latest joining day whose people have all had their window, while `today` is open."""
    return today - WINDOW_DAYS - 1
