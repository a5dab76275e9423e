"""Centres for a small sample: k-means++ from several starts, improved by Lloyd's iterations.

Sources: Arthur, Vassilvitskii, k-means++: the advantages of careful seeding (SODA 2007); Lloyd,
Least squares quantization in PCM (1982).
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

STARTS = 8
STEPS = 20

Matrix = NDArray[np.float64]
Chance = Callable[[int, int], float]  # start and step -> a fraction in [0, 1)


def centres_of(points: Matrix, clusters: int, chance: Chance) -> tuple[Matrix, float] | None:
    """Centres and the mean squared distance to the nearest; None: too few distinct points."""
    best: tuple[Matrix, float] | None = None
    for start in range(STARTS):
        centres = _begin(points, clusters, partial(chance, start))
        if centres is None:
            return None
        centres = _improved(points, centres)
        error = error_of(points, centres)
        if best is None or error < best[1]:
            best = centres, error
    return best


def error_of(points: Matrix, centres: Matrix) -> float:
    """The mean squared distance to the nearest centre."""
    return float(squared_distances(points, centres).min(axis=1).mean())


def squared_distances(points: Matrix, centres: Matrix) -> Matrix:
    """By point and centre. By differences, not by products: those go through threaded libraries."""
    gaps = points[:, None, :] - centres[None, :, :]
    found: Matrix = (gaps * gaps).sum(axis=2)
    return found


def _begin(points: Matrix, clusters: int, chance: Callable[[int], float]) -> Matrix | None:
    """Each next centre is drawn with a probability in proportion to its squared distance."""
    chosen = [int(chance(0) * len(points))]
    nearest = squared_distances(points, points[chosen]).min(axis=1)
    while len(chosen) < clusters:
        total = float(nearest.sum())
        if total <= 0.0:
            return None
        place = int(np.searchsorted(np.cumsum(nearest), chance(len(chosen)) * total, side="right"))
        place = min(place, len(points) - 1)
        while nearest[place] <= 0.0:  # at the very end, by rounding
            place -= 1
        chosen.append(place)
        nearest = np.minimum(nearest, squared_distances(points, points[[place]])[:, 0])
    return points[chosen]


def _improved(points: Matrix, centres: Matrix) -> Matrix:
    before = np.full(len(points), -1)
    for _ in range(STEPS):
        nearest = squared_distances(points, centres).argmin(axis=1)
        if (nearest == before).all():
            break
        before = nearest
        moved = [
            points[nearest == cluster].mean(axis=0) if (nearest == cluster).any() else centre
            for cluster, centre in enumerate(centres)
        ]
        centres = np.array(moved)
    return centres
