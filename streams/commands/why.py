"""`streams why`: why somebody got something or nothing, and when they may next."""

import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from streams.commands.configuration import alias_key, settings
from streams.commands.terminal import print_json, print_lines
from streams.contract.why import Why
from streams.faults import UserFault

MOST_FORWARDS = 16
PATIENCE_S = 10.0
ACCOUNT_WIDE = ("unionid:", "external_userid:")


class _Refusal(msgspec.Struct):
    problem: str
    partition: int | None = None


def why(
    user: Annotated[
        str, typer.Argument(metavar="USER", help="A user id, or user:ID; native with --source.")
    ],
    journey: Annotated[str | None, typer.Argument(metavar="[JOURNEY]", help="Its id.")] = None,
    *,
    source: Annotated[
        str, typer.Option(help="USER is a native id (openid) as events of this source name it.")
    ] = "",
    folder: Annotated[Path, typer.Option("--in", "--out", help="A folder that demo wrote.")] = Path(
        "out/demo"
    ),
    state: Annotated[
        Path | None, typer.Option(help="A snapshot instead, see `streams replay --save-snapshot`.")
    ] = None,
    worker: Annotated[
        list[str] | None, typer.Option(help="Ask a running worker: http://host:9108; repeat it.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Tell what stands against a journey for this person, and when they are next eligible."""
    from streams.why import told

    if worker:
        answers = _live(worker, _user_id(user, source, ""), journey)
    else:
        answers = _offline(_state_file(folder, state), user, source, journey)
    if json:
        print_json(answers)
    else:
        print_lines(told(answers))


def _state_file(folder: Path, state: Path | None) -> Path:
    from streams.why_snapshot import STATE_FILE

    return state if state is not None else folder / STATE_FILE


def _offline(path: Path, user: str, source: str, journey: str | None) -> list[Why]:
    from streams import snapshot
    from streams.why_snapshot import why_in

    if not path.is_file():
        raise UserFault(f"{path}: no such file; `streams demo` and --save-snapshot write one")
    tenant = str(snapshot.read_header(path).config.get("tenant", "default"))
    return why_in(path, _user_id(user, source, tenant), journey)


def _user_id(user: str, source: str, tenant: str) -> str:
    """The pseudonym of what was given; `tenant`: this deployment's where empty. Raises
    UserFault."""
    if not source and not user.startswith(ACCOUNT_WIDE):
        return user.removeprefix("user:")
    from streams.contract.codec import ContractError
    from streams.intake import Intake

    try:
        intake = Intake(key=alias_key(), tenant=tenant or settings().tenant, partitions=1)
        return intake.alias_of(user, source)
    except ContractError as error:
        raise UserFault(f"USER: {error.detail}; give a native id with its --source") from None


def _live(workers: list[str], user_id: str, journey: str | None) -> list[Why]:
    """Ask every worker until one has the person; go on where they were merged into another."""
    found: list[Why] = []
    for _ in range(MOST_FORWARDS):
        answers = _asked(workers, user_id, journey)
        found += answers
        if len(answers) != 1 or not answers[0].forwarded_to:
            break
        user_id = answers[0].forwarded_to
    return found


def _asked(workers: list[str], user_id: str, journey: str | None) -> list[Why]:
    asked = {"user": user_id} | ({"journey": journey} if journey else {})
    refusals = []
    for worker in workers:
        url = f"{worker.rstrip('/')}/why?{urllib.parse.urlencode(asked)}"
        if not url.startswith(("http://", "https://")):
            raise UserFault(f"--worker {worker}: is no http:// address of a worker")
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:  # noqa: S310
                return msgspec.json.decode(answer.read(), type=list[Why])
        except urllib.error.HTTPError as error:
            refusals.append(f"{worker}: {_problem(error)}")
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            refusals.append(f"{worker}: does not answer ({getattr(error, 'reason', error)})")
        except msgspec.DecodeError as error:
            raise UserFault(f"{worker}: gave no answer of a worker's ({error})") from None
    raise UserFault("; ".join(refusals) + "; give the worker that has it with --worker")


def _problem(error: urllib.error.HTTPError) -> str:
    try:
        return msgspec.json.decode(error.read(), type=_Refusal).problem
    except msgspec.DecodeError:
        return f"answered {error.code}"
