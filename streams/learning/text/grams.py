"""A text as a short list of numbers: hashed grams of characters, and signals of a small lexicon.

Chinese has no spaces, so grams of one to three characters serve as words; a run of Latin letters
is one, and so is a sticker such as [微笑]. Traditional characters count as simplified ones, full
width as half. What follows a negation is joined to it; what a text begins with, and longer words of
the lexicon, count by themselves as well. Numbers below `SIGNALS` say what the lexicon found, the
others are hashes below `BUCKETS`; they are sorted, so the order of the text is not kept. Long texts
are cut: what is said first and last tells most.

The numbers lower what a reader learns, they are not anonymous: who knows the hash can guess short
texts. Digits beyond three in a row (numbers of phones and orders) leave only that they were there.
Source: Weinberger et al., Feature hashing for large scale multitask learning (2009).
"""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from struct import pack
from typing import Final, NamedTuple
from zlib import crc32

from streams.learning.text.characters import DROPPED, SIMPLIFIED
from streams.learning.text.lexicon import NEGATING, NEITHER, NOT_NEGATING, SIDES, TURNS

BUCKETS: Final = 2**18
SIGNALS: Final = 96
HASHED: Final = BUCKETS - SIGNALS
MOST: Final = 256  # numbers for one text
HEAD, TAIL = 140, 60  # tokens kept of a long text
RAW_HEAD, RAW_TAIL = 700, 300  # characters looked at
NONE: Final = 9  # no word of the lexicon
REACH: Final = 3  # tokens a negation reaches
OPENING: Final = 10  # tokens a text begins with: what they say there counts by itself
LONGEST_RUN: Final = 24  # letters of one Latin word that count

_TOKEN: Final = re.compile(r"\[[^\[\]\s]{1,12}\]|[a-z\u00df-\u024f\u0370-\u052f]+|[0-9]+|\S")
_TABLE: Final = str.maketrans({**SIMPLIFIED, **dict.fromkeys(DROPPED)})
_STOPS: Final = frozenset("，。,.!?;；:：、~…\n")
_LENGTHS_FROM: Final[dict[str, list[int]]] = {}  # of the words that begin with two characters,
for _word in sorted(SIDES, key=len, reverse=True):  # the longest first
    if len(_word) > 1 and len(_word) not in _LENGTHS_FROM.setdefault(_word[:2], []):
        _LENGTHS_FROM[_word[:2]].append(len(_word))
WIDTH: Final = 4  # bytes of a token in a gram
# Pairs, single ones, and triples while there is room.
_WIDTHS: Final = (2 * WIDTH, WIDTH, 3 * WIDTH)

# Thresholds of the signals; each reached one is a signal of its own.
_COUNTS: Final = (1, 2, 3, 5, 8)
_BALANCES: Final = (1, 2, 3, 4, 6, 8)  # of praise over complaint, or the other way round
_LENGTHS: Final = (10, 20, 40, 80, 150)
PRAISED, BLAMED, MORE_PRAISE, MORE_BLAME, FIRST, LAST, LONG = 1, 9, 20, 26, 32, 34, 40
TURNED, AFTER, BEFORE, MARKS, ENDING, WISHED, DENIED = 50, 51, 54, 57, 61, 65, 68
_SIDES: Final = ("praise", "complaint", "neither")
NAMES: Final[dict[int, str]] = {
    **{PRAISED + i: f"words of praise >= {count}" for i, count in enumerate(_COUNTS)},
    **{BLAMED + i: f"words of complaint >= {count}" for i, count in enumerate(_COUNTS)},
    **{MORE_PRAISE + i: f"praise - complaint >= {least}" for i, least in enumerate(_BALANCES)},
    **{MORE_BLAME + i: f"complaint - praise >= {least}" for i, least in enumerate(_BALANCES)},
    **{LONG + i: f"length >= {length}" for i, length in enumerate(_LENGTHS)},
    **{FIRST + i: f"first word: {_SIDES[i]}" for i in range(2)},
    **{LAST + i: f"last word: {_SIDES[i]}" for i in range(2)},
    TURNED: "a turn (but)",
    **{AFTER + i: f"after the turn: {side}" for i, side in enumerate(_SIDES)},
    **{BEFORE + i: f"before the turn: {side}" for i, side in enumerate(_SIDES)},
    **{MARKS + i: f"has {mark}" for i, mark in enumerate(("?", "!", "..."))},
    **{ENDING + i: f"last clause: {side}" for i, side in enumerate(_SIDES)},
    **{WISHED + i: f"mild words >= {count}" for i, count in enumerate(_COUNTS[:3])},
    **{DENIED + i: f"denied {side}" for i, side in enumerate(_SIDES[:2])},
}


class Hit(NamedTuple):
    """A word of the lexicon in a text. `side`: +1 praise, -1 complaint, 0 mild, denied or not."""

    place: int
    length: int
    side: int
    denied: bool


def grams(text: str) -> list[int]:
    """At most `MOST` numbers in [1, `BUCKETS`), sorted, each once. Any text will do."""
    tokens = tokens_of(text)
    denied = _denied(tokens)
    pairs = [a + b for a, b in pairwise(tokens)] + tokens[-1:]
    hits = _hits(tokens, pairs, denied)
    codes = pack(f"<{len(tokens)}I", *map(_code, tokens))
    end = len(codes)
    found = dict.fromkeys(_signals(tokens, pairs, hits))
    for place, length, _, turned in hits:
        if turned or length > len(_WIDTHS):
            word = codes[WIDTH * place : WIDTH * (place + length)]
            found[_bucket((b"D" if turned else b"W") + word)] = None
    for start in range(0, min(end, WIDTH * OPENING), WIDTH):
        found[_bucket(b"F" + codes[start : start + WIDTH])] = None
        found[_bucket(b"F" + codes[start : start + 2 * WIDTH])] = None
    for place, far in enumerate(denied):
        if far:
            start = WIDTH * place
            found[_bucket(b"N" + codes[start : start + WIDTH])] = None
            found[_bucket(b"N" + codes[start : start + 2 * WIDTH])] = None
    for width in _WIDTHS:
        found.update(
            dict.fromkeys(
                [
                    crc32(codes[start : start + width]) % HASHED + SIGNALS
                    for start in range(0, end - width + WIDTH, WIDTH)
                ]
            )
        )
        if len(found) >= MOST:
            break
    return sorted(list(found)[:MOST])


def tokens_of(text: str) -> list[str]:
    """Characters, Latin words, stickers, numbers; at most HEAD + TAIL + 1 of them."""
    if len(text) > RAW_HEAD + RAW_TAIL:
        text = text[:RAW_HEAD] + text[-RAW_TAIL:]
    text = unicodedata.normalize("NFKC", text).lower().translate(_TABLE)
    tokens = [
        ("0000" if len(token) > 3 else token) if token.isdecimal() else token[:LONGEST_RUN]
        for token in _TOKEN.findall(text)
    ]
    if len(tokens) > HEAD + TAIL:
        tokens = [*tokens[:HEAD], "\n", *tokens[-TAIL:]]
    return tokens


def _denied(tokens: Sequence[str]) -> list[int]:
    """For each token whether a negation reaches it."""
    denied = [0] * len(tokens)
    left = 0
    for place, token in enumerate(tokens):
        if token in NEGATING and not _is_other_word(tokens, place):
            left = REACH
        elif token in _STOPS:
            left = 0
        elif left:
            denied[place] = left
            left -= 1
    return denied


def _is_other_word(tokens: Sequence[str], place: int) -> bool:
    """Such as 非常 or 特别, where the character negates nothing."""
    token = tokens[place]
    before = tokens[place - 1] if place else ""
    after = tokens[place + 1] if place + 1 < len(tokens) else ""
    return before + token in NOT_NEGATING or token + after in NOT_NEGATING


def _hits(tokens: Sequence[str], pairs: Sequence[str], denied: Sequence[int]) -> list[Hit]:
    """The words of the lexicon, the longest at each place."""
    found = []
    taken = 0
    for place, pair in enumerate(pairs):
        if place < taken:
            continue
        for length in _LENGTHS_FROM.get(pair, ()):
            side = SIDES.get("".join(tokens[place : place + length]), NONE)
            if side != NONE and place + length <= len(tokens):
                break
        else:
            side, length = SIDES.get(tokens[place], NONE), 1
        if side < NEITHER:
            far = bool(denied[place])
            found.append(Hit(place, length, -side if far else side, far))
        taken = place + length
    return found


def _signals(tokens: Sequence[str], pairs: Sequence[str], hits: Sequence[Hit]) -> list[int]:
    sided = [(hit.place, hit.side) for hit in hits if hit.side]
    praise = sum(side > 0 for _, side in sided)
    blame = len(sided) - praise
    mild = len(hits) - len(sided)
    found = [PRAISED + i for i, count in enumerate(_COUNTS) if praise >= count]
    found += [BLAMED + i for i, count in enumerate(_COUNTS) if blame >= count]
    found += [MORE_PRAISE + i for i, least in enumerate(_BALANCES) if praise - blame >= least]
    found += [MORE_BLAME + i for i, least in enumerate(_BALANCES) if blame - praise >= least]
    found += [LONG + i for i, length in enumerate(_LENGTHS) if len(tokens) >= length]
    found += [WISHED + i for i, count in enumerate(_COUNTS[:3]) if mild >= count]
    if sided:
        found += [FIRST + (sided[0][1] < 0), LAST + (sided[-1][1] < 0)]
    found += [DENIED + i for i in range(2) if any(h.denied and h.side == 2 * i - 1 for h in hits)]
    ends = [place for place, token in enumerate(tokens[:-1]) if token in _STOPS]
    if ends:
        found.append(_side(ENDING, sum(side for place, side in sided if place > ends[-1])))
    turns = [place for place, pair in enumerate(pairs) if pair in TURNS]
    if turns:
        turn = turns[-1]
        after = sum(side for place, side in sided if place > turn)
        before = sum(side for place, side in sided if place < turn)
        found += [TURNED, _side(AFTER, after), _side(BEFORE, before)]
    marks = ("?" in tokens, "!" in tokens, ".." in pairs)
    return found + [MARKS + i for i, there in enumerate(marks) if there]


def _side(signal: int, balance: int) -> int:
    return signal + (0 if balance > 0 else 1 if balance < 0 else 2)


def _code(token: str) -> int:
    """The character itself, or a number that is no character."""
    return ord(token) if len(token) == 1 else crc32(token.encode()) | 0x80000000


def _bucket(gram: bytes) -> int:
    return crc32(gram) % HASHED + SIGNALS


def longest_gram(word: str) -> int:
    """Of a word of one to three tokens; a longer one is known by its first three."""
    tokens = tokens_of(word)[:3]
    return _bucket(pack(f"<{len(tokens)}I", *map(_code, tokens)))
