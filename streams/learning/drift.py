"""Does a model still hold? Change detection on its errors, and a gate in front of its decisions.

ADWIN keeps a window of the last values as an exponential histogram and drops the oldest part as
soon as its mean differs from the rest by more than chance allows. It watches the signed error p - y
(a base rate that moves) and the loss against that of the running base rate (a model that no longer
knows). The gate takes a model out of service on a confirmed alarm, or when it does worse than the
base rate would, and lets it back after a trial. So that a model can be set back to a state of
before the trouble, its row is kept twice: one on probation, and the one that outlived it.
Source: Bifet, Gavalda, Learning from time-changing data with adaptive windowing (SDM 2007).
"""

from array import array
from math import isnan, log, sqrt
from typing import Final, Literal

from msgspec import Struct, field
from river.base import DriftDetector

from streams.learning import rows

DELTA: Final = 0.002  # of one detection; an alarm needs two
CLOCK: Final = 32  # values between two looks for a cut
BUCKETS: Final = 5  # of one size; above, the two oldest become one of double size
LEVELS: Final = 22  # sizes; what would need more leaves the window (ten million values)
LEAST: Final = 5  # values on each side of a cut
GRACE: Final = 10  # values before the first look

CONFIRM: Final = 1_000  # labels within which a second detection confirms the first
WARM: Final = 200  # labels before a model serves
QUIET: Final = 500  # labels without a detection before a suspended model is tried again
TRIAL: Final = 500  # labels of a trial
KEEP_EVERY: Final = 1_000  # labels between two states kept
FADING: Final = 1.0 - 1.0 / 1_000  # the running base rate and losses follow the last thousand
SURE: Final = 4.0  # standard errors above the reference before a model counts as worse
LEAST_PROBABILITY: Final = 1e-6
STEEPEST: Final = 4.0  # nats: a difference of losses beyond it counts as this much

State = Literal["warming", "serving", "suspended", "challenger"]


class AdwinRow(Struct, array_like=True):
    seen: int = 0
    total: float = 0.0
    variance: float = 0.0
    sizes: list[int] = []  # buckets of each level, from the smallest
    buckets: bytes = b""  # (sum, variance) as doubles, each level from the oldest


class Adwin(DriftDetector):
    """A window of values in [0, 1]; values outside are clipped, NaN is ignored.

    Parameters
    ----------
    delta
        Chance of a detection where there is none, roughly.

    """

    def __init__(self, delta: float = DELTA) -> None:
        super().__init__()
        self.delta = delta
        self.direction = 0  # where the last value showed a change: 1 risen, -1 fallen
        self.seen = 0
        self._levels: list[list[tuple[float, float]]] = [[]]
        self.width = 0
        self._sum = 0.0
        self._variance = 0.0  # sum of squared deviations from the mean

    @property
    def mean(self) -> float:
        """Of the window; 0 while it is empty."""
        return self._sum / self.width if self.width else 0.0

    def update(self, x: float) -> None:
        """Take in a value. Where the mean is found to have risen or fallen, `direction` says which,
        and the window loses what came before."""
        self.direction = 0
        self._drift_detected = False
        value = float(x)
        if not 0.0 <= value <= 1.0:
            if isnan(value):
                return
            value = min(max(value, 0.0), 1.0)
        self.seen += 1
        if self.width:
            deviation = value - self.mean
            self._variance += self.width * deviation * deviation / (self.width + 1)
        self.width += 1
        self._sum += value
        self._levels[0].append((value, 0.0))
        self._compress()
        if self.seen % CLOCK or self.width < GRACE:
            return
        while direction := self._cut():
            self.direction = direction
            self._drift_detected = True
            self._drop()

    def to_row(self) -> AdwinRow:
        flat = array("d", [part for level in self._levels for pair in level for part in pair])
        sizes = [len(level) for level in self._levels]
        return AdwinRow(self.seen, self._sum, self._variance, sizes, flat.tobytes())

    def from_row(self, row: AdwinRow) -> None:
        flat = array("d")
        flat.frombytes(row.buckets)
        pairs = list(zip(flat[::2], flat[1::2], strict=True))
        if len(pairs) != sum(row.sizes):
            raise ValueError(f"a window of {sum(row.sizes)} buckets comes with {len(pairs)}")
        self.seen, self._levels, at = row.seen, [], 0
        for size in row.sizes or [0]:
            self._levels.append(pairs[at : at + size])
            at += size
        self.width = sum(len(level) << height for height, level in enumerate(self._levels))
        self._sum, self._variance = row.total, row.variance

    def _compress(self) -> None:
        for level, buckets in enumerate(self._levels):
            if len(buckets) <= BUCKETS:
                return
            (sum_a, variance_a), (sum_b, variance_b) = buckets[0], buckets[1]
            size = 1 << level
            apart = (sum_a - sum_b) / size
            if level + 1 == len(self._levels):
                self._levels.append([])
            del buckets[:2]
            merged = variance_a + variance_b + 0.5 * size * apart * apart
            self._levels[level + 1].append((sum_a + sum_b, merged))
            if level + 1 == LEVELS:
                self._drop()
                return

    def _cut(self) -> int:
        """Whether the older part of the window differs from the newer one, at any place."""
        width, total = self.width, self._sum
        if width < 2 * LEAST:
            return 0
        chance = log(2.0 * log(width) / self.delta)
        spread = 2.0 * self._variance / width * chance
        old, old_sum = 0, 0.0
        for level in range(len(self._levels) - 1, -1, -1):
            for part, _ in self._levels[level]:
                old += 1 << level
                old_sum += part
                new = width - old
                if new < LEAST:
                    return 0
                if old >= LEAST:
                    apart = (total - old_sum) / new - old_sum / old
                    inverse = 1.0 / (old - LEAST + 1) + 1.0 / (new - LEAST + 1)
                    if abs(apart) > sqrt(spread * inverse) + 2.0 / 3.0 * inverse * chance:
                        return 1 if apart > 0.0 else -1
        return 0

    def _drop(self) -> None:
        """The oldest bucket leaves."""
        self._levels[-1].pop(0)
        while len(self._levels) > 1 and not self._levels[-1]:
            self._levels.pop()
        self._recount()

    def _recount(self) -> None:
        """Width, sum and variance from the buckets: subtracting would gather rounding errors."""
        width, total, variance = 0, 0.0, 0.0
        for level in range(len(self._levels) - 1, -1, -1):
            size = 1 << level
            for part, inner in self._levels[level]:
                apart = part / size - (total / width if width else part / size)
                variance += inner + width * size / (width + size) * apart * apart
                width += size
                total += part
        self.width, self._sum, self._variance = width, total, variance


class Event(Struct, frozen=True, array_like=True):
    """The gate moved."""

    before: State
    after: State
    reason: str
    labels: int  # observed so far


class GateRow(Struct, array_like=True):
    state: State = "warming"
    labels: int = 0
    since: int = 0  # labels when the state began
    detected: int = 0  # labels at the last detection; 0: none yet
    detections: int = 0
    alarms: int = 0
    transitions: dict[str, int] = {}  # how often each state was entered
    weight: float = 0.0  # of the running sums below
    happened: float = 0.0
    loss: float = 0.0
    excess: float = 0.0  # loss above that of the base rate
    excess_square: float = 0.0
    kept: int = 0  # labels when a state was kept last
    error: AdwinRow = field(default_factory=AdwinRow)
    worse: AdwinRow = field(default_factory=AdwinRow)


class Gate:
    """Whether a model of probabilities may drive decisions, by its matured labels alone.

    warming: too few labels; serving; suspended: an alarm, or worse than the base rate; challenger:
    learning on trial, without driving anything. Only a serving model should be asked (`serves`).

    Parameters
    ----------
    warm
        Labels before the model serves.
    delta
        Of one ADWIN detection.

    """

    def __init__(self, *, warm: int = WARM, delta: float = DELTA) -> None:
        self.warm = warm
        self._row = GateRow()
        self._error, self._worse = Adwin(delta), Adwin(delta)
        self.last_good: bytes | None = None  # the model's row to go back to, if there is one yet
        self._probation: bytes | None = None

    @property
    def state(self) -> State:
        return self._row.state

    @property
    def serves(self) -> bool:
        return self._row.state == "serving"

    def observe(self, probability: float, happened: bool) -> Event | None:
        """A label came. Returns where the gate moved to, if it did. NaN is taken as certain and
        wrong."""
        row = self._row
        row.labels += 1
        if not 0.0 <= probability <= 1.0:
            probability = 0.0 if happened else 1.0
        excess = self._account(probability, happened)
        self._error.update((probability - happened + 1.0) / 2.0)
        self._worse.update(0.5 + 0.5 * excess / STEEPEST)
        drift, worse = self._error.drift_detected, self._worse.direction > 0
        if not drift and not worse:
            return self._settled()
        row.detections += 1
        confirmed = bool(row.detected) and row.labels - row.detected <= CONFIRM
        row.detected = row.labels
        if not confirmed:
            return None
        row.alarms += 1
        if row.state in ("serving", "challenger"):
            return self._move("suspended", "p - y drifts" if drift else "the loss rises")
        return None

    @property
    def wants_state(self) -> bool:
        """Whether the model's row should be given to `keep` now."""
        row = self._row
        calm = not row.detected or row.labels - row.detected > CONFIRM
        return row.state == "serving" and calm and row.labels - row.kept >= KEEP_EVERY

    def keep(self, state: bytes) -> None:
        """The model's row as it is. It becomes `last_good` when the next one is kept, unless the
        model is suspended before."""
        if self._probation is not None:
            self.last_good = self._probation
        self._probation = state
        self._row.kept = self._row.labels

    def metrics(self) -> dict[str, float]:
        """`skill`: 1 - loss / loss of the running base rate, over the last thousand labels."""
        row = self._row
        weight = row.weight or 1.0
        reference = (row.loss - row.excess) / weight
        return {
            "serving": float(self.serves),
            "labels": float(row.labels),
            "detections": float(row.detections),
            "alarms": float(row.alarms),
            "suspensions": float(row.transitions.get("suspended", 0)),
            "skill": 1.0 - row.loss / weight / reference if reference > 0.0 else 0.0,
            "bias": 1.0 - 2.0 * self._error.mean if self._error.width else 0.0,
            "window": float(self._error.width),
        }

    def to_rows(self) -> list[tuple[bytes, bytes | None]]:
        """Names and rows: the gate's own of at most 4 KB, and the kept ones as they were given;
        None where there is none."""
        self._row.error, self._row.worse = self._error.to_row(), self._worse.to_row()
        kept = [(b"good", self.last_good), (b"probation", self._probation)]
        return [(b"gate", rows.pack(self._row)), *kept]

    def load_row(self, name: bytes, row: bytes) -> None:
        """Take over an earlier state. Raises ValueError for a name or schema it does not know."""
        if name == b"gate":
            self._row = rows.unpack(row, GateRow)
            self._error.from_row(self._row.error)
            self._worse.from_row(self._row.worse)
        elif name == b"good":
            self.last_good = row
        elif name == b"probation":
            self._probation = row
        else:
            raise ValueError(f"a gate has no row {name!r}")

    def _account(self, probability: float, happened: bool) -> float:
        """Running losses; returns how much this one exceeded that of the base rate before it."""
        row = self._row
        base = (row.happened + 1.0) / (row.weight + 2.0)
        loss = _loss(probability, happened)
        excess = min(max(loss - _loss(base, happened), -STEEPEST), STEEPEST)
        row.weight = FADING * row.weight + 1.0
        row.happened = FADING * row.happened + happened
        row.loss = FADING * row.loss + loss
        row.excess = FADING * row.excess + excess
        row.excess_square = FADING * row.excess_square + excess * excess
        return excess

    def _settled(self) -> Event | None:
        """No drift was found at this label: does the time in the state, or the skill, move it?"""
        row = self._row
        since = row.labels - row.since
        if row.state == "warming":
            return self._move("serving", "enough labels") if row.labels >= self.warm else None
        if row.state == "suspended":
            quiet = min(since, row.labels - row.detected)
            return self._move("challenger", "calm again") if quiet >= QUIET else None
        if row.state == "challenger" and since >= TRIAL:
            if row.excess < 0.0:
                return self._move("serving", "better than the base rate")
            return self._move("suspended", "the trial failed")
        if row.state == "serving" and self._surely_worse():
            return self._move("suspended", "worse than the base rate")
        return None

    def _surely_worse(self) -> bool:
        row = self._row
        mean = row.excess / row.weight
        variance = max(row.excess_square / row.weight - mean * mean, 0.0)
        return row.weight >= self.warm / 2 and mean > SURE * sqrt(variance / row.weight)

    def _move(self, after: State, reason: str) -> Event:
        row = self._row
        event = Event(row.state, after, reason, row.labels)
        row.state, row.since = after, row.labels
        if after == "suspended":
            self._probation = None
        row.transitions[after] = row.transitions.get(after, 0) + 1
        return event


def _loss(probability: float, happened: bool) -> float:
    likelihood = probability if happened else 1.0 - probability
    return -log(max(likelihood, LEAST_PROBABILITY))
