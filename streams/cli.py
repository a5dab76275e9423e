"""`streams`: the command line. A user's fault is one line on stderr and exit code 1 or 2."""

import difflib
import os
import sys
from collections.abc import Sequence
from typing import Any

import typer

from streams import __version__
from streams.commands import (
    dead_letters,
    evaluate,
    export,
    federate,
    journeys,
    live,
    offline,
    publishing,
    report,
    snapshots,
    whatif,
    why,
)
from streams.commands.terminal import print_lines
from streams.faults import UserFault

HELP = (
    "WeChat events in; coupon, message and content triggers out. "
    "Live on Kafka, or from a file with `streams replay`."
)
# typer brings a click of its own: the classes of its errors are reached through the one it exports.
UsageError: type[Exception] = typer.BadParameter.__mro__[1]
ClickError: type[Exception] = typer.BadParameter.__mro__[2]

app = typer.Typer(name="streams", help=HELP, add_completion=False, rich_markup_mode=None)
snapshot_app = typer.Typer(help="Portable snapshots of a replay's state.", rich_markup_mode=None)
log_app = typer.Typer(help="The partition logs: dump and check.", rich_markup_mode=None)
dead_letters_app = typer.Typer(
    help="What could not be taken in: list and redrive.", rich_markup_mode=None
)
journey_app = typer.Typer(help="Journeys as files, and those in force.", rich_markup_mode=None)
policy_app = typer.Typer(help="The policy as a file, and in force.", rich_markup_mode=None)
federate_app = typer.Typer(
    help="Learning with other sites: only clipped, noised sums leave.", rich_markup_mode=None
)
content_app = typer.Typer(help="The content library.", rich_markup_mode=None)

app.command()(offline.simulate)
app.command()(offline.replay)
app.command()(offline.demo)
app.command()(offline.explain)
app.command()(why.why)
app.command()(whatif.whatif)
app.command()(report.report)
app.command()(evaluate.evaluate)
app.command()(export.export)
app.command()(live.worker)
app.command()(live.topics)
app.add_typer(snapshot_app, name="snapshot")
app.add_typer(log_app, name="log")
app.add_typer(dead_letters_app, name="deadletters")
app.add_typer(journey_app, name="journey")
app.add_typer(policy_app, name="policy")
app.add_typer(content_app, name="content")
app.add_typer(federate_app, name="federate")
snapshot_app.command("write")(snapshots.write)
snapshot_app.command("inspect")(snapshots.inspect)
log_app.command("dump")(live.dump)
log_app.command("check")(live.check)
dead_letters_app.command("list")(dead_letters.list_letters)
dead_letters_app.command("redrive")(dead_letters.redrive)
journey_app.command("lint")(journeys.lint)
journey_app.command("test")(journeys.test)
journey_app.command("simulate")(journeys.simulate)
journey_app.command("check")(journeys.check)
journey_app.command("diff")(journeys.diff)
journey_app.command("picture")(journeys.picture)
journey_app.command("publish")(publishing.publish_journeys)
journey_app.command("pause")(publishing.pause)
journey_app.command("resume")(publishing.resume)
policy_app.command("lint")(journeys.lint_policy)
policy_app.command("publish")(publishing.publish_policy)
content_app.command("lint")(journeys.lint_content)
content_app.command("publish")(publishing.publish_content)
federate_app.command("key")(federate.key)
federate_app.command("begin")(federate.begin)
federate_app.command("contribute")(federate.contribute)
federate_app.command("combine")(federate.combine)


@app.command()
def version() -> None:
    """Show the version."""
    print_lines(__version__)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; never returns."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """The exit code: 0, 1 for a fault in the input, 2 for wrong usage, 130 when interrupted."""
    command = typer.main.get_command(app)
    given = list(arguments) or ["--help"]
    try:
        code = command.main(args=given, prog_name="streams", standalone_mode=False)
    except UserFault as error:
        return _fault(str(error), 1)
    except ClickError as error:
        return _fault(_said(error), 2 if isinstance(error, UsageError) else 1)
    except (typer.Abort, KeyboardInterrupt):
        return _fault("interrupted", 130)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nothing is wrong, and nothing more to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0


def _said(error: Any) -> str:
    """What a click error says, on one line, with where to look further."""
    message = " ".join(error.format_message().split())
    if error.__class__.__name__ == "MissingParameter":
        option = error.param.opts[0]
        message = f"{option if option.startswith('-') else error.param.metavar} is missing"
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "streams"
    option = getattr(error, "option_name", "")
    if option and context is not None and not error.possibilities:
        known = [name for param in context.command.params for name in param.opts]
        near = difflib.get_close_matches(option, known, n=1, cutoff=0.5)
        message += f" Did you mean {near[0]}?" if near else ""
    return f"{message} (`{where} --help` shows what there is)"


def _fault(message: str, code: int) -> int:
    line = " ".join(message.split())
    sys.stderr.write(f"streams: {line}\n")
    return code
