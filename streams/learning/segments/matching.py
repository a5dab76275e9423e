"""The cheapest one-to-one matching of a few things to as many others, exactly.

Dynamic programming over the sets of columns taken: 2**n * n steps, for n up to 8 some two
thousand. Ties are broken by the lowest columns, so the same costs give the same matching.
"""

from collections.abc import Sequence
from math import inf, isfinite

MOST = 8
DEAREST = 1e300  # what a cost that is no number counts as


def match(costs: Sequence[Sequence[float]]) -> list[int]:
    """For each row its column. Raises ValueError for a matrix that is not square or too large."""
    size = len(costs)
    if size > MOST or any(len(row) != size for row in costs):
        raise ValueError(f"costs must be a square of at most {MOST}, not {size} rows")
    best = [inf] * (1 << size)
    last = [-1] * (1 << size)  # the column that the last of the matched rows took
    best[0] = 0.0
    for taken in range(1, 1 << size):
        row = costs[taken.bit_count() - 1]
        for column in range(size):
            if taken >> column & 1:
                price = row[column] if isfinite(row[column]) else DEAREST
                total = best[taken & ~(1 << column)] + price
                if total < best[taken]:
                    best[taken], last[taken] = total, column
    found = [0] * size
    taken = (1 << size) - 1
    for place in reversed(range(size)):
        found[place] = last[taken]
        taken &= ~(1 << last[taken])
    return found
