"""`streams evaluate`: how good the models are on real data, beside their peers."""

from itertools import groupby
from operator import attrgetter
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from streams.commands.terminal import err, out, print_json, say
from streams.faults import UserFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.scoreboard.board import Score

FOLDER = Path("out/scoreboard")
# With the width each may take, so that peers' names and figures have a line each.
COLUMNS = (("data", 28), ("metric", 24), ("ours", 12), ("95 %", 18), ("bar", 18), ("peers", None))


def evaluate(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Tasks; all where none is named.", metavar="[NAME]..."),
    ] = None,
    *,
    data: Annotated[
        Path | None,
        typer.Option(help="Your own events (NDJSON, .gz too) instead of real data: churn only."),
    ] = None,
    folder: Annotated[Path, typer.Option("--cache", help="Where fetched data is kept.")] = FOLDER,
    board: Annotated[Path | None, typer.Option("--out", help="File for the rows, as JSON.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON on stdout.")] = False,
) -> None:
    """Progressive validation with delay, peers side by side in the same run, with 95 % intervals.

    Data comes out of packages the first time, checked by digest; it is never committed.
    """
    from streams.scoreboard import tasks

    wanted = list(names or tasks.NAMES)
    unknown = [name for name in wanted if name not in tasks.NAMES]
    if unknown:
        raise UserFault(f"no task {unknown[0]!r}; there is: {', '.join(tasks.NAMES)}")
    failed: list[str] = []
    if data is None:
        scores, failed = _measured(wanted, folder, board)
    else:
        scores = list(_own(wanted, data))
        _write(scores, board)
    if json:
        print_json(scores)
    else:
        _show(scores)
    if board is not None:
        say(f"{len(scores)} rows: {board}")
    if failed:
        raise UserFault("not measured: " + "; ".join(failed))


def _measured(
    wanted: "Sequence[str]", folder: Path, board: Path | None
) -> "tuple[list[Score], list[str]]":
    """The scores of the tasks, and which could not be measured, with the reason. The board is
    written after each, and a task whose data or peers cannot be had stops no other: an hour's
    figures are not lost with the last."""
    from streams.scoreboard import tasks
    from streams.scoreboard.data import Fetch

    fetch = Fetch(folder)
    scores: list[Score] = []
    failed: list[str] = []
    for number, name in enumerate(wanted, 1):
        started_s = monotonic()
        with err.status(f"{name} ..."):
            try:
                found = tasks.run(name, fetch)
            except UserFault as fault:
                failed.append(f"{name}: {fault}")
                say(f"{number}/{len(wanted)} {failed[-1]}")
                continue
        scores += found
        _write(scores, board)
        seconds = monotonic() - started_s
        say(f"{number}/{len(wanted)} {name}: {len(found)} rows, {seconds:,.0f} s")
    return scores, failed


def _write(scores: "Sequence[Score]", board: Path | None) -> None:
    from streams.scoreboard.board import write

    if board is not None:
        write(scores, board)


def _own(wanted: list[str], data: Path) -> "Sequence[Score]":
    from streams.scoreboard.own_events import evaluate_churn

    if wanted != ["churn"]:
        raise UserFault("--data is for churn: `streams evaluate churn --data FILE`")
    return evaluate_churn(data)


def _show(scores: "Sequence[Score]") -> None:
    """A table for each task."""
    for task, rows in groupby(scores, key=attrgetter("task")):
        found = list(rows)
        table = Table(box=SIMPLE_HEAD, pad_edge=False, title=task, title_justify="left")
        for title, most in COLUMNS:
            table.add_column(title, overflow="fold", max_width=most)
        data = ""
        for score in found:
            table.add_row(
                "" if score.data == data else score.data,
                score.metric,
                _number(score.ours) + _mark(score),
                "" if score.low == score.high else f"{_number(score.low)} – {_number(score.high)}",
                _bar(score),
                "\n".join(f"{name} {_number(value)}" for name, value in score.peers.items()),
            )
            data = score.data
        out.print(table)
        for score in found:
            if score.note:
                out.print(f"{score.metric}: {score.note}", style="dim", markup=False)


def _mark(score: "Score") -> str:
    return {True: " ✓", False: " ✗", None: ""}[score.reached]


def _bar(score: "Score") -> str:
    if score.bar is None:
        return ""
    if score.better == "within":
        high = score.bar if score.bar_high is None else score.bar_high
        return f"{_number(score.bar)} – {_number(high)}"
    return f"{'≥' if score.better == 'higher' else '≤'} {_number(score.bar)}"


def _number(value: float) -> str:
    """Four figures, without noise."""
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}"
    return f"{value:,.4f}" if abs(value) < 10 else f"{value:,.4g}"
