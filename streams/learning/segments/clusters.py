"""Online k-means whose batches add up across partitions.

Within a batch the centres stand still and each example adds to the count, sum and squares of its
nearest centre; so the statistics of partitions with the same centres add exactly. `close` ends the
batch: each centre moves towards its batch's mean at the rate n / (n + n before + 50), where what
was before fades. Distances are in standard deviations of each feature, over all examples, fading
alike; a feature that never varies counts for nothing.

A reservoir keeps a sample of about the last batch by keyed hash. It gives the first centres
(k-means++, the best of several starts), and at each close a challenger found the same way takes
over where it describes the sample clearly better; that also brings centres back that lost all
their examples.
Old and new centres are matched, so a cluster keeps its number.
Sources: Arthur, Vassilvitskii, k-means++ (SODA 2007); Sculley, Web-scale k-means (WWW 2010).
"""

from collections.abc import Hashable, Sequence
from hashlib import blake2b
from math import sqrt
from struct import pack, pack_into
from typing import Any

import numpy as np
from msgspec import Struct
from river.base import Clusterer

from streams.learning import rows
from streams.learning.logistic import bounded
from streams.learning.segments import seeding
from streams.learning.segments.matching import MOST as MOST_CLUSTERS
from streams.learning.segments.matching import match

PRIOR = 50.0  # examples' worth of staying where a centre is
KEPT = 0.5  # of the past at each close
SAMPLE = 512  # examples in the reservoir,
SAMPLE_BYTES = 10_240  # or as many as go into so many bytes
BETTER = 0.98  # of the champion's error on the sample: below it the challenger takes over
MARGIN = 0.8  # of the distance to one's own cluster's centre: nearer than that, one changes over
LEAST_SAMPLE = 8  # examples for each cluster before there are any
MOST_FEATURES = 12
LEAST_VARIANCE = 1e-9


class Statistics(Struct, array_like=True):
    """Of one batch, for the centres of `version`: by cluster, then by feature. Add them up."""

    version: int
    counts: list[float]
    sums: list[list[float]]
    squares: list[float]  # by feature, over all clusters


class Common(Struct, array_like=True):
    """What all partitions assign by."""

    version: int
    centres: list[list[float]]
    means: list[float]
    variances: list[float]


class ClustersRow(Struct, array_like=True):
    names: list[str]
    version: int
    seen: int
    centres: list[list[float]]
    weights: list[float]  # by cluster: how much of the past stands behind the centre
    total: float  # faded examples behind the moments
    means: list[float]
    variances: list[float]
    batch: Statistics
    last_batch: int
    width: int
    sample: bytes  # float32


class OnlineClusters(Clusterer):
    """Clusters numbered from 0.

    Parameters
    ----------
    clusters
        How many, 2 to 8.
    batch
        After how many examples a batch closes by itself; 0: only when told.
    seed
        Of the keyed hash, which takes the first 64 bytes.

    """

    def __init__(self, clusters: int = 6, batch: int = 256, seed: str = "clusters") -> None:
        if not 2 <= clusters <= MOST_CLUSTERS:
            raise ValueError(f"clusters is {clusters}, must be 2 to {MOST_CLUSTERS}")
        self.clusters = clusters
        self.batch = batch
        self.seed = seed
        self.index: dict[str, int] = {}
        self.version = 0  # of the centres; 0: there are none yet
        self.seen = 0
        self.centres: list[list[float]] = []
        self.total = 0.0
        self.means: list[float] = []
        self.variances: list[float] = []
        self._weights: list[float] = []
        self._scales: list[float] = []  # 1 / variance; 0 for what does not vary
        self._open = Statistics(0, [], [], [])
        self._sample = bytearray()  # float32, row by row
        self._width = 0  # of its rows
        self._last_batch = 0

    @property
    def _mutable_attributes(self) -> set[str]:
        return {"batch"}

    def begin(self, names: Sequence[str]) -> None:
        """Fix the features before the first example. Raises ValueError for more than 12."""
        if len(names) > MOST_FEATURES:
            raise ValueError(f"{len(names)} features; {MOST_FEATURES} are possible")
        self.index = {name: place for place, name in enumerate(names)}

    # Learning.

    def learn(self, x: Sequence[float], before: int = -1) -> int:
        """One example with a value for each feature; returns what `assign` gives before it is
        learned. NaN counts as 0."""
        point = [bounded(value) for value in x]
        self._keep(point)
        self.seen += 1
        distances = self._squared(point)
        nearest = distances.index(min(distances)) if distances else -1
        self._count(max(nearest, 0), point)
        if self.batch and self.seen % self.batch == 0:
            self.close()
        return _settled(distances, nearest, before)

    def learn_one(self, x: dict[Hashable, Any]) -> None:
        for name in sorted(map(str, x)):
            if name not in self.index and len(self.index) < MOST_FEATURES:
                self.index[name] = len(self.index)
        self.learn(self._vector(x))

    def close(self) -> bool:
        """End the batch. Returns whether a challenger took over the centres."""
        size = len(self.index)
        batch, self._open = self._widened(self._open, size), Statistics(0, [], [], [])
        count = sum(batch.counts)
        if not count:
            return False
        self._last_batch = int(count)
        self._moments(batch, count)
        before = [list(centre) for centre in self.centres]
        self._move(batch)
        replaced = self._challenge(batch, before)
        if self.version or replaced:
            self.version += 1
        return replaced

    def open_batch(self) -> Statistics:
        """What the open batch has so far, and begin another without it: for who gathers."""
        batch, self._open = self._widened(self._open, len(self.index)), Statistics(0, [], [], [])
        batch.version = self.version
        return batch

    def add(self, batch: Statistics) -> bool:
        """Add what a partition with the same centres counted; False: it had others."""
        if batch.version != self.version:
            return False
        ours = self._open = self._widened(self._open, len(self.index))
        ours.counts = [a + b for a, b in zip(ours.counts, batch.counts, strict=True)]
        ours.squares = [a + b for a, b in zip(ours.squares, batch.squares, strict=True)]
        for mine, theirs in zip(ours.sums, batch.sums, strict=True):
            mine[:] = [a + b for a, b in zip(mine, theirs, strict=True)]
        return True

    def common(self) -> Common:
        """What partitions share."""
        return Common(self.version, self.centres, self.means, self.variances)

    def adopt(self, common: Common) -> None:
        """Take over the centres of whoever gathers; the open batch is for others, and gone."""
        self.version, self.centres = common.version, common.centres
        self.means, self.variances = common.means, common.variances
        self._open = Statistics(0, [], [], [])
        self._scale()

    # Asking.

    def assign(self, x: Sequence[float], before: int = -1) -> int:
        """The cluster of somebody who was in `before` until now: another only where its centre is
        clearly nearer. -1 while there are none."""
        distances = self._squared([bounded(value) for value in x])
        nearest = distances.index(min(distances)) if distances else -1
        return _settled(distances, nearest, before)

    def distances(self, x: Sequence[float]) -> list[float]:
        """To each centre, in standard deviations."""
        return [sqrt(square) for square in self._squared([bounded(value) for value in x])]

    def offsets(self) -> list[list[float]]:
        """How far each centre lies from everybody's mean, in standard deviations."""
        return [
            [
                (middle - mean) * sqrt(scale)
                for middle, mean, scale in zip(centre, self.means, self._scales, strict=True)
            ]
            for centre in self.centres
        ]

    def predict_one(self, x: dict[Hashable, Any]) -> int:
        return max(self.assign(self._vector(x)), 0)

    # Rows.

    def to_row(self) -> bytes:
        return rows.pack(
            ClustersRow(
                list(self.index),
                self.version,
                self.seen,
                self.centres,
                self._weights,
                self.total,
                self.means,
                self.variances,
                self._open,
                self._last_batch,
                self._width,
                bytes(self._sample),
            )
        )

    def from_row(self, row: bytes) -> None:
        """Take over an earlier state. Raises ValueError for a newer schema or other features."""
        state = rows.unpack(row, ClustersRow)
        if self.index and state.names != list(self.index):
            raise ValueError(f"centres are of features {state.names}, not {list(self.index)}")
        self.index = {name: place for place, name in enumerate(state.names)}
        self.version, self.seen, self.total = state.version, state.seen, state.total
        self.centres, self._weights = state.centres, state.weights
        self.means, self.variances = state.means, state.variances
        self._open, self._last_batch = state.batch, state.last_batch
        self._width, self._sample = state.width, bytearray(state.sample)
        self._scale()

    # Inside.

    def _vector(self, x: dict[Hashable, Any]) -> list[float]:
        vector = [0.0] * len(self.index)
        for name, value in x.items():
            place = self.index.get(str(name))
            if place is not None:
                vector[place] = bounded(value)
        return vector

    def _squared(self, point: Sequence[float]) -> list[float]:
        """Squared distances to the centres. Written out: it runs for each person every day."""
        scales, found = self._scales, []
        for centre in self.centres:
            distance = 0.0
            for scale, value, middle in zip(scales, point, centre, strict=False):
                gap = value - middle
                distance += scale * gap * gap
            found.append(distance)
        return found

    def _count(self, cluster: int, point: Sequence[float]) -> None:
        batch = self._open
        if len(batch.squares) < len(point) or len(batch.counts) <= cluster:
            batch = self._open = self._widened(batch, len(point))
        batch.counts[cluster] += 1.0
        sums, squares = batch.sums[cluster], batch.squares
        for place, value in enumerate(point):
            sums[place] += value
            squares[place] += value * value

    def _widened(self, batch: Statistics, size: int) -> Statistics:
        """Room for all clusters and features."""
        counts = batch.counts + [0.0] * (self.clusters - len(batch.counts))
        sums = batch.sums + [[] for _ in range(self.clusters - len(batch.sums))]
        sums = [row + [0.0] * (size - len(row)) for row in sums]
        squares = batch.squares + [0.0] * (size - len(batch.squares))
        return Statistics(batch.version, counts, sums, squares)

    def _keep(self, point: list[float]) -> None:
        """In the sample, in place of any other, so that it stands for about the last batch."""
        width = len(point)
        if width > self._width:
            points = [row + [0.0] * (width - self._width) for row in self._points()]
            self._width = width
            self._sample = bytearray(np.array(points[: self._room], dtype="<f4").tobytes())
        size, room = 4 * self._width, self._room
        if len(self._sample) < room * size:
            self._sample += pack(f"<{self._width}f", *point)
            return
        place = int(self._chance("sample", self.seen) * max(self._last_batch, room))
        if place < room:
            pack_into(f"<{self._width}f", self._sample, place * size, *point)

    @property
    def _room(self) -> int:
        """Examples in the sample."""
        return min(SAMPLE, SAMPLE_BYTES // (4 * self._width)) if self._width else SAMPLE

    def _points(self) -> list[list[float]]:
        if not self._sample:
            return []
        points = np.frombuffer(self._sample, dtype="<f4").astype(np.float64)
        found: list[list[float]] = points.reshape(-1, self._width).tolist()
        return found

    def _chance(self, *what: object) -> float:
        """Uniform in [0, 1)."""
        message = "/".join(map(str, what)).encode()
        digest = blake2b(message, digest_size=8, key=self.seed.encode()[:64]).digest()
        return (int.from_bytes(digest, "big") >> 11) * 2.0**-53

    def _moments(self, batch: Statistics, count: float) -> None:
        """Means and variances of everybody, the past fading."""
        size = len(self.index)
        kept = KEPT * self.total
        total = kept + count
        means = self.means + [0.0] * (size - len(self.means))
        variances = self.variances + [0.0] * (size - len(self.variances))
        for place in range(size):
            gained = sum(row[place] for row in batch.sums)
            square = kept * (variances[place] + means[place] ** 2) + batch.squares[place]
            means[place] = (kept * means[place] + gained) / total
            variances[place] = max(square / total - means[place] ** 2, 0.0)
        self.total, self.means, self.variances = total, means, variances
        self.centres = [row + [0.0] * (size - len(row)) for row in self.centres]
        self._scale()

    def _scale(self) -> None:
        self._scales = [1.0 / v if v > LEAST_VARIANCE else 0.0 for v in self.variances]

    def _move(self, batch: Statistics) -> None:
        for cluster, centre in enumerate(self.centres):
            count, before = batch.counts[cluster], KEPT * self._weights[cluster]
            rate = 1.0 / (count + before + PRIOR)
            sums = batch.sums[cluster]
            centre[:] = [
                middle + rate * (gained - count * middle)
                for middle, gained in zip(centre, sums, strict=True)
            ]
            self._weights[cluster] = before + count

    def _challenge(self, batch: Statistics, before: list[list[float]]) -> bool:
        """Find centres anew on the sample; they take over where they describe it clearly better,
        or at all better than centres of which one has no examples any more. They get the numbers of
        the centres people were assigned by until now."""
        sample = self._points()
        if len(sample) < LEAST_SAMPLE * self.clusters:
            return False
        roots = np.sqrt(np.array(self._scales))
        points = np.array(sample) * roots
        # Found on one half and judged on the other, to which it is no better suited by chance.
        half = points[::2] if self.version else points
        found = seeding.centres_of(
            half, self.clusters, lambda start, step: self._chance(self.seen, start, step)
        )
        if found is None:
            return False
        challenger, _ = found
        if self.version:
            champion, other = np.array(self.centres) * roots, points[1::2]
            bound = BETTER if all(batch.counts) else 1.0
            error = seeding.error_of(other, challenger)
            if error >= bound * seeding.error_of(other, champion):
                return False
            # What is far away is all alike: else a lost centre would push others off theirs.
            gaps = np.sqrt(seeding.squared_distances(np.array(before) * roots, challenger))
            challenger = challenger[match((gaps / (1.0 + gaps)).tolist())]
        inverse = np.divide(1.0, roots, out=np.zeros_like(roots), where=roots > 0.0)
        still = np.where(roots > 0.0, 0.0, np.array(self.means))  # of features that do not vary
        self.centres = (challenger * inverse + still).tolist()
        nearest = seeding.squared_distances(points, challenger).argmin(axis=1)
        self._weights = [float((nearest == one).sum()) for one in range(self.clusters)]
        return True


def _settled(distances: Sequence[float], nearest: int, before: int) -> int:
    """The nearest cluster, or the one until now where that is hardly further."""
    if 0 <= before < len(distances) and distances[nearest] >= MARGIN**2 * distances[before]:
        return before
    return nearest
