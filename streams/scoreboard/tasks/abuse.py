"""Abuse: planted rings, bursts, farms and machines among honest people, through the real engine in
four partitions; and what is unusual in real sensor data.

The engine's own verdict is measured: who is suspected, at the time of it. Peers get the same
claims, described by the same ten numbers at the same moment, and the threshold that hits 1 % of the
honest people of the very run: their best. A person counts once, by the highest score.
"""

import csv
import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
from river.anomaly import LODA, HalfSpaceTrees
from river.preprocessing import MinMaxScaler

from streams.engine.config import Config
from streams.engine.models.abuse import CLAIMED, AbuseModel
from streams.engine.models.abuse_features import NAMES, features
from streams.engine.models.abuse_state import Watched
from streams.evaluation.scores import auc
from streams.intake import Intake, partition_of
from streams.learning.abuse.anomaly import GridDensity
from streams.outputs import Outputs
from streams.replay import TRIAL_KEY, Replay
from streams.scoreboard.board import Indices, Score, interval
from streams.scoreboard.data import Fetch, Source
from streams.scoreboard.worlds.abuse import SOURCE, World, is_abusive, world

TASK: Final = "abuse"
SEEDS: Final = (11, 12, 13)  # limits and weights were set on worlds of other seeds
PARTITIONS: Final = 4
PEER_SHARE: Final = 0.01
PLANTED: Final = ("abuse:ring by device", "abuse:ring by address", "abuse:burst")
HOUR_MS: Final = 3_600_000
SHUTTLE: Final = Source(
    "river",
    "0.26.1",
    "river/datasets/shuttle.csv.gz",
    "1ed4bfa77233d95bff2c8ab2482725d2d800410daedf5919ad80ec6faf60ff59",
)


class Person(NamedTuple):
    """What came of a person in a world. `delay_ms`: from the first coupon to the suspicion, None:
    never; `claims`: taken before it; `peers`: highest scores of the peers."""

    kind: str
    group: str
    delay_ms: int | None
    claims: int
    velocity: float
    trees: float
    reason: str


class Watcher:
    """Feeds a world to an engine and looks at its people as they go."""

    def __init__(self, seed: int, planted: World, out: Path) -> None:
        config = Config(partitions=PARTITIONS, seed=f"abuse-{seed}")
        self._replay = Replay(config, key=TRIAL_KEY, outputs=Outputs(out))
        intake = Intake(key=TRIAL_KEY, tenant=config.tenant, partitions=PARTITIONS)
        self._world = planted
        self._alias = {native: intake.alias_of(native, SOURCE) for native in planted.kinds}
        self._trees: Any = HalfSpaceTrees(n_trees=25, height=8, window_size=250, seed=seed)
        self._claims = dict.fromkeys(planted.kinds, 0)
        self._velocity = dict.fromkeys(planted.kinds, 0.0)
        self._unusual = dict.fromkeys(planted.kinds, 0.0)
        self._met: dict[str, int] = {}  # native id -> first met
        self._found: dict[str, tuple[int, str]] = {}  # -> when suspected, and why

    def run(self) -> list[Person]:
        hour = 0
        for raw in self._world.events:
            event = orjson.loads(raw)
            who, now_ms = event["subject"], event["time_ms"]
            self._replay.feed((raw,))
            self._met.setdefault(who, now_ms)
            if event["type"] == CLAIMED:
                self._claimed(who, now_ms)
            if now_ms // HOUR_MS != hour:
                hour = now_ms // HOUR_MS
                for one in self._met:
                    self._look(one, now_ms)
        for one in self._met:
            self._look(one, self._replay.clock.now_ms)
        self._replay.close()
        return [self._person(one) for one in self._met]

    def _claimed(self, who: str, now_ms: int) -> None:
        """Peers score before they learn."""
        state = self._state(who)
        x = features(state.abuse or Watched(), state, now_ms)
        named = dict(zip(NAMES, x, strict=True))
        self._velocity[who] = max(self._velocity[who], x[NAMES.index("claims_day")])
        self._unusual[who] = max(self._unusual[who], self._trees.score_one(named))
        self._trees.learn_one(named)
        self._look(who, now_ms)
        self._claims[who] += who not in self._found

    def _look(self, who: str, now_ms: int) -> None:
        if who in self._found:
            return
        alias = self._alias[who]
        engine = self._replay.folds[partition_of(alias, PARTITIONS)].engine
        person = engine.store.get(alias)
        assert person is not None
        reason = engine.insight.model(AbuseModel).reason(person, now_ms)
        if reason:
            self._found[who] = (now_ms, reason)

    def _state(self, who: str) -> Any:
        alias = self._alias[who]
        person = self._replay.folds[partition_of(alias, PARTITIONS)].engine.store.get(alias)
        assert person is not None
        return person.state

    def _person(self, who: str) -> Person:
        found = self._found.get(who)
        delay_ms = None
        if found is not None:
            delay_ms = max(found[0] - self._world.first_ms.get(who, self._met[who]), 0)
        return Person(
            self._world.kinds[who],
            self._world.groups[who],
            delay_ms,
            self._claims[who],
            self._velocity[who],
            self._unusual[who],
            "" if found is None else found[1],
        )


def watched(seeds: Iterable[int], *, days: int = 8, scale: float = 1.0) -> list[Person]:
    """All people of the worlds with these seeds."""
    people: list[Person] = []
    for seed in seeds:
        with TemporaryDirectory() as folder:
            planted = world(seed, days=days, scale=scale)
            found = Watcher(seed, planted, Path(folder)).run()
        people += [one._replace(group=f"{seed}/{one.group}") for one in found]
    return people


def scores_of(people: Sequence[Person], data: str) -> list[Score]:
    """The lines of the board for one or more worlds' people."""
    honest = [one for one in people if not is_abusive(one.kind)]
    planted = [one for one in people if one.kind in PLANTED]
    abusive = [one for one in people if is_abusive(one.kind)]
    heavy = [one for one in honest if one.kind == "heavy buyer"]
    hit = _share(honest)
    found = [
        _line(data, "recall of rings and bursts", planted, 0.95, peers=_peers(planted, honest)),
        _line(data, "recall of all abuse", abusive, None, peers=_peers(abusive, honest)),
        _line(data, "honest people hit", honest, PEER_SHARE, better="lower"),
        _line(data, "honest heavy buyers hit", heavy, 0.0, better="lower"),
    ]
    delays = [one for one in planted if one.delay_ms is not None]
    minutes = np.array([(one.delay_ms or 0) / 60_000 for one in delays])
    low, high = interval(
        lambda places: float(np.median(minutes[places])), [one.group for one in delays]
    )
    taken = median(one.claims for one in planted)
    found.append(
        Score(
            task=TASK, data=data, metric="median minutes from first coupon to suspicion",
            ours=float(np.median(minutes)), low=low, high=high, better="lower", cases=len(delays),
            note=f"median {taken:g} coupons taken before it; {hit:.4f} of honest people hit",
        )
    )  # fmt: skip
    return found


def _line(
    data: str,
    metric: str,
    people: Sequence[Person],
    bar: float | None,
    *,
    better: Any = "higher",
    peers: dict[str, float] | None = None,
) -> Score:
    hits = np.array([one.delay_ms is not None for one in people], dtype=float)
    groups = [one.group for one in people]

    def mean(places: Indices) -> float:
        return float(hits[places].mean())

    low, high = interval(mean, groups)
    if low == high:  # all alike, and a bootstrap knows nothing else: so rare it may still be
        rare = 1.0 - 0.05 ** (1.0 / len(set(groups)))
        low, high = (low, rare) if high == 0.0 else (1.0 - rare, high)
    return Score(
        task=TASK, data=data, metric=metric, ours=float(hits.mean()), low=low, high=high,
        better=better, bar=bar, cases=len(people), peers=peers or {}, note=_by_kind(people),
    )  # fmt: skip


def _by_kind(people: Sequence[Person]) -> str:
    kinds = sorted({one.kind for one in people})
    parts = []
    for kind in kinds:
        of_kind = [one for one in people if one.kind == kind]
        parts.append(f"{kind.removeprefix('abuse:')} {_share(of_kind):.3f} of {len(of_kind)}")
    return "; ".join(parts)


def _share(people: Sequence[Person]) -> float:
    return sum(one.delay_ms is not None for one in people) / max(len(people), 1)


def _peers(positive: Sequence[Person], honest: Sequence[Person]) -> dict[str, float]:
    return {
        "one velocity rule (coupons a day)": _recall_at(
            [one.velocity for one in positive], [one.velocity for one in honest]
        ),
        "river HalfSpaceTrees": _recall_at(
            [one.trees for one in positive], [one.trees for one in honest]
        ),
    }


def _recall_at(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The share of positives above the score that so few negatives exceed."""
    ordered = sorted(negative, reverse=True)
    threshold = ordered[int(PEER_SHARE * len(ordered))]
    return sum(score > threshold for score in positive) / max(len(positive), 1)


def shuttle(path: Path, most: int | None = None) -> list[Score]:
    """Statlog (Shuttle) in its own order: each row is scored, then learned."""
    with gzip.open(path, "rt", encoding="ascii", newline="") as file:
        reader = csv.reader(file)
        names = next(reader)[:-1]
        table = [([float(value) for value in row[:-1]], row[-1] == "1") for row in reader][:most]
    labels = [label for _, label in table]
    ours, detectors = GridDensity(), (HalfSpaceTrees(seed=1), LODA(seed=1))
    pipelines: list[tuple[Any, Any]] = [(MinMaxScaler(), detector) for detector in detectors]
    mine: list[float] = []
    peers: dict[str, list[float]] = {"river HalfSpaceTrees": [], "river LODA": []}
    for x, _ in table:
        named: dict[Any, Any] = dict(zip(names, x, strict=True))
        mine.append(ours.score_one(named))
        ours.learn_one(named)
        for (scaler, peer), said in zip(pipelines, peers.values(), strict=True):
            scaler.learn_one(named)
            scaled = scaler.transform_one(named)
            said.append(peer.score_one(scaled))
            peer.learn_one(scaled)
    low, high = _auc_interval(mine, labels)
    return [
        Score(
            task=TASK, data="Shuttle, 49 097 rows", metric="AUC of what is unusual",
            ours=auc(mine, labels), low=low, high=high, bar=0.985, cases=len(labels),
            peers={name: auc(said, labels) for name, said in peers.items()},
            note="how the learner squeezes features was chosen on this data, without its labels "
            "in the learning; peers with an online MinMaxScaler",
        )
    ]  # fmt: skip


def _auc_interval(scores: Sequence[float], labels: Sequence[bool]) -> tuple[float, float]:
    """Blocks of 200 rows are drawn, for neighbours are alike."""
    said, truth = np.array(scores), np.array(labels)

    def statistic(places: Indices) -> float:
        return auc(said[places].tolist(), truth[places].tolist())

    return interval(statistic, [place // 200 for place in range(len(labels))], resamples=50)


def run(fetch: Fetch) -> list[Score]:
    data = f"planted in {len(SEEDS)} shops of 8 days, {PARTITIONS} partitions"
    return [*scores_of(watched(SEEDS), data), *shuttle(fetch.file(SHUTTLE))]
