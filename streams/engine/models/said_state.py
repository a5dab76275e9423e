"""What a person's row keeps of what the person said: nothing for those who say nothing."""

from math import exp2
from typing import Final

from msgspec import Struct

HALF_LIFE_S: Final = 7 * 86_400


class Mood(Struct, array_like=True, gc=False):
    """`level`: mean of what was said lately, in thousandths from -1000 to 1000; it fades."""

    level: int = 0
    said_s: int = 0

    def at(self, now_s: int) -> float:
        """From -1 to 1."""
        return self.level / 1_000 * _faded(now_s - self.said_s)

    def say(self, tone: float, at_s: int) -> None:
        """Something of a tone from -1 to 1: half of it is new. What comes late is as of then."""
        now_s = max(self.said_s, at_s)
        fresh = tone * _faded(now_s - at_s)
        before = self.at(now_s)
        self.level = round(1_000 * (before + fresh) / 2 if self.said_s else 1_000 * fresh)
        self.said_s = now_s


class Asked(Struct, array_like=True, gc=False):
    """A message until the session tells its topic. `grams`: two bytes each, little-endian."""

    at_s: int
    grams: bytes
    guess: str  # what it was taken for; empty: not known
    waits: bool = True  # for its topic


def merge_moods(into: Mood | None, other: Mood | None) -> Mood | None:
    """Two people turn out to be one: the later one counts."""
    if into is None or (other is not None and other.said_s > into.said_s):
        return other
    return into


def merge_asked(into: Asked | None, other: Asked | None) -> Asked | None:
    if into is None or (other is not None and other.at_s > into.at_s):
        return other
    return into


def _faded(elapsed_s: int) -> float:
    return exp2(-max(elapsed_s, 0) / HALF_LIFE_S)
