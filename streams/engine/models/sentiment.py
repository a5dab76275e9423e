"""What people say of us: learned from reviews with stars, asked of every text.

Four and five stars are praise, one and two complaint; three are no label. A review is learned once,
after it was judged: so the figures shown are of texts nobody had learned. A person's mood and the
brand's follow from all that is said, the stars counting for themselves. Where a brand falls well
below its baseline, one partition, the one its name leads to, raises an alert, once a day at most.
Other partitions are told the grams of reviews and the sums of each brand.
"""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from streams.contract.bounds import Grams
from streams.contract.events import Rated
from streams.contract.insights import Alert
from streams.contract.partitioning import partition_of
from streams.engine.models.brand_mood import Brands
from streams.engine.models.letters import Amount, Name
from streams.engine.models.model import Body, Model, Surroundings, alert
from streams.engine.models.said_state import Mood
from streams.engine.models.told_texts import ToldTexts, packed
from streams.engine.moment import Moment
from streams.engine.outcome import Effect
from streams.engine.profile.activity import day_of
from streams.engine.state import NEVER_MS, UserState
from streams.learning import rows
from streams.learning.text.sentiment import Part, Sentiment
from streams.learning.validation import Validation

PREFIX: Final = b"m:sentiment/"
BRANDS: Final = PREFIX + b"brands"
TOLD: Final = PREFIX + b"told"
VALIDATION: Final = PREFIX + b"validation"
MOST_TOLD: Final = 16  # reviews between two letters; a row of them stays below 16 KB
WIDTH: Final = 3  # bytes of a gram
HOUSE: Final = "house"  # the name of the brand where an event does not say


class Learned(Struct):
    """Reviews by their grams, praise or not; by brand, the sum of tones and the voices."""

    reviews: Annotated[list[tuple[Grams, bool]], Meta(max_length=MOST_TOLD)]
    brands: dict[Name, tuple[Amount, Amount]]

    def __post_init__(self) -> None:
        for name, (tone, voices) in self.brands.items():
            if tone > voices:
                raise ValueError(f"{name}: tones of {tone} from {voices} voices")


class SentimentModel(Model):
    NAME = "sentiment"
    LISTENS = frozenset(
        {"message.received", "item.commented", "ad.commented", "order.rated", "item.reviewed"}
    )

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._sentiment = Sentiment()
        self._brands = Brands()
        self._told = ToldTexts[bool]()
        self._validation = Validation.empty()
        self._changed: dict[bytes, None] = {}
        self._spoken_of: dict[str, None] = {}  # brands, in this record

    # What journeys and explanations ask.

    @staticmethod
    def mood(state: UserState, now_ms: int) -> float:
        """From -1 to 1, fading to 0; 0 for who says nothing."""
        return 0.0 if state.mood is None else state.mood.at(now_ms // 1_000)

    def brand(self, name: str) -> float:
        """How people speak of it of late: from 0 to 1."""
        found = self._brands.moods.get(name or self._house())
        return 0.5 if found is None else found.level

    def probability(self, grams: list[int]) -> float:
        """P(the text is praise)."""
        return self._sentiment.probability(grams)

    def explain(self, grams: list[int]) -> list[Part]:
        return self._sentiment.explain(grams)

    # Learning.

    def learn(self, moment: Moment) -> list[Effect]:
        data = moment.data
        stars = data.stars if isinstance(data, Rated) else 0
        if not data.grams and not stars:
            return []
        if stars:
            tone = (stars - 1) / 4
            if data.grams and stars != 3:
                self._review(data.grams, stars > 3)
        else:
            tone = self._sentiment.probability(data.grams)
        if moment.backfill:
            return []
        state = moment.person.state
        state.mood = state.mood or Mood()
        state.mood.say(2.0 * tone - 1.0, moment.time_ms // 1_000)
        name = moment.brand or self._house()
        self._hear(name, tone, 1.0, moment.now_ms)
        if self.around.partitions > 1:
            self._brands.of(name).tell(tone)
        return []

    def settle(self, now_ms: int) -> list[Effect]:
        """Brands were spoken of: has one fallen?"""
        self.due_ms = NEVER_MS
        spoken_of, self._spoken_of = self._spoken_of, {}
        return [fall for name in spoken_of if (fall := self._alert(name, now_ms)) is not None]

    def share(self) -> Body | None:
        reviews, brands = self._told.take(WIDTH), self._brands.untold()
        if not reviews and not brands:
            return None
        self._changed |= dict.fromkeys((TOLD, BRANDS))
        return {"reviews": reviews, "brands": brands}

    def read_delta(self, delta: Body) -> Learned:
        return msgspec.convert(delta, Learned)

    def absorb(self, delta: Learned, now_ms: int) -> None:
        for grams, positive in delta.reviews:
            self._sentiment.learn(grams, positive)
        for name, (tone, voices) in delta.brands.items():
            self._hear(name, tone, voices, now_ms)

    # Rows.

    def changed_rows(self) -> list[tuple[bytes, bytes | None]]:
        changed, self._changed = self._changed, {}
        found: list[tuple[bytes, bytes | None]] = [
            (key, rows.pack(self._part(key))) for key in changed
        ]
        return found + [(PREFIX + key, row) for key, row in self._sentiment.changed_rows()]

    def load_row(self, key: bytes, row: bytes) -> None:
        if key == BRANDS:
            self._brands = rows.unpack(row, Brands)
        elif key == TOLD:
            self._told = rows.unpack(row, ToldTexts[bool])
        elif key == VALIDATION:
            self._validation = rows.unpack(row, Validation)
        elif key.startswith(PREFIX):
            self._sentiment.load_row(key[len(PREFIX) :], row)
        else:
            super().load_row(key, row)

    def metrics(self) -> dict[str, float]:
        """Of reviews judged before they were learned; `brands`: spoken of."""
        return {
            **self._validation.metrics(),
            "examples": float(self._sentiment.examples),
            "brands": float(len(self._brands.moods)),
            "dropped": float(self._told.dropped),
        }

    # Inside.

    def _review(self, grams: list[int], positive: bool) -> None:
        self._validation.add(self._sentiment.learn(grams, positive), positive)
        self._changed[VALIDATION] = None
        if self.around.partitions > 1:
            self._told.add(packed(grams, WIDTH), positive, MOST_TOLD)
            self._changed[TOLD] = None

    def _hear(self, name: str, tone: float, voices: float, now_ms: int) -> None:
        self._brands.of(name).add(tone, voices, now_ms)
        self._changed[BRANDS] = None
        self._spoken_of[name] = None
        self.due_ms = now_ms

    def _alert(self, name: str, now_ms: int) -> Alert | None:
        around, mood = self.around, self._brands.of(name)
        day = day_of(now_ms)
        if day <= mood.alerted_day or (fall := mood.fall()) is None:
            return None
        if partition_of(name, around.partitions) != around.partition:
            return None
        mood.alerted_day = day
        self._changed[BRANDS] = None
        detail = f"what is said of {name} has fallen: read the latest reviews and messages"
        return alert(
            around,
            "brand_sentiment",
            name,
            now_ms,
            level=fall.level,
            reference=fall.reference,
            detail=detail,
        )

    def _house(self) -> str:
        return self.around.config.brand or HOUSE

    def _part(self, key: bytes) -> Any:
        if key == BRANDS:
            return self._brands
        return self._told if key == TOLD else self._validation
