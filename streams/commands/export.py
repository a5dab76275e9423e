"""`streams export MODEL --out FILE`: a small model for scoring at the edge."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from streams.commands.terminal import print_lines


def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Such as churn.")],
    source: Annotated[
        Path, typer.Option("--snapshot", help="From `streams replay --save-snapshot`.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The file for docs/examples/edge_scorer.js.")],
    *,
    bits: Annotated[Literal["8", "4"], typer.Option("--bits", help="Per weight.")] = "8",
    keep: Annotated[
        float, typer.Option("--keep", min=0.0, max=1.0, help="Share of weights, largest first.")
    ] = 1.0,
    buckets: Annotated[
        int, typer.Option("--buckets", min=0, help="Hash names into so many; 0: keep names.")
    ] = 0,
    partition: Annotated[int, typer.Option("--partition", min=0, help="Whose weights.")] = 0,
) -> None:
    """Quantise a model's weights into a checksummed file."""
    from streams import edge_export

    done = edge_export.export(
        source,
        model,
        out,
        bits=4 if bits == "4" else 8,
        keep=keep,
        buckets=buckets,
        partition=partition,
    )
    print_lines(
        f"{out}: {model}, {done.weights:,} weights of {bits} bits, {done.size:,} bytes, "
        f"after {done.examples:,} examples"
    )
