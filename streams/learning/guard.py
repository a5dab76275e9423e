"""A model that drives decisions only while it holds: behind its gate stands a plain rule.

The rule counts what came true by one plain figure, cut into buckets (days of silence, say), and is
learned from the same labels. While the gate has taken the model out of service, the rule answers;
the model goes on learning, set back to its last good state, and is tried again when it is calm.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from streams.learning import rows
from streams.learning.drift import Event, Gate

FADING: Final = 1.0 - 1.0 / 2_000  # the rule follows the last two thousand labels
PRIOR: Final = 10.0  # labels of everybody that stand behind each bucket


class RuleRow(Struct, array_like=True):
    happened: list[float]
    labels: list[float]


class Guard:
    """`buckets`: how many the rule has."""

    def __init__(self, buckets: int, *, gate: Gate | None = None) -> None:
        self.gate = gate or Gate()
        self._rule = RuleRow([0.0] * buckets, [0.0] * buckets)
        self._changed = False
        self._kept = False  # another state since the rows were asked for

    @property
    def serves(self) -> bool:
        """Whether the model answers; also before there are labels enough to judge it by."""
        return self.gate.state in ("warming", "serving")

    def answer(self, probability: float, bucket: int) -> float:
        """The model's probability, or the rule's while the model is out of service."""
        return probability if self.serves else self.rule(bucket)

    def rule(self, bucket: int) -> float:
        """What came true in this bucket, shrunk to what came true on the whole."""
        row = self._rule
        overall = (sum(row.happened) + 1.0) / (sum(row.labels) + 2.0)
        return (row.happened[bucket] + PRIOR * overall) / (row.labels[bucket] + PRIOR)

    def judge(self, probability: float, happened: bool, bucket: int) -> Event | None:
        """A label came for a probability the model gave. Returns where the gate moved to."""
        row = self._rule
        row.labels[bucket] = FADING * row.labels[bucket] + 1.0
        row.happened[bucket] = FADING * row.happened[bucket] + happened
        self._changed = True
        moved = self.gate.observe(probability, happened)
        if moved is not None and moved.after == "suspended":  # what was on probation is gone
            self._kept = True
        return moved

    def keep(self, state: Callable[[], bytes]) -> None:
        """Where the gate wants the model's row, it gets it."""
        if self.gate.wants_state:
            self.gate.keep(state())
            self._kept = True

    def metrics(self) -> dict[str, float]:
        found = self.gate.metrics()
        return {
            "serving": float(self.serves),
            **{name: found[name] for name in ("alarms", "suspensions", "skill", "bias")},
        }

    def changed_rows(self, prefix: bytes) -> list[tuple[bytes, bytes | None]]:
        if not self._changed:
            return []
        self._changed = False
        found: list[tuple[bytes, bytes | None]] = [(prefix + b"rule", rows.pack(self._rule))]
        for name, row in self.gate.to_rows():
            if name == b"gate" or self._kept:
                found.append((prefix + name, row))
        self._kept = False
        return found

    def load_row(self, name: bytes, row: bytes) -> None:
        """`name` is what stood behind the prefix. Raises ValueError."""
        if name != b"rule":
            self.gate.load_row(name, row)
            return
        found = rows.unpack(row, RuleRow)
        if len(found.labels) != len(self._rule.labels):
            raise ValueError(f"a rule of {len(found.labels)} buckets, not {len(self._rule.labels)}")
        self._rule = found
