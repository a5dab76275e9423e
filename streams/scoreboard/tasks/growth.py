"""Growth: conversion of the invited and the viral coefficient, on a planted invitation graph.

People join from outside and by invitation. How many each brings, and how likely those are to order,
is drawn, so the truth is known. An invitation's outcome is learned 14 days after it was made, and
its probability is asked when it was made.
"""

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from math import expm1
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.evaluation.scores import auc, calibration_error, log_loss
from streams.learning.growth.conversion import InviteConversion
from streams.learning.growth.generations import WINDOW_DAYS, Generations, last_closed
from streams.learning.logistic import sigmoid
from streams.scoreboard.board import Indices, Score, interval
from streams.scoreboard.data import Fetch

DATA = "planted invitations"
DAYS = 160
ARRIVALS = 40  # from outside, a day
BROUGHT = 0.9  # people by one person, ever; a few bring many
EVENNESS = 0.15  # shape of the gamma distribution of how many
PACE_DAYS = 30.0  # mean time from joining to bringing somebody
COEFFICIENT = BROUGHT * -expm1(-WINDOW_DAYS / PACE_DAYS)  # within the window
CHANNELS = ((0.5, -0.4), (0.3, -1.4), (0.2, -2.2))  # share of invitations, log-odds of ordering
SPREAD = 1.0  # of inviters' log-odds
WARM_DAYS = 30  # the first invitations are learned and not judged
INVITE, SETTLE = 0, 1
COUNTED_DAYS = 28
RESAMPLES = 100
LEAST = 0.01  # of a peer's probability, or a single surprise would be infinitely bad


Values = NDArray[np.float64]


class Invited(NamedTuple):
    """One judged invitation."""

    truth: float
    converted: bool
    inviter: int
    ours: float
    raw: float  # the inviter's own share so far, everybody's while there is none
    channel: float
    everybody: float


class Person(NamedTuple):
    joined: float  # days
    invited: bool
    brings: int  # people, within the window
    effect: float  # on the log-odds of whom they bring


class World:
    """The planted graph, and the learners told of it as it grows."""

    def __init__(self, seed: int, arrivals: int, days: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.days = days
        self.people: list[Person] = []
        self.model = InviteConversion(len(CHANNELS))
        self.generations = Generations()
        self.records: list[tuple[int, int]] = []  # of inviters: settled, succeeded
        self.judged: list[Invited] = []
        self._queue: list[tuple[float, int, int, tuple[float, ...]]] = []
        self._number = 0
        for day in range(days):
            for _ in range(arrivals):
                self.join(day + self.rng.random(), invited=False)

    def run(self) -> None:
        while self._queue:
            at, _, what, details = heappop(self._queue)
            if at >= self.days:
                return
            if what == INVITE:
                self._invite(at, int(details[0]), int(details[1]))
            else:
                self._settle(details)

    def join(self, at: float, *, invited: bool) -> None:
        """Somebody joins, and plans to bring others."""
        number = len(self.people)
        size = self.rng.poisson(self.rng.gamma(EVENNESS, BROUGHT / EVENNESS))
        after = self.rng.exponential(PACE_DAYS, size)
        brings = int((after < WINDOW_DAYS).sum())
        self.people.append(Person(at, invited, brings, self.rng.normal(0.0, SPREAD)))
        self.records.append((0, 0))
        if at < self.days:
            self.generations.joined(int(at))
        for wait in after:
            channel = self.rng.choice(len(CHANNELS), p=[share for share, _ in CHANNELS])
            self._put(at + wait, INVITE, (number, channel))

    def _invite(self, at: float, inviter: int, channel: int) -> None:
        person, (settled, succeeded) = self.people[inviter], self.records[inviter]
        truth = sigmoid(CHANNELS[channel][1] + person.effect)
        converted = bool(self.rng.random() < truth)
        model = self.model
        shares = sum(model.succeeded) + 1.0, sum(model.settled) + 2.0
        everybody = shares[0] / shares[1]
        of_channel = (model.succeeded[channel] + 1.0) / (model.settled[channel] + 2.0)
        raw = succeeded / settled if settled else everybody
        if at >= WARM_DAYS:
            self.judged.append(
                Invited(
                    truth,
                    converted,
                    inviter,
                    model.probability(channel, settled, succeeded),
                    min(max(raw, LEAST), 1.0 - LEAST),
                    of_channel,
                    everybody,
                )
            )
        self.generations.brought(int(person.joined), at - person.joined)
        self._put(at + WINDOW_DAYS, SETTLE, (inviter, channel, settled, succeeded, converted))
        self.join(at, invited=True)

    def _settle(self, details: tuple[float, ...]) -> None:
        inviter, channel, settled, succeeded, converted = map(int, details)
        self.model.learn(channel, settled, succeeded, bool(converted))
        settled, succeeded = self.records[inviter]
        self.records[inviter] = settled + 1, succeeded + converted

    def _put(self, at: float, what: int, details: tuple[float, ...]) -> None:
        self._number += 1  # so that ties have an order
        heappush(self._queue, (at, self._number, what, details))


def run(fetch: Fetch) -> list[Score]:
    return scores(World(1, ARRIVALS, DAYS))


def scores(world: World) -> list[Score]:
    world.run()
    cases = Cases(world.judged)
    return [*(_score(cases, *metric) for metric in METRICS), _coefficient(world)]


class Cases:
    """Judged invitations as columns, which are quicker to draw from."""

    def __init__(self, judged: Sequence[Invited]) -> None:
        table = np.array(judged, dtype=float)
        self.columns = {name: table[:, place] for place, name in enumerate(Invited._fields)}


def _score(
    cases: Cases,
    metric: str,
    better: str,
    bar: float | None,
    of: Callable[[Values, Values, Values], float],
) -> Score:
    def value(name: str, places: Indices | slice = slice(None)) -> float:
        columns = cases.columns
        return of(columns[name][places], columns["converted"][places], columns["truth"][places])

    inviters = cases.columns["inviter"].tolist()
    low, high = interval(lambda places: value("ours", places), inviters, resamples=RESAMPLES)
    return Score(
        task="growth",
        data=DATA,
        metric=metric,
        ours=value("ours"),
        low=low,
        high=high,
        better="higher" if better == "higher" else "lower",
        bar=bar,
        cases=len(inviters),
        peers={
            "inviter's raw ratio": value("raw"),
            "channel mean": value("channel"),
            "global mean": value("everybody"),
        },
    )


def _coefficient(world: World) -> Score:
    """Of the joining days whose window is over, against what was planted."""
    today, generations = world.days - 1, world.generations
    last = last_closed(today)
    counted = [one for one in world.people if last - COUNTED_DAYS < int(one.joined) <= last]
    low, high = interval(
        lambda places: float(np.mean([counted[place].brings for place in places])),
        range(len(counted)),
        resamples=RESAMPLES,
    )
    young = [one for one in generations.days if one.day > today - COUNTED_DAYS]
    peers = {
        "invited / joined": sum(one.invited for one in counted) / max(len(counted), 1),
        "latest 28 days": sum(one.brought for one in young) / sum(one.newcomers for one in young),
    }
    return Score(
        task="growth",
        data=DATA,
        metric="viral coefficient / planted",
        ours=generations.coefficient(today, COUNTED_DAYS) / COEFFICIENT,
        low=low / COEFFICIENT,
        high=high / COEFFICIENT,
        better="within",
        bar=0.9,
        bar_high=1.1,
        cases=len(counted),
        peers={name: value / COEFFICIENT for name, value in peers.items()},
    )


def _log_loss(given: Values, converted: Values, truth: Values) -> float:
    return log_loss(given.tolist(), converted.astype(bool).tolist())


def _calibration(given: Values, converted: Values, truth: Values) -> float:
    return calibration_error(given.tolist(), converted.astype(bool).tolist())


def _auc(given: Values, converted: Values, truth: Values) -> float:
    return auc(given.tolist(), converted.astype(bool).tolist())


def _rank_correlation(given: Values, converted: Values, truth: Values) -> float:
    """Spearman's, ties in the middle."""
    first, second = _ranks(given), _ranks(truth)
    spread = float(first.std() * second.std())
    if spread == 0.0:
        return 0.0
    return float(((first - first.mean()) * (second - second.mean())).mean() / spread)


def _ranks(values: Values) -> Values:
    ordered = np.sort(values)
    left, right = (
        np.searchsorted(ordered, values, "left"),
        np.searchsorted(ordered, values, "right"),
    )
    found: Values = (left + right) / 2.0
    return found


METRICS = (
    ("log-loss", "lower", None, _log_loss),
    ("calibration error", "lower", 0.03, _calibration),
    ("AUC", "higher", None, _auc),
    ("rank correlation with the truth", "higher", None, _rank_correlation),
)
