"""A partition's state from its topic: rows by key, and how far the log was applied.

The owner opens a fenced writer first (nothing older can append after that), appends a claim, and
reads the partition of the state topic until it sees its claim: what stands before it is all there
is. Commit markers never arrive as records, so waiting for an end offset could wait for ever; the
claim cannot.
"""

from hashlib import blake2b

import msgspec
from msgspec import Struct

from streams.contract.topics import STATE
from streams.fold import Fold, Output, Row
from streams.runtime.port import Append, Kafka, Writer

APPLIED_KEY = b"!applied"
CLAIM_KEY = b"!claim"
READ_AT_MOST = 10_000
LOOK_BACK = 8  # offsets: transaction markers stand between the records


class Applied(Struct):
    """Stands in the same transaction as the rows and outputs it speaks of."""

    offset: int  # of the last log record folded in
    version: int  # of this layout
    emitted: dict[str, str]  # topic -> digest of the last record emitted there


class DisagreementError(Exception):
    """State and outputs do not belong together: the broker broke a transaction, or a hand deleted
    records.
    """


def digest(record: Output | Row) -> str:
    state = blake2b(record.key, digest_size=12)
    state.update(record.value or b"")
    return state.hexdigest()


async def recover(
    kafka: Kafka, writer: Writer, partition: int, prefix: str, claim: bytes, fold: Fold
) -> tuple[Applied, int]:
    """Load the partition's rows into `fold`; how far it was applied, and how many rows. Raises
    FencedError, IndefiniteError, DisagreementError."""
    topic = prefix + STATE
    await writer.commit([Append(topic, partition, [Row(CLAIM_KEY, claim)])])
    rows = await _read_rows(kafka, topic, partition, claim)
    rows.pop(CLAIM_KEY, None)
    raw = rows.pop(APPLIED_KEY, None)
    applied = msgspec.json.decode(raw, type=Applied) if raw else Applied(-1, 1, {})
    count = len(rows)
    while rows:
        fold.load_row(*rows.popitem())
    for name, expected in applied.emitted.items():
        try:
            await _verify(kafka, prefix + name, partition, expected)
        except DisagreementError:
            # A newer owner may have gone on since we read: then this commit says so instead.
            await writer.commit([Append(topic, partition, [Row(CLAIM_KEY, claim)])])
            raise
    return applied, count


async def _read_rows(kafka: Kafka, topic: str, partition: int, claim: bytes) -> dict[bytes, bytes]:
    """The rows as they stand at the claim; what a newer owner wrote after it is not ours."""
    rows: dict[bytes, bytes] = {}
    offset = 0
    while True:
        for record in await kafka.read(topic, partition, offset, READ_AT_MOST):
            offset = record.offset + 1
            if record.key == CLAIM_KEY and record.value == claim:
                return rows
            if record.key is None:
                continue
            if record.value is None:
                rows.pop(record.key, None)
            else:
                rows[record.key] = record.value


async def _verify(kafka: Kafka, topic: str, partition: int, expected: str) -> None:
    """The last committed output must be the one the state remembers."""
    end = await kafka.end_offset(topic, partition)
    back = LOOK_BACK
    while True:
        start = max(0, end - back)
        found = [
            r for r in await kafka.read(topic, partition, start, end - start) if r.offset < end
        ]
        if found:
            last = found[-1]
            if digest(Output(topic, last.key or b"", last.value)) != expected:
                raise DisagreementError(
                    f"{topic}[{partition}]: its last record is not the one the state remembers. "
                    "Restore the topic, or reset this partition from a snapshot: docs/operations.md"
                )
            return
        if start == 0 or back > 1_000_000:
            return  # nothing is kept there any more: retention
        back *= 8
