"""What to recommend: learned at each item people meet, asked by journeys and by who shows items.

A visit goes to a journal at once; the rows of items, of which each visit changes many, follow every
few thousand visits. The state is the rows of that moment and the journal since: loading it folds
the journal again, which gives the same bits.

Partitions tell each other how often items were met and which two together, without people: where
few people live, that is most of what can be known. Factors and weights of the ranker stay at home.
"""

from collections.abc import Mapping, Sequence
from math import log
from typing import Final, NamedTuple
from zlib import crc32

from msgspec import Struct

from streams.contract.events import Order
from streams.engine.models import recommend_letters, visited
from streams.engine.models.model import Body, Model, Surroundings
from streams.engine.moment import Moment
from streams.engine.outcome import Effect
from streams.engine.profile.interests import CATEGORIES, Population
from streams.engine.state import UserState
from streams.engine.store import Person
from streams.learning import rows
from streams.learning.recommend.catalogue import MOST_TAGS, MOST_TEXT, key_of
from streams.learning.recommend.recommender import Recommender, Sizes
from streams.learning.recommend.telling import Told

PREFIX: Final = b"m:recommend/"
JOURNAL: Final = b"journal/"
WEIGHTS: Final = {
    "product.viewed": 1.0,
    "article.read": 1.0,
    "item.liked": 2.0,
    "item.commented": 2.0,
    "item.favourited": 2.5,
    "cart.added": 3.0,
    "order.paid": 4.0,
}
MOST_ORDERED: Final = 8  # items of one order that count
CHECKPOINT: Final = 8_192  # visits from one writing of all changed rows to the next
CHUNK: Final = 12_000  # bytes of the journal in one row, as estimated from above
MOST_CHUNKS: Final = 256  # of the journal, until all changed rows are written
LETTER: Final = 8_192  # bytes of JSON of one letter, at most
SIZES: Final = Sizes()

# Reason -> in Chinese and in English; {} is the item or category it is about.
WORDS: Final = {
    "also_viewed": ("看过 {} 的人也看了它", "people who met {} met it as well"),
    "interest": ("近来常看 {}", "they looked at {} lately"),
    "new_in": ("{} 的新品", "new in {}"),
    "popular": ("很多人在看", "many people look at it"),
}
REASONS: Final = {
    "near": "also_viewed",
    "content": "interest",
    "new": "new_in",
    "popular": "popular",
}


class Recommended(NamedTuple):
    """`score`: log-odds against the other items, up to a constant. `reason`: one of WORDS, and what
    it is about: also_viewed:<item>, interest:<category>, new_in:<category>, popular."""

    item_id: str
    score: float
    reason: str


class Visit(Struct, array_like=True, gc=False):
    item_id: str
    before: bytes
    time_ms: int
    tags: list[str]
    person: int
    weight: float


class RecommendModel(Model):
    NAME = "recommend"
    LISTENS = frozenset(WEIGHTS)

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._recommender = Recommender(around.seed, SIZES)
        if around.partitions > 1:
            self._recommender.begin_sharing()
        self._chunks = [Chunk([])]  # the journal since the last checkpoint
        self._bytes = 0  # of the last chunk
        self._visits = 0  # in the journal
        self._dirty: dict[int, None] = {}  # chunks that changed
        self._written: dict[bytes, bytes | None] = {}  # rows of the last checkpoint
        self._loaded: dict[int, Chunk] = {}  # a journal that is not folded yet

    def learn(self, moment: Moment) -> list[Effect]:
        """Each item of an order counts; an item met again moves to the front."""
        self._settle()
        weight = WEIGHTS[moment.type]
        data = moment.data
        if type(data) is Order:
            for item in data.items[:MOST_ORDERED]:
                self._visit(moment, item.item_id, (item.category,), weight)
        elif moment.item_id:
            self._visit(moment, moment.item_id, (moment.category, *moment.tags), weight)
        return []

    def recommend(
        self,
        state: UserState,
        now_ms: int,
        most: int,
        among: Sequence[str] | None = None,
        *,
        personal: bool = True,
    ) -> list[Recommended]:
        """The best first, without the last items the person met; only those `among`, if given.
        Not `personal`: the same for everybody."""
        self._settle()
        met = state.visited if personal else visited.NOTHING
        before, times_ms = visited.read(met)
        found = self._recommender.rank(
            before, now_ms, most, times_ms=times_ms, seen=before, among=among
        )
        return [Recommended(one.item_id, one.score, _reason(*one[2:])) for one in found]

    def match(
        self,
        state: UserState,
        pieces: Mapping[str, str],
        now_ms: int,
        most: int,
        *,
        personal: bool = True,
    ) -> list[Recommended]:
        """The pieces of a content library, given as id -> category, that suit the person best;
        those nobody met yet stand behind, by the person's interest in their category."""
        found = self.recommend(state, now_ms, most, among=tuple(pieces), personal=personal)
        if len(found) >= most or not personal:
            return found
        met = visited.keys(state.visited)
        place = self._recommender.catalogue.place
        new: dict[str, list[str]] = {}
        for item_id, category in pieces.items():
            if place(item_id) is None and key_of(item_id) not in met:
                new.setdefault(category, []).append(item_id)
        for category, share in state.interests.own_scores(now_ms, Population(), CATEGORIES):
            if share > 0.0:
                for item_id in new.get(category, ()):
                    found.append(Recommended(item_id, log(share), f"new_in:{category}"))
        return found[:most]

    def share(self) -> Body | None:
        self._settle()
        told = self._recommender.share(LETTER)
        if told is None:
            return None
        self._begin_chunk(Chunk([], told=True))
        return recommend_letters.written(told)

    def read_delta(self, delta: Body) -> Told:
        return recommend_letters.read(delta)

    def absorb(self, delta: Told, now_ms: int) -> None:
        self._settle()
        self._recommender.absorb(delta)
        self._begin_chunk(Chunk([], heard=delta))

    def forget(self, person: Person, now_ms: int) -> list[Effect]:
        """The journal knows visits by person until a checkpoint, so one is made."""
        self._settle()
        self._recommender.forget_person(_key(person))
        self._checkpoint()
        return []

    def changed_rows(self) -> list[tuple[bytes, bytes | None]]:
        found, self._written = self._written, {}
        for chunk in self._dirty:
            found[PREFIX + JOURNAL + b"%d" % chunk] = rows.pack(self._chunks[chunk])
        self._dirty = {}
        return list(found.items())

    def load_row(self, key: bytes, row: bytes) -> None:
        name = key[len(PREFIX) :]
        number = name[len(JOURNAL) :]
        if not name.startswith(JOURNAL):
            self._recommender.load_row(name, row)
        elif number.isdigit():
            self._loaded[int(number)] = rows.unpack(row, Chunk)
        else:
            raise ValueError(f"the recommend model has no row {key!r}")

    def metrics(self) -> dict[str, float]:
        self._settle()
        recommender = self._recommender
        judged = recommender.judged
        return {
            "visits": float(recommender.visits),
            "items": float(len(recommender.catalogue.places)),
            "choices": float(recommender.ranker.choices),
            "hit_at_10": judged.hits / max(judged.choices, 1.0),
            "hit_at_10_popular": judged.hits_popular / max(judged.choices, 1.0),
        }

    def _visit(self, moment: Moment, item_id: str, tags: Sequence[str], weight: float) -> None:
        if len(item_id) > MOST_TEXT:
            return
        person = moment.person
        before = person.state.visited
        known = [tag for tag in tags if tag][:MOST_TAGS]
        visit = Visit(item_id, before, moment.time_ms, known, _key(person), weight)
        size = _size(visit)
        if self._bytes + size > CHUNK:
            self._begin_chunk(Chunk([]))
        self._chunks[-1].visits.append(visit)
        self._bytes += size
        self._visits += 1
        self._dirty[len(self._chunks) - 1] = None
        self._fold(visit)
        person.state.visited = visited.met(before, key_of(item_id), moment.time_ms // 1_000)
        if self._visits >= CHECKPOINT:
            self._checkpoint()

    def _begin_chunk(self, chunk: "Chunk") -> None:
        """A letter stands at the beginning of one. With too many of them all is written."""
        if self._chunks[-1] == EMPTY:
            self._chunks.pop()  # an empty one has no row; places in the list are names of rows
        self._chunks.append(chunk)
        self._bytes = chunk.size()
        self._dirty[len(self._chunks) - 1] = None
        if len(self._chunks) > MOST_CHUNKS:
            self._checkpoint()

    def _fold(self, visit: Visit) -> None:
        before, times_ms = visited.read(visit.before)
        self._recommender.learn_one(
            visit.item_id,
            before,
            visit.time_ms,
            times_ms=times_ms,
            tags=visit.tags,
            person=visit.person,
            weight=visit.weight,
            seen=before,
        )

    def _checkpoint(self) -> None:
        """All changed rows as they are now, and an empty journal."""
        for name, row in self._recommender.checkpoint():
            self._written[PREFIX + name] = row
        for chunk in range(len(self._chunks)):
            self._written[PREFIX + JOURNAL + b"%d" % chunk] = None
        self._chunks, self._bytes, self._visits, self._dirty = [Chunk([])], 0, 0, {}

    def _settle(self) -> None:
        """Fold a loaded journal, once all rows are there."""
        if not self._loaded:
            return
        self._chunks = [self._loaded[chunk] for chunk in sorted(self._loaded)]
        self._loaded = {}
        for chunk in self._chunks:
            if chunk.told:
                self._recommender.share(LETTER)
            if chunk.heard is not None:
                self._recommender.absorb(chunk.heard)
            for visit in chunk.visits:
                self._fold(visit)
        self._visits = sum(len(chunk.visits) for chunk in self._chunks)
        self._bytes = self._chunks[-1].size()


class Chunk(Struct, array_like=True):
    """A part of the journal. Before the visits a letter was `told`, or one was `heard`."""

    visits: list[Visit]
    told: bool = False
    heard: Told | None = None

    def size(self) -> int:
        """Bytes of it in a row, from above."""
        letter = 0 if self.heard is None else len(rows.pack(self.heard))
        return letter + sum(map(_size, self.visits))


EMPTY: Final = Chunk([])


def in_words(reason: str, language: str = "zh") -> str:
    """A reason for marketers, in Chinese (zh) or English. Raises ValueError for no such reason."""
    name, _, about = reason.partition(":")
    if name not in WORDS:
        raise ValueError(f"no reason {name!r}: it is one of {', '.join(WORDS)}")
    chinese, english = WORDS[name]
    return (chinese if language == "zh" else english).format(about)


def _reason(because: str, about: str) -> str:
    return f"{REASONS[because]}:{about}" if about else REASONS[because]


def _key(person: Person) -> int:
    """A person for sessions; 0 would be nobody."""
    return 1 + crc32(person.user_id.encode())


def _size(visit: Visit) -> int:
    """Bytes of it in a row, from above."""
    tags = visit.tags
    return 64 + 4 * len(visit.item_id) + 4 * len("".join(tags)) + 5 * len(tags)
