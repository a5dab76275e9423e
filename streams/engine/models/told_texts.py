"""Texts and their answers that other partitions have not heard of yet: hashed grams, no words."""

from typing import Generic, TypeVar

from msgspec import Struct, field

Answer = TypeVar("Answer", bool, str)


class ToldTexts(Struct, Generic[Answer], array_like=True):
    """Grams are packed. `dropped`: texts nobody else will learn, for there were too many at
    once."""

    texts: list[tuple[bytes, Answer]] = field(default_factory=list)
    dropped: int = 0

    def add(self, grams: bytes, answer: Answer, most: int) -> None:
        """For the next letter, which holds `most`."""
        if len(self.texts) < most:
            self.texts.append((grams, answer))
        else:
            self.dropped += 1

    def take(self, width: int) -> list[tuple[list[int], Answer]]:
        """All of them for a letter, the grams of `width` bytes unpacked; they are told from now
        on."""
        texts, self.texts = self.texts, []
        return [(unpacked(grams, width), answer) for grams, answer in texts]


def packed(grams: list[int], width: int) -> bytes:
    """`width` bytes a gram, little-endian."""
    return b"".join([gram.to_bytes(width, "little") for gram in grams])


def unpacked(grams: bytes, width: int) -> list[int]:
    return [
        int.from_bytes(grams[place : place + width], "little")
        for place in range(0, len(grams), width)
    ]
