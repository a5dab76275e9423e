"""`streams whatif`: last month's log with a change, before the change goes live."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands.configuration import alias_key, engine_config
from streams.commands.terminal import bar, say
from streams.faults import UserFault

if TYPE_CHECKING:
    from streams.whatif.change import Change, InForce
    from streams.whatif.run import Ran


def whatif(
    *,
    log: Annotated[
        Path | None, typer.Option(help="A log that `streams log dump` wrote, or a folder of them.")
    ] = None,
    events: Annotated[
        Path | None, typer.Option(help="Or events as NDJSON, as `streams replay` takes them.")
    ] = None,
    journey: Annotated[
        list[Path] | None, typer.Option(help="A journey to put in force; may be given again.")
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="A policy to put in force.")] = None,
    content: Annotated[Path | None, typer.Option(help="A content library to put in force.")] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", help='policy.gap="8h", journey.<id>.budget.daily_fen=-20%; again.'),
    ] = None,
    since: Annotated[
        str, typer.Option("--from", help="When: 2026-11-01T00:00+08:00; else from the beginning.")
    ] = "",
    scenario: Annotated[
        str | None, typer.Option(help="With --events: what was in force, of a demo scenario.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="With --events: what was in force, as for replay.")
    ] = None,
    partitions: Annotated[
        int, typer.Option(min=1, max=1024, help="With --events: partitions of the log.")
    ] = 4,
    partition: Annotated[
        list[int] | None, typer.Option(min=0, help="Only this partition, as a sample; again.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Only so many records; 0: all.")] = 0,
    examples: Annotated[int, typer.Option(min=0, help="People named of each kind.")] = 5,
    json: Annotated[Path | None, typer.Option("--json", help="Also write the report here.")] = None,
) -> None:
    """Before going live: what a change would have done to last month's log, and to whom."""
    if (log is None) == (events is None):
        raise typer.BadParameter("give either --log DUMP or --events FILE")
    if log is not None and (scenario or config):
        raise typer.BadParameter("--log takes what was in force from the log itself")

    def made(base: "InForce") -> "Change":
        return _change(base, journey or [], policy, content, sets or [], since)

    folded = sorted(set(partition)) if partition else None
    started = perf_counter()
    if log is not None:
        ran = _over_log(log, made, folded, limit)
    else:
        assert events is not None
        ran = _over_events(events, made, folded, limit, scenario, config, partitions)
    seconds = perf_counter() - started
    _tell(ran, examples, json)
    rate = ran.records / max(seconds, 1e-9)
    say(f"两遍并排 both sides: {ran.records:,} records in {seconds:.1f} s, {rate:,.0f} records/s")


def _over_log(
    log: Path, made: "Callable[[InForce], Change]", folded: list[int] | None, limit: int
) -> "Ran":
    from streams.whatif.logs import scan
    from streams.whatif.run import over_log

    scanned = scan(log)
    change = made(scanned.in_force)
    with bar("records") as progress:
        task = progress.add_task("what-if", total=limit or scanned.records, note="")
        return over_log(
            scanned,
            change,
            folded=folded,
            limit=limit,
            progress=lambda done: progress.update(task, completed=done, note=f"{done:,}"),
        )


def _over_events(
    events: Path,
    made: "Callable[[InForce], Change]",
    folded: list[int] | None,
    limit: int,
    scenario: str | None,
    config: Path | None,
    partitions: int,
) -> "Ran":
    from streams.event_file import read_lines
    from streams.whatif.run import in_force_of, over_events

    if str(events) != "-" and not events.is_file():
        raise UserFault(f"{events}: no such file; give a file of events, one JSON object a line")
    was = engine_config(config, scenario=scenario, partitions=partitions)
    if folded and folded[-1] >= was.partitions:
        raise UserFault(f"--partition {folded[-1]}: there are partitions 0 to {was.partitions - 1}")
    change = made(in_force_of(was))
    with bar("events") as progress:
        task = progress.add_task("what-if", total=limit or None, note="")
        return over_events(
            was,
            change,
            read_lines(events),
            key=alias_key(),
            folded=folded,
            limit=limit,
            progress=lambda done: progress.update(task, completed=done, note=f"{done:,}"),
        )


def _change(
    base: "InForce",
    journeys: list[Path],
    policy: Path | None,
    content: Path | None,
    sets: list[str],
    since: str,
) -> "Change":
    from streams import policy_files
    from streams.content_files import load_library
    from streams.journey_files.load import load
    from streams.whatif.change import change

    return change(
        base,
        journeys=[load(path) for path in journeys],
        policy=None if policy is None else policy_files.load(policy),
        content=None if content is None else load_library(content),
        sets=sets,
        since_ms=_moment_ms(since) if since else None,
    )


def _moment_ms(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UserFault(f"--from {text}: is no moment; write 2026-11-01T00:00+08:00") from None
    if moment.tzinfo is None:
        raise UserFault(f"--from {text}: has no zone; write {text}+08:00")
    return int(moment.timestamp() * 1000)


def _tell(ran: "Ran", examples: int, json: Path | None) -> None:
    import msgspec

    from streams.commands.whatif_story import show
    from streams.whatif.report import report

    found = report(ran, examples=examples)
    if json is not None:
        try:
            json.parent.mkdir(parents=True, exist_ok=True)
            json.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        except OSError as error:
            raise UserFault(f"{json}: cannot be written: {error.strerror}") from None
    show(found)
