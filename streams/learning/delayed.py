"""Labels that come late: P(something happens within a delay), learned as each delay is over.

A prediction is kept with the features it was made on. Its horizon is cut into stages (within an
hour, a day, ...); each stage is one example of a discrete-time hazard, "does it happen in this
stage, not having happened before?", and is learned once, as soon as the log's time has passed its
end: a negative by time-out after an hour and not after a week. A positive waits for the end of its
stage too, and ends the prediction there: learned at once, the positives of the first days would
stand alone. What is heard of late, when its stage has counted as silent, is a correction: the
positive is learned after all, and counted. Whoever leaves is censored: stages that were over count,
the others say nothing. So neither fresh negatives nor waiting bias the probability.

Judged at the end of the horizon whatever happened, for the same reason.
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
WARM: Final = 200  # examples before predictions are judged: earlier ones say nothing of the model
NOT_YET: Final = -1
WHOLE: Final = 65_535  # a probability kept in 16 bits


class Awaited(Struct, array_like=True, gc=False):
    """A prediction whose label has not come. `stage` ones are learned; when all are, or what
    happened is, it is kept for corrections only.

    `trial_*`: the prediction that is judged. It begins with one that is learned from and stays open
    for its whole horizon, while others may follow that one.
    """

    made_s: int
    features: bytes
    stage: int = 0
    happened_in: int = NOT_YET  # a stage
    trial_s: int = 0  # 0: none
    trial_given: int = 0  # probability of the whole horizon, of WHOLE
    trial_bucket: int = 0
    trial_happened: bool = False


class Answer(NamedTuple):
    """What became of a prediction of the whole horizon."""

    given: float
    happened: bool
    bucket: int  # as it was told


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

    def await_(
        self, x: Sequence[float], now_ms: int, *, bucket: int = 0, before: Awaited | None = None
    ) -> Awaited:
        """Put a prediction on record, in place of the one `before`. Learns nothing."""
        made = Awaited(now_ms // 1000, pack(x))
        self.progress.made += 1
        self.progress.made_ms = max(self.progress.made_ms, now_ms)
        self._told = True
        if before is not None and before.trial_s:
            made.trial_s, made.trial_given = before.trial_s, before.trial_given
            made.trial_bucket, made.trial_happened = before.trial_bucket, before.trial_happened
        elif self.logistic.examples + self.logistic.absorbed >= WARM:
            made.trial_s, made.trial_bucket = made.made_s, bucket
            made.trial_given = round(self.probability(unpack(made.features)) * WHOLE)
        return made

    def passed(self, awaited: Awaited, now_ms: int) -> None:
        """Time went on: stages that are over are learned, and the trial is judged at its end."""
        made_ms, last = awaited.made_s * 1000, len(self.ends_ms)
        while awaited.stage < last:
            if now_ms < made_ms + self.ends_ms[awaited.stage] + GRACE_MS:
                break
            happened = awaited.stage == awaited.happened_in
            self._learn(awaited, awaited.stage, happened, now_ms)
            awaited.stage = last if happened else awaited.stage + 1
            self.progress.timed_out += awaited.stage == last and not happened
        if awaited.trial_s and now_ms >= awaited.trial_s * 1000 + self.ends_ms[-1] + GRACE_MS:
            self._judged(awaited)

    def is_past(self, awaited: Awaited, now_ms: int) -> bool:
        """Whether its horizon is over, whatever happened in it."""
        return now_ms >= awaited.made_s * 1000 + self.ends_ms[-1] + GRACE_MS

    def happened(self, awaited: Awaited, time_ms: int, now_ms: int) -> None:
        """It happened at `time_ms`, heard of at `now_ms`; only the first time counts."""
        if awaited.trial_s and 0 <= time_ms - awaited.trial_s * 1000 <= self.ends_ms[-1]:
            awaited.trial_happened = True
        delay_ms = time_ms - awaited.made_s * 1000
        if awaited.happened_in != NOT_YET or not 0 <= delay_ms <= self.ends_ms[-1]:
            return
        happened_in = next(i for i, end_ms in enumerate(self.ends_ms) if delay_ms <= end_ms)
        awaited.happened_in = happened_in
        progress, last = self.progress, len(self.ends_ms)
        progress.happened += 1
        self._told = True
        if happened_in < awaited.stage:
            self._learn(awaited, happened_in, True, now_ms)
            progress.corrected += 1
            progress.timed_out -= awaited.stage == last
            awaited.stage = last

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
        """Trials judged since the last call."""
        found, self._answers = self._answers, []
        return found

    def _judged(self, awaited: Awaited) -> None:
        given, happened = awaited.trial_given / WHOLE, awaited.trial_happened
        self.progress.validation.add(given, happened)
        self._answers.append(Answer(given, happened, awaited.trial_bucket))
        awaited.trial_s, awaited.trial_happened = 0, False
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
