"""The rows of a recommender: one an item, some for sessions, one for what is counted overall."""

from typing import TYPE_CHECKING, Final
from zlib import crc32

import numpy as np
from msgspec import Struct
from msgspec.structs import astuple

from streams.learning import rows
from streams.learning.recommend.catalogue import Item
from streams.learning.recommend.covisits import NOBODY, Neighbours

if TYPE_CHECKING:
    from streams.learning.recommend.recommender import Recommender

SESSIONS: Final = 32  # in one row
NamedRow = tuple[bytes, bytes | None]


class ItemRow(Struct, array_like=True):
    """`near` and `weights` of the neighbours, uint16 and float64; `factors` float32: the item's
    own, those it gives, its bias, and the squares of all."""

    item: Item
    visits: float
    sums: list[float]
    near: bytes
    weights: bytes
    factors: bytes
    checksum: int


class SessionsRow(Struct, array_like=True):
    items: bytes  # int32
    ends: list[int]
    checksum: int


class GeneralRow(Struct, array_like=True):
    visits: int
    landmarks_ms: list[int]
    waiting: dict[int, int]
    sessions: list[tuple[int, int]]  # person's key, row; the one active last at the end
    judged: list[float]


class TopicsRow(Struct, array_like=True):
    topics: bytes  # float64
    checksum: int


def item_row(whole: "Recommender", place: int) -> bytes | None:
    catalogue, latents = whole.catalogue, whole.latents
    item = catalogue.items[place]
    if item is None:
        return None
    near = whole.covisits.near.get(place, NOBODY)
    places, weights = near.others.tobytes(), near.weights.tobytes()
    parts = (
        *(latents.own[place], latents.given[place], latents.bias[place : place + 1]),
        *(latents.own_squares[place], latents.given_squares[place]),
        latents.bias_squares[place : place + 1],
    )
    factors = np.concatenate(parts).astype("<f4").tobytes()
    sums = [float(scale[place]) for scale in catalogue.sums]
    checksum = crc32(factors, crc32(weights, crc32(places)))
    visits = float(catalogue.visits[place])
    return rows.pack(ItemRow(item, visits, sums, places, weights, factors, checksum))


def load_item(whole: "Recommender", place: int, row: bytes) -> None:
    """Raises ValueError for a row that is broken, newer, or of another size."""
    found = rows.unpack(row, ItemRow)
    checksum = crc32(found.factors, crc32(found.weights, crc32(found.near)))
    factors = np.frombuffer(found.factors, "<f4")
    size, wide = whole.latents.size, whole.latents.given.shape[1]
    if checksum != found.checksum or not 0 <= place < whole.catalogue.capacity:
        raise ValueError(f"the row of item {place} is broken: its checksum differs")
    parts = np.split(factors, np.cumsum([size, wide, 1, size, wide]))
    if len(parts[-1]) != 1 or len(found.sums) != len(whole.catalogue.sums):
        raise ValueError(f"item {place} has factors of another size than {size}")
    whole.catalogue.put(place, found.item, found.visits, found.sums)
    whole.covisits.near[place] = Neighbours(found.near, found.weights)
    latents = whole.latents
    latents.own[place], latents.given[place], latents.bias[place] = *parts[:2], parts[2][0]
    latents.own_squares[place], latents.given_squares[place] = parts[3:5]
    latents.bias_squares[place] = parts[5][0]


def sessions_row(whole: "Recommender", part: int) -> bytes:
    sessions = whole.sessions
    span = slice(part * SESSIONS, (part + 1) * SESSIONS)
    items = sessions.items[span].astype("<i4").tobytes()
    return rows.pack(SessionsRow(items, sessions.ends[span], crc32(items)))


def load_sessions(whole: "Recommender", part: int, row: bytes) -> None:
    """Raises ValueError for a row that is broken, newer, or of another size."""
    found, sessions = rows.unpack(row, SessionsRow), whole.sessions
    span = slice(part * SESSIONS, (part + 1) * SESSIONS)
    items = np.frombuffer(found.items, "<i4")
    rows_are_whole = items.size == sessions.items[span].size == len(found.ends) * sessions.length
    if crc32(found.items) != found.checksum or not rows_are_whole:
        raise ValueError(f"the row of sessions {part} is broken, or of another size")
    sessions.load(span.start, items.reshape(-1, sessions.length).astype(np.int32), found.ends)


def general_row(whole: "Recommender") -> bytes:
    landmarks_ms = [fading.landmark_ms for fading in whole.catalogue.fading]
    sessions = list(whole.sessions.rows.items())
    judged = list(astuple(whole.judged))
    found = GeneralRow(whole.visits, landmarks_ms, whole.catalogue.waiting, sessions, judged)
    return rows.pack(found)


def load_general(whole: "Recommender", row: bytes) -> None:
    found = rows.unpack(row, GeneralRow)
    whole.visits = found.visits
    for fading, landmark_ms in zip(whole.catalogue.fading, found.landmarks_ms, strict=True):
        fading.landmark_ms = landmark_ms
    whole.catalogue.waiting = found.waiting
    whole.sessions.rows = dict(found.sessions)
    judged = whole.judged
    judged.choices, judged.hits, judged.hits_popular = found.judged


def topics_row(whole: "Recommender") -> bytes:
    topics = whole.catalogue.topics.astype("<f8").tobytes()
    return rows.pack(TopicsRow(topics, crc32(topics)))


def load_topics(whole: "Recommender", row: bytes) -> None:
    """Raises ValueError for a row that is broken or newer."""
    found = rows.unpack(row, TopicsRow)
    topics = np.frombuffer(found.topics, "<f8")
    if crc32(found.topics) != found.checksum or len(topics) != len(whole.catalogue.topics):
        raise ValueError("the row of topics is broken: its checksum differs")
    whole.catalogue.topics[:] = topics
