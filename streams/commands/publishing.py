"""`streams journey publish|pause|resume`, `streams policy publish`, `streams content publish`."""

from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, Literal

import msgspec
import typer

from streams.commands.configuration import settings
from streams.commands.journeys import Content, PolicyFile, refuse_faulty
from streams.commands.live import with_kafka
from streams.commands.terminal import print_lines
from streams.contract.codec import ContractError
from streams.contract.control import Command, CommandKind, held, published
from streams.contract.journeys import JourneySpec
from streams.faults import UserFault

Seconds = Annotated[
    float, typer.Option("--timeout", min=0.1, help="Seconds to wait for every partition.")
]
Named = Annotated[str, typer.Argument(metavar="ID", help="The journey's id, or '*' for all.")]


def publish_journeys(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE", help="Journey files.")],
    *,
    content: Content = None,
    policy: PolicyFile = None,
    timeout: Seconds = 30.0,
) -> None:
    """Put journeys in force in every partition, without a restart. Refused where lint finds an
    error or an inline test fails."""
    from streams.journey_files.load import load

    for path in paths:
        refuse_faulty(path, content, policy)
    _publish([_of_journey(load(path), path) for path in paths], timeout)


def pause(name: Named, *, timeout: Seconds = 30.0) -> None:
    """Nobody enters the journey and nothing of it is sent, until `streams journey resume`."""
    _hold("pause", name, timeout)


def resume(name: Named, *, timeout: Seconds = 30.0) -> None:
    """End a pause, of an operator or of the safety rules."""
    _hold("resume", name, timeout)


def publish_policy(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The policy file.")],
    *,
    timeout: Seconds = 30.0,
) -> None:
    """Put a policy in force in every partition, without a restart."""
    from streams.policy_files import load

    policy = load(path)
    _publish([_command(path, "policy", policy, version=policy.version)], timeout)


def publish_content(
    path: Annotated[Path, typer.Argument(metavar="DIR", help="The library's folder, or a file.")],
    *,
    timeout: Seconds = 30.0,
) -> None:
    """Put a content library in force in every partition, without a restart."""
    from streams.content_files import load_library

    library = load_library(path)
    _publish([_command(path, "content", library, version=library.version)], timeout)


def _of_journey(spec: JourneySpec, path: Path) -> Command:
    """The journey without its tests, which are of no use to a partition."""
    body = msgspec.to_builtins(spec)
    body.pop("test", None)
    return _command(path, "journey", body, id=spec.id, version=spec.version)


def _command(path: Path, kind: CommandKind, content: Any, *, version: int, id: str = "") -> Command:
    try:
        return published(kind, content, id=id, version=version)
    except ContractError as error:
        raise UserFault(f"{path}: cannot be published: {error.detail}") from None


def _hold(kind: Literal["pause", "resume"], name: str, timeout: float) -> None:
    try:
        command = held(kind, name)
    except ContractError:
        raise UserFault(f"{name!r} is no id of a journey; give one, or '*' for all") from None
    _publish([command], timeout)


def _publish(commands: list[Command], timeout: float) -> None:
    from streams.runtime.publish import publish, refusals, what

    found = settings()
    started = perf_counter()
    answers = with_kafka(partial(publish, found, commands, timeout_seconds=timeout))
    seconds = perf_counter() - started
    wrong = refusals(answers, found.partitions)
    refused = {what(answer) for answer in answers if answer.problem}
    for command in commands:
        if what(command) not in refused:
            print_lines(
                f"{what(command)}: in force in all {found.partitions} partitions "
                f"after {seconds:.1f} s"
            )
    if wrong:
        raise UserFault("; ".join(wrong))
