"""Recommendation on MovieLens 100k, in the order of its times: which film a person rates next.

Half of the events tie in time with the person's event before, so the order of ties decides which
events are tests: it is by person, then film, as numbers, and was fixed by what popularity and
co-visitation alone score in it. Every 53rd event after the first 20,000, of a person with at least
five events before and of a film somebody rated before, is a test: the ten best of all films seen so
far but the person's own, asked before the event is learned. Every 13th is one of a second row,
four times as many. One pass; sizes and rates were chosen on other events (CHOSEN), never on these.
Signals (the time between two visits among them) were judged on those events and the second row's
among the first 60,000, with the ties of a person in another order, by a hash: what helps then does
not live on the order of ties, an artefact. The first row was printed beside and not judged by.
"""

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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
from streams.scoreboard.simple_recommender import BEST, Simple

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
CHOSEN: Final = (13, 26, 39, 45)  # what sizes were chosen on, of each 53; in no row
OFTEN: Final = 13
LEAST: Final = 5  # events of the person before
CANDIDATES: Final = 100
NEW: Final = 5  # events below which a film is new
FEW: Final = 15  # events below which a person is new
REFIT: Final = 5_000  # events; a person's factors are folded in at each request of the batch peer
THIRD: Final = 3  # river's model is asked at each third test: it scores film by film
NOTE: Final = f"one pass; river's model at each third test; ALS refitted every {REFIT} events"
BLOCK: Final = 500  # calls of which one p99 is taken

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


class Before(NamedTuple):
    """What a person met, the latest first, and when."""

    keys: Sequence[int]
    times_ms: Sequence[int]


class Trial(NamedTuple):
    """One event of the test, and the place of its film in each list; BEST: not in it. Names that
    end in _new are of lists of new films alone."""

    number: int
    person: str
    visits: int  # of the film before
    met: int  # by the person before
    places: dict[str, int]
    whole_ms: float = 0.0
    hundred_ms: float = 0.0


def run(fetch: Fetch) -> Sequence[Score]:
    """Raises UserFault where the data cannot be had."""
    events = read_events(fetch.file(EVENTS))
    tests = asked(events, read_films(fetch.file(FILMS)))
    without = asked(events, {}, alone=True)
    common = [test for test in tests if is_coarse(test.number) or is_fine(test.number)]
    batch = als(fetch, events, [test.number for test in common])
    for test, place in zip(common, batch, strict=True):
        test.places["implicit_als"] = place
    return [*ranked(tests), *fresh(tests, without), *costs(tests)]


def read_events(path: Path) -> list[Event]:
    """In the order of their times, ties by person and film as numbers."""
    lines = path.read_text().splitlines()[1:]
    found = []
    for line in lines:
        person, film, rating, second = line.split("\t")
        found.append(Event(int(float(second)) * 1000, person, film, float(rating)))
    return sorted(found, key=lambda event: (event.time_ms, int(event.person), int(event.film)))


def read_films(path: Path) -> dict[str, list[str]]:
    """Film -> the decade it is of and its genres."""
    found = {}
    for line in path.read_text().splitlines()[1:]:
        film, _, year, genres = line.split("\t")
        found[film] = [f"{year[:3]}0s", *genres.split(" ")]
    return found


def is_coarse(number: int) -> bool:
    return number > FIRST and number % EVERY == 0


def is_fine(number: int) -> bool:
    return number > FIRST and number % OFTEN == 0 and number % EVERY not in CHOSEN


def is_fresh(number: int, visits: int, met: int) -> bool:
    """All new films are asked for, for they are few; people new to us where others are."""
    if visits < NEW:
        return number > FIRST and number % EVERY not in CHOSEN
    return met < FEW and (is_coarse(number) or is_fine(number))


def asked(
    events: Sequence[Event], tags: Mapping[str, Sequence[str]], *, alone: bool = False
) -> list[Trial]:
    """One pass over the events, ours and the simple peers side by side; `alone`: only ours, asked
    only where film or person is new."""
    ours, simple = Recommender(b"scoreboard", SIZES), Simple()
    factors = reco.BiasedMF(seed=1)
    histories: dict[str, list[str]] = {}
    times: dict[str, list[int]] = {}
    tests: list[Trial] = []
    coarse = 0
    for number, event in enumerate(events):
        history = histories.setdefault(event.person, [])
        times_ms = times.setdefault(event.person, [])
        before = Before([key_of(film) for film in reversed(history)], times_ms[::-1])
        visits = simple.counts.get(event.film, 0)
        new = is_fresh(number, visits, len(history))
        if visits and len(history) >= LEAST:
            if new if alone else new or is_coarse(number) or is_fine(number):
                tests.append(_test(number, event, history, before, ours, simple, alone=alone))
            if is_coarse(number) and not alone:
                coarse += 1
                if coarse % THIRD == 0:
                    best = _best_rated(factors, event.person, simple.counts, history)
                    tests[-1].places["river_biased_mf"] = _place(best, event.film)
        person, about = int(event.person), tags.get(event.film, ())
        ours.learn_one(
            *(event.film, before.keys, event.time_ms),
            times_ms=before.times_ms,
            tags=about,
            person=person,
            seen=before.keys,
        )
        simple.learn(event.film, event.time_ms, () if alone else history)
        if not alone:
            factors.learn_one(event.person, event.film, event.rating)
        history.append(event.film)
        times_ms.append(event.time_ms)
    return tests


def _best_rated(
    factors: reco.BiasedMF, person: str, films: Mapping[str, int], history: Sequence[str]
) -> list[str]:
    own = frozenset(history)
    scores = {film: factors.predict_one(person, film) for film in films if film not in own}
    return sorted(scores, key=scores.__getitem__, reverse=True)[:BEST]


def _test(
    number: int,
    event: Event,
    history: Sequence[str],
    before: Before,
    ours: Recommender,
    simple: Simple,
    *,
    alone: bool,
) -> Trial:
    def best(among: Sequence[str] | None = None) -> list[str]:
        found = ours.rank(
            *(before.keys, event.time_ms, BEST),
            times_ms=before.times_ms,
            person=int(event.person),
            seen=before.keys,
            among=among,
        )
        return [one.item_id for one in found]

    visits = simple.counts[event.film]
    begun = process_time_ns()
    places = {"ours": _place(best(), event.film)}
    whole = process_time_ns()
    shelf = [film for film, count in simple.counts.items() if count < NEW]
    if visits < NEW:
        places["ours_new"] = _place(best(shelf), event.film)
    if alone:
        return Trial(number, event.person, visits, len(history), places)
    some = list(simple.counts)[:: max(len(simple.counts) // CANDIDATES, 1)][:CANDIDATES]
    between = process_time_ns()
    best(some)
    hundred = process_time_ns()
    for name, found in simple.best(history):
        places[name] = _place(found, event.film)
    if visits < NEW:
        for name, found in simple.best(history, frozenset(shelf)):
            places[name + "_new"] = _place(found, event.film)
    spent = ((whole - begun) / 1e6, (hundred - between) / 1e6)
    return Trial(number, event.person, visits, len(history), places, *spent)


def _place(best: Sequence[str], film: str) -> int:
    return best.index(film) if film in best else BEST


def als(fetch: Fetch, events: Sequence[Event], numbers: Sequence[int]) -> list[int]:
    """The places of the films in the lists of a factorisation refitted now and then, in an
    environment of its own."""
    python = fetch.python("recommend", PEERS)
    program = Path(__file__).parents[1] / "peers" / "implicit_als.py"
    work = {
        "events": [(event.person, event.film) for event in events],
        "tests": list(numbers),
        "every": REFIT,
        "best": BEST,
    }
    done = subprocess.run(  # noqa: S603 (our own arguments)
        [python, program], input=json.dumps(work), check=True, capture_output=True, text=True
    )
    found: list[int] = json.loads(done.stdout)
    return found


def ranked(tests: Sequence[Trial]) -> list[Score]:
    found = []
    for name, is_chosen in (("", is_coarse), (f", every {OFTEN}th event", is_fine)):
        part = [test for test in tests if is_chosen(test.number)]
        for metric, bar, value in (("HR@10", 0.22, hits), ("NDCG@10", 0.12, gains)):
            peers = _peers(part)
            found.append(_score(metric + name, part, "ours", value, peers, bar=bar, note=NOTE))
    return found


def fresh(tests: Sequence[Trial], without: Sequence[Trial]) -> list[Score]:
    """New films and new people, with the films' tags and without."""
    plain = {test.number: test.places for test in without}
    found = []
    films = [test for test in tests if test.visits < NEW and test.number in plain]
    people = [test for test in tests if test.met < FEW and not test.visits < NEW]
    for metric, part, end in (
        (f"HR@10, films with < {NEW} events", films, ""),
        (f"HR@10, films with < {NEW} events, among these", films, "_new"),
        (f"HR@10, people with < {FEW} events", people, ""),
    ):
        if part:
            for test in part:
                test.places["without_tags" + end] = plain[test.number]["ours" + end]
            peers = tuple(name + end for name in ("without_tags", "covisitation", "popularity"))
            found.append(_score(metric, part, "ours" + end, hits, peers))
    return found


def costs(tests: Sequence[Trial]) -> list[Score]:
    """CPU time of a whole call: of a hundred candidates, and of all films. The median of the p99 of
    blocks of calls, so that a busy moment of the machine does not decide."""
    found = []
    for metric, bar, values in (
        ("p99 of 100 candidates, ms", 2.0, [test.hundred_ms for test in tests]),
        ("p99 of all films, ms", None, [test.whole_ms for test in tests]),
    ):
        parts = np.array_split(np.array(values), max(len(values) // BLOCK, 1))
        p99 = np.array([np.quantile(part, 0.99) for part in parts])

        def median(places: Indices, p99: NDArray[np.float64] = p99) -> float:
            return float(np.median(p99[places]))

        low, high = interval(median, range(len(p99)))
        found.append(
            Score(
                task=TASK,
                data=DATA,
                metric=metric,
                ours=float(np.median(p99)),
                low=low,
                high=high,
                better="lower",
                bar=bar,
                cases=len(tests),
                note=f"p50 {np.quantile(values, 0.5):.2f} ms; CPU time of this process",
            )
        )
    return found


def _peers(tests: Sequence[Trial]) -> Sequence[str]:
    """Those that were asked at enough of these tests, and not for new films alone."""
    names = Counter(name for test in tests for name in test.places)
    enough = [name for name, count in names.items() if count >= len(tests) / (THIRD + 1)]
    return [name for name in enough if name != "ours" and not name.endswith("_new")]


def _score(
    metric: str,
    tests: Sequence[Trial],
    name: str,
    value: Callable[[NDArray[np.int64]], NDArray[np.float64]],
    peers: Sequence[str],
    *,
    bar: float | None = None,
    note: str = "",
) -> Score:
    ours = value(_places(tests, name))
    low, high = _bounds(ours, [test.person for test in tests])
    return Score(
        task=TASK,
        data=DATA,
        metric=metric,
        ours=float(ours.mean()),
        low=low,
        high=high,
        bar=bar,
        cases=len(tests),
        peers={
            peer.removesuffix("_new"): float(value(_places(tests, peer)).mean()) for peer in peers
        },
        note=note,
    )


def _places(tests: Sequence[Trial], name: str) -> NDArray[np.int64]:
    return np.array([test.places[name] for test in tests if name in test.places])


def hits(places: NDArray[np.int64]) -> NDArray[np.float64]:
    return (places < BEST).astype(np.float64)


def gains(places: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(places < BEST, 1.0 / np.log2(places + 2.0), 0.0)


def _bounds(values: NDArray[np.float64], people: Sequence[str]) -> tuple[float, float]:
    return interval(lambda places: float(values[places].mean()), people)
