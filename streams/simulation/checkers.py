"""The promises of the design as checks over dumped topics. Each returns what is wrong, in words; []
is good.

They know the contract and the fold's interface, nothing of how the runtime works.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from streams.fold import Fold, Output
from streams.runtime.port import Stored
from streams.runtime.recovery import APPLIED_KEY, CLAIM_KEY


class Dump(NamedTuple):
    """One partition as a read_committed reader sees it; `topics` holds the outputs by name."""

    partition: int
    log: Sequence[Stored]
    state: Sequence[Stored]
    topics: dict[str, Sequence[Stored]]


class Replayed(NamedTuple):
    outputs: dict[str, list[Output]]
    rows: dict[bytes, bytes]
    fold: Fold


def replay(log: Iterable[Stored], fold: Fold) -> Replayed:
    """The uninterrupted fold of a log: what everything else is compared with."""
    outputs: dict[str, list[Output]] = {}
    rows: dict[bytes, bytes] = {}
    for record in log:
        if record.value is not None:
            for output in fold.handle(record.value):
                outputs.setdefault(output.topic, []).append(output)
    for key, value in fold.changed_rows():
        if value is not None:
            rows[key] = value
    return Replayed(outputs, rows, fold)


def last_values(records: Iterable[Stored]) -> dict[bytes, bytes]:
    rows: dict[bytes, bytes] = {}
    for record in records:
        if record.key is None:
            continue
        if record.value is None:
            rows.pop(record.key, None)
        else:
            rows[record.key] = record.value
    return rows


def exact_state(dump: Dump, replayed: Replayed) -> list[str]:
    """Every row equals the uninterrupted replay's, last value per key."""
    live = {
        key: value
        for key, value in last_values(dump.state).items()
        if key not in (APPLIED_KEY, CLAIM_KEY)
    }
    wrong = []
    for key in sorted(live.keys() | replayed.rows.keys()):
        if live.get(key) != replayed.rows.get(key):
            wrong.append(f"partition {dump.partition}: row {key!r} differs from the replay's")
    return wrong


def outputs_once(dump: Dump, replayed: Replayed) -> list[str]:
    """A read_committed reader sees exactly the replay's outputs: bytes and order, each once."""
    wrong = []
    for topic in sorted(dump.topics.keys() | replayed.outputs.keys()):
        seen = [(r.key, r.value) for r in dump.topics.get(topic, ())]
        expected = [(o.key, o.value) for o in replayed.outputs.get(topic, ())]
        if seen != expected:
            pairs = enumerate(zip(seen, expected, strict=False))
            shorter = min(len(seen), len(expected))
            at = next((i for i, (one, other) in pairs if one != other), shorter)
            wrong.append(
                f"partition {dump.partition}: {topic} has {len(seen)} records, the replay "
                f"{len(expected)}; they part at {at}"
            )
    return wrong


FATES = ("applied", "duplicate", "late", "dead_lettered", "erased")


def conservation(counters: Sequence[Mapping[str, float]], inputs: int) -> list[str]:
    """Over all partitions every input ended in exactly one fate; redeliveries are apart."""
    ended = {f: int(sum(c.get(f"fate.{f}", 0) for c in counters)) for f in FATES}
    total = sum(ended.values())
    return [] if total == inputs else [f"{inputs} inputs, but {total} fates: {ended}"]


def check(dump: Dump, new_fold: Callable[[], Fold]) -> tuple[list[str], Replayed]:
    replayed = replay(dump.log, new_fold())
    return exact_state(dump, replayed) + outputs_once(dump, replayed), replayed
