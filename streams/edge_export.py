"""A model of a snapshot as a file for edge scoring."""

from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from streams import snapshot
from streams.faults import UserFault
from streams.learning import edge, rows
from streams.learning.logistic import LogisticRow

WEIGHTS: Final = b"/weights"
MODELS: Final = (b"m:", b"m;")  # from the first key of models to behind the last


class Exported(NamedTuple):
    model: edge.EdgeModel
    examples: int
    size: int  # bytes of the file
    weights: int  # kept


def export(
    source: Path,
    name: str,
    out: Path,
    *,
    bits: edge.Bits = 8,
    keep: float = 1.0,
    buckets: int = 0,
    partition: int = 0,
) -> Exported:
    """Write the model as it is in one partition of a snapshot.

    What the model gives is the probability its logistic regression gives: for `churn`, that of
    being active in the coming day. Raises UserFault: no such model, a file that cannot be used.
    """
    with snapshot.Lookup(source) as found:
        models = {
            key.removeprefix(b"m:").removesuffix(WEIGHTS).decode(): value
            for _, key, value in found.rows(partition, *MODELS)
            if key.endswith(WEIGHTS)
        }
    if name not in models:
        known = ", ".join(sorted(models)) or "none yet"
        raise UserFault(f"{source}: partition {partition} has no weights of {name!r}: {known}")
    return write(models[name], name, out, bits=bits, keep=keep, buckets=buckets)


def write(
    row: bytes,
    name: str,
    out: Path,
    *,
    bits: edge.Bits = 8,
    keep: float = 1.0,
    buckets: int = 0,
) -> Exported:
    """The file of a logistic model's row. Raises UserFault."""
    try:
        state = rows.unpack(row, LogisticRow)
        *weights, intercept = state.weights
        names = state.names
        if buckets:
            weights, names = edge.hashed(names, weights, buckets), []
        model = edge.compress(name, weights, intercept, names=names, bits=bits, keep=keep)
    except (ValueError, msgspec.DecodeError) as error:
        raise UserFault(f"{name} cannot be exported: {error}") from None
    text = edge.encode(model)
    partial = out.with_name(out.name + ".partial")
    try:
        partial.write_bytes(text)
        partial.replace(out)
    except OSError as error:
        raise UserFault(f"{out}: cannot be written: {error.strerror}") from None
    return Exported(model, state.examples, len(text), len(edge.places_of(model)))
