"""The signals of several kinds that a ranker weighs: a row of features for each, a column an item.

Each is weak alone: pairs met together, sessions alike, factors of items, popularity on several time
scales, what an item is about, how new it is.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.learning.recommend.catalogue import DAY_MS, LONGEST, Catalogue
from streams.learning.recommend.covisits import Covisits
from streams.learning.recommend.latents import Latents
from streams.learning.recommend.sessions import Sessions

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

NOWHERE: Final = -1
LEAST: Final = 1e-3  # added to a likeness before its logarithm
BETWEEN: Final = 0.8  # what a pair loses with each item between the two
RECENT, LASTING = 0.6, 0.9  # what an item of the history counts, by how many came after it
HALF_CLOSE_MS: Final = 30_000.0  # between two visits that are half as close as at once
CONTEXTS = 0.6, 0.95  # the same for the two sums of factors

# Feature -> what it counts for before anything was learned, once standardised.
FEATURES: Final = {
    "near_recent": 0.15,
    "near_recent_log": 0.15,
    "near": 0.2,
    "near_log": 0.2,
    "near_last": 0.0,
    "near_now": 0.1,
    "near_now_log": 0.1,
    "sessions": 0.1,
    "sessions_log": 0.1,
    "latent": 0.3,
    "popular_day": 0.0,
    "popular_week": 0.0,
    "popular": 0.0,
    "visits": 0.0,
    "content": 0.2,
    "content_recent": 0.1,
    "age": -0.1,
    "content_new": 0.2,  # of what few have met yet
}
FADED: Final = ("near_recent", "near", "near_now")  # by order twice, then by time
POPULAR: Final = ("popular_day", "popular_week", "popular")  # by half-life

# What features speak of, as the reason for a recommendation tells it -> their rows.
KINDS: Final[dict[str, list[int]]] = {"near": [], "popular": [], "content": []}
for _row, _name in enumerate(FEATURES):
    _of_content = "content" if _name.startswith("content") else "popular"
    KINDS["near" if _name.startswith(("near", "sessions", "latent")) else _of_content].append(_row)


class History(NamedTuple):
    """The places of the last items, the latest first, and how close to now each was met: from 1,
    which is this moment, down to 0."""

    places: list[int]
    closeness: list[float]


def closeness(now_ms: int, times_ms: Sequence[int]) -> list[float]:
    """Of now to earlier visits of a person. A power of the time between, for such gaps have no
    scale; items met in the same second are alike, in whatever order they came."""
    after_ms = now_ms + HALF_CLOSE_MS
    return [
        HALF_CLOSE_MS / (after_ms - time_ms) if time_ms < now_ms else 1.0 for time_ms in times_ms
    ]


class Signals:
    """Over what was learned; `longest` is of a history."""

    def __init__(
        self,
        catalogue: Catalogue,
        covisits: Covisits,
        sessions: Sessions,
        latents: Latents,
        longest: int,
    ) -> None:
        self.catalogue, self.covisits = catalogue, covisits
        self.sessions, self.latents = sessions, latents
        self._recent = RECENT ** np.arange(longest)
        self._lasting = LASTING ** np.arange(longest)
        fadings = [fading ** np.arange(longest) for fading in CONTEXTS]
        self.contexts = np.array(fadings, dtype=np.float32)

    def features(self, history: History, now_ms: int, person: int, places: Places) -> Floats:
        """A row for each of FEATURES, a column for each of `places`."""
        catalogue = self.catalogue
        found = dict.fromkeys(FEATURES, np.zeros(len(places)))
        gains = [fading.gain(now_ms) for fading in catalogue.fading]
        for name, sums, gain in zip(POPULAR, catalogue.sums, gains, strict=True):
            found[name] = np.log1p(sums[places] / gain)
        visits = catalogue.visits[places]
        found["visits"] = np.log1p(visits)
        found["age"] = np.log1p(np.maximum(now_ms - catalogue.first_ms[places], 0.0) / DAY_MS)
        if history.places:
            self._near(found, history, places, gains[LONGEST])
            self._alike(found, history, places, person)
            found["content_new"] = found["content"] / np.sqrt(1.0 + visits)
        return np.stack(list(found.values()))

    def _alike(
        self, found: dict[str, Floats], history: History, places: Places, person: int
    ) -> None:
        """What sessions, factors and tags say."""
        catalogue, met = self.catalogue, history.places
        size = len(met)
        weights = np.zeros(catalogue.capacity + 1)
        weights[met] = np.sqrt(history.closeness) / np.log(2.0 + catalogue.visits[met])
        lent = self.sessions.scores(weights, person)[places]
        found["sessions"] = np.sqrt(lent)
        found["sessions_log"] = np.log(lent + LEAST)
        single = self.contexts[:, :size]
        found["latent"] = self.latents.scores(met, single, places).astype(np.float64)
        fadings = np.stack((self._lasting, self._recent))
        found["content"], found["content_recent"] = catalogue.alike(met, fadings, places)

    def _near(
        self, found: dict[str, Floats], history: History, places: Places, gain: float
    ) -> None:
        """Pairs with the items of the history, normalised by how often either was met."""
        catalogue, met = self.catalogue, history.places
        norm = 1.0 / np.sqrt(np.maximum(catalogue.sums[LONGEST], gain))
        others, weights, sizes = self.covisits.of(met)
        columns = np.full(catalogue.capacity, NOWHERE)
        columns[places] = np.arange(len(places))
        at = columns[others]
        asked = np.flatnonzero(at >= 0)
        at, rows = at[asked], np.repeat(np.arange(len(met)), sizes)[asked]
        spread = weights[asked] * norm[others[asked]] * norm[met][rows]
        fadings = self._recent, self._lasting, np.array(history.closeness)
        for name, fading in zip(FADED, fadings, strict=True):
            sums = np.bincount(at, weights=spread * fading[rows], minlength=len(places))
            found[name] = np.sqrt(sums)
            found[name + "_log"] = np.log(sums + LEAST)
        last = np.flatnonzero(rows == 0)
        found["near_last"] = np.sqrt(np.bincount(at[last], spread[last], len(places)))
