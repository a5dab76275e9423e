"""Segments: on CDNOW's real orders and on the simulator's people, through the engine.

Everybody is checked once a day, as the engine does. CDNOW's first 39 weeks are lived through in one
pass; then the clusters are compared with k-means that has everything at hand, quintiles with exact
ones, and segments with what people bought in the 39 weeks after.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from math import log1p
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from river.cluster import KMeans
from river.stats import Quantile

from streams.evaluation.clustering import standardised
from streams.learning.segments.clusters import OnlineClusters
from streams.learning.segments.rfm import (
    CODES,
    QUINTILES,
    History,
    Ranks,
    Rules,
    ValueSegments,
)
from streams.scoreboard.board import Indices, Score, interval
from streams.scoreboard.data import Fetch, Source
from streams.scoreboard.tasks import segments_simulated as simulated

CDNOW = Source(
    "Lifetimes",
    "0.11.3",
    "lifetimes/datasets/CDNOW_sample.txt",
    "6fae10155c0b0ba363c2c386e30f77990d22328220efd862a5edd1443420d94a",
)
FIRST_DAY = date(1997, 1, 1).toordinal()
DAYS = 273  # 39 weeks; as many again are held out
WARM_DAYS = 28  # changes of label are counted from then on
CLUSTERS = 6
RIVER_EVERY = 7  # days: river's k-means learns everybody that often, to be done in time
THRESHOLDS = tuple(place / QUINTILES for place in range(1, QUINTILES))

Orders = Mapping[str, Sequence[tuple[int, float]]]  # of a customer: day and amount, in order


class Lived(NamedTuple):
    """Customers at the end of the first part."""

    customers: list[str]
    histories: list[History]
    segments: list[int]
    clusters: list[int]
    nearest: list[int]  # clusters without regard to what they were before
    ranks: list[Ranks]
    days: list[int]  # by customer: how many checks counted, and changes of labels at them
    changes: list[int]
    cluster_changes: list[int]
    river: list[int]
    river_scores: list[tuple[int, int, int]]


def run(fetch: Fetch) -> list[Score]:
    orders = read(fetch.file(CDNOW).read_text("ascii"))
    return [*scores(orders, f"CDNOW, {len(orders)} customers, 39 weeks"), *simulated.scores()]


def read(text: str) -> Orders:
    """Lines of `id id_in_sample yyyymmdd quantity amount`."""
    found: dict[str, list[tuple[int, float]]] = {}
    for line in text.splitlines():
        _, customer, day, _, amount = line.split()
        when = date(int(day[:4]), int(day[4:6]), int(day[6:])).toordinal() - FIRST_DAY
        found.setdefault(customer, []).append((when, float(amount)))
    return {customer: sorted(found[customer]) for customer in sorted(found)}


def scores(orders: Orders, data: str, days: int = DAYS) -> list[Score]:
    lived = live(orders, days)
    return [
        _fit(lived, data),
        *_stability(lived, data),
        _agreement(lived, data),
        _value(lived, orders, days, data),
    ]


# The first part, lived through.


class Customer:
    """One customer as the days go by."""

    def __init__(self, orders: Sequence[tuple[int, float]]) -> None:
        self.orders = orders
        self.count, self.spent, self.last = 0, 0.0, 0
        self.segment = self.cluster = -1
        self.high = self.days = self.changes = self.cluster_changes = 0

    def until(self, day: int) -> History | None:
        """None before the first order."""
        while self.count < len(self.orders) and self.orders[self.count][0] <= day:
            self.last, amount = self.orders[self.count]
            self.spent += amount
            self.count += 1
        if not self.count:
            return None
        silent = day - self.last
        return History(silent, self.count, self.spent, day - self.orders[0][0], silent)


def live(orders: Orders, days: int) -> Lived:
    values, clusters = ValueSegments(Rules()), OnlineClusters(CLUSTERS, batch=0)
    river: Any = KMeans(n_clusters=CLUSTERS, halflife=0.05, seed=1)
    clusters.begin(("recency", "frequency", "money"))
    marks = [[Quantile(q) for q in THRESHOLDS] for _ in range(3)]
    people = {name: Customer(one) for name, one in orders.items()}
    for day in range(days):
        for person in people.values():
            history = person.until(day)
            if history is not None:
                _check(person, history, values, clusters, counts=day >= WARM_DAYS)
                if day % RIVER_EVERY == 0:
                    _teach_river(river, marks, history)
        values.close()
        clusters.close()
    return _lived(people, days - 1, values, clusters, river, marks)


def _check(
    person: Customer,
    history: History,
    values: ValueSegments,
    clusters: OnlineClusters,
    *,
    counts: bool,
) -> None:
    values.observe(history)
    segment, person.high = values.segment(history, values.ranks(history), person.high)
    cluster = clusters.learn(_vector(history), person.cluster)
    if counts and person.segment >= 0:
        person.days += 1
        person.changes += segment != person.segment
        person.cluster_changes += cluster != person.cluster
    person.segment, person.cluster = segment, cluster


def _teach_river(river: Any, marks: list[list[Quantile]], history: History) -> None:
    river.learn_one(_named(history))
    for estimates, value in zip(marks, _rfm(history), strict=True):
        for estimate in estimates:
            estimate.update(value)


def _lived(
    people: Mapping[str, Customer],
    day: int,
    values: ValueSegments,
    clusters: OnlineClusters,
    river: Any,
    marks: list[list[Quantile]],
) -> Lived:
    bought = {name: history for name in people if (history := people[name].until(day)) is not None}
    ends = [[estimate.get() or 0.0 for estimate in estimates] for estimates in marks]
    return Lived(
        customers=list(bought),
        histories=list(bought.values()),
        segments=[people[name].segment for name in bought],
        clusters=[people[name].cluster for name in bought],
        nearest=[clusters.assign(_vector(history)) for history in bought.values()],
        ranks=[values.ranks(history) for history in bought.values()],
        days=[people[name].days for name in bought],
        changes=[people[name].changes for name in bought],
        cluster_changes=[people[name].cluster_changes for name in bought],
        river=[river.predict_one(_named(history)) for history in bought.values()],
        river_scores=[_river_scores(history, ends) for history in bought.values()],
    )


def _rfm(history: History) -> tuple[float, float, float]:
    """The best is the greatest."""
    return -history.recency_days, float(history.orders), history.spend_yuan


def _vector(history: History) -> list[float]:
    return [log1p(history.recency_days), log1p(history.orders), log1p(history.spend_yuan)]


def _named(history: History) -> dict[str, float]:
    return dict(zip("rfm", _vector(history), strict=True))


def _river_scores(history: History, ends: list[list[float]]) -> tuple[int, int, int]:
    r, f, m = (
        1 + sum(value > end for end in row) for value, row in zip(_rfm(history), ends, strict=True)
    )
    return r, f, m


# What is measured.


def _fit(lived: Lived, data: str) -> Score:
    points = standardised(np.array([_vector(history) for history in lived.histories]))
    served, nearest = np.array(lived.clusters), np.array(lived.nearest)
    picture = simulated.Picture(lived.customers, points, served, nearest)
    return simulated.fitted([picture], {"river KMeans": np.array(lived.river)}, data)


def _stability(lived: Lived, data: str) -> list[Score]:
    days = np.array(lived.days)
    return [
        simulated.churn("segments changed a day", np.array(lived.changes), days, data),
        simulated.churn("clusters changed a day", np.array(lived.cluster_changes), days, data),
    ]


def _agreement(lived: Lived, data: str) -> Score:
    """Scores that equal those of exact ranks on the last day."""
    exact = _exact_scores(lived.histories)
    ours = np.array([ranks.scores for ranks in lived.ranks])
    same = (ours == exact).mean(axis=1)
    low, high = interval(lambda places: float(same[places].mean()), range(len(same)))
    return Score(
        task="segments",
        data=data,
        metric="quintiles as exact ones",
        ours=float(same.mean()),
        low=low,
        high=high,
        cases=len(same),
        peers={"river Quantile (P2)": float((np.array(lived.river_scores) == exact).mean())},
        note="ties in the middle",
    )


def _exact_scores(histories: Sequence[History]) -> NDArray[np.int64]:
    columns = []
    for values in np.array([_rfm(history) for history in histories]).T:
        ordered = np.sort(values)
        below = np.searchsorted(ordered, values, "left")
        upto = np.searchsorted(ordered, values, "right")
        rank = (below + upto) / (2.0 * len(values))
        columns.append(np.minimum(1 + (QUINTILES * rank).astype(int), QUINTILES))
    return np.stack(columns, axis=1)


def _value(lived: Lived, orders: Orders, days: int, data: str) -> Score:
    """What champions spend in the second part, against everybody."""
    later = np.array(
        [sum(amount for day, amount in orders[name] if day >= days) for name in lived.customers]
    )
    champion = np.array([code == CODES.index("champions") for code in lived.segments])
    exact = np.array([min(row) >= 4 for row in _exact_scores(lived.histories)])

    def lift(chosen: NDArray[np.bool_], places: Indices) -> float:
        inside = chosen[places]
        if not inside.any() or not later[places].any():
            return 0.0
        return float(later[places][inside].mean() / later[places].mean())

    everybody = np.arange(len(later))
    low, high = interval(lambda places: lift(champion, places), lived.customers)
    means = {
        CODES[code]: round(float(later[np.array(lived.segments) == code].mean()), 1)
        for code in sorted(Counter(lived.segments))
    }
    return Score(
        task="segments",
        data=data,
        metric="later spend of champions / of all",
        ours=lift(champion, everybody),
        low=low,
        high=high,
        bar=1.5,
        cases=int(champion.sum()),
        peers={f"exact quintiles all 4 or 5 ({int(exact.sum())})": lift(exact, everybody)},
        note=", ".join(f"{name} {mean}" for name, mean in means.items()),
    )
