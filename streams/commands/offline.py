"""Commands that need no broker: simulate, replay, demo, explain."""

from pathlib import Path
from typing import Annotated

import typer

from streams.commands.configuration import alias_key, engine_config, scenario_config
from streams.commands.live import run_live
from streams.commands.story import show_summary
from streams.commands.terminal import bar, err, print_json, print_lines, say, watched
from streams.faults import UserFault
from streams.summary import DAY_MS, Summary

DAYS_PER_LINE = 5

Folder = Annotated[Path, typer.Option("--out", help="Folder for the output files.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on stdout.")]
Batch = Annotated[int, typer.Option(min=1, help="Records of a partition between two commits.")]
Scenario = Annotated[
    str,
    typer.Option(help="ecommerce, catering, education, cosmetics, bank or group_growth."),
]
Users = Annotated[int, typer.Option(min=1, help="Synthetic users.")]
Days = Annotated[int, typer.Option(min=1, max=3_650, help="Simulated days.")]
Seed = Annotated[str, typer.Option(help="The same seed gives the same bytes.")]


def simulate(
    out: Annotated[
        Path | None, typer.Option("--out", help="File of events to write, as NDJSON.")
    ] = None,
    *,
    live: Annotated[
        bool, typer.Option("--live", help="Onto Kafka in real time instead, in a closed loop.")
    ] = False,
    users: Users = 1_000,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=3_650, help="Days: 30; with --live, 3 of history before now."),
    ] = None,
    seed: Seed = "1",
    scenario: Scenario = "ecommerce",
    truth: Annotated[
        Path | None, typer.Option(help="File for the truth; default: next to the events.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Make events of synthetic users whose interests, churn hazard and response are known."""
    config = scenario_config(scenario)
    if live:
        run_live(scenario=scenario, users=users, seed=seed, days=days or 3)
        return
    if out is None:
        raise typer.BadParameter("give --out FILE, or --live for Kafka")
    from streams.intake import Intake
    from streams.simulation.run import simulate as run

    days = days or 30
    truth = out.with_suffix(".truth.ndjson") if truth is None else truth
    intake = Intake(key=alias_key(), tenant=config.tenant, partitions=config.partitions)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with bar("days") as progress:
            task = progress.add_task("simulate", total=days * 24, note="")
            made = run(
                users,
                days,
                seed,
                scenario,
                out,
                truth,
                lambda hour, _: progress.update(task, completed=hour, note=f"{hour // 24}"),
                alias_of=intake.alias_of,
            )
    except OSError as error:
        raise UserFault(f"{error.filename}: cannot be written: {error.strerror}") from None
    if json:
        print_json(made._asdict())
    else:
        print_lines(
            f"{out}: {made.events:,} events of {made.users:,} users ({made.broken:,} broken on "
            f"purpose); the truth: {truth}"
        )


def replay(
    events: Annotated[
        Path | None, typer.Argument(help="Events as NDJSON (.gz is fine); - for standard input.")
    ] = None,
    out: Folder = Path("out/replay"),
    *,
    log: Annotated[
        Path | None, typer.Option(help="Replay a log that `streams log dump` wrote instead.")
    ] = None,
    batch: Batch = 4_096,
    partitions: Annotated[int, typer.Option(min=1, max=1024, help="Partitions of the log.")] = 4,
    scenario: Annotated[
        str | None, typer.Option(help="Take policy and journeys of this demo scenario.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Policy and journeys as TOML: fields of engine.config.")
    ] = None,
    from_snapshot: Annotated[Path | None, typer.Option(help="Go on where it stands.")] = None,
    save_snapshot: Annotated[Path | None, typer.Option(help="Write one at the end.")] = None,
    drain_days: Annotated[
        float, typer.Option(min=0, max=366, help="Let timers run so long after the last event.")
    ] = 0.0,
    json: AsJson = False,
) -> None:
    """Run the main job over a file: triggers, decisions, profiles and dead letters as NDJSON."""
    from streams.outputs import Outputs
    from streams.replay import Replay, replay_file
    from streams.replay_log import replay_log

    if (events is None) == (log is None):
        raise typer.BadParameter("give either a file of EVENTS or --log DUMP")
    if log is not None:
        if from_snapshot or save_snapshot or config:
            raise typer.BadParameter("--log takes configuration and state from the log itself")
        _show(replay_log(log, Outputs(out), batch=batch), out, json=json)
        return
    assert events is not None
    if str(events) != "-" and not events.is_file():
        raise UserFault(f"{events}: no such file; give a file of events, one JSON object a line")
    if from_snapshot is not None and config is not None:
        raise typer.BadParameter("--from-snapshot brings its own configuration")
    key, keep_rows = alias_key(), save_snapshot is not None
    if from_snapshot is not None:
        run = Replay.resume(
            from_snapshot, key=key, outputs=Outputs(out), batch=batch, keep_rows=keep_rows
        )
    else:
        engine = engine_config(config, scenario=scenario, partitions=partitions)
        run = Replay(engine, key=key, outputs=Outputs(out), batch=batch, keep_rows=keep_rows)
    summary = replay_file(
        events, run, progress=watched(events, "replay"), drain_ms=round(drain_days * DAY_MS)
    )
    if save_snapshot is not None:
        run.save(save_snapshot)
    _show(summary, out, json=json)


def demo(
    *,
    scenario: Scenario = "ecommerce",
    users: Users = 2_000,
    days: Days = 30,
    seed: Seed = "1",
    out: Folder = Path("out/demo"),
    batch: Batch = 4_096,
    json: AsJson = False,
) -> None:
    """Simulated users and the engine in a closed loop; then what came of it, and a report."""
    from streams.demo import Demo, Progress

    run = Demo(
        scenario=scenario,
        users=users,
        days=days,
        seed=seed,
        out=out,
        key=alias_key(),
        batch=batch,
    )
    with bar("") as progress:
        task = progress.add_task("day 0", total=days, note="")

        def tell(at: Progress) -> None:
            note = f"{at.events:,} events → {at.triggers:,} triggers"
            progress.update(
                task, completed=at.day, description=f"第 {at.day} 天 day {at.day}/{days}", note=note
            )
            if not err.is_terminal and (at.day % DAYS_PER_LINE == 0 or at.day == days):
                say(f"day {at.day}/{days}: {note}")

        summary = run.run(tell)
    _show(summary, out, json=json)
    if not json:
        print_lines(f"报告 Report: {out / 'report.html'}")


def explain(
    wanted: Annotated[str, typer.Argument(metavar="ID", help="A decision, trigger or user id.")],
    folder: Annotated[Path, typer.Option("--in", help="A folder replay or demo wrote.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the records as JSON.")] = False,
) -> None:
    """Tell why: gates, values, score, top features, experiment, quiet hours."""
    from streams.explain import explain as find

    answer = find(wanted, folder)
    if json:
        print_json({"kind": answer.kind, "records": answer.records})
    else:
        print_lines(answer.text)


def _show(summary: Summary, out: Path, *, json: bool) -> None:
    if json:
        print_json(summary)
        return
    show_summary(summary)
    files = "triggers, decisions, profiles, reports, insights, dead-letters, summary"
    print_lines(f"文件 Files: {out}/ {files}")
