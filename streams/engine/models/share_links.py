"""Whose share somebody opened: pairs shares with openings by their reference.

Sharer and opener know only the reference, so a partition that follows from it keeps both until they
meet, and tells the opener's partition who brought them. Only openings by people on their first day
are kept: others were not brought. What producers write as a reference though it names none, as the
name of a channel, is known by several people sharing it, and ignored from then on.
"""

from collections.abc import Iterable
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from streams.contract.partitioning import partition_of
from streams.engine.models.growth import GrowthModel, is_new
from streams.engine.models.growth_state import Grown
from streams.engine.models.letters import TimeMs, UserId
from streams.engine.models.model import Body, Model, Surroundings, addressed
from streams.engine.moment import Moment
from streams.engine.outcome import Effect
from streams.engine.store import Person
from streams.learning import rows
from streams.learning.growth.shares import KEPT_MS, Opening, Pair, Share, Shares

SHARED, OPENED = "share.initiated", "share.opened"
WORDS_KEY: Final = b"m:shares/words"
PREFIX: Final = b"m:shares/of/"
MOST_WORDS: Final = 56  # of 64 characters of any alphabet: one row


class References(Struct, array_like=True):
    """Of several people, the latest last."""

    words: list[str] = []


Reference = Annotated[str, Meta(min_length=1, max_length=64)]


class Shared(Struct, tag_field="said", tag="shared", kw_only=True):
    """To who keeps the reference: the person `of` shared it."""

    of: UserId
    at_ms: TimeMs
    ref: Reference


class Opened(Struct, tag_field="said", tag="opened", kw_only=True):
    """To who keeps the reference: the person `of` opened it on their first day."""

    of: UserId
    at_ms: TimeMs
    ref: Reference


class Word(Struct, tag_field="said", tag="word", kw_only=True):
    """To all: several people share it."""

    ref: Reference


class Erased(Struct, tag_field="said", tag="erased", kw_only=True):
    """To all: the person with this alias was erased."""

    of: UserId


ShareLetter = Shared | Opened | Word | Erased


class ShareModel(Model):
    NAME = "shares"
    LISTENS = frozenset({SHARED, OPENED})

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._shares = Shares()
        self._references = References()
        self._words_changed = False

    def learn(self, moment: Moment) -> list[Effect]:
        ref, state = moment.data.ref, moment.person.state
        if not ref or ref in self._references.words:
            return []
        body = {"of": moment.person.user_id, "at_ms": moment.time_ms, "ref": ref}
        if moment.type == SHARED:
            grown = state.grown = state.grown or Grown()
            grown.shared_ms = max(grown.shared_ms, moment.time_ms)
            return [self._to_keeper({"said": "shared", **body})]
        if not is_new(state, moment.time_ms):
            return []
        return [self._to_keeper({"said": "opened", **body})]

    def read(self, letter: Body) -> ShareLetter:
        found: ShareLetter = msgspec.convert(letter, ShareLetter)
        return found

    def receive(self, letter: ShareLetter, now_ms: int) -> list[Effect]:
        match letter:
            case Shared():
                return self._shared(letter)
            case Opened():
                opening = Opening(letter.of, letter.at_ms)
                return self._pair(self._shares.opened(letter.ref, opening))
            case Word():
                self._word(letter.ref)
            case Erased():
                self._shares.forget(letter.of)
        return []

    def forget(self, person: Person, now_ms: int) -> list[Effect]:
        grown, new = person.state.grown, is_new(person.state, now_ms - KEPT_MS)
        if not new and (grown is None or now_ms > grown.shared_ms + KEPT_MS):
            return []
        return self.forgotten(person.alias, now_ms)

    def forgotten(self, alias: str, now_ms: int) -> list[Effect]:
        return self._to_all({"said": "erased", "of": alias})

    def changed_rows(self) -> list[tuple[bytes, bytes | None]]:
        found: list[tuple[bytes, bytes | None]] = []
        changed, self._shares.changed = self._shares.changed, {}
        for ref in changed:
            share = self._shares.shares.get(ref)
            row = None if share is None else rows.pack(share)
            found.append((PREFIX + ref.encode(), row))
        if self._words_changed:
            self._words_changed = False
            found.append((WORDS_KEY, rows.pack(self._references)))
        return found

    def load_row(self, key: bytes, row: bytes) -> None:
        if key == WORDS_KEY:
            self._references = rows.unpack(row, References)
        elif key.startswith(PREFIX):
            self._shares.load(key[len(PREFIX) :].decode(), rows.unpack(row, Share))
        else:
            super().load_row(key, row)

    def metrics(self) -> dict[str, float]:
        return {"open": float(len(self._shares.shares))}

    # The partition that keeps a reference.

    def _shared(self, letter: Shared) -> list[Effect]:
        pairs = self._shares.shared(letter.ref, letter.of, letter.at_ms)
        if self._shares.is_word(letter.ref):
            return self._to_all({"said": "word", "ref": letter.ref})
        return self._pair(pairs)

    def _pair(self, pairs: Iterable[Pair]) -> list[Effect]:
        effects: list[Effect] = []
        for sharer, opening in pairs:
            letter = {"said": "brought", "of": sharer, "at_ms": opening.at_ms}
            letter["to"] = opener = self.around.stands_for(opening.opener)
            to = partition_of(opener, self.around.partitions)
            effects.append(self.around.letter(to, addressed(GrowthModel, letter)))
        return effects

    def _word(self, ref: str) -> None:
        words = self._references.words
        if ref not in words:
            self._references.words = [*words, ref][-MOST_WORDS:]
            self._words_changed = True

    def _to_keeper(self, body: Body) -> Effect:
        return self.letter(partition_of(body["ref"], self.around.partitions), body)

    def _to_all(self, body: Body) -> list[Effect]:
        return [self.letter(to, body) for to in range(self.around.partitions)]
