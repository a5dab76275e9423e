"""Names for groups that were found, not defined: by what sets them apart, and kept.

A feature sets a group apart where the group's mean lies some way from everybody's. The two that do
so most make the name, in the order of the features; a third one tells two groups of one name
apart. A group keeps its name for as long as each word of it still holds, if less clearly; so names
do not change from day to day.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

CLEAR: Final = 0.5  # standard deviations from the mean of all that give a word
HOLDS: Final = 0.25  # and that keep it
WORDS: Final = 2
BALANCED: Final = "balanced"


class Words(NamedTuple):
    """What a group is called where a feature is high or low: (code, Chinese, English)."""

    high: tuple[str, str, str]
    low: tuple[str, str, str]


class Name(NamedTuple):
    """`code`: what conditions compare with, as night_active+big_spender."""

    code: str
    chinese: str
    english: str


def name_groups(
    offsets: Sequence[Sequence[float]], words: Sequence[Words], before: Sequence[str]
) -> list[str]:
    """A name's code for each group, no two alike.

    Args:
        offsets: of each group and feature, in standard deviations from everybody's mean.
        words: of each feature.
        before: the groups' codes so far; empty text where a group has none.
    """
    found = [""] * len(offsets)
    for group, code in enumerate(before):
        if code and code not in found and _holds(code, offsets[group], words):
            found[group] = code
    # The clearest group takes its name first; ties go to the first.
    order = sorted(range(len(offsets)), key=lambda group: (-_clearness(offsets[group]), group))
    for group in order:
        if not found[group]:
            found[group] = _new(offsets[group], words, found)
    return found


def name_of(code: str, words: Sequence[Words]) -> Name:
    """The name in both languages."""
    known = {side[0]: side for pair in words for side in pair}
    stem, _, number = code.partition("#")
    parts = [known.get(part, (part, "均衡", part)) for part in stem.split("+")]
    suffix = f" {number}" if number else ""
    chinese, english = "·".join(part[1] for part in parts), ", ".join(part[2] for part in parts)
    return Name(code, chinese + suffix, english + suffix)


def _new(offsets: Sequence[float], words: Sequence[Words], taken: Sequence[str]) -> str:
    places = sorted(range(len(offsets)), key=lambda place: (-abs(offsets[place]), place))
    clear = [place for place in places if abs(offsets[place]) >= CLEAR]
    for most in range(WORDS, len(clear) + 1):
        code = _code(clear[:most], offsets, words)
        if code not in taken:
            return code
    stem = _code(clear, offsets, words) if clear else BALANCED
    numbers = (stem if number == 1 else f"{stem}#{number}" for number in range(1, len(taken) + 2))
    return next(code for code in numbers if code not in taken)


def _code(places: Sequence[int], offsets: Sequence[float], words: Sequence[Words]) -> str:
    return "+".join(_word(place, offsets[place], words) for place in sorted(places))


def _word(place: int, offset: float, words: Sequence[Words]) -> str:
    return (words[place].high if offset > 0.0 else words[place].low)[0]


def _holds(code: str, offsets: Sequence[float], words: Sequence[Words]) -> bool:
    """Whether each word of a name is still true; a balanced group must not have become clear."""
    stem = code.partition("#")[0]
    if stem == BALANCED:
        return _clearness(offsets) < CLEAR + HOLDS
    true = [
        _word(place, offset, words) for place, offset in enumerate(offsets) if abs(offset) >= HOLDS
    ]
    return all(word in true for word in stem.split("+"))


def _clearness(offsets: Sequence[float]) -> float:
    return max(map(abs, offsets), default=0.0)
