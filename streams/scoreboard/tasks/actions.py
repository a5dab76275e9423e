"""Next action and purchase, on synthetic people: known labels, delays as they come.

No data set at hand has actions on WeChat, so these people are the simulator's: what is shown is how
well learners use what there is to know, not how predictable real people are. Events pass through
the real engine. Once a day it scores everybody, and what they order in the following seven days is
the label. Peers see the same features and deal with late labels in the two usual ways: wait for the
week to pass, or learn a no at once and a yes when it comes.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from math import log
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from river.linear_model import LogisticRegression
from river.optim import AdaGrad

from streams.contract.policy import DAY_MS
from streams.engine.engine import Engine
from streams.engine.models.doing import NAMES, TYPES
from streams.engine.models.purchase import NAMES as FEATURES
from streams.engine.models.purchase import PurchaseModel, features
from streams.evaluation.scores import auc, calibration_error, log_loss
from streams.learning.next_action import NextAction
from streams.outputs import Outputs
from streams.replay import TRIAL_KEY, Replay
from streams.scoreboard.board import Indices, Score, interval
from streams.scoreboard.data import Fetch
from streams.simulation.run import simulate
from streams.simulation.scenarios import SCENARIOS

USERS, DAYS, SEED = 500, 42, "board"
HORIZON_DAYS = 7
WARM_DAYS = 14  # scored from then on
DATA = f"simulated shop, {USERS} people, {DAYS} days"


class Scored(NamedTuple):
    """One person on one day."""

    person: str
    day: int
    orders: int
    ours: float
    x: dict[str, float]


class Act(NamedTuple):
    person: str
    time_ms: int
    action: int


def run(fetch: Fetch, *, users: int = USERS, days: int = DAYS) -> list[Score]:
    """Fetches nothing."""
    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder) / "events.ndjson"
        simulate(users, days, SEED, "ecommerce", events, Path(folder) / "truth.ndjson")
        lines = events.read_bytes().splitlines()
        found = list(_days(lines, Path(folder) / "out"))
    return [*next_action(list(_acts(lines))), *purchase(found)]


def next_action(acts: Sequence[Act]) -> list[Score]:
    """One pass over all actions in order of time; the first tenth is not judged."""
    model, chain = NextAction(NAMES), NextAction(NAMES)
    last: dict[str, tuple[int, int, int]] = {}
    people: list[str] = []
    losses: dict[str, list[float]] = {"ours": [], "markov": [], "frequency": []}
    hits: dict[str, list[bool]] = {"ours": [], "markov": [], "repeat": []}
    counts = [1.0] * len(NAMES)
    for place, act in enumerate(acts):
        before, latest, at_ms = last.get(act.person, (-1, -1, act.time_ms))
        gap_ms = act.time_ms - at_ms
        ours = model.probabilities(before, latest, gap_ms)
        markov = chain.probabilities(-1, latest, 0)
        if place >= len(acts) // 10 and latest >= 0:
            people.append(act.person)
            losses["ours"].append(-log(ours[act.action]))
            losses["markov"].append(-log(markov[act.action]))
            losses["frequency"].append(-log(counts[act.action] / sum(counts)))
            hits["ours"].append(ours[act.action] == max(ours))
            hits["markov"].append(markov[act.action] == max(markov))
            hits["repeat"].append(act.action == latest)
        model.learn(before, latest, gap_ms, act.action)
        chain.learn(-1, latest, 0, act.action)
        counts[act.action] += 1.0
        last[act.person] = (latest, act.action, act.time_ms)
    found = []
    for metric, cases, better in (("log-loss", losses, "lower"), ("accuracy", hits, "higher")):
        own = np.array(cases["ours"], dtype=float)
        low, high = interval(partial(_mean, own), people, resamples=400)
        found.append(
            Score(
                task="next action",
                data=DATA,
                metric=metric,
                ours=float(own.mean()),
                low=low,
                high=high,
                better="lower" if better == "lower" else "higher",
                cases=len(own),
                peers={
                    name: float(np.mean(values)) for name, values in cases.items() if name != "ours"
                },
            )
        )
    return found


def _mean(values: NDArray[np.float64], at: Indices) -> float:
    return float(values[at].mean())


def purchase(scored: Sequence[Scored]) -> list[Score]:
    """AUC, log-loss and calibration of the days whose week is over."""
    orders = {(case.person, case.day): case.orders for case in scored}
    known = [case for case in scored if (case.person, case.day + HORIZON_DAYS) in orders]
    labels = [orders[case.person, case.day + HORIZON_DAYS] > case.orders for case in known]
    judged = [place for place, case in enumerate(known) if case.day >= WARM_DAYS]
    peers = {
        "river, waits a week": _waiting(known, labels),
        "river, no at once": _at_once(known, orders),
        "days since the last order": [-case.x["order_recency"] for case in known],
    }
    truth = [labels[place] for place in judged]
    ours = [known[place].ours for place in judged]
    theirs = {name: [given[place] for place in judged] for name, given in peers.items()}
    people = [known[place].person for place in judged]

    def score(metric: str, measure: Callable[[Sequence[float], Sequence[bool]], float]) -> Score:
        def statistic(at: Indices) -> float:
            return measure([ours[i] for i in at], [truth[i] for i in at])

        low, high = interval(statistic, people, resamples=200)
        rule = metric == "AUC"  # a rule ranks and gives no probability
        return Score(
            task="purchase",
            data=DATA,
            metric=metric,
            ours=measure(ours, truth),
            low=low,
            high=high,
            better="higher" if rule else "lower",
            cases=len(truth),
            peers={
                name: measure(given, truth)
                for name, given in theirs.items()
                if rule or name.startswith("river")
            },
            note=f"{sum(truth)} of {len(truth)} person-days lead to an order within 7 days"
            if rule
            else "",
        )

    return [score("AUC", auc), score("log-loss", log_loss), score("ECE", calibration_error)]


def _waiting(known: Sequence[Scored], labels: Sequence[bool]) -> list[float]:
    """Learns each example when its week is over."""
    model = LogisticRegression(AdaGrad(0.1))
    given = [0.5] * len(known)
    by_day = [(day, list(group)) for day, group in groupby(range(len(known)), _day(known))]
    due: dict[int, list[int]] = {}
    for day, group in by_day:
        for place in due.pop(day, ()):
            model.learn_one(known[place].x, labels[place])
        for place in group:
            given[place] = model.predict_proba_one(known[place].x).get(True, 0.5)
            due.setdefault(day + HORIZON_DAYS, []).append(place)
    return given


def _at_once(known: Sequence[Scored], orders: dict[tuple[str, int], int]) -> list[float]:
    """Learns a no the same day and a yes on the first day an order is seen."""
    model = LogisticRegression(AdaGrad(0.1))
    given = [0.5] * len(known)
    waiting: list[Scored] = []
    for day, group in groupby(range(len(known)), _day(known)):
        still = []
        for case in waiting:
            now = orders.get((case.person, day), case.orders)
            if now > case.orders:
                model.learn_one(case.x, True)
            elif day < case.day + HORIZON_DAYS:
                still.append(case)
        waiting = still
        for place in group:
            given[place] = model.predict_proba_one(known[place].x).get(True, 0.5)
            model.learn_one(known[place].x, False)
            waiting.append(known[place])
    return given


def _day(known: Sequence[Scored]) -> Callable[[int], int]:
    return lambda place: known[place].day


def _days(lines: Sequence[bytes], out: Path) -> Iterator[Scored]:
    """Everybody's score at the end of each day, through the real engine with one partition."""
    config = msgspec.structs.replace(SCENARIOS["ecommerce"].config, partitions=1)
    replay = Replay(config, key=TRIAL_KEY, outputs=Outputs(out))
    first: int | None = None
    for day, group in groupby(lines, _DayOfArrival()):
        replay.feed(group)
        first = day if first is None else first
        yield from _scores(replay.folds[0].engine, day - first, (day + 1) * DAY_MS)
    replay.close()


def _scores(engine: Engine, day: int, now_ms: int) -> Iterator[Scored]:
    model = engine.insight.model(PurchaseModel)
    for user_id in sorted(engine.store):
        person = engine.store.get(user_id)
        assert person is not None
        state = person.state
        if state.check_ms:
            x = dict(zip(FEATURES, features(state, now_ms), strict=True))
            yield Scored(user_id, day, state.activity.orders, model.probability(state, now_ms), x)


class _Arrived(msgspec.Struct):
    ingest_ms: int = 0


class _DayOfArrival:
    """The day a line came on; a line that is no event came with the one before it."""

    def __init__(self) -> None:
        self._decoder = msgspec.json.Decoder(_Arrived)
        self._day = 0

    def __call__(self, line: bytes) -> int:
        try:
            self._day = max(self._day, self._decoder.decode(line).ingest_ms // DAY_MS)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._day
        return self._day


class _Event(msgspec.Struct):
    type: str = ""
    subject: str = ""
    time_ms: int = 0


def _acts(lines: Sequence[bytes]) -> Iterator[Act]:
    """What people did, in order of time; lines that are no events are passed over."""
    decoder = msgspec.json.Decoder(_Event)
    found = []
    for line in lines:
        try:
            event = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if event.type in TYPES:
            found.append(Act(event.subject, event.time_ms, TYPES[event.type]))
    return iter(sorted(found, key=lambda act: act.time_ms))
