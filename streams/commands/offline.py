"""Commands that need no broker: simulate, replay, demo, explain."""

from pathlib import Path
from typing import Annotated, Any

import typer

from streams.commands.terminal import counts, err, print_json, print_lines, say, table, watched
from streams.faults import UserFault

DAY_MS = 86_400_000

Folder = Annotated[Path, typer.Option("--out", help="Folder for the output files.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on stdout.")]
Batch = Annotated[int, typer.Option(min=1, help="Records of a partition between two commits.")]
Scenario = Annotated[
    str, typer.Option(help="ecommerce, catering, education, cosmetics, bank or group.")
]


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
    scenario: Scenario = "ecommerce",
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
    from streams.replay import Replay, replay_file, replay_log

    if (events is None) == (log is None):
        raise typer.BadParameter("give either a file of EVENTS or --log DUMP")
    if log is not None:
        if from_snapshot or save_snapshot or config:
            raise typer.BadParameter("--log takes its configuration and state from the log itself")
        _show(replay_log(log, Outputs(out), batch=batch), out, json)
        return
    assert events is not None
    if str(events) != "-" and not events.is_file():
        raise UserFault(f"{events}: no such file; give a file of events, one JSON object a line")
    key = _alias_key()
    if from_snapshot is not None:
        if config is not None:
            raise typer.BadParameter("--from-snapshot brings its own configuration")
        run = Replay.resume(
            from_snapshot, key=key, outputs=Outputs(out), batch=batch, keep_rows=bool(save_snapshot)
        )
    else:
        run = Replay(
            _config(config, partitions=partitions, scenario=scenario),
            key=key,
            outputs=Outputs(out),
            batch=batch,
            keep_rows=bool(save_snapshot),
        )
    summary = replay_file(
        events, run, progress=watched(events, "replay"), drain_ms=round(drain_days * DAY_MS)
    )
    if save_snapshot is not None:
        run.save(save_snapshot)
    _show(summary, out, json)


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


def _alias_key() -> bytes:
    """The key of the pseudonyms: the deployment's own if set, else one for trying things out."""
    from streams.settings import SettingsError, load

    try:
        settings = load()
        return settings.alias_key_bytes() if settings.alias_key is not None else DEMO_KEY
    except SettingsError as error:
        raise UserFault(str(error)) from None


def _config(path: Path | None, **given: Any) -> Any:
    import tomllib

    import msgspec

    from streams.engine.config import Config

    fields: dict[str, Any] = {}
    if path is not None:
        try:
            fields = tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            raise UserFault(f"{path}: cannot be read: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UserFault(f"{path}: is no TOML: {error}") from None
    try:
        return msgspec.convert({**given, **fields}, Config)
    except msgspec.ValidationError as error:
        raise UserFault(f"{path}: {error}") from None


def _show(summary: dict[str, Any], out: Path, json: bool) -> None:
    if json:
        print_json(summary)
        return
    show_summary(summary)
    print_lines(f"{out}: triggers, decisions, profiles, dead-letters (.ndjson), summary.json")
