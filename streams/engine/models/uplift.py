"""Whom a journey changes: the effect of its message on reaching its goal, for each person.

Learned from decisions once their results are known: the features they were made with, whether the
person was to get something or was held out, and the probability that was drawn with. Who was drawn
for a message and then refused it by a gate counts as treated, as in reports. Journeys apart; those
that have learned nothing for the longest make room for new ones.

Results are seldom, so partitions tell each other the results themselves, and each learns from all.
Where there are more than `MOST_TOLD` between two letters a partition's own are plenty, and the rest
is not told.

Nobody should be chosen by estimates that are not better than chance: `estimate` gives them only
while the learner's own check holds (learning/uplift.py).
"""

from collections.abc import Sequence
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta, Struct

from streams.contract.journeys import HOLD, NOTHING
from streams.engine.features import NAMES
from streams.engine.models.model import Body, Model, Surroundings
from streams.engine.state import Pending
from streams.learning import rows
from streams.learning.ridge import Estimate
from streams.learning.uplift import Uplift

PREFIX: Final = b"m:uplift/"
OWN: Final = PREFIX + b"/own"  # no journey's name begins so
MOST_JOURNEYS: Final = 32
MOST_TOLD: Final = 100  # results in one letter, and in one row until it is sent
MOST_VALUE: Final = 1e3  # of a feature that is told; they stay below 10
CLEAR: Final = 1.645  # standard deviations from 0 that make an effect one
LASTING: Final = 0.999  # the usual outcome follows about the last thousand results

PERSUADABLE: Final = "persuadable"
SURE_THING: Final = "sure_thing"
LOST_CAUSE: Final = "lost_cause"
SLEEPING_DOG: Final = "sleeping_dog"
SEGMENTS: Final = {  # Chinese and English
    PERSUADABLE: ("可打动", "persuadable"),
    SURE_THING: ("本来就会买", "sure thing"),
    LOST_CAUSE: ("难以打动", "lost cause"),
    SLEEPING_DOG: ("勿打扰", "sleeping dog"),
}


class Usual(Struct, array_like=True):
    """What results of a journey are like. Sums fade. `turn` orders journeys by their last one."""

    turn: int = 0
    weight: float = 0.0
    reached: float = 0.0
    treated: float = 0.0
    heard: int = 0  # results that other partitions told of

    def add(self, reached: bool, share: float) -> None:
        self.weight = LASTING * self.weight + 1.0
        self.reached = LASTING * self.reached + reached
        self.treated = LASTING * self.treated + share


class Result(Struct, array_like=True, frozen=True):
    """What came of one decision; `share` is the probability of treatment it was drawn with."""

    journey: str
    features: tuple[float, ...]
    treated: bool
    share: float
    reached: bool

    @property
    def teaches(self) -> bool:
        """Whether the person could have gone either way."""
        return 0.0 < self.share < 1.0 and len(self.features) == len(NAMES)


class Learned(Struct):
    results: Annotated[list[Result], Meta(max_length=MOST_TOLD)]

    def __post_init__(self) -> None:
        for result in self.results:
            if not result.journey or result.journey.startswith("/"):
                raise ValueError(f"{result.journey!r} is no journey")
            if not result.teaches or max(map(abs, result.features)) > MOST_VALUE:
                raise ValueError(f"a result of {result.journey} that teaches nothing")


class OwnRow(Struct, array_like=True):
    results: list[Result]


class JourneyRow(Struct, array_like=True):
    usual: Usual
    learner: bytes


class Known(NamedTuple):
    usual: Usual
    learner: Uplift


class UpliftModel(Model):
    NAME = "uplift"

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._known: dict[str, Known] = {}
        self._changed: dict[str, None] = {}
        self._turn = 0
        self._own: list[Result] = []  # not yet told to the other partitions
        self._own_changed = False

    def closed(self, pending: Pending, *, reached: bool) -> None:
        """A decision whose result is known now. Those everybody or nobody would have got something
        by teach nothing."""
        treated = pending.arm not in (HOLD, NOTHING)
        result = Result(pending.journey, pending.features, treated, pending.treating, reached)
        if not result.teaches:
            return
        self._learn(result)
        if self.around.partitions > 1 and len(self._own) < MOST_TOLD:
            self._own.append(result)
            self._own_changed = True

    def share(self) -> Body | None:
        if not self._own:
            return None
        told, self._own, self._own_changed = self._own, [], True
        return {"results": msgspec.to_builtins(told)}

    def read_delta(self, delta: Body) -> Learned:
        return msgspec.convert(delta, Learned)

    def absorb(self, delta: Learned, now_ms: int) -> None:
        for result in delta.results:
            self._learn(result).heard += 1

    def estimate(self, journey: str, features: Sequence[float]) -> Estimate | None:
        """How much likelier the journey's goal is with its message than without; None where that
        is not known, or known no better than by chance."""
        known = self._known.get(journey)
        if known is None or not known.learner.check.holds():
            return None
        return known.learner.predict(features)

    def segment(self, journey: str, features: Sequence[float]) -> str:
        """One of SEGMENTS; empty where the effect is not known."""
        effect = self.estimate(journey, features)
        if effect is None:
            return ""
        if effect.mean > CLEAR * effect.deviation:
            return PERSUADABLE
        if effect.mean < -CLEAR * effect.deviation:
            return SLEEPING_DOG
        usual, learner = self._known[journey]
        untreated = learner.untreated(features, usual.treated / usual.weight)
        return SURE_THING if untreated > usual.reached / usual.weight else LOST_CAUSE

    def explain(self, journey: str, features: Sequence[float]) -> dict[str, float]:
        """Contributions by feature that add up to the estimate, "" being everybody's; empty where
        there is none."""
        if self.estimate(journey, features) is None:
            return {}
        return self._known[journey].learner.explain(features)

    def changed_rows(self) -> list[tuple[bytes, bytes | None]]:
        found: list[tuple[bytes, bytes | None]] = []
        for journey in self._changed:
            known = self._known.get(journey)
            row = None
            if known is not None:
                row = rows.pack(JourneyRow(known.usual, known.learner.to_row()))
            found.append((PREFIX + journey.encode(), row))
        self._changed.clear()
        if self._own_changed:
            found.append((OWN, rows.pack(OwnRow(self._own))))
            self._own_changed = False
        return found

    def load_row(self, key: bytes, row: bytes) -> None:
        if key == OWN:
            self._own = rows.unpack(row, OwnRow).results
            return
        if not key.startswith(PREFIX):
            raise ValueError(f"the {self.NAME} model has no row {key!r}")
        state = rows.unpack(row, JourneyRow)
        known = Known(state.usual, Uplift(NAMES))
        known.learner.from_row(state.learner)
        self._known[key[len(PREFIX) :].decode()] = known
        self._turn = max(self._turn, state.usual.turn)

    def metrics(self) -> dict[str, float]:
        """`results` are this partition's own; `trusted` is how many journeys' estimates are better
        than chance; `gain` and `error` are of the one with most results, wherever they came from:
        the covariance of estimates and effects."""
        found = {"journeys": float(len(self._known)), "results": 0.0, "trusted": 0.0}
        gain = error = 0.0
        most = 0
        for name in sorted(self._known):
            usual, learner = self._known[name]
            found["results"] += learner.results - usual.heard
            found["trusted"] += learner.check.holds()
            if learner.results > most:
                most = learner.results
                gain, error = learner.check.mean(), learner.check.error()
        return {**found, "gain": gain, "error": error}

    def _learn(self, result: Result) -> Usual:
        known = self._of(result.journey)
        self._turn += 1
        known.usual.turn = self._turn
        known.usual.add(result.reached, result.share)
        known.learner.learn(result.features, result.treated, result.share, float(result.reached))
        self._changed[result.journey] = None
        return known.usual

    def _of(self, journey: str) -> Known:
        known = self._known.get(journey)
        if known is None:
            if len(self._known) >= MOST_JOURNEYS:
                oldest = min(self._known, key=lambda name: self._known[name].usual.turn)
                del self._known[oldest]
                self._changed[oldest] = None
            known = self._known[journey] = Known(Usual(), Uplift(NAMES))
        return known
