"""The small job as a fold: another engine under the same runtime.

Rows: `u:<user>` a profile, `m:` the model with the log's time and the counters. Both are exact:
JSON carries floats without loss, and river's model is its weights, intercept and iterations.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from river.utils import VectorDict

from streams.benchmarks.work import Profile, learn, new_model, new_profile, trigger
from streams.fold import Output, Row

TRIGGERS = "triggers.coupon"
_MODEL_KEY = b"m:"
_NOTHING: tuple[Output, ...] = ()


class _Event(msgspec.Struct, gc=False):
    """An event; records that are none of ours (a genesis, a tick) have no user."""

    user: str = ""
    id: str = ""
    category: str = ""
    amount: float = 0.0
    at_ms: int = 0
    bought: bool = False


class _Model(msgspec.Struct):
    weights: dict[str, float]
    intercept: float
    iterations: int
    now_ms: int
    events: int
    triggers: int


_decode = msgspec.json.Decoder(_Event).decode
_encode = msgspec.json.Encoder().encode


class SmallJob:
    """One partition's fold: profiles by user and one model for all of them."""

    def __init__(self) -> None:
        self._model = new_model()
        self._profiles: dict[str, Profile] = {}
        self._encoded: dict[str, bytes] = {}  # loaded and not yet used
        self._changed: dict[str, Profile] = {}
        self._now_ms = 0
        self._events = 0
        self._triggers = 0

    def handle(self, value: bytes) -> Sequence[Output]:
        event = _decode(value)
        self._now_ms = max(self._now_ms, event.at_ms)
        user = event.user
        if not user:
            return _NOTHING
        profile = self._profiles.get(user)
        if profile is None:
            profile = self._profiles[user] = self._load_profile(user)
        self._changed[user] = profile
        self._events += 1
        probability = learn(
            profile, self._model, event.category, event.amount, event.at_ms, event.bought
        )
        if not event.bought:
            return _NOTHING
        self._triggers += 1
        return (Output(TRIGGERS, user.encode(), _encode(trigger(event.id, user, probability))),)

    def changed_rows(self) -> Iterable[Row]:
        if not self._changed:
            return ()
        changed, self._changed = self._changed, {}
        rows = [Row(_MODEL_KEY, _encode(self._model_row()))]
        rows += [Row(b"u:" + user.encode(), _encode(profile)) for user, profile in changed.items()]
        return rows

    def load_row(self, key: bytes, value: bytes) -> None:
        if key == _MODEL_KEY:
            self._load_model(msgspec.json.decode(value, type=_Model))
        elif key[:2] == b"u:":
            self._encoded[key[2:].decode()] = value
        else:
            raise ValueError(f"row {key!r}: neither a user's nor the model's")

    def next_due_ms(self) -> int | None:
        return None

    @property
    def now_ms(self) -> int:
        return self._now_ms

    def counts(self) -> Mapping[str, float]:
        return {"events": self._events, "triggers": self._triggers}

    def counters(self) -> Mapping[str, float]:
        return self.counts()

    def _load_profile(self, user: str) -> Profile:
        encoded = self._encoded.pop(user, None)
        if encoded is None:
            return new_profile()
        profile: Profile = msgspec.json.decode(encoded)
        return profile

    def _model_row(self) -> _Model:
        return _Model(
            weights=self._model.weights,
            intercept=self._model.intercept,
            iterations=self._model.optimizer.n_iterations,
            now_ms=self._now_ms,
            events=self._events,
            triggers=self._triggers,
        )

    def _load_model(self, row: _Model) -> None:
        self._model._weights = VectorDict(row.weights)
        self._model.intercept = row.intercept
        self._model.optimizer.n_iterations = row.iterations
        self._now_ms = row.now_ms
        self._events = row.events
        self._triggers = row.triggers
