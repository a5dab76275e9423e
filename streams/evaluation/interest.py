"""Whether the interests of a profile name what a person looks at next.

A case is the first category of a visit; the ranking is the one known before it. Popularity ranks by
how many earlier visits of all people began with a category; "last seen" puts the person's previous
category first and popular ones behind it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Ranked(NamedTuple):
    """What a profile said at a time: categories, best first."""

    at_ms: int
    person: int
    categories: Sequence[str]


class Seen(NamedTuple):
    """A visit: when, whose, and the first category looked at."""

    at_ms: int
    person: int
    category: str


class InterestReport(NamedTuple):
    """Shares of visits whose first category was among the first k."""

    cases: int
    hit: float
    hit_popularity: float
    hit_last_seen: float
    hit_best: float  # by the true interests at the end of the run


def report(
    ranked: Iterable[Ranked],
    visits: Iterable[Seen],
    *,
    k: int = 3,
    from_ms: int = 0,
    truth: Mapping[int, Sequence[str]] | None = None,
) -> InterestReport:
    """Ask at each visit from `from_ms` on of a person who already had a profile and a visit.

    `truth` gives each person's true categories, best first.
    """
    known: dict[int, tuple[list[int], list[Sequence[str]]]] = {}
    for row in sorted(ranked, key=lambda row: row.at_ms):
        times, rankings = known.setdefault(row.person, ([], []))
        times.append(row.at_ms)
        rankings.append(row.categories)
    popularity: dict[str, int] = {}
    last: dict[int, str] = {}
    asked = ours = popular = repeated = best = 0
    for visit in sorted(visits):
        category, person = visit.category, visit.person
        times, rankings = known.get(person, ([], []))
        i = bisect_left(times, visit.at_ms)
        if i and person in last and visit.at_ms >= from_ms:
            top = sorted(popularity, key=lambda name: (-popularity[name], name))
            asked += 1
            ours += category in rankings[i - 1][:k]
            popular += category in top[:k]
            repeated += category in [last[person], *(c for c in top if c != last[person])][:k]
            best += truth is not None and category in truth[person][:k]
        popularity[category] = popularity.get(category, 0) + 1
        last[person] = category
    share = 1.0 / asked if asked else 0.0
    return InterestReport(
        cases=asked,
        hit=ours * share,
        hit_popularity=popular * share,
        hit_last_seen=repeated * share,
        hit_best=best * share,
    )
