"""What to recommend to a person of whom the last few items are known: learned visit by visit.

Signals of several kinds (signals.py), each weak alone; a conditional logit over them, learned
online, ranks all items in one product. Ranking changes nothing.
"""

from collections.abc import Collection, Sequence
from itertools import repeat
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from streams.learning.recommend import storing
from streams.learning.recommend.catalogue import LONGEST, Catalogue, proper_time
from streams.learning.recommend.covisits import Covisits
from streams.learning.recommend.latents import Latents, drawn
from streams.learning.recommend.ranker import Ranker
from streams.learning.recommend.sessions import Sessions
from streams.learning.recommend.signals import (
    BETWEEN,
    FEATURES,
    KINDS,
    NOWHERE,
    Floats,
    History,
    Places,
    Signals,
    closeness,
)
from streams.learning.recommend.storing import NamedRow
from streams.learning.recommend.telling import UNIT, Told, Waiting

MOST_WEIGHT: Final = 100.0  # of one visit
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
        self.signals = Signals(
            self.catalogue, self.covisits, self.sessions, self.latents, sizes.history
        )
        self.waiting: Waiting | None = None  # to be told elsewhere; nobody asks: nothing waits
        self._touched: dict[int, None] = {}
        self._active: dict[int, None] = {}  # rows of sessions that changed
        self._untimed = [BETWEEN**rank for rank in range(sizes.history)]

    def learn_one(
        self,
        item_id: str,
        before: Sequence[int],
        time_ms: int,
        *,
        times_ms: Sequence[int] = (),
        tags: Sequence[str] = (),
        person: int = 0,
        weight: float = 1.0,
        seen: Collection[int] = (),
    ) -> None:
        """A person met an item after those of `before`, the latest first, each at one of
        `times_ms`, where these are known; `person` is a key of theirs, 0 of nobody. A time or
        weight that is none changes nothing."""
        if not proper_time(time_ms) or not 0.0 < weight <= MOST_WEIGHT:
            return
        time_ms, catalogue = int(time_ms), self.catalogue
        history = self._history(before, times_ms, time_ms)
        place = catalogue.place(item_id)
        if place is not None:
            if history.places:
                self._teach(place, history, time_ms, person, seen)
            if tags:
                catalogue.describe(place, tags)
        else:
            place = self._place(item_id, time_ms, tags)
            if place is None:
                return
            if place in history.places:  # who stood there has left
                at = history.places.index(place)
                del history.places[at], history.closeness[at]
        self._count(place, history, time_ms, person, weight)

    def rank(
        self,
        before: Sequence[int],
        now_ms: int,
        most: int = 10,
        *,
        times_ms: Sequence[int] = (),
        person: int = 0,
        seen: Collection[int] = (),
        among: Sequence[str] | None = None,
    ) -> list[Ranked]:
        """The best first, ties by their place; none of `seen`, and only those `among`."""
        if not proper_time(now_ms) or most <= 0:
            return []
        now_ms = int(now_ms)
        history = self._history(before, times_ms, now_ms)
        open_places = self._open(seen, among)
        if not len(open_places):
            return []
        features = self.signals.features(history, now_ms, person, open_places)
        scores = self.ranker.scores(features)
        order = np.argsort(-scores, kind="stable")[:most]
        parts = self.ranker.parts(features[:, order])
        kinds = [parts[rows].sum(axis=0).tolist() for rows in KINDS.values()]
        found = []
        for place, score, *sums in zip(
            open_places[order].tolist(), scores[order].tolist(), *kinds, strict=True
        ):
            most_of = max(zip(sums, KINDS, strict=True), key=_first)[1]
            because, about = self._reason(most_of, place, history.places)
            item = self.catalogue.items[place]
            assert item is not None
            found.append(Ranked(item.id, score, because, about))
        return found

    def begin_sharing(self) -> None:
        """From now on what is counted waits to be told."""
        self.waiting = self.waiting or Waiting()

    def share(self, most_bytes: int) -> Told | None:
        """What was counted here since the last call, in at most so many bytes of JSON; what finds
        no room waits. None: nothing."""
        return self.waiting.take(self.catalogue, most_bytes) if self.waiting is not None else None

    def absorb(self, told: Told) -> None:
        """What was counted elsewhere counts here too."""
        about = {place: (first_ms, tags) for place, first_ms, tags in told.young}
        for number, (item_id, visits) in enumerate(told.items):
            place = self._place(item_id, *about.get(number, (told.at_ms, ())))
            if place is not None and visits > 0.0:
                self._count_item(place, visits, told.at_ms)
        places = [self.catalogue.place(item_id) for item_id, _ in told.items]
        gain = self.catalogue.fading[LONGEST].gain(told.at_ms) / UNIT
        for first, second, units in told.pairs:
            one, other = places[first], places[second]
            if one is not None and other is not None:
                self.covisits.learn(one, (other,), (units * gain,))
                self._touched[one] = self._touched[other] = None

    def checkpoint(self) -> list[NamedRow]:
        """The rows that changed since the last call, each once; None deletes one."""
        found: list[NamedRow] = [
            (b"item/%d" % place, storing.item_row(self, place)) for place in sorted(self._touched)
        ]
        parts = sorted({row // storing.SESSIONS for row in self._active})
        found += [(b"sessions/%d" % part, storing.sessions_row(self, part)) for part in parts]
        found += [(b"ranker", self.ranker.to_row()), (b"general", storing.general_row(self))]
        found.append((b"topics", storing.topics_row(self)))
        if self.waiting is not None:
            found += [(b"waiting/%d" % part, row) for part, row in self.waiting.to_rows()]
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
        elif kind == b"waiting" and number.isdigit():
            self.begin_sharing()
            assert self.waiting is not None
            self.waiting.load(int(number), row)
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

    def _place(self, item_id: str, time_ms: int, tags: Sequence[str]) -> int | None:
        """Where the item stands; None: it is not admitted, or not yet."""
        catalogue = self.catalogue
        place = catalogue.place(item_id)
        if place is not None:
            return place
        admitted = catalogue.admit(item_id, time_ms)
        if admitted is None:
            return None
        place, left = admitted
        if left >= 0:
            self._clear(left)
        catalogue.describe(place, tags)
        self.latents.begin(place, item_id, *catalogue.akin(place))
        return place

    def _history(self, before: Sequence[int], times_ms: Sequence[int], now_ms: int) -> History:
        """The last known items, each once, the latest first."""
        most = self.sizes.history
        known = map(self.catalogue.places.get, before[: 2 * most], repeat(NOWHERE))
        if len(times_ms) != len(before):
            once = dict.fromkeys(known)
            once.pop(NOWHERE, None)
            places = list(once)[:most]
            return History(places, self._untimed[: len(places)])
        found = dict(zip(known, times_ms, strict=False))
        found.pop(NOWHERE, None)
        times = list(found.values())
        return History(list(found)[:most], closeness(now_ms, times[:most]))

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
        self, place: int, history: History, time_ms: int, person: int, seen: Collection[int]
    ) -> None:
        """Factors and ranker learn from the visit before it is counted."""
        sizes = self.sizes
        factors = self.visits % sizes.latents_every == 0
        ranker = self.visits % sizes.rank_every == 0
        if not factors and not ranker:
            return
        is_open = self._is_open(seen)
        met = history.places
        is_open[met] = False
        open_places = np.flatnonzero(is_open)
        column = int(np.searchsorted(open_places, place))
        if column >= len(open_places) or open_places[column] != place:
            return  # met before: nothing to choose
        if ranker:
            features = self.signals.features(history, time_ms, person, open_places)
            self._judge(features, open_places, column)
            self.ranker.learn(features, column)
        if factors:
            others = drawn(self.seed, self.visits, open_places, sizes.negatives)
            weights = self.signals.contexts[:, : len(met)]
            self.latents.learn(place, met, weights, others)
            self._touched.update(dict.fromkeys((place, *met, *others.tolist())))

    def _count(
        self, place: int, history: History, time_ms: int, person: int, weight: float
    ) -> None:
        touched, waiting = self._touched, self.waiting
        self._count_item(place, weight, time_ms)
        if waiting is not None:
            waiting.count(place, weight, time_ms)
        others = history.places[: self.sizes.window]
        if others:
            gain = weight * self.catalogue.fading[LONGEST].gain(time_ms)
            for other in others:
                touched[other] = None
            self.covisits.learn(place, others, [gain * pair for pair in history.closeness])
            if waiting is not None:
                for other, pair in zip(others, history.closeness, strict=False):
                    if other != place:
                        waiting.pair(place, other, weight * pair)
        if person:
            self._active[self.sessions.learn(person, place)] = None
        self.visits += 1

    def _count_item(self, place: int, weight: float, time_ms: int) -> None:
        catalogue, touched = self.catalogue, self._touched
        fading = catalogue.fading[LONGEST]
        before_ms = fading.landmark_ms
        touched[place] = None
        if catalogue.count(place, weight, time_ms):
            self.covisits.fade((fading.landmark_ms - before_ms) // fading.half_life_ms)
            touched.update(dict.fromkeys(catalogue.places.values()))

    def _clear(self, place: int) -> None:
        if self.waiting is not None:
            self.waiting.remove(place)
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
        told = history[:TOLD]
        weights = self.covisits.weights(place, told)
        visits = self.catalogue.visits[told].tolist()
        likeness = [weight / many**0.5 for weight, many in zip(weights, visits, strict=True)]
        item = self.catalogue.items[told[likeness.index(max(likeness))]]
        assert item is not None
        return item.id


def _first(pair: tuple[float, str]) -> float:
    return pair[0]


def _among_best(scores: Floats, column: int) -> bool:
    return int((scores > scores[column]).sum()) < BEST
