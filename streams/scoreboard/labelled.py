"""Real people as a stream of labelled examples, for tasks about how learners work together.

Features are few and made of the past alone; an example stands at the time its label is known.
"""

import csv
from collections.abc import Iterator, Sequence
from datetime import date
from math import log, log1p, sqrt
from typing import NamedTuple
from zlib import crc32

import numpy as np

from streams.learning.logistic import OnlineLogistic, sigmoid
from streams.scoreboard.board import Indices
from streams.scoreboard.data import Fetch, Source

RECBOLE = ("recbole", "1.2.1")
MOVIES = "recbole/dataset_example/ml-100k/ml-100k."
RATINGS = Source(
    *RECBOLE,
    MOVIES + "inter",
    "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
)
ITEMS = Source(
    *RECBOLE,
    MOVIES + "item",
    "51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532",
)
USERS = Source(
    *RECBOLE,
    MOVIES + "user",
    "4f670007d9cfbeb9807e757209af1555b9bcc186bde25e767f67cb67c6dd5972",
)
CUSTOMERS = Source(
    "Lifetimes",
    "0.11.3",
    "lifetimes/datasets/CDNOW_sample.txt",
    "6fae10155c0b0ba363c2c386e30f77990d22328220efd862a5edd1443420d94a",
)
DAY_S = 86_400.0
WEEKS = (4, 78)  # from the first one judged
LIKED = 4.0  # stars


class Example(NamedTuple):
    known_s: float  # when the label is known
    person: str
    x: Sequence[float]
    y: bool


class Signs(OnlineLogistic):
    """The same learner on features that are there or not, given by their places: as quick with
    thousands of them as with a few."""

    def logit(self, x: Sequence[float]) -> float:
        return self.intercept + sum(self.weights[int(place)] for place in x)

    def learn(self, x: Sequence[float], y: bool) -> float:
        probability = sigmoid(self.logit(x))
        slope = probability - (1.0 if y else 0.0)
        for sign in x:
            place = int(sign)
            self.squares[place] += slope * slope
            self.weights[place] -= self.rate * slope / sqrt(self.squares[place])
        self.intercept_square += slope * slope
        self.intercept -= self.rate * slope / sqrt(self.intercept_square)
        self.examples += 1
        return probability


def weeks_of_customers(fetch: Fetch) -> tuple[list[str], list[Example]]:
    """CDNOW: does the customer buy in the coming week? Names of the features, and the examples."""
    bought: dict[str, list[tuple[int, float]]] = {}
    for line in fetch.file(CUSTOMERS).read_text("ascii").splitlines():
        _, customer, day, _, dollars = line.split()
        at = date(int(day[:4]), int(day[4:6]), int(day[6:])).toordinal()
        bought.setdefault(customer, []).append((at, float(dollars)))
    first = min(history[0][0] for history in bought.values())
    names = ["silence", "orders", "tenure", "rate", "last_order", "spent", "silent_share"]
    found = []
    for week in range(*WEEKS):
        now = first + 7 * week
        for customer in sorted(bought):
            history = [order for order in bought[customer] if order[0] < now]
            if history:
                y = any(now <= day < now + 7 for day, _ in bought[customer])
                known_s = (now + 7 - first) * DAY_S
                found.append(Example(known_s, customer, _buyer(history, now), y))
    return names, found


def _buyer(history: Sequence[tuple[int, float]], now: int) -> list[float]:
    orders = len(history)
    silence, tenure = (now - history[-1][0]) / 7, (now - history[0][0]) / 7
    return [
        log1p(silence) - 1.5,
        log1p(orders) - 1.0,
        log1p(tenure) - 2.5,
        log(orders / (tenure + 4.0)) + 2.0,
        log1p(history[-1][1]) / 4.0 - 0.8,
        log1p(sum(dollars for _, dollars in history)) / 5.0 - 0.8,
        silence / max(tenure, 1.0),
    ]


def ratings_of_people(fetch: Fetch, buckets: int) -> list[Example]:
    """ML-100k: four stars or more? Person, film, their kinds and pairs of these, hashed: `x` has
    the places of the features that are there, for `Signs`."""
    films = {row["item_id:token"]: row["class:token_seq"].split() for row in _table(fetch, ITEMS)}
    people = {row["user_id:token"]: row for row in _table(fetch, USERS)}
    found = []
    for row in _table(fetch, RATINGS):
        person, film = row["user_id:token"], row["item_id:token"]
        about = people[person]
        gender, age = about["gender:token"], int(about["age:token"]) // 10
        signs = [f"u{person}", f"i{film}", f"o{about['occupation:token']}", gender, f"a{age}"]
        signs += [sign for kind in films[film] for sign in (f"k{kind}", f"k{kind}{gender}")]
        x = sorted({crc32(sign.encode()) % buckets for sign in signs})
        liked = float(row["rating:float"]) >= LIKED
        found.append(Example(float(row["timestamp:float"]), person, x, liked))
    found.sort(key=lambda example: (example.known_s, example.person))
    return found


def _table(fetch: Fetch, source: Source) -> Iterator[dict[str, str]]:
    with fetch.file(source).open(encoding="utf-8", errors="replace", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def fast_auc(scores: np.ndarray, labels: np.ndarray, at: Indices | None = None) -> float:
    """The exact AUC, ties half; of the cases at these places, with repetitions."""
    weights = np.ones(len(scores)) if at is None else np.bincount(at, minlength=len(scores))
    order = np.argsort(scores, kind="stable")
    sorted_scores, sorted_labels = scores[order], labels[order]
    positive = weights[order] * sorted_labels
    negative = weights[order] * ~sorted_labels
    starts = np.flatnonzero(np.r_[True, sorted_scores[1:] != sorted_scores[:-1]])
    positives, negatives = np.add.reduceat(positive, starts), np.add.reduceat(negative, starts)
    below = np.cumsum(negatives) - negatives
    pairs = positives.sum() * negatives.sum()
    return float((positives * (below + 0.5 * negatives)).sum() / pairs) if pairs else 0.5
