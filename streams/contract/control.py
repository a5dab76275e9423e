"""What is published to a running deployment: whole, canonical bodies on `wechat.control`.

A command holds everything it changes, with a version that only rises and the digest of its body;
there is no edit of a part. Every partition folds it at its own place in its log and reports what
became of it, so publishing ends when all have.
"""

import re
from hashlib import sha256
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from streams.contract.bounds import MAX_DEPTH
from streams.contract.codec import ContractError
from streams.contract.parsing import is_too_deep

CommandKind = Literal["journey", "policy", "content", "pause", "resume"]
KINDS: Final[dict[str, str]] = {
    "journey": "a version of a journey, in the structure of its file",
    "policy": "the policy, in the structure of its file",
    "content": "the content library, in the structure of its files",
    "pause": "nobody enters the journey and nothing of it is sent, until `resume`; `*`: of all",
    "resume": "ends a pause, of an operator or of the safety rules",
}
MAX_BODY_BYTES: Final = 512 * 1024  # canonical
MAX_COMMAND_BYTES: Final = MAX_BODY_BYTES + 4 * 1024
MAX_VERSION: Final = 1_000_000
ALL: Final = "*"
_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,47}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class Command(Struct, kw_only=True, omit_defaults=True):
    """One record of the control topic. `id`: of the journey, or `*`; pauses have no body."""

    kind: CommandKind
    id: str
    version: int = 0
    sha256: str = ""
    body: Any = None


def canonical(body: Any) -> bytes:
    """The bytes whose digest stands in the command: JSON with sorted keys."""
    return msgspec.json.encode(msgspec.to_builtins(body, str_keys=True), order="deterministic")


def digest(body: Any) -> str:
    return sha256(canonical(body)).hexdigest()


def published(kind: CommandKind, content: Any, *, id: str = "", version: int) -> Command:
    """The command that puts a body in force: policy and content have no id but their kind.

    Raises ContractError where the body is too large.
    """
    body = msgspec.json.decode(canonical(content))
    command = Command(kind=kind, id=id or kind, version=version, sha256=digest(body), body=body)
    _check(command)
    return command


def held(kind: Literal["pause", "resume"], id: str) -> Command:
    """The command that pauses a journey or ends the pause. Raises ContractError."""
    command = Command(kind=kind, id=id)
    _check(command)
    return command


def read_command(raw: bytes | None) -> Command:
    """A record of the control topic. Raises ContractError with the reason `bad_command`."""
    if not raw:
        raise _bad("the record has no value")
    if len(raw) > MAX_COMMAND_BYTES:
        raise _bad(f"the value has more than {MAX_COMMAND_BYTES} bytes")
    if is_too_deep(raw):
        raise _bad(f"$ is nested deeper than {MAX_DEPTH} levels")
    try:
        command = msgspec.json.decode(raw, type=Command)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _bad(f"is no command: {error}") from None
    _check(command)
    return command


def _check(command: Command) -> None:
    if command.kind in ("pause", "resume"):
        if command.id != ALL and _ID.fullmatch(command.id) is None:
            raise _bad("$.id is no id of a journey, nor *")
        if command.body is not None or command.version or command.sha256:
            raise _bad(f"a {command.kind} has no version, digest or body")
        return
    if not 1 <= command.version <= MAX_VERSION:
        raise _bad(f"$.version is {command.version}, not 1 to {MAX_VERSION}")
    if type(command.body) is not dict:
        raise _bad("$.body is no object")
    named = command.body.get("id") if command.kind == "journey" else command.kind
    if command.id != named or _ID.fullmatch(command.id) is None:
        raise _bad("$.id is not that of the body")
    if command.body.get("version") != command.version:
        raise _bad("$.version is not that of the body")
    if _SHA256.fullmatch(command.sha256) is None:
        raise _bad("$.sha256 is no digest of 64 hexadecimal digits")
    body = canonical(command.body)
    if len(body) > MAX_BODY_BYTES:
        raise _bad(f"$.body has {len(body)} bytes, more than {MAX_BODY_BYTES}")
    if sha256(body).hexdigest() != command.sha256:
        raise _bad("$.sha256 is not the digest of the body")


def _bad(detail: str) -> ContractError:
    return ContractError("bad_command", detail)
