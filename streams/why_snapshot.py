"""`streams why` from a snapshot file: only the rows of the engine and of one person are read."""

from pathlib import Path
from typing import Final

from streams import snapshot
from streams.contract.partitioning import base_alias, partition_of
from streams.contract.why import Why
from streams.engine.fold import ENGINE_VERSION, EngineFold
from streams.engine.state import AliasState, decode_row
from streams.engine.why import UnknownJourneyError
from streams.faults import UserFault

STATE_FILE: Final = "state.snapshot"  # what a demo leaves in its folder
MOST_FORWARDS: Final = 16
# Everything but the rows of aliases and of people, which are many.
OF_ENGINE: Final = ((b"", b"a:"), (b"b", b"u:"), (b"v", b"\xff"))


def why_in(path: Path, user_id: str, journey: str | None = None) -> list[Why]:
    """The answers as of the snapshot; for an id that was merged they go on with the person it
    belongs to. Raises UserFault."""
    found: list[Why] = []
    with snapshot.Lookup(path) as lookup:
        if lookup.header.engine_version != ENGINE_VERSION:
            raise UserFault(
                f"{path}: taken by engine version {lookup.header.engine_version}, this is "
                f"{ENGINE_VERSION}; use that version"
            )
        for _ in range(MOST_FORWARDS):
            answers = _asked(lookup, user_id, journey)
            found += answers
            if len(answers) != 1 or not answers[0].forwarded_to:
                break
            user_id = answers[0].forwarded_to
    return found


def _asked(lookup: snapshot.Lookup, user_id: str, journey: str | None) -> list[Why]:
    header = lookup.header
    partition = partition_of(user_id, header.partitions)
    fold = EngineFold(partition)
    for first, end in OF_ENGINE:
        for row in lookup.rows(partition, first, end):
            fold.load_row(row.key, row.value)
    alias = base_alias(user_id)
    for _ in range(MOST_FORWARDS):
        key = b"a:" + alias.encode()
        value = lookup.row(partition, key)
        if value is None:
            break
        fold.load_row(key, value)
        forward = base_alias(decode_row(key, value, AliasState).forward)
        if not forward or partition_of(forward, header.partitions) != partition:
            break
        alias = forward
    key = b"u:" + alias.encode()
    for row in lookup.rows(partition, key, key + b"/"):  # with a generation too, after a dot
        fold.load_row(row.key, row.value)
    try:
        return fold.why(user_id, journey, header.clock_ms)
    except UnknownJourneyError as error:
        raise UserFault(str(error)) from None
