"""`streams`: the command line. A fault of the user's is one line on stderr and exit code 1 or 2."""

import difflib
import os
import sys
from collections.abc import Sequence

import click
import typer

from streams import __version__
from streams.commands import dead_letters, live, offline, snapshots
from streams.commands.terminal import print_lines
from streams.faults import UserFault

HELP = (
    "WeChat events in; coupon, message and content triggers out. "
    "Live on Kafka, or from a file with `streams replay`."
)
_GROUP = {"no_args_is_help": True, "rich_markup_mode": None}

app = typer.Typer(name="streams", help=HELP, add_completion=False, **_GROUP)
snapshot_app = typer.Typer(help="Portable snapshots of a replay's state.", **_GROUP)
log_app = typer.Typer(help="The partition logs: dump and check.", **_GROUP)
dead_letters_app = typer.Typer(help="What could not be taken in: list and redrive.", **_GROUP)

app.command()(offline.simulate)
app.command()(offline.replay)
app.command()(offline.demo)
app.command()(offline.explain)
app.command()(live.worker)
app.command()(live.topics)
app.add_typer(snapshot_app, name="snapshot")
app.add_typer(log_app, name="log")
app.add_typer(dead_letters_app, name="deadletters")
snapshot_app.command("write")(snapshots.write)
snapshot_app.command("inspect")(snapshots.inspect)
log_app.command("dump")(live.dump)
log_app.command("check")(live.check)
dead_letters_app.command("list")(dead_letters.list_letters)
dead_letters_app.command("redrive")(dead_letters.redrive)


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
    try:
        code = command.main(args=list(arguments), prog_name="streams", standalone_mode=False)
    except click.UsageError as error:
        return _fault(_with_suggestion(error), 2)
    except click.ClickException as error:
        return _fault(error.format_message(), 1)
    except UserFault as error:
        return _fault(str(error), 1)
    except (click.Abort, KeyboardInterrupt):
        return _fault("interrupted", 130)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nothing is wrong, and nothing more to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0


def _with_suggestion(error: click.UsageError) -> str:
    message = " ".join(error.format_message().split())
    context = error.ctx
    where = context.command_path if context is not None else "streams"
    if isinstance(error, click.NoSuchOption) and context is not None and not error.possibilities:
        known = [option for param in context.command.params for option in param.opts]
        near = difflib.get_close_matches(error.option_name, known, n=1, cutoff=0.5)
        if near:
            message += f" Did you mean {near[0]}?"
    return f"{message} (`{where} --help` shows what there is)"


def _fault(message: str, code: int) -> int:
    line = " ".join(message.split())
    sys.stderr.write(f"streams: {line}\n")
    return code
