"""Churn of one partition's people: P(no activity within the horizon), learned online.

Soft churn is no activity event in (t, t + H]; hard churn is an unfollow. The model is a discrete-time
hazard: one example per person and day, "active in the coming 24 hours?", whose label is known a day
later, so weights are a day old and not H days. P(silent for H days) is the product of the daily
probabilities of silence on the features rolled forward without activity, which is exact: silence is the
only way to get there. The product is calibrated (Platt) and validated on matured pairs only: one pending
score per person at a time, which matures once t + H has passed, whichever way it went.
A person silent for longer than `watch_days` is lost: no longer scored once the pending score matured.
"""

from math import log
from struct import Struct as Layout

import msgspec
from msgspec import Struct

from streams.engine.config import DAY_MS, Churn
from streams.engine.models.calibration import Calibration
from streams.engine.models.churn_features import NAMES, START, Outlook
from streams.engine.models.presence import Presence
from streams.engine.models.logistic import OnlineLogistic, sigmoid
from streams.engine.models.validation import Validation
from streams.engine.profile.activity import Activity

WEIGHTS = b"m:churn/weights"
PRESENCE = b"m:churn/presence"
CALIBRATION = b"m:churn/calibration"
VALIDATION = b"m:churn/validation"
SLACK_MS = DAY_MS // 12  # a daily check may come this much late and still answer for its day
LAYOUT = Layout(f"<{len(NAMES)}f")
WARM = 200  # examples before scores are put on record for validation


class ChurnState(Struct, array_like=True):
    """Per person. `probability` is the last score, of `checked_ms` (0: not watched)."""

    checked_ms: int = 0
    probability: float = 0.0
    features: bytes = b""  # those of the check, until its day has passed
    pending_ms: int = 0  # 0: none
    pending_logit: float = 0.0
    pending_probability: float = 0.0
    pending_active: bool = False  # active since


class ChurnScore(Struct, frozen=True):
    """`probability` of no activity within `horizon_days`, calibrated; `active_today` of the coming day."""

    probability: float
    active_today: float
    at_ms: int
    horizon_days: int


class ChurnModel:
    def __init__(self, config: Churn) -> None:
        self._days = config.horizon_days
        self._horizon_ms = config.horizon_days * DAY_MS
        self._watch_ms = config.watch_days * DAY_MS
        self._daily = OnlineLogistic(rate=0.1, ridge=0.0, start=1.0)
        self._daily.widen(len(NAMES))
        self._daily.weights = list(START)
        self._presence = Presence()
        self._calibration = Calibration()
        self._validation = Validation.empty()
        self._matured_ms = 0
        self._changed: dict[bytes, None] = {}

    def check(self, activity: Activity, state: ChurnState, now_ms: int) -> ChurnScore | None:
        """The person's daily check. None: not watched any more, until active again."""
        self._learn(activity, state, now_ms)
        self._mature(activity, state, now_ms)
        if now_ms - activity.last_ms > self._watch_ms and not state.pending_ms:
            _forget(state, now_ms)
            return None
        outlook = Outlook(activity, self._presence, now_ms)
        logits = outlook.logits(self._daily.weights, self._daily.intercept, self._days)
        silent = 1.0
        for logit in logits:
            silent *= sigmoid(-logit)
        silent = min(max(silent, 1e-9), 1.0 - 1e-9)
        raw = log(silent / (1.0 - silent))
        probability = self._calibration.apply(raw)
        self._presence.learn(outlook.posterior)
        self._changed[PRESENCE] = None
        state.checked_ms = now_ms
        state.probability = probability
        state.features = LAYOUT.pack(*outlook.features())
        if not state.pending_ms and self._daily.examples >= WARM:
            state.pending_ms = now_ms
            state.pending_logit = raw
            state.pending_probability = probability
            state.pending_active = False
        return ChurnScore(probability, sigmoid(logits[0]), now_ms, self._days)

    def hard(self, state: ChurnState, now_ms: int) -> None:
        """The person ended the relation: the pending score has come true, and watching ends."""
        if state.pending_ms:
            self._answer(state, ended=True)
        _forget(state, now_ms)

    def explain(self, activity: Activity, now_ms: int) -> list[tuple[str, float, float]]:
        """(feature, value, contribution), largest first: log-odds of a silent coming day, in sum."""
        features = Outlook(activity, self._presence, now_ms).features()
        found = [
            (name, value, -weight * value)
            for name, value, weight in zip(NAMES, features, self._daily.weights, strict=True)
        ]
        found.append(("intercept", 1.0, -self._daily.intercept))
        found.sort(key=lambda part: (-abs(part[2]), part[0]))
        return found

    def metrics(self) -> dict[str, float]:
        """Of matured scores; `staleness_days` is how old a score is when it can be judged."""
        return {
            **self._validation.metrics(),
            "examples": float(self._daily.examples),
            "staleness": float(self._days),
        }

    def changed_rows(self) -> list[tuple[bytes, bytes]]:
        """Rows changed since the last call, each once."""
        rows = [(key, self._row(key)) for key in self._changed]
        self._changed.clear()
        return rows

    def load_row(self, key: bytes, value: bytes) -> None:
        if key == WEIGHTS:
            self._daily.from_row(value)
        elif key == CALIBRATION:
            self._calibration = msgspec.msgpack.decode(value, type=Calibration)
        elif key == VALIDATION:
            self._validation = msgspec.msgpack.decode(value, type=Validation)
        else:
            raise ValueError(f"no row of the churn model: {key!r}")

    def _row(self, key: bytes) -> bytes:
        if key == WEIGHTS:
            return self._daily.to_row()
        part = self._calibration if key == CALIBRATION else self._validation
        return msgspec.msgpack.encode(part)

    def _learn(self, activity: Activity, state: ChurnState, now_ms: int) -> None:
        """Yesterday's example: was the person active within a day of the check?"""
        checked = state.checked_ms
        if not state.features or now_ms - checked < DAY_MS:
            return
        answer = _active_within(checked, checked + DAY_MS, activity.last_ms)
        if answer is not None:
            self._daily.learn(LAYOUT.unpack(state.features), answer)
            self._changed[WEIGHTS] = None
        state.features = b""

    def _mature(self, activity: Activity, state: ChurnState, now_ms: int) -> None:
        if not state.pending_ms:
            return
        end_ms = state.pending_ms + self._horizon_ms
        answer = _active_within(state.pending_ms, end_ms, activity.last_ms)
        state.pending_active = state.pending_active or answer is True
        if now_ms < end_ms:
            return
        if state.pending_active or answer is not None:
            self._answer(state, ended=False)
        else:
            state.pending_ms = 0

    def _answer(self, state: ChurnState, *, ended: bool) -> None:
        silent = not state.pending_active
        self._validation.add(state.pending_probability, silent or ended)
        self._calibration.learn(state.pending_logit, silent=silent, ended=ended)
        self._changed[CALIBRATION] = None
        self._changed[VALIDATION] = None
        state.pending_ms = 0


def _active_within(from_ms: int, to_ms: int, last_ms: int) -> bool | None:
    """Whether there was activity in (from, to], as far as the latest one tells; None where it cannot."""
    if last_ms <= from_ms:
        return False
    return True if last_ms <= to_ms + SLACK_MS else None


def _forget(state: ChurnState, now_ms: int) -> None:
    """End the watch: the person is gone, as far as we know."""
    state.checked_ms = now_ms
    state.probability = 1.0
    state.features = b""
    state.pending_ms = 0
