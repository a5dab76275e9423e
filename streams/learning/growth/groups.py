"""What groups do for growth: who joins, who is active, who becomes a customer, fading.

Sums use forward decay with a half-life of 28 days; the landmark moves by whole half-lives, so no
rounding depends on when. The weakest group leaves for a new one.
Source: Cormode et al., Forward decay (ICDE 2009).
"""

from math import ldexp
from typing import NamedTuple

from msgspec import Struct

HALF_LIFE_MS = 28 * 86_400_000
PERIODS = 32  # half-lives until the landmark moves
MOST = 100
NAME_LENGTH = 32
STRENGTH = 10.0  # joins' worth of everybody's conversion
PRIOR = (1.0, 4.0)


class Group(Struct, array_like=True):
    """Sums at the landmark."""

    name: str
    joins: float = 0.0
    active: float = 0.0
    conversions: float = 0.0


class Influence(NamedTuple):
    """Decayed to the present; `conversion`: shrunken share of those who joined that ordered."""

    name: str
    joins: float
    active: float
    conversions: float
    conversion: float


class Groups(Struct, array_like=True):
    landmark_ms: int = 0
    groups: dict[int, Group] = {}

    def joined(self, mark: int, name: str, time_ms: int) -> None:
        self._group(mark, name, time_ms).joins += self._weight(time_ms)

    def active(self, mark: int, name: str, time_ms: int) -> None:
        self._group(mark, name, time_ms).active += self._weight(time_ms)

    def converted(self, mark: int, time_ms: int) -> None:
        """Somebody who joined it ordered; a group that has been forgotten stays so."""
        group = self.groups.get(mark)
        if group is not None:
            group.conversions += self._weight(time_ms)

    def influences(self, now_ms: int) -> list[Influence]:
        """The most conversions first; ties by name."""
        scale = 2.0 ** ((self.landmark_ms - now_ms) / HALF_LIFE_MS)
        groups = self.groups.values()
        joins = sum(group.joins for group in groups) * scale + PRIOR[1]
        everybody = (sum(group.conversions for group in groups) * scale + PRIOR[0]) / joins
        found = []
        for group in groups:
            conversions = group.conversions * scale
            share = (conversions + STRENGTH * everybody) / (group.joins * scale + STRENGTH)
            found.append(
                Influence(
                    group.name,
                    group.joins * scale,
                    group.active * scale,
                    conversions,
                    min(share, 1.0),
                )
            )
        return sorted(found, key=lambda one: (-one.conversions, one.name))

    def _weight(self, time_ms: int) -> float:
        periods = (time_ms - self.landmark_ms) / HALF_LIFE_MS
        if periods > PERIODS:
            moved = int(periods)
            for group in self.groups.values():
                group.joins = ldexp(group.joins, -moved)
                group.active = ldexp(group.active, -moved)
                group.conversions = ldexp(group.conversions, -moved)
            self.landmark_ms += moved * HALF_LIFE_MS
            periods -= moved
        return float(2.0**periods)

    def _group(self, mark: int, name: str, time_ms: int) -> Group:
        self._weight(time_ms)  # the landmark must not move between finding a group and adding
        group = self.groups.get(mark)
        if group is None:
            if len(self.groups) >= MOST:
                weakest = min(
                    self.groups,
                    key=lambda one: (self.groups[one].joins + self.groups[one].active, one),
                )
                del self.groups[weakest]
            group = self.groups[mark] = Group(name[:NAME_LENGTH])
        return group
