"""A small shop whose visitors keep to one of a few shelves, so there is something to learn."""

from random import Random
from typing import NamedTuple

from streams.learning.recommend.catalogue import key_of
from streams.learning.recommend.recommender import Ranked, Recommender, Sizes

SHELVES = ("tea", "cups", "lamps", "books")
EACH = 12  # items on a shelf
START_MS = 1_790_784_000_000
MINUTE_MS = 60_000
SMALL = Sizes(
    capacity=64,
    neighbours=16,
    window=6,
    history=6,
    sessions=32,
    session_length=8,
    nearest=8,
    factors=8,
    negatives=16,
    latents_every=2,
    rank_every=4,
)


class Visit(NamedTuple):
    item_id: str
    before: list[int]
    time_ms: int
    tags: list[str]
    person: int


def visits(count: int, seed: int = 1) -> list[Visit]:
    """Fifteen in sixteen visits stay on the person's shelf of the day."""
    random, histories = Random(seed), dict[int, list[str]]()
    found = []
    for number in range(count):
        person = 1 + random.randrange(40)
        stays = random.random() < 15 / 16
        shelf = SHELVES[(person + number // 5_000) % 4 if stays else random.randrange(4)]
        item_id = f"{shelf}-{int(EACH * random.random() ** 1.5)}"
        history = histories.setdefault(person, [])
        before = [key_of(other) for other in history[:-7:-1]]
        found.append(Visit(item_id, before, START_MS + number * MINUTE_MS, [shelf], person))
        history.append(item_id)
    return found


def taught(stream: list[Visit], recommender: Recommender | None = None) -> Recommender:
    recommender = recommender or Recommender(b"seed", SMALL)
    for visit in stream:
        recommender.learn_one(
            visit.item_id, visit.before, visit.time_ms, tags=visit.tags, person=visit.person
        )
    return recommender


def asked(recommender: Recommender, *items: str, most: int = 5) -> list[Ranked]:
    """Who met these items, the latest first, is recommended ..."""
    keys = [key_of(item_id) for item_id in items]
    return recommender.rank(keys, START_MS + 1_000 * MINUTE_MS, most, seen=keys)


def loaded(rows: dict[bytes, bytes]) -> Recommender:
    recommender = Recommender(b"seed", SMALL)
    for name in sorted(rows, reverse=True):
        recommender.load_row(name, rows[name])
    return recommender


def saved(recommender: Recommender) -> dict[bytes, bytes]:
    return {name: row for name, row in recommender.checkpoint() if row is not None}
