"""A small exact fold for the runtime's tests: counts per user, a chained digest, a trigger each
third event, a report for each command.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from streams.contract.codec import encode
from streams.contract.reports import Applied
from streams.fold import Output, Row


class ToyFold:
    def __init__(self, partition: int = 0) -> None:
        self._partition = partition
        self._users: dict[str, dict] = {}
        self._marks: dict[str, int] = {}
        self._total = {"events": 0, "redelivered": 0, "commands": 0, "at_ms": 0}
        self._dirty: dict[bytes, None] = {}

    @property
    def now_ms(self) -> int:
        return self._total["at_ms"]

    def next_due_ms(self) -> int | None:
        return None

    def counts(self) -> Mapping[str, float]:
        return {f"fate.{name}": float(value) for name, value in self._total.items()}

    def counters(self) -> Mapping[str, float]:
        return self.counts()

    def handle(self, value: bytes) -> Sequence[Output]:
        record = json.loads(value)
        if record["record"] not in ("event", "control"):
            return []
        self._dirty[b"total"] = None
        self._total["at_ms"] = max(self._total["at_ms"], record["at_ms"])
        topic, epoch, partition, offset = record["origin"]
        mark = f"{topic}/{epoch}/{partition}"
        if offset <= self._marks.get(mark, -1):
            self._total["redelivered"] += 1
            return []
        self._marks[mark] = offset
        self._dirty[f"s:{mark}".encode()] = None
        if record["record"] == "control":
            self._total["commands"] += 1
            return [self._applied(record)]
        self._total["events"] += 1
        name = record["alias"]
        user = self._users.setdefault(name, {"count": 0, "chain": ""})
        user["count"] += 1
        user["chain"] = blake2b((user["chain"] + record["id"]).encode(), digest_size=8).hexdigest()
        self._dirty[f"u:{name}".encode()] = None
        outputs = [Output("decisions", name.encode(), user["chain"].encode())]
        if user["count"] % 3 == 0:
            trigger = json.dumps({"trigger_id": user["chain"], "user_id": name}).encode()
            outputs.append(Output("triggers.coupon", name.encode(), trigger))
        return outputs

    def _applied(self, command: dict) -> Output:
        """A second journey is refused by odd partitions, so that refusals are seen too."""
        refused = self._partition % 2 == 1 and command["id"] == "second"
        applied = Applied(
            partition=self._partition,
            at_ms=self._total["at_ms"],
            kind=command["kind"],
            id=command["id"],
            version=command.get("version", 0),
            sha256=command.get("sha256", ""),
            problem="odd partitions want none" if refused else "",
        )
        return Output("reports", str(self._partition).encode(), encode(applied))

    def changed_rows(self) -> Iterable[Row]:
        rows = [Row(key, self._row(key)) for key in self._dirty]
        self._dirty = {}
        return rows

    def _row(self, key: bytes) -> bytes | None:
        kind, _, name = key.decode().partition(":")
        if kind == "total":
            return json.dumps(self._total).encode()
        return json.dumps(self._marks[name] if kind == "s" else self._users[name]).encode()

    def load_row(self, key: bytes, value: bytes) -> None:
        kind, _, name = key.decode().partition(":")
        if kind == "total":
            self._total = json.loads(value)
        elif kind == "s":
            self._marks[name] = json.loads(value)
        else:
            self._users[name] = json.loads(value)
