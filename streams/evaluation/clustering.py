"""How well groups fit, and groups found with all data at hand: what online clusters stand beside.

Sources: Rousseeuw, Silhouettes (1987); Arthur, Vassilvitskii, k-means++ (SODA 2007).
"""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]

STARTS = 10
STEPS = 100


def standardised(points: Matrix) -> Matrix:
    """Each feature with mean 0 and deviation 1; one that never varies becomes 0."""
    deviation = points.std(axis=0)
    centred: Matrix = points - points.mean(axis=0)
    flat = np.zeros_like(centred)
    found: Matrix = np.divide(centred, deviation, out=flat, where=deviation > 0.0)
    return found


def silhouettes(points: Matrix, labels: Labels) -> Matrix:
    """One in [-1, 1] for each point; 0 for who is alone in a group. Needs n * n numbers."""
    squares = (points * points).sum(axis=1)
    gaps = squares[:, None] + squares[None, :] - 2.0 * points @ points.T
    distances = np.sqrt(np.maximum(gaps, 0.0))
    names = np.unique(labels)
    members = np.stack([labels == name for name in names])
    sizes = members.sum(axis=1)
    sums = distances @ members.T  # by point and group
    own = members.argmax(axis=0)
    rows = np.arange(len(points))
    within = sums[rows, own] / np.maximum(sizes[own] - 1, 1)
    means = sums / sizes
    means[rows, own] = np.inf
    nearest = means.min(axis=1)
    known = (sizes[own] > 1) & np.isfinite(nearest) & (np.maximum(nearest, within) > 0.0)
    found: Matrix = np.zeros(len(points))
    greater = np.maximum(nearest, within)[known]
    found[known] = (nearest[known] - within[known]) / greater
    return found


def batch_k_means(points: Matrix, clusters: int, seed: int = 0) -> Labels:
    """The best of ten starts of k-means++ and Lloyd's iterations, with all points at hand."""
    rng = np.random.default_rng(seed)
    best: tuple[float, Labels] | None = None
    for _ in range(STARTS):
        error, labels = _lloyd(points, _start(points, clusters, rng))
        if best is None or error < best[0]:
            best = error, labels
    assert best is not None
    return best[1]


def _start(points: Matrix, clusters: int, rng: np.random.Generator) -> Matrix:
    centres = [points[rng.integers(len(points))]]
    for _ in range(clusters - 1):
        nearest = _squared(points, np.array(centres)).min(axis=1)
        total = nearest.sum()
        chances = nearest / total if total > 0.0 else None
        centres.append(points[rng.choice(len(points), p=chances)])
    return np.array(centres)


def _lloyd(points: Matrix, centres: Matrix) -> tuple[float, Labels]:
    labels = np.full(len(points), -1)
    for _ in range(STEPS):
        squares = _squared(points, centres)
        found = squares.argmin(axis=1)
        if (found == labels).all():
            break
        labels = found
        for one in range(len(centres)):
            if (labels == one).any():
                centres[one] = points[labels == one].mean(axis=0)
    return float(_squared(points, centres).min(axis=1).sum()), labels


def _squared(points: Matrix, centres: Matrix) -> Matrix:
    gaps = points[:, None, :] - centres[None, :, :]
    found: Matrix = (gaps * gaps).sum(axis=2)
    return found
