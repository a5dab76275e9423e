"""What to recommend to a person of whom the last few items are known: learned visit by visit.

Signals of several kinds, each weak alone: pairs met together, sessions alike, factors of items,
popularity on several time scales, what an item is about, how new it is. A conditional logit over
them, learned online, ranks all items in one product. Ranking changes nothing.
"""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from streams.learning.recommend import storing
from streams.learning.recommend.catalogue import DAY_MS, LONGEST, Catalogue, proper_time
from streams.learning.recommend.covisits import Covisits
from streams.learning.recommend.latents import Latents, drawn
from streams.learning.recommend.ranker import Ranker
from streams.learning.recommend.sessions import Sessions
from streams.learning.recommend.storing import NamedRow

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

MOST_WEIGHT: Final = 100.0  # of one visit
LEAST: Final = 1e-3  # added to a likeness before its logarithm
BETWEEN: Final = 0.8  # what a pair loses with each item between the two
RECENT, LASTING = 0.6, 0.9  # what an item of the history counts, by how many came after it
CONTEXTS = 0.6, 0.95  # the same for the two sums of factors

# Feature -> what it counts for before anything was learned, once standardised.
FEATURES: Final = {
    "near_recent": 0.15,
    "near_recent_log": 0.15,
    "near": 0.2,
    "near_log": 0.2,
    "near_last": 0.0,
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
POPULAR: Final = ("popular_day", "popular_week", "popular")  # by half-life

# What features speak of, as the reason for a recommendation tells it -> their rows.
KINDS: Final[dict[str, list[int]]] = {"near": [], "popular": [], "content": []}
for _row, _name in enumerate(FEATURES):
    _of_content = "content" if _name.startswith("content") else "popular"
    KINDS["near" if _name.startswith(("near", "sessions", "latent")) else _of_content].append(_row)
FADING: Final = 1.0 - 1.0 / 1_000  # of the share of hits, by choices
BEST: Final = 10
TOLD: Final = 8  # the latest items among which a reason is looked for
NEW: Final = 5.0  # visits below which an item is called new


class Sizes(NamedTuple):
    """Bounds: `window` of pairs and `history` of a ranking in items; one visit in `rank_every`
    teaches the ranker, one in `latents_every` the factors, with `negatives` others."""

    capacity: int = 4_096
    neighbours: int = 128
    window: int = 5
    history: int = 8
    sessions: int = 512
    session_length: int = 16
    nearest: int = 64
    factors: int = 16
    negatives: int = 64
    latents_every: int = 128
    rank_every: int = 512
    rate: float = 0.05


class Judged(Struct, array_like=True):
    """Fading counts of choices that were foreseen before they taught."""

    choices: float = 0.0
    hits: float = 0.0
    hits_popular: float = 0.0


class Ranked(NamedTuple):
    """`because`: near, content, new or popular; `about` the item or tag it is about, if any."""

    item_id: str
    score: float
    because: str
    about: str = ""


class Recommender:
    def __init__(self, seed: bytes = b"", sizes: Sizes = Sizes()) -> None:  # noqa: B008 (immutable)
        self.sizes, self.seed = sizes, seed
        self.visits = 0
        self.judged = Judged()
        self.catalogue = Catalogue(sizes.capacity)
        self.covisits = Covisits(sizes.neighbours)
        self.sessions = Sessions(sizes.sessions, sizes.session_length, sizes.nearest)
        self.latents = Latents(sizes.capacity, sizes.factors, sizes.rate, seed)
        self.ranker = Ranker(tuple(FEATURES), tuple(FEATURES.values()))
        self._touched: dict[int, None] = {}
        self._active: dict[int, None] = {}  # rows of sessions that changed
        self._pairs = [BETWEEN**gap for gap in range(sizes.window)]
        self._recent = RECENT ** np.arange(sizes.history)
        self._lasting = LASTING ** np.arange(sizes.history)
        fadings = [fading ** np.arange(sizes.history) for fading in CONTEXTS]
        self._contexts = np.array(fadings, dtype=np.float32)

    def learn_one(
        self,
        item_id: str,
        before: Sequence[int],
        time_ms: int,
        *,
        tags: Sequence[str] = (),
        person: int = 0,
        weight: float = 1.0,
        seen: Collection[int] = (),
    ) -> None:
        """A person met an item after those of `before`, the latest first; `person` is a key of
        theirs, 0 of nobody. A time or weight that is none changes nothing."""
        if not proper_time(time_ms) or not 0.0 < weight <= MOST_WEIGHT:
            return
        time_ms, catalogue = int(time_ms), self.catalogue
        history = self._history(before)
        place = catalogue.place(item_id)
        if place is None:
            admitted = catalogue.admit(item_id, time_ms)
            if admitted is None:
                return
            place, left = admitted
            if left >= 0:
                self._clear(left)
                history = [other for other in history if other != left]
            catalogue.describe(place, tags)
            self.latents.begin(place, item_id, *catalogue.akin(place))
        else:
            if history:
                self._teach(place, history, time_ms, person, seen)
            if tags:
                catalogue.describe(place, tags)
        self._count(place, history, time_ms, person, weight)

    def rank(
        self,
        before: Sequence[int],
        now_ms: int,
        most: int = 10,
        *,
        person: int = 0,
        seen: Collection[int] = (),
        among: Sequence[str] | None = None,
    ) -> list[Ranked]:
        """The best first, ties by their place; none of `seen`, and only those `among`."""
        if not proper_time(now_ms) or most <= 0:
            return []
        history = self._history(before)
        open_places = self._open(seen, among)
        if not len(open_places):
            return []
        features = self._features(history, int(now_ms), person, open_places)
        scores = self.ranker.scores(features)
        order = np.argsort(-scores, kind="stable")[:most]
        parts = self.ranker.parts(features[:, order])
        kinds = [parts[rows].sum(axis=0).tolist() for rows in KINDS.values()]
        found = []
        for place, score, *sums in zip(
            open_places[order].tolist(), scores[order].tolist(), *kinds, strict=True
        ):
            most_of = max(zip(sums, KINDS, strict=True), key=_first)[1]
            because, about = self._reason(most_of, place, history)
            item = self.catalogue.items[place]
            assert item is not None
            found.append(Ranked(item.id, score, because, about))
        return found

    def checkpoint(self) -> list[NamedRow]:
        """The rows that changed since the last call, each once; None deletes one."""
        found: list[NamedRow] = [
            (b"item/%d" % place, storing.item_row(self, place)) for place in sorted(self._touched)
        ]
        parts = sorted({row // storing.SESSIONS for row in self._active})
        found += [(b"sessions/%d" % part, storing.sessions_row(self, part)) for part in parts]
        found += [(b"ranker", self.ranker.to_row()), (b"general", storing.general_row(self))]
        found.append((b"topics", storing.topics_row(self)))
        self._touched, self._active = {}, {}
        return found

    def load_row(self, name: bytes, row: bytes) -> None:
        """Take over an earlier state, row by row. Raises ValueError for an unknown name, and for
        a row that is broken, newer, or of other sizes."""
        kind, _, number = name.partition(b"/")
        if name == b"ranker":
            self.ranker.from_row(row)
        elif name == b"general":
            storing.load_general(self, row)
        elif name == b"topics":
            storing.load_topics(self, row)
        elif kind == b"item" and number.isdigit():
            storing.load_item(self, int(number), row)
        elif kind == b"sessions" and number.isdigit():
            storing.load_sessions(self, int(number), row)
        else:
            raise ValueError(f"no row {name!r} of a recommender")

    def forget_item(self, item_id: str) -> None:
        place = self.catalogue.place(item_id)
        if place is not None:
            self.catalogue.remove(place)
            self._clear(place)

    def forget_person(self, person: int) -> None:
        """The session goes; sums over people hold nothing by which one could be told."""
        row = self.sessions.forget(person)
        if row >= 0:
            self._active[row] = None

    def _history(self, before: Sequence[int]) -> list[int]:
        """The places of the last known items, each once, the latest first."""
        most = self.sizes.history
        found = dict.fromkeys(map(self.catalogue.places.get, before[: 2 * most]))
        return [place for place in found if place is not None][:most]

    def _open(self, seen: Collection[int], among: Sequence[str] | None) -> NDArray[np.int64]:
        if among is not None:
            asked = dict.fromkeys(map(self.catalogue.place, among))
            known = sorted([place for place in asked if place is not None])
            closed = frozenset(seen)
            keys = self.catalogue.keys
            return np.array([place for place in known if keys[place] not in closed], dtype=np.int64)
        return np.flatnonzero(self._is_open(seen))

    def _is_open(self, seen: Collection[int]) -> NDArray[np.bool_]:
        """For each place whether an item stands there that is not among `seen`."""
        is_open: NDArray[np.bool_] = self.catalogue.visits > 0.0
        known = [place for place in map(self.catalogue.places.get, seen) if place is not None]
        is_open[known] = False
        return is_open

    def _teach(
        self, place: int, history: list[int], time_ms: int, person: int, seen: Collection[int]
    ) -> None:
        """Factors and ranker learn from the visit before it is counted."""
        sizes = self.sizes
        factors = self.visits % sizes.latents_every == 0
        ranker = self.visits % sizes.rank_every == 0
        if not factors and not ranker:
            return
        is_open = self._is_open(seen)
        is_open[history] = False
        open_places = np.flatnonzero(is_open)
        column = int(np.searchsorted(open_places, place))
        if column >= len(open_places) or open_places[column] != place:
            return  # met before: nothing to choose
        if ranker:
            features = self._features(history, time_ms, person, open_places)
            self._judge(features, open_places, column)
            self.ranker.learn(features, column)
        if factors:
            others = drawn(self.seed, self.visits, open_places, sizes.negatives)
            weights = self._contexts[:, : len(history)]
            self.latents.learn(place, history, weights, others)
            self._touched.update(dict.fromkeys((place, *history, *others.tolist())))

    def _count(
        self, place: int, history: list[int], time_ms: int, person: int, weight: float
    ) -> None:
        catalogue, touched = self.catalogue, self._touched
        fading = catalogue.fading[LONGEST]
        before_ms = fading.landmark_ms
        touched[place] = None
        if catalogue.count(place, weight, time_ms):
            self.covisits.fade((fading.landmark_ms - before_ms) // fading.half_life_ms)
            touched.update(dict.fromkeys(catalogue.places.values()))
        if history:
            gain = weight * fading.gain(time_ms)
            others = history[: self.sizes.window]
            for other in others:
                touched[other] = None
            self.covisits.learn(place, others, [gain * pair for pair in self._pairs])
        if person:
            self._active[self.sessions.learn(person, place)] = None
        self.visits += 1

    def _clear(self, place: int) -> None:
        self._touched[place] = None
        self._touched.update(dict.fromkeys(self.covisits.remove(place)))
        self._active.update(dict.fromkeys(self.sessions.remove(place)))

    def _judge(self, features: Floats, places: Places, column: int) -> None:
        """Whether the item taken was among the best ten, ours and the most popular ones."""
        scores = self.ranker.scores(features)
        popular = self.catalogue.sums[LONGEST][places]
        judged = self.judged
        judged.choices = FADING * judged.choices + 1.0
        judged.hits = FADING * judged.hits + _among_best(scores, column)
        judged.hits_popular = FADING * judged.hits_popular + _among_best(popular, column)

    def _features(self, history: list[int], now_ms: int, person: int, places: Places) -> Floats:
        """A row for each of FEATURES, a column for each of `places`."""
        catalogue = self.catalogue
        found = dict.fromkeys(FEATURES, np.zeros(len(places)))
        gains = [fading.gain(now_ms) for fading in catalogue.fading]
        for name, sums, gain in zip(POPULAR, catalogue.sums, gains, strict=True):
            found[name] = np.log1p(sums[places] / gain)
        visits = catalogue.visits[places]
        found["visits"] = np.log1p(visits)
        found["age"] = np.log1p(np.maximum(now_ms - catalogue.first_ms[places], 0.0) / DAY_MS)
        if history:
            self._near(found, history, places, gains[LONGEST])
            self._alike(found, history, places, person)
            found["content_new"] = found["content"] / np.sqrt(1.0 + visits)
        return np.stack(list(found.values()))

    def _alike(
        self, found: dict[str, Floats], history: list[int], places: Places, person: int
    ) -> None:
        """What sessions, factors and tags say."""
        catalogue, size = self.catalogue, len(history)
        weights = np.zeros(catalogue.capacity + 1)
        weights[history] = self._lasting[:size] / np.log(2.0 + catalogue.visits[history])
        lent = self.sessions.scores(weights, person)[places]
        found["sessions"] = np.sqrt(lent)
        found["sessions_log"] = np.log(lent + LEAST)
        single = self._contexts[:, :size]
        found["latent"] = self.latents.scores(history, single, places).astype(np.float64)
        fadings = np.stack((self._lasting, self._recent))
        found["content"], found["content_recent"] = catalogue.alike(history, fadings, places)

    def _near(
        self, found: dict[str, Floats], history: list[int], places: Places, gain: float
    ) -> None:
        """Pairs with the items of the history, normalised by how often either was met."""
        catalogue = self.catalogue
        norm = 1.0 / np.sqrt(np.maximum(catalogue.sums[LONGEST], gain))
        flat, weights, sizes = self.covisits.of(history)
        spread = weights * norm[flat]
        spread *= np.repeat(norm[history], sizes)
        for name, fading in (("near_recent", self._recent), ("near", self._lasting)):
            factor = np.repeat(fading[: len(history)], sizes)
            sums = np.bincount(flat, weights=spread * factor, minlength=catalogue.capacity)[places]
            found[name] = np.sqrt(sums)
            found[name + "_log"] = np.log(sums + LEAST)
        first = sizes[0]
        last = np.bincount(flat[:first], weights=spread[:first], minlength=catalogue.capacity)
        found["near_last"] = np.sqrt(last[places])

    def _reason(self, because: str, place: int, history: list[int]) -> tuple[str, str]:
        """What counted most for the item, and what that is about."""
        item = self.catalogue.items[place]
        if because == "near" and history:
            return because, self._nearest(place, history)
        if because == "content" and item is not None and item.tags:
            is_new = self.catalogue.visits[place] < NEW
            return ("new" if is_new else because), item.tags[0]
        return "popular", ""

    def _nearest(self, place: int, history: list[int]) -> str:
        """The item of the history that is met with this one most."""
        weight, visits = self.covisits.weight, self.catalogue.visits
        told = history[:TOLD]
        likeness = [
            weight(place, other) / many**0.5
            for other, many in zip(told, visits[told].tolist(), strict=True)
        ]
        item = self.catalogue.items[told[likeness.index(max(likeness))]]
        assert item is not None
        return item.id


def _first(pair: tuple[float, str]) -> float:
    return pair[0]


def _among_best(scores: Floats, column: int) -> bool:
    return int((scores > scores[column]).sum()) < BEST
