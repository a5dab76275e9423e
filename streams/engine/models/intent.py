"""What people want of customer service: guessed from a message, learned from the session's topic.

The topic comes later, when a session begins or ends; until then, a day at most, the message waits
in the person's row as at most 48 hashed grams. The guess was made before the topic was known, so
how often it was right is counted on messages nobody had learned.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from streams.engine.models.model import Body, Model, Surroundings
from streams.engine.models.said_state import Asked
from streams.engine.models.told_texts import ToldTexts, packed, unpacked
from streams.engine.moment import Moment
from streams.engine.outcome import Effect
from streams.engine.state import UserState
from streams.engine.store import Person
from streams.learning import rows
from streams.learning.text.intent import BUCKETS, MOST, UNKNOWN, Intent
from streams.learning.text.topics import label_of

MESSAGE: Final = "message.received"
PREFIX: Final = b"m:intent/"
COUNTS: Final = PREFIX + b"counts"
TOLD: Final = PREFIX + b"told"
WAITS_S: Final = 86_400
KEPT: Final = 1.0 - 1.0 / 1_000  # figures follow the last thousand topics
MOST_TOLD: Final = 64  # messages between two letters
WIDTH: Final = 2  # bytes of a bucket
MOST_LABEL: Final = 2_048  # characters: of a topic's 64 each may stand for more than one


class Counts(Struct, array_like=True):
    """Of messages whose topic came; `sure` and `right`: those with a guess, and a right one."""

    matured: int = 0
    weight: float = 0.0
    sure: float = 0.0
    right: float = 0.0
    expired: int = 0


Buckets = Annotated[list[Annotated[int, Meta(ge=0, lt=BUCKETS)]], Meta(max_length=MOST)]
Label = Annotated[str, Meta(min_length=1, max_length=MOST_LABEL)]


class Learned(Struct):
    """Messages by their grams, and the labels of their topics."""

    messages: Annotated[list[tuple[Buckets, Label]], Meta(max_length=MOST_TOLD)]


class IntentModel(Model):
    NAME = "intent"
    LISTENS = frozenset({MESSAGE, "service.session_started", "service.session_ended"})
    CHECKS = True

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._intent = Intent()
        self._counts = Counts()
        self._told = ToldTexts[str]()
        self._changed: dict[bytes, None] = {}

    @staticmethod
    def intent(state: UserState, now_ms: int) -> str:
        """What the person's last messages were taken for, within a day; empty: not known."""
        asked = state.asked
        if asked is None or now_ms // 1_000 - asked.at_s > WAITS_S:
            return UNKNOWN
        return asked.guess

    def learn(self, moment: Moment) -> list[Effect]:
        state, at_s = moment.person.state, moment.time_ms // 1_000
        if moment.type == MESSAGE:
            if moment.data.grams:
                self._asked(state, moment.data.grams, at_s)
        elif moment.data.topic and state.asked is not None and state.asked.waits:
            self._answered(state.asked, moment.data.topic, at_s)
        return []

    def check(self, person: Person, now_ms: int) -> list[Effect]:
        """A message that waited too long is let go."""
        asked = person.state.asked
        if asked is not None and now_ms // 1_000 - asked.at_s > WAITS_S:
            if asked.waits:
                self._counts.expired += 1
                self._changed[COUNTS] = None
            person.state.asked = None
        return []

    def share(self) -> Body | None:
        if not self._told.texts:
            return None
        self._changed[TOLD] = None
        return {"messages": self._told.take(WIDTH)}

    def read_delta(self, delta: Body) -> Learned:
        return msgspec.convert(delta, Learned)

    def absorb(self, delta: Learned, now_ms: int) -> None:
        for buckets, label in delta.messages:
            self._intent.learn(buckets, label)

    def changed_rows(self) -> list[tuple[bytes, bytes | None]]:
        changed, self._changed = self._changed, {}
        found: list[tuple[bytes, bytes | None]] = [
            (key, rows.pack(self._counts if key == COUNTS else self._told)) for key in changed
        ]
        return found + [(PREFIX + key, row) for key, row in self._intent.changed_rows()]

    def load_row(self, key: bytes, row: bytes) -> None:
        if key == COUNTS:
            self._counts = rows.unpack(row, Counts)
        elif key == TOLD:
            self._told = rows.unpack(row, ToldTexts[str])
        elif key.startswith(PREFIX):
            self._intent.load_row(key[len(PREFIX) :], row)
        else:
            super().load_row(key, row)

    def metrics(self) -> dict[str, float]:
        """`accuracy`: of the guesses given; `answered`: the share of messages with a guess."""
        counts = self._counts
        return {
            "accuracy": counts.right / counts.sure if counts.sure else 0.0,
            "answered": counts.sure / counts.weight if counts.weight else 0.0,
            "matured": float(counts.matured),
            "expired": float(counts.expired),
            "examples": float(self._intent.examples),
            "dropped": float(self._told.dropped),
        }

    def _asked(self, state: UserState, grams: list[int], at_s: int) -> None:
        """Messages since the last topic count as one: the first is often a greeting."""
        before, buckets = state.asked, self._intent.buckets_of(grams)
        if before is not None and before.at_s - at_s > WAITS_S:  # long past: another matter
            return
        if before is not None and before.waits and abs(at_s - before.at_s) <= WAITS_S:
            buckets = self._intent.strongest([*unpacked(before.grams, WIDTH), *buckets])
            at_s = max(at_s, before.at_s)
        guess = self._intent.guess(buckets)
        state.asked = Asked(at_s, packed(buckets, WIDTH), str(guess.label))

    def _answered(self, asked: Asked, topic: str, at_s: int) -> None:
        if at_s < asked.at_s:  # of a session before: that of this message comes yet
            return
        grams = asked.grams
        asked.waits, asked.grams = False, b""
        if at_s - asked.at_s > WAITS_S or not grams:
            return
        label, counts = label_of(topic), self._counts
        if not label:
            return
        sure = asked.guess != UNKNOWN
        counts.matured += 1
        counts.weight = KEPT * counts.weight + 1.0
        counts.sure = KEPT * counts.sure + sure
        counts.right = KEPT * counts.right + (sure and asked.guess == label)
        self._changed[COUNTS] = None
        self._intent.learn(unpacked(grams, WIDTH), label)
        if self.around.partitions > 1:
            self._told.add(grams, label, MOST_TOLD)
            self._changed[TOLD] = None
