"""What the commands show: progress on a terminal, plain lines elsewhere, tables, JSON."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

UPDATE_EVERY = 4_096

PLAIN_WIDTH = 120  # of tables where stdout is no terminal

out = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
err = Console(stderr=True, highlight=False)


def say(line: str) -> None:
    """A line for people, on stderr, so that stdout stays what was asked for."""
    err.print(line, markup=False, soft_wrap=True)


def print_json(value: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def print_lines(text: str) -> None:
    sys.stdout.write(text + "\n")


def bar(unit: str) -> Progress:
    """A progress bar on stderr; shows nothing where stderr is no terminal."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[note]}" + f" {unit}"),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )


def watched(path: Path, description: str) -> Callable[[Iterator[bytes]], Iterable[bytes]]:
    """Shows how much of a file's lines has gone by; for a terminal only."""
    if not err.is_terminal:
        return iter
    plain = path.is_file() and not path.name.endswith(".gz")
    size = path.stat().st_size if plain else None

    def watch(lines: Iterator[bytes]) -> Iterator[bytes]:
        with bar("events") as progress:
            task = progress.add_task(description, total=size, note="")
            passed = 0
            for number, line in enumerate(lines, start=1):
                yield line
                passed += len(line) + 1
                if number % UPDATE_EVERY == 0:
                    progress.update(task, completed=passed, note=f"{number:,}")

    return watch


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """A table on stdout. Columns whose cells are figures stand to the right."""
    named, cells = list(columns), [list(row) for row in rows]
    made = Table(
        box=SIMPLE_HEAD if any(named) else None,
        show_header=any(named),
        padding=(0, 2, 0, 0),
        pad_edge=False,
    )
    for i, column in enumerate(named):
        figures = all(row[i][:1] in "0123456789-+¥—" for row in cells)
        made.add_column(column, justify="right" if figures else "left", no_wrap=figures)
    for row in cells:
        made.add_row(*map(escape, row))
    out.print(f"\n[bold]{escape(title)}[/bold]")
    out.print(made)


def counts(title: str, column: str, found: Mapping[str, int], words: Mapping[str, Any]) -> None:
    """A table of counts by code, each with its share and, where known, its meaning in words."""
    whole = sum(found.values()) or 1
    table(
        title,
        (column, "", ""),
        (
            (
                f"{code}  {' '.join(words[code])}" if code in words else code,
                f"{n:,}",
                f"{n / whole:.1%}",
            )
            for code, n in found.items()
        ),
    )
