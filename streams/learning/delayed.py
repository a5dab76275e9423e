"""Labels that come late: P(something happens within a delay), learned as each delay is over.

A prediction is kept with the features it was made on. Its horizon is cut into stages (within an
hour, a day, ...); each stage is one example of a discrete-time hazard, "does it happen in this
stage, not having happened before?", and is learned once, as soon as the log's time has passed its
end: a negative by time-out after an hour and not after a week. What happens ends the prediction
with a positive. What is heard of late, when its stage has counted as silent, is a correction: the
positive is learned after all, and counted. Whoever leaves is censored: stages that were over count,
the others say nothing. So neither fresh negatives nor waiting bias the probability.

Learned at once, but judged at the end of the horizon whatever happened: positives come early and
negatives late, so of those that came so far too many would be positive.
All stages share their weights, but for an intercept each and a second set of weights for the first
half of them: what speaks for "within the hour" may not speak for "next week", and still most does.
Source: Singer, Willett, It's about time: using discrete-time survival analysis (1993); Ktena et
al., Addressing delayed feedback for continuous training (RecSys 2019) for what goes wrong without.
"""

from collections.abc import Sequence
from math import isnan
from operator import mul
from typing import Final, NamedTuple

from msgspec import Struct, field

from streams.learning import rows
from streams.learning.logistic import LogisticDelta, OnlineLogistic, sigmoid
from streams.learning.validation import Validation

GRACE_MS: Final = 600_000  # labels may be on their way for so long after their stage
STEPS: Final = 16.0  # of a feature in one unit: kept as a whole number of 8 bits
MOST: Final = 127 / STEPS
SELDOM: Final = -3.0  # log-odds before anything is learned: what is waited for is seldom
WHOLE: Final = 65_535  # a probability kept in 16 bits


class Awaited(Struct, array_like=True, gc=False):
    """A prediction whose label has not come. `stage` ones are learned as silent; when all are, it
    is kept for corrections only."""

    made_s: int
    given: int  # probability of the whole horizon, of WHOLE
    features: bytes
    stage: int = 0
    happened: bool = False


class Answer(NamedTuple):
    """What became of a prediction of the whole horizon, and the features it was made on."""

    given: float
    happened: bool
    features: list[float]


class Progress(Struct, array_like=True):
    """What became of predictions; times of the log."""

    made: int = 0
    happened: int = 0
    timed_out: int = 0
    corrected: int = 0
    censored: int = 0
    made_ms: int = 0  # the last one
    learned_ms: int = 0
    validation: Validation = field(default_factory=Validation.empty)


class DelayedOutcome:
    """`ends_ms` of the stages, rising; `names` of the features, each about in [-8, 8]."""

    def __init__(self, names: Sequence[str], ends_ms: Sequence[int], *, rate: float = 0.1) -> None:
        self.names = tuple(names)
        self.ends_ms = tuple(ends_ms)
        self.progress = Progress()
        self.logistic = OnlineLogistic(rate=rate)
        size, stages = len(self.names), len(self.ends_ms)
        early = [f"early {name}" for name in self.names]
        stage = [f"stage {number}" for number in range(stages)]
        self.logistic.begin([*self.names, *early, *stage], [0.0] * (2 * size + stages))
        self.logistic.intercept = SELDOM
        self._learned = self._told = False
        self._answers: list[Answer] = []

    def probability(self, x: Sequence[float], stages: int | None = None) -> float:
        """P(it happens within the first `stages`); of the whole horizon where None."""
        weights, size = self.logistic.weights, len(self.names)
        late = self.logistic.intercept + sum(map(mul, weights, x))
        early = late + sum(map(mul, weights[size : 2 * size], x))
        count, silent = len(self.ends_ms), 1.0
        for stage, own in enumerate(weights[2 * size :][:stages]):
            silent *= 1.0 - sigmoid((early if stage < count / 2 else late) + own)
        return 1.0 - silent

    def await_(self, x: Sequence[float], now_ms: int) -> Awaited:
        """Put a prediction on record. Learns nothing."""
        packed = pack(x)
        self.progress.made += 1
        self.progress.made_ms = max(self.progress.made_ms, now_ms)
        self._told = True
        given = round(self.probability(unpack(packed)) * WHOLE)
        return Awaited(now_ms // 1000, given, packed)

    def passed(self, awaited: Awaited, now_ms: int) -> bool:
        """Time went on: stages that are over are learned as silent, and the prediction is judged
        when all are. Returns whether it is. Keep it for as long as a late positive shall correct
        it."""
        made_ms, last = awaited.made_s * 1000, len(self.ends_ms)
        over = now_ms >= made_ms + self.ends_ms[-1] + GRACE_MS
        if awaited.happened and over and awaited.stage < last:
            awaited.stage = last
            self._judged(awaited)
        while awaited.stage < last and not awaited.happened:
            if now_ms < made_ms + self.ends_ms[awaited.stage] + GRACE_MS:
                break
            self._learn(awaited, awaited.stage, False, now_ms)
            awaited.stage += 1
            if awaited.stage == last:
                self.progress.timed_out += 1
                self._judged(awaited)
        return awaited.stage == last

    def happened(self, awaited: Awaited, time_ms: int, now_ms: int) -> None:
        """It happened at `time_ms`, heard of at `now_ms`; only the first time counts."""
        delay_ms = time_ms - awaited.made_s * 1000
        if awaited.happened or not 0 <= delay_ms <= self.ends_ms[-1]:
            return
        happened_in = next(i for i, end_ms in enumerate(self.ends_ms) if delay_ms <= end_ms)
        for stage in range(awaited.stage, happened_in):
            self._learn(awaited, stage, False, now_ms)
        self._learn(awaited, happened_in, True, now_ms)
        awaited.happened = True
        progress = self.progress
        progress.happened += 1
        if happened_in < awaited.stage:
            progress.corrected += 1
        if awaited.stage == len(self.ends_ms):
            progress.timed_out -= 1
            progress.validation.correct(awaited.given / WHOLE, True)

    def censor(self) -> None:
        """A person with a prediction on record left: what is not over is not learned."""
        self.progress.censored += 1
        self._told = True

    def contributions(self, x: Sequence[float]) -> list[tuple[str, float, float]]:
        """(feature, value, contribution) to the log-odds of the first stage, with `intercept`."""
        weights, size = self.logistic.weights, len(self.names)
        found = [
            (name, value, (weight + early) * value)
            for name, value, weight, early in zip(
                self.names, x, weights[:size], weights[size : 2 * size], strict=True
            )
        ]
        return [*found, ("intercept", 1.0, self.logistic.intercept + weights[2 * size])]

    def share(self) -> LogisticDelta | None:
        """What was learned here since the last call; `logistic.begin_sharing()` comes first."""
        delta = self.logistic.share()
        self._learned = self._learned or delta is not None
        return delta

    def absorb(self, delta: LogisticDelta) -> None:
        """What another learner of the same outcome learned."""
        self.logistic.absorb(delta)
        self._learned = True

    def restore(self, weights: bytes) -> None:
        """Back to an earlier row of weights."""
        self.logistic.restore(weights)
        self._learned = True

    def metrics(self) -> dict[str, float]:
        progress = self.progress
        return {
            **progress.validation.metrics(),
            "examples": float(self.logistic.examples),
            "pending": float(max(self._pending(), 0)),
            "timed_out": float(progress.timed_out),
            "corrected": float(progress.corrected),
            "censored": float(progress.censored),
            "staleness": max(progress.made_ms - progress.learned_ms, 0) / 86_400_000,
        }

    def changed_rows(self, prefix: bytes) -> list[tuple[bytes, bytes | None]]:
        found: list[tuple[bytes, bytes | None]] = []
        if self._told:
            found.append((prefix + b"progress", rows.pack(self.progress)))
        if self._learned:
            found.append((prefix + b"weights", self.logistic.to_row()))
        self._told = self._learned = False
        return found

    def load_row(self, name: bytes, row: bytes) -> None:
        """`name` is what stood behind the prefix. Raises ValueError."""
        if name == b"progress":
            self.progress = rows.unpack(row, Progress)
        elif name == b"weights":
            self.logistic.from_row(row)
        else:
            raise ValueError(f"no row {name!r} of a delayed outcome")

    def answers(self) -> list[Answer]:
        """Predictions judged since the last call, corrections apart."""
        found, self._answers = self._answers, []
        return found

    def _judged(self, awaited: Awaited) -> None:
        given, happened = awaited.given / WHOLE, awaited.happened
        self.progress.validation.add(given, happened)
        self._answers.append(Answer(given, happened, unpack(awaited.features)))
        self._told = True

    def _pending(self) -> int:
        progress = self.progress
        return progress.made - progress.happened - progress.timed_out - progress.censored

    def _learn(self, awaited: Awaited, stage: int, happened: bool, now_ms: int) -> None:
        self.logistic.learn(self._inputs(unpack(awaited.features), stage), happened)
        self.progress.learned_ms = max(self.progress.learned_ms, now_ms)
        self._told = self._learned = True

    def _inputs(self, x: Sequence[float], stage: int) -> list[float]:
        stages = len(self.ends_ms)
        early = x if stage < stages / 2 else [0.0] * len(x)
        return [*x, *early, *(1.0 if place == stage else 0.0 for place in range(stages))]


def pack(x: Sequence[float]) -> bytes:
    """Features in a byte each: steps of 1/16 within +-8; NaN is 0."""
    return bytes(
        (0 if isnan(value) else round(max(-MOST, min(MOST, value)) * STEPS)) & 255 for value in x
    )


def unpack(features: bytes) -> list[float]:
    return [(byte - 256 if byte > 127 else byte) / STEPS for byte in features]
