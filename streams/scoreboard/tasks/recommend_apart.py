"""People split over partitions, each with a recommender: what do letters between them bring back?

The protocol of recommend.py on both of its rows' events together; recommenders have the engine's
own sizes and see what the engine keeps of a person. What was counted is told as the engine does it
(as often, in letters of as many bytes) and arrives a minute later. Peers: partitions that tell
nothing, and one recommender of everybody.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from streams.engine.insight import SHARE_AT_LAST_MS, SHARE_INPUTS, SHARE_SOON_MS
from streams.engine.models import visited
from streams.engine.models.recommend import LETTER, SIZES
from streams.learning.recommend.catalogue import key_of
from streams.learning.recommend.recommender import Recommender
from streams.learning.recommend.telling import Told
from streams.scoreboard.board import Indices, Score, interval
from streams.scoreboard.data import Fetch
from streams.scoreboard.simple_recommender import BEST
from streams.scoreboard.tasks import recommend
from streams.scoreboard.tasks.recommend import DATA, EVENTS, FILMS, LEAST, Event

PARTITIONS: Final = (4, 16)
ON_THE_WAY_MS: Final = 60_000
NOTE: Final = (
    f"the engine's sizes; letters of {LETTER} bytes at most, after {SHARE_INPUTS} events and a "
    "minute, at last an hour; lost is against one recommender of everybody"
)


def run(fetch: Fetch) -> list[Score]:
    """Raises UserFault where the data cannot be had."""
    events = recommend.read_events(fetch.file(EVENTS))
    return compare(events, recommend.read_films(fetch.file(FILMS)))


def compare(events: Sequence[Event], tags: Mapping[str, Sequence[str]]) -> list[Score]:
    one = asked(events, tags, 1, told=False)
    people = [events[number].person for number in one]
    found = []
    for partitions in PARTITIONS:
        told = asked(events, tags, partitions, told=True)
        alone = asked(events, tags, partitions, told=False)
        for metric, value in (("HR@10", recommend.hits), ("NDCG@10", recommend.gains)):
            whole, ours, theirs = (
                value(np.array(list(places.values()))) for places in (one, told, alone)
            )

            def lost(at: Indices, lost: NDArray[np.float64] = whole - ours) -> float:
                return float(lost[at].mean())

            low, high = interval(lost, people)
            found.append(
                Score(
                    task="partitions",
                    data=f"{DATA}, {partitions} partitions",
                    metric=f"{metric} lost against one recommender",
                    ours=float((whole - ours).mean()),
                    low=low,
                    high=high,
                    better="lower",
                    cases=len(people),
                    peers={"each alone": float((whole - theirs).mean())},
                    note=f"{NOTE}, which has {float(whole.mean()):.4f}",
                )
            )
    return found


def asked(
    events: Sequence[Event], tags: Mapping[str, Sequence[str]], partitions: int, *, told: bool
) -> dict[int, int]:
    """Number of an event -> the place of its film in the list; BEST: not in it."""
    post = Post(partitions) if told else None
    recommenders = [Recommender(b"scoreboard", SIZES) for _ in range(partitions)]
    if post is not None:
        for recommender in recommenders:
            recommender.begin_sharing()
    own: dict[str, list[int]] = {}
    met: dict[str, bytes] = {}
    known: dict[str, None] = {}
    found = {}
    for number, event in enumerate(events):
        partition = crc32(event.person.encode()) % partitions
        ours, seen = recommenders[partition], own.setdefault(event.person, [])
        if post is not None:
            post.pass_on(recommenders, partition, event.time_ms)
        before = met.get(event.person, visited.NOTHING)
        keys, times_ms = visited.read(before)
        is_test = recommend.is_coarse(number) or recommend.is_fine(number)
        if is_test and len(seen) >= LEAST and event.film in known:
            best = ours.rank(keys, event.time_ms, BEST, times_ms=times_ms, seen=seen)
            names = [one.item_id for one in best]
            found[number] = names.index(event.film) if event.film in names else BEST
        person, about = int(event.person), tags.get(event.film, ())
        ours.learn_one(
            *(event.film, keys, event.time_ms),
            times_ms=times_ms,
            tags=about,
            person=person,
            seen=seen,
        )
        key = key_of(event.film)
        met[event.person] = visited.met(before, key, event.time_ms // 1_000)
        seen.append(key)
        known[event.film] = None
    return found


class Post:
    """Letters between recommenders, as often as the engine sends them."""

    def __init__(self, partitions: int) -> None:
        self._since_ms = [0] * partitions
        self._inputs = [0] * partitions
        self._mail: deque[tuple[int, int, Told]] = deque()  # when it arrives, from, what

    def pass_on(self, recommenders: Sequence[Recommender], partition: int, now_ms: int) -> None:
        """Before an event of this partition: what arrived by now, and what is to be told."""
        while self._mail and self._mail[0][0] <= now_ms:
            _, sender, told = self._mail.popleft()
            for place, recommender in enumerate(recommenders):
                if place != sender:
                    recommender.absorb(told)
        since_ms = now_ms - self._since_ms[partition]
        busy = since_ms >= SHARE_SOON_MS and self._inputs[partition] >= SHARE_INPUTS
        if busy or since_ms >= SHARE_AT_LAST_MS:
            self._since_ms[partition], self._inputs[partition] = now_ms, 0
            letter = recommenders[partition].share(LETTER)
            if letter is not None:
                self._mail.append((now_ms + ON_THE_WAY_MS, partition, letter))
        self._inputs[partition] += 1
