"""A small crowd with known visit rates, and the daily checks of a churn model over it."""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from streams.engine.config import Churn
from streams.engine.models.churn import ChurnModel, ChurnState
from streams.engine.profile.activity import DAY_MS, Activity

START_MS = 1_790_784_000_000
RATES = (0.15, 0.4, 0.9)  # days with a visit, per day
HAZARD = 0.02


class Person(NamedTuple):
    activity: Activity
    state: ChurnState
    visits: list[int]  # times of all visits, those to come included
    rate: float


class Pair(NamedTuple):
    probability: float
    churned: bool
    silence_days: float
    day: int


def crowd(size: int, days: int, seed: int) -> list[Person]:
    random = Random(seed)
    people = []
    for number in range(size):
        rate = RATES[number % 3]
        visits = [START_MS]
        for day in range(1, days):
            if random.random() < HAZARD:
                break
            if random.random() < rate:
                visits.append(START_MS + day * DAY_MS + random.randrange(-DAY_MS // 3, 0))
        people.append(Person(Activity(), ChurnState(), visits, rate))
    return people


def live(model: ChurnModel, people: list[Person], from_day: int, to_day: int) -> Iterator[Pair]:
    """Check everyone once a day; yields scores whose horizon ends within the crowd's days."""
    horizon_ms = Churn().horizon_days * DAY_MS
    for day in range(from_day, to_day):
        for number, person in enumerate(people):
            now_ms = START_MS + day * DAY_MS + number
            before_ms = now_ms - DAY_MS
            for time_ms in person.visits:
                if before_ms < time_ms <= now_ms:
                    person.activity.record("page.viewed", time_ms)
            if not person.activity.last_ms:
                continue
            score = model.check(person.activity, person.state, now_ms)
            if score is not None:
                to_come = [t for t in person.visits if now_ms < t <= now_ms + horizon_ms]
                silence = (now_ms - person.activity.last_ms) / DAY_MS
                yield Pair(score.probability, not to_come, silence, day)


def rank_auc(scores: list[float], labels: list[bool]) -> float:
    """The exact AUC: the share of (positive, negative) pairs in order, ties counting half."""
    won = pairs = 0.0
    for score, label in zip(scores, labels, strict=True):
        if label:
            for other, negative in zip(scores, labels, strict=True):
                if not negative:
                    pairs += 1.0
                    won += 1.0 if score > other else 0.5 if score == other else 0.0
    return won / pairs
