"""`streams snapshot write|inspect`."""

from pathlib import Path
from typing import Annotated

import typer

from streams.commands.terminal import print_json, print_lines, table


def write(
    state: Annotated[
        Path, typer.Option("--in", help="A folder with state.ndjson, from `streams replay --log`.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The snapshot file to write.")],
) -> None:
    """Pack the state of a replayed log into one portable file."""
    from streams.replay_log import snapshot_of_state

    header = snapshot_of_state(state, out)
    print_lines(f"{out}: {header.rows:,} rows, {header.rows_bytes:,} bytes")


def inspect(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A snapshot file.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Check a snapshot against its checksum and show what it holds."""
    from streams import snapshot
    from streams.explain import local_time

    header = snapshot.verify(path)
    kinds = snapshot.by_kind(path)
    if json:
        print_json({"header": header, "kinds": kinds})
        return
    facts = (
        ("format", f"{header.format} {header.version}"),
        ("engine version", str(header.engine_version)),
        ("partitions", str(header.partitions)),
        ("log's time", local_time(header.clock_ms)),
        *((f"next offsets, {source}", str(at)) for source, at in header.positions.items()),
        ("rows", f"{header.rows:,}"),
        ("bytes", f"{header.rows_bytes:,}"),
        ("sha256", f"{header.sha256} (correct)"),
    )
    table(str(path), ("", ""), facts)
    rows = ((kind, f"{n:,}", f"{size:,}") for kind, (n, size) in kinds.items())
    table("Rows by kind of key", ("kind", "rows", "bytes"), rows)
