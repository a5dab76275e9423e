"""Churn of one partition's people: P(silent for H days, or ending the relation), learned online.

Soft churn is no activity event in (t, t + H]; hard churn is an unfollow. The model is a
discrete-time hazard: one example per person and day, "active in the coming 24 hours?", whose label
is known a day later, so the weights are a day old and not H days. P(silent for H days) is the
product of the daily probabilities of silence on features moved on without activity, which is
exact: silence is the only way there. A Bayesian model of visiting days (presence.py) makes the
first feature; logistic regression corrects it by what else is known of the person.
The product is calibrated and validated on matured pairs only: one pending score per person at a
time, which matures once t + H has passed, whichever way it went. A person silent for longer than
`watch_days` is lost: no longer watched once the pending score has matured.
Source: Singer, Willett, It's about time: using discrete-time survival analysis (1993).
"""

from bisect import bisect_left
from math import log
from struct import Struct as Layout
from typing import Any

import msgspec
from msgspec import Struct

from streams.contract.policy import DAY_MS
from streams.engine.config import Churn
from streams.engine.models.churn_features import NAMES, START, Outlook
from streams.engine.profile.activity import Activity
from streams.learning import rows
from streams.learning.calibration import Calibration, CalibrationDelta
from streams.learning.drift import Event
from streams.learning.guard import Guard
from streams.learning.hazard import Hazard
from streams.learning.logistic import LogisticDelta, sigmoid
from streams.learning.presence import MOST_DAYS, Presence
from streams.learning.validation import Validation

WEIGHTS = b"m:churn/weights"
PRESENCE = b"m:churn/presence"
CALIBRATION = b"m:churn/calibration"
VALIDATION = b"m:churn/validation"
GATE = b"m:churn/gate/"
SILENT_DAYS = (0.5, 1.5, 2.5, 4.5, 7.5, 14.5)  # ends of the buckets of the plain rule
SLACK_MS = DAY_MS // 12  # a daily check may come this much late and still answer for its day
WARM = 200  # examples before scores are put on record: earlier ones say nothing of the model
COMMON = ("intercept", "horizon", "calibration")  # in an explanation: the same for alike people
LEAST = 1e-12  # a probability that is explained is taken no closer to 0 or 1
LAYOUT = Layout(f"<{len(NAMES)}f")  # single precision: half the row, and far below the noise


class ChurnState(Struct, array_like=True, gc=False):
    """Per person. `probability` is the last score, of `checked_ms`; 1 for the lost and the left."""

    checked_ms: int = 0  # 0: never
    probability: float = 0.0
    features: bytes = b""  # those of the check, until its day has passed
    pending_ms: int = 0  # 0: none
    pending_logit: float = 0.0
    pending_probability: float = 0.0
    pending_active: bool = False  # active since
    pending_settled: bool = False  # the history was as long as the horizon: fit to calibrate by
    left_ms: int = 0  # when the person ended the relation; not watched until active after it
    pending_bucket: int = 0  # how long the person had been silent: what the plain rule goes by


class ChurnScore(Struct, frozen=True):
    """`probability` of churn within `horizon_days`; `active_today`: of the coming 24 hours."""

    probability: float
    active_today: float
    at_ms: int
    horizon_days: int


class _Population(Struct, array_like=True):
    """What changes with every check."""

    presence: Presence
    checked_ms: int = 0
    learned_ms: int = 0


class ChurnModel:
    """Raises ValueError for a horizon outside 1 to 90 days."""

    def __init__(self, config: Churn) -> None:
        if not 1 <= config.horizon_days <= MOST_DAYS:
            raise ValueError(
                f"churn.horizon_days is {config.horizon_days}, must be 1 to {MOST_DAYS}"
            )
        self._days = config.horizon_days
        self._horizon_ms = config.horizon_days * DAY_MS
        self._watch_ms = config.watch_days * DAY_MS
        self._daily = Hazard(rate=0.05, start=1.0)
        self._daily.begin(NAMES, START)
        self._population = _Population(Presence())
        self._calibration = Calibration()
        self._validation = Validation.empty()
        self._guard = Guard(len(SILENT_DAYS) + 1)
        self.moved: list[Event] = []  # where the gate moved to, until somebody tells of it
        self._changed: dict[bytes, None] = {}
        self._sharing = False

    def check(
        self, activity: Activity, state: ChurnState, now_ms: int, *, untouched: bool = True
    ) -> ChurnScore | None:
        """The person's daily check. None: not watched (any more), until active again.

        Not `untouched`: messages may change what comes of the score, so it calibrates nothing. Its
        days are learned all the same: how much the person was approached is among the features.
        """
        if activity.last_ms <= state.left_ms:
            return None
        self._learn(activity, state, now_ms)
        self._mature(activity, state, now_ms)
        if now_ms - activity.last_ms > self._watch_ms and not state.pending_ms:
            _end_watch(state, now_ms)
            return None
        population, daily = self._population, self._daily
        outlook = Outlook(activity, population.presence, now_ms)
        ahead = outlook.ahead(daily, self._days)
        probability = self._calibration.apply(ahead.silence)
        bucket = _bucket(activity, now_ms)
        settled = outlook.settled()
        if settled:
            population.presence.learn(outlook.posterior)
        population.checked_ms = max(population.checked_ms, now_ms)
        self._changed[PRESENCE] = None
        state.checked_ms = now_ms
        state.probability = self._guard.answer(probability, bucket)
        state.features = LAYOUT.pack(*ahead.features) if settled else b""
        if not state.pending_ms and daily.examples + daily.absorbed >= WARM:
            settled = untouched and now_ms - activity.first_ms >= self._horizon_ms
            self._put_on_record(state, ahead.silence, probability, settled=settled)
            state.pending_bucket = bucket
        return ChurnScore(state.probability, sigmoid(ahead.next), now_ms, self._days)

    def score(self, activity: Activity, state: ChurnState, now_ms: int) -> float:
        """P(churn within the horizon) as of now; of the last check for whom nothing is foreseen:
        newcomers before their first one, the lost and the left. Changes nothing."""
        checked = 0 < state.checked_ms < now_ms and activity.last_ms > state.left_ms
        if not checked or now_ms - activity.last_ms > self._watch_ms:
            return state.probability
        ahead = Outlook(activity, self._population.presence, now_ms).ahead(self._daily, self._days)
        probability = self._calibration.apply(ahead.silence)
        return self._guard.answer(probability, _bucket(activity, now_ms))

    def hard(self, state: ChurnState, now_ms: int) -> None:
        """The person ended the relation: the pending score has come true, and watching ends."""
        if state.pending_ms:
            self._answer(state, ended=True)
        _end_watch(state, now_ms)
        state.left_ms = now_ms

    def explain(self, activity: Activity, now_ms: int) -> list[tuple[str, float, float]]:
        """(feature, value, contribution), largest first; contributions are log-odds and sum up to
        those of the score. What is no feature of the person is under COMMON: the features and the
        intercept make a silent coming day, the days after it and the calibration the rest."""
        ahead = Outlook(activity, self._population.presence, now_ms).ahead(self._daily, self._days)
        found = [
            (name, value, -weight * value)
            for name, value, weight in zip(NAMES, ahead.features, self._daily.weights, strict=True)
        ]
        intercept = -self._daily.intercept
        day = sum(part for *_, part in found) + intercept
        probability = min(max(self._calibration.apply(ahead.silence), LEAST), 1.0 - LEAST)
        given = log(probability / (1.0 - probability))
        found.append(("intercept", 1.0, intercept))
        found.append(("horizon", float(self._days), ahead.silence - day))
        found.append(("calibration", probability, given - ahead.silence))
        found.sort(key=lambda part: (-abs(part[2]), part[0]))
        return found

    def begin_sharing(self) -> None:
        """What is learned from here on is for `share`: where there are several partitions."""
        self._sharing = True
        self._daily.begin_sharing()
        self._population.presence.begin_sharing()
        self._calibration.begin_sharing()

    def share(self) -> dict[str, Any] | None:
        """What was learned of these people since the last call, as JSON; None: nothing."""
        told = {
            WEIGHTS: self._daily.share(),
            PRESENCE: self._population.presence.share(),
            CALIBRATION: self._calibration.share(),
        }
        found = {key: delta for key, delta in told.items() if delta is not None}
        self._changed |= dict.fromkeys(found)
        return {key.decode(): msgspec.to_builtins(delta) for key, delta in found.items()} or None

    def absorb(self, told: dict[str, Any]) -> None:
        """What another partition learned. Raises msgspec.ValidationError for what is none."""
        for key in (WEIGHTS, PRESENCE, CALIBRATION):
            delta = told.get(key.decode())
            if delta is None:
                continue
            if key == WEIGHTS:
                self._daily.absorb(msgspec.convert(delta, LogisticDelta))
            elif key == PRESENCE:
                self._population.presence.absorb(msgspec.convert(delta, list[float]))
            else:
                self._calibration.absorb(msgspec.convert(delta, CalibrationDelta))
            self._changed[key] = None

    def metrics(self) -> dict[str, float]:
        """Of matured scores; `staleness`: days from the last example learned to the last check."""
        population = self._population
        return {
            **self._validation.metrics(),
            **self._guard.metrics(),
            "examples": float(self._daily.examples),
            "staleness": max(population.checked_ms - population.learned_ms, 0) / DAY_MS,
        }

    @property
    def validation(self) -> Validation:
        """The counts behind the metrics; those of several partitions merge."""
        return self._validation

    def changed_rows(self) -> list[tuple[bytes, bytes | None]]:
        """Rows changed since the last call, each once."""
        changed: list[tuple[bytes, bytes | None]] = [(key, self._row(key)) for key in self._changed]
        self._changed.clear()
        return changed + self._guard.changed_rows(GATE)

    def load_row(self, key: bytes, value: bytes) -> None:
        """Take over an earlier state. Raises ValueError for an unknown key or a newer schema."""
        if key.startswith(GATE):
            self._guard.load_row(key[len(GATE) :], value)
        elif key == WEIGHTS:
            self._daily.from_row(value)
        elif key == PRESENCE:
            self._population = rows.unpack(value, _Population)
        elif key == CALIBRATION:
            self._calibration = rows.unpack(value, Calibration)
        elif key == VALIDATION:
            self._validation = rows.unpack(value, Validation)
        else:
            raise ValueError(f"the churn model has no row {key!r}")
        if self._sharing:
            self.begin_sharing()  # for a row of before there was sharing

    def _row(self, key: bytes) -> bytes:
        if key == WEIGHTS:
            return self._daily.to_row()
        if key == PRESENCE:
            return rows.pack(self._population)
        return rows.pack(self._calibration if key == CALIBRATION else self._validation)

    def _learn(self, activity: Activity, state: ChurnState, now_ms: int) -> None:
        """Yesterday's example, on the features of yesterday."""
        checked_ms = state.checked_ms
        if not state.features or now_ms - checked_ms < DAY_MS:
            return
        active = _active_within(checked_ms, checked_ms + DAY_MS, activity.last_ms)
        if active is not None:
            self._daily.learn(LAYOUT.unpack(state.features), active)
            self._population.learned_ms = max(self._population.learned_ms, now_ms)
            self._changed[WEIGHTS] = self._changed[PRESENCE] = None
        state.features = b""

    def _mature(self, activity: Activity, state: ChurnState, now_ms: int) -> None:
        if not state.pending_ms:
            return
        end_ms = state.pending_ms + self._horizon_ms
        active = _active_within(state.pending_ms, end_ms, activity.last_ms)
        state.pending_active = state.pending_active or active is True
        if now_ms < end_ms:
            return
        if state.pending_active or active is not None:
            self._answer(state, ended=False)
        else:  # checks stood still, and what happened in time cannot be told: no pair
            state.pending_ms = 0

    def _answer(self, state: ChurnState, *, ended: bool) -> None:
        """The pending score met its answer."""
        silent = not state.pending_active
        self._validation.add(state.pending_probability, silent or ended)
        self._judge(state.pending_probability, silent or ended, state.pending_bucket)
        self._changed[VALIDATION] = None
        state.pending_ms = 0
        if state.pending_settled:
            if ended:
                self._calibration.end()
            else:
                self._calibration.learn(state.pending_logit, silent=silent)
            self._changed[CALIBRATION] = None

    def _judge(self, given: float, happened: bool, bucket: int) -> None:
        """Whether the model still holds; one that does not is set back, and the rule answers."""
        gate = self._guard.gate
        moved = self._guard.judge(given, happened, bucket)
        if moved is not None:
            self.moved.append(moved)
            if moved.after == "suspended" and gate.last_good is not None:
                self._daily.restore(gate.last_good)
                self._changed[WEIGHTS] = None
        self._guard.keep(self._daily.to_row)

    def _put_on_record(
        self, state: ChurnState, logit: float, probability: float, *, settled: bool
    ) -> None:
        state.pending_ms = state.checked_ms
        state.pending_logit = logit
        state.pending_probability = probability
        state.pending_active = False
        state.pending_settled = settled
        if settled:
            self._calibration.give()
            self._changed[CALIBRATION] = None


def _active_within(from_ms: int, to_ms: int, last_ms: int) -> bool | None:
    """Whether there was activity in (from, to], by the latest one; None: that does not tell."""
    if last_ms <= from_ms:
        return False
    return True if last_ms <= to_ms + SLACK_MS else None


def _bucket(activity: Activity, now_ms: int) -> int:
    """How long the person has been silent, by SILENT_DAYS."""
    return bisect_left(SILENT_DAYS, max(now_ms - activity.last_ms, 0) / DAY_MS)


def _end_watch(state: ChurnState, now_ms: int) -> None:
    state.checked_ms = now_ms
    state.probability = 1.0
    state.features = b""
    state.pending_ms = 0
