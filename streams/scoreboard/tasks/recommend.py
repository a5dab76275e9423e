"""Recommendation on MovieLens 100k, in the order of its times: which film a person rates next.

Every 53rd event after the first 20,000, of a person with at least five events before and of a film
somebody rated before, is a test: the ten best of all films seen so far but the person's own, asked
before the event is learned. One pass; sizes and rates were chosen on other events of the same
stream (offsets 13, 26, 39 and 45 of the 53), never on these.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import process_time_ns
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from river import reco

from streams.learning.recommend.catalogue import key_of
from streams.learning.recommend.recommender import Recommender, Sizes
from streams.scoreboard.board import Indices, Score, interval
from streams.scoreboard.data import Fetch, Source

TASK: Final = "recommend"
FOLDER: Final = "recbole/dataset_example/ml-100k/"
EVENTS: Final = Source(
    "recbole",
    "1.2.1",
    FOLDER + "ml-100k.inter",
    "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
)
FILMS: Final = Source(
    "recbole",
    "1.2.1",
    FOLDER + "ml-100k.item",
    "51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532",
)
DATA: Final = "MovieLens 100k, chronological"
PEERS: Final = ("implicit==0.7.3", "numpy>=2", "scipy>=1.14")

FIRST: Final = 20_000
EVERY: Final = 53
LEAST: Final = 5  # events of the person before
BEST: Final = 10
CANDIDATES: Final = 100
NEW: Final = 5  # events below which a film is new
FEW: Final = 15  # events below which a person is new
DAY_MS: Final = 86_400_000
REFIT_MS: Final = DAY_MS  # of the batch peer; a person's factors are folded in at each request
THIRD: Final = 3  # river's model is asked at each third test: it scores film by film

SIZES: Final = Sizes(
    capacity=2_048,
    neighbours=200,
    window=20,
    history=30,
    sessions=512,
    session_length=64,
    nearest=100,
    factors=32,
    negatives=150,
    latents_every=1,
    rank_every=4,
    rate=0.1,
)


class Event(NamedTuple):
    time_ms: int
    person: str
    film: str
    rating: float


class Trial(NamedTuple):
    """One event of the test, and the place of its film in each list; BEST: not in it."""

    number: int
    person: str
    visits: int  # of the film before
    met: int  # by the person before
    places: dict[str, int]
    whole_ms: float
    hundred_ms: float


def run(fetch: Fetch) -> Sequence[Score]:
    """Raises UserFault where the data cannot be had."""
    events = read_events(fetch.file(EVENTS))
    tags = read_films(fetch.file(FILMS))
    tests = asked(events, tags)
    without = asked(events, {})
    batch = als(fetch, events, [test.number for test in tests])
    for test, place in zip(tests, batch, strict=True):
        test.places["implicit_als"] = place
    return [*ranked(tests), *fresh(tests, without), *costs(tests)]


def read_events(path: Path) -> list[Event]:
    """In the order of their times, ties as they stand in the file."""
    lines = path.read_text().splitlines()[1:]
    found = []
    for line in lines:
        person, film, rating, second = line.split("\t")
        found.append(Event(int(float(second)) * 1000, person, film, float(rating)))
    return sorted(found, key=lambda event: event.time_ms)


def read_films(path: Path) -> dict[str, list[str]]:
    """Film -> the decade it is of and its genres."""
    found = {}
    for line in path.read_text().splitlines()[1:]:
        film, _, year, genres = line.split("\t")
        found[film] = [f"{year[:3]}0s", *genres.split(" ")]
    return found


def is_test(number: int) -> bool:
    return number > FIRST and number % EVERY == 0


def asked(events: Sequence[Event], tags: Mapping[str, Sequence[str]]) -> list[Trial]:
    """One pass over the events, ours and the simple peers side by side."""
    ours, simple = Recommender(b"scoreboard", SIZES), Simple()
    factors = reco.BiasedMF(seed=1)
    histories: dict[str, list[str]] = {}
    tests: list[Trial] = []
    for number, event in enumerate(events):
        history = histories.setdefault(event.person, [])
        keys = [key_of(film) for film in reversed(history)]
        person = int(event.person)
        if is_test(number) and len(history) >= LEAST and simple.counts.get(event.film):
            tests.append(_test(number, event, history, keys, ours, simple))
            if len(tests) % THIRD == 0:
                rest = [film for film in simple.counts if film not in set(history)]
                scores = {film: factors.predict_one(event.person, film) for film in rest}
                best = sorted(rest, key=lambda film: -scores[film])[:BEST]
                tests[-1].places["river_biased_mf"] = _place(best, event.film)
        ours.learn_one(
            event.film,
            keys,
            event.time_ms,
            tags=tags.get(event.film, ()),
            person=person,
            seen=keys,
        )
        simple.learn(event, history)
        factors.learn_one(event.person, event.film, event.rating)
        history.append(event.film)
    return tests


def _test(
    number: int,
    event: Event,
    history: Sequence[str],
    keys: Sequence[int],
    ours: Recommender,
    simple: "Simple",
) -> Trial:
    person, time_ms = int(event.person), event.time_ms
    begun = process_time_ns()
    best = [one.item_id for one in ours.rank(keys, time_ms, BEST, person=person, seen=keys)]
    whole = process_time_ns()
    some = list(simple.counts)[:: max(len(simple.counts) // CANDIDATES, 1)][:CANDIDATES]
    between = process_time_ns()
    ours.rank(keys, time_ms, BEST, person=person, seen=keys, among=some)
    hundred = process_time_ns()
    places = {"ours": _place(best, event.film)}
    for name, found in simple.best(history, time_ms):
        places[name] = _place(found, event.film)
    return Trial(
        number,
        event.person,
        simple.counts[event.film],
        len(history),
        places,
        (whole - begun) / 1e6,
        (hundred - between) / 1e6,
    )


def _place(best: Sequence[str], film: str) -> int:
    return best.index(film) if film in best else BEST


class Simple:
    """Popularity, faded popularity (a day), and plain co-visitation: the last ten both ways,
    cosine-normalised, the last twenty with 0.9^rank."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.faded: dict[str, float] = {}
        self.pairs: dict[str, dict[str, int]] = {}
        self._start_ms: int | None = None

    def learn(self, event: Event, history: Sequence[str]) -> None:
        film = event.film
        if self._start_ms is None:
            self._start_ms = event.time_ms
        gain = 2.0 ** ((event.time_ms - self._start_ms) / DAY_MS)
        self.counts[film] = self.counts.get(film, 0) + 1
        self.faded[film] = self.faded.get(film, 0.0) + gain
        mine = self.pairs.setdefault(film, {})
        for other in history[-10:]:
            mine[other] = mine.get(other, 0) + 1
            theirs = self.pairs[other]
            theirs[film] = theirs.get(film, 0) + 1

    def best(self, history: Sequence[str], time_ms: int) -> Iterator[tuple[str, list[str]]]:
        """Each peer's ten best for the person."""
        own = set(history)
        near: dict[str, float] = {}
        for rank, film in enumerate(reversed(history[-20:])):
            weight = 0.9**rank / self.counts[film] ** 0.5
            for other, count in self.pairs[film].items():
                near[other] = near.get(other, 0.0) + weight * count
        for film in near:
            near[film] /= self.counts[film] ** 0.5
        scores: dict[str, Mapping[str, float]] = {
            "popularity": self.counts,
            "popularity_1d": self.faded,
            "covisitation": near,
        }
        for name, found in scores.items():
            rest = [film for film in found if film not in own]
            yield name, sorted(rest, key=lambda film: -found[film])[:BEST]


def als(fetch: Fetch, events: Sequence[Event], numbers: Sequence[int]) -> list[int]:
    """The places of the films in the lists of a factorisation refitted every day, in an
    environment of its own."""
    python = fetch.python("recommend", PEERS)
    program = Path(__file__).parents[1] / "peers" / "implicit_als.py"
    work = {
        "events": [(event.time_ms, event.person, event.film) for event in events],
        "tests": list(numbers),
        "every_ms": REFIT_MS,
        "best": BEST,
    }
    done = subprocess.run(  # noqa: S603 (our own arguments)
        [python, program], input=json.dumps(work), check=True, capture_output=True, text=True
    )
    found: list[int] = json.loads(done.stdout)
    return found


def ranked(tests: Sequence[Trial]) -> list[Score]:
    people = [test.person for test in tests]
    names = [name for name in tests[0].places if name != "ours"]
    names += ["river_biased_mf"] if "river_biased_mf" not in names else []
    found = []
    for metric, bar, value in (("HR@10", 0.22, hits), ("NDCG@10", 0.12, gains)):
        ours = value(_places(tests, "ours"))
        low, high = _bounds(ours, people)
        peers = {name: float(value(_places(tests, name)).mean()) for name in names}
        found.append(
            Score(
                task=TASK,
                data=DATA,
                metric=metric,
                ours=float(ours.mean()),
                low=low,
                high=high,
                bar=bar,
                cases=len(tests),
                peers=peers,
                note="one pass; river's model at each third test; ALS refitted every day",
            )
        )
    return found


def fresh(tests: Sequence[Trial], without: Sequence[Trial]) -> list[Score]:
    """New films and new people, with the films' tags and without."""
    found = []
    for metric, chosen in (
        (f"HR@10, films with < {NEW} events", [test.visits < NEW for test in tests]),
        (f"HR@10, people with < {FEW} events", [test.met < FEW for test in tests]),
    ):
        part = [test for test, is_chosen in zip(tests, chosen, strict=True) if is_chosen]
        plain = [test for test, is_chosen in zip(without, chosen, strict=True) if is_chosen]
        if not part:
            continue
        ours = hits(_places(part, "ours"))
        low, high = _bounds(ours, [test.person for test in part])
        peers = {
            "without_tags": float(hits(_places(plain, "ours")).mean()),
            "covisitation": float(hits(_places(part, "covisitation")).mean()),
        }
        found.append(
            Score(
                task=TASK,
                data=DATA,
                metric=metric,
                ours=float(ours.mean()),
                low=low,
                high=high,
                cases=len(part),
                peers=peers,
            )
        )
    return found


def costs(tests: Sequence[Trial]) -> list[Score]:
    """CPU time of a whole call: of a hundred candidates, and of all films."""
    found = []
    for metric, bar, values in (
        ("p99 of 100 candidates, ms", 2.0, [test.hundred_ms for test in tests]),
        ("p99 of all films, ms", None, [test.whole_ms for test in tests]),
    ):
        array = np.array(values)

        def p99(places: Indices, array: NDArray[np.float64] = array) -> float:
            return float(np.quantile(array[places], 0.99))

        low, high = interval(p99, range(len(tests)))
        found.append(
            Score(
                task=TASK,
                data=DATA,
                metric=metric,
                ours=float(np.quantile(array, 0.99)),
                low=low,
                high=high,
                better="lower",
                bar=bar,
                cases=len(tests),
                note=f"p50 {np.quantile(array, 0.5):.2f} ms; CPU time of this process",
            )
        )
    return found


def _places(tests: Sequence[Trial], name: str) -> NDArray[np.int64]:
    return np.array([test.places[name] for test in tests if name in test.places])


def hits(places: NDArray[np.int64]) -> NDArray[np.float64]:
    return (places < BEST).astype(np.float64)


def gains(places: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(places < BEST, 1.0 / np.log2(places + 2.0), 0.0)


def _bounds(values: NDArray[np.float64], people: Sequence[str]) -> tuple[float, float]:
    def mean(places: Indices) -> float:
        return float(values[places].mean())

    return interval(mean, people)
