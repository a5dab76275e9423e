"""Segments of the simulator's people, through the engine; and what both kinds of data measure."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.contract.insights import SegmentChanged
from streams.contract.policy import DAY_MS
from streams.contract.topics import INSIGHTS
from streams.engine.config import Config
from streams.engine.engine import Engine
from streams.engine.models.segments import SegmentModel, features_of
from streams.evaluation.clustering import batch_k_means, silhouettes, standardised
from streams.fold import Output
from streams.learning.segments.rfm import VALUES
from streams.outputs import Outputs
from streams.replay import TRIAL_KEY, Replay
from streams.scoreboard.board import Indices, Score, interval
from streams.simulation.run import START_MS, simulate

GIVEN_AWAY = 0.03  # of the silhouette of k-means with everything at hand
CHURN_BAR = 0.05  # of labels, a day
CLUSTERS = 6
USERS, DAYS, SETTLED_DAYS, SEED = 400, 40, 20, "board"
EVERY_DAYS = 5  # a picture of everybody, from the settled days on
LOST = "lost"

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]
Changes = dict[str, dict[str, list[SegmentChanged]]]  # by family and person, in order of time


class Picture(NamedTuple):
    """People at a moment, with standardised features."""

    people: list[str]
    points: Matrix
    served: Labels
    nearest: Labels


def scores(users: int = USERS, days: int = DAYS, settled: int = SETTLED_DAYS) -> list[Score]:
    data = f"simulated shop, {users} people, {days} days"
    with tempfile.TemporaryDirectory() as folder:
        events, out = Path(folder) / "events.ndjson", Path(folder) / "out"
        simulate(users, days, SEED, "ecommerce", events, Path(folder) / "truth.ndjson")
        changes: Changes = {"rfm": {}, "cluster": {}}

        def watch(output: Output) -> None:
            if output.topic == INSIGHTS and output.value is not None:
                found = msgspec.json.decode(output.value)
                if found["insight"] == "segment":
                    one = msgspec.convert(found, SegmentChanged)
                    changes[one.family].setdefault(one.user_id, []).append(one)

        config = Config(partitions=1)
        replay = Replay(config, key=TRIAL_KEY, outputs=Outputs(out, watch=watch))
        pictures = []
        for day, chunk in enumerate(_days(events.read_bytes().splitlines())):
            replay.feed(chunk)
            if day >= settled and (day - settled) % EVERY_DAYS == 0:
                pictures.append(_picture(replay.folds[0].engine))
        replay.close()
    names = (("rfm", "segments"), ("value", "value segments"), ("cluster", "clusters"))
    changed = [_changed(changes, *name, days, settled, data) for name in names]
    return [fitted(pictures, {}, data), *changed]


def _picture(engine: Engine) -> Picture:
    """Everybody who is watched."""
    model, now_ms = engine.insight.model(SegmentModel), engine.ledger.clock.now_ms
    people, vectors, served = [], [], []
    for user_id in engine.store:
        person = engine.store.get(user_id)
        if person is not None and person.state.check_ms and model.cluster_of(person.state) >= 0:
            people.append(user_id)
            vectors.append(features_of(person.state, now_ms))
            served.append(model.cluster_of(person.state))
    nearest = [model.nearest(vector) for vector in vectors]
    return Picture(people, standardised(np.array(vectors)), np.array(served), np.array(nearest))


class _Arrived(msgspec.Struct):
    ingest_ms: int = 0


def _days(lines: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Lines by the day they came on; one that is no event came with the one before it."""
    decoder, chunk, today = msgspec.json.Decoder(_Arrived), list[bytes](), 0
    for line in lines:
        try:
            day = decoder.decode(line).ingest_ms // DAY_MS
        except (msgspec.DecodeError, UnicodeDecodeError):
            day = today
        if day > today and chunk:
            yield chunk
            chunk = []
        today = max(today, day)
        chunk.append(line)
    yield chunk


def _changed(changes: Changes, family: str, name: str, days: int, settled: int, data: str) -> Score:
    """Per person the days with a label, and the changes, from `settled` days on. Who is lost is not
    watched, so those days do not count. Of value segments: without first orders, getting lost and
    coming back, which are facts and no flapping."""
    watched, changed = [], []
    codes = [segment.code for segment in VALUES]
    for of in changes["cluster" if family == "cluster" else "rfm"].values():
        days_with, moves = 0.0, 0
        ends = [*(_day(one) for one in of[1:]), float(days)]
        for one, end in zip(of, ends, strict=True):
            among = one.left in codes and one.entered in codes
            if one.entered in codes if family == "value" else one.entered != LOST:
                days_with += max(end - max(_day(one), settled), 0.0)
            if one.left and _day(one) >= settled and (among or family != "value"):
                moves += 1
        watched.append(round(days_with))
        changed.append(moves)
    return churn(f"{name} changed a day", np.array(changed), np.array(watched), data)


def _day(change: SegmentChanged) -> float:
    return (change.at_ms - START_MS) / DAY_MS


def fitted(pictures: Sequence[Picture], peers: dict[str, Labels], data: str) -> Score:
    """Of the clusters served, beside those one would be in without regard to earlier ones.
    `peers`: other labels for the people of the last picture."""
    each = np.concatenate([silhouettes(one.points, one.served) for one in pictures])
    people = [person for one in pictures for person in one.people]
    low, high = interval(lambda places: float(each[places].mean()), people)
    batch = [silhouettes(one.points, batch_k_means(one.points, CLUSTERS)) for one in pictures]
    nearest = [silhouettes(one.points, one.nearest) for one in pictures]
    found = {"batch k-means": float(np.concatenate(batch).mean())}
    for name, labels in peers.items():
        found[name] = float(silhouettes(pictures[-1].points, labels).mean())
    return Score(
        task="segments",
        data=data,
        metric="silhouette of clusters",
        ours=float(each.mean()),
        low=low,
        high=high,
        bar=found["batch k-means"] - GIVEN_AWAY,
        cases=len(each),
        peers=found,
        note=f"without regard to earlier clusters {np.concatenate(nearest).mean():.3f}",
    )


def churn(metric: str, changes: NDArray[np.int64], days: NDArray[np.int64], data: str) -> Score:
    """The share of labels that changed, by person and day."""

    def share(places: Indices) -> float:
        return float(changes[places].sum() / max(days[places].sum(), 1))

    everybody = np.arange(len(days))
    low, high = interval(share, range(len(days)))
    return Score(
        task="segments",
        data=data,
        metric=metric,
        ours=share(everybody),
        low=low,
        high=high,
        better="lower",
        bar=CHURN_BAR,
        cases=int(days.sum()),
    )
