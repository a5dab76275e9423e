"""Federated rounds as files: a coordinator's round.json, sites' update files, each site's ledger.

Nothing but these files passes between sites: by mail, object store or memory stick. The examples
of a site are NDJSON, one per line: {"person": "...", "x": {"name": 0.5, ...}, "y": true}; a feature
that is not named there is 0, one the round does not know is ignored.
"""

import os
from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from streams.faults import UserFault
from streams.learning.federated.accountant import Budget
from streams.learning.federated.rounds import (
    Combined,
    Refusal,
    Round,
    Update,
    begin,
    combine,
)
from streams.learning.federated.secret import KEY_BYTES
from streams.learning.federated.site import Declined, Ledger, Site

MOST_UPDATE_BYTES = 1 << 20
Part = TypeVar("Part", bound=Struct)


class Line(Struct):
    person: str
    x: dict[str, float]
    y: bool


class Contribution(NamedTuple):
    """What a site did: where the update is, and epsilon spent so far at the budget's delta."""

    path: Path
    people: int
    epsilon: float


def begin_file(
    path: Path,
    names: Sequence[str],
    sites: dict[str, int],
    *,
    clip: float,
    noise: float,
    sampled: float,
    rate: float,
) -> Round:
    """Write the first round. Raises UserFault for settings that make none, or where one exists."""
    if path.exists():
        raise UserFault(f"{path}: exists already; a federation begins once")
    try:
        first = begin(names, sites, clip=clip, noise=noise, sampled=sampled, rate=rate)
    except ValueError as error:
        raise UserFault(f"no round: {error}") from None
    _write(path, first)
    return first


def contribute_files(
    round_path: Path,
    examples: Path,
    *,
    site: str,
    key_path: Path,
    ledger_path: Path,
    budget: Budget,
    out: Path,
) -> Contribution:
    """A site's update of this round into the folder `out`. The ledger is stored first.

    Raises UserFault where a file cannot be read, or the site declines.
    """
    current = read(round_path, Round)
    ledger = read(ledger_path, Ledger) if ledger_path.exists() else Ledger()
    people = _people(examples, current.names)
    member = Site(site, _key(key_path), budget, ledger)
    try:
        update = member.contribute(current, people)
    except Declined as error:
        raise UserFault(f"{site} takes no part: {error}") from None
    _write(ledger_path, member.ledger)
    path = out / f"{site}-{current.number}.update.json"
    _write(path, update)
    return Contribution(path, len(people), member.epsilon())


def combine_files(round_path: Path, updates: Path, out: Path) -> Combined:
    """Read all updates of a folder and write the next round; a file that is none is refused.

    Raises UserFault where the round cannot be read.
    """
    current = read(round_path, Round)
    found: list[Update] = []
    refused: list[Refusal] = []
    for path in sorted(updates.glob("*.update.json")):
        try:
            found.append(read(path, Update, most_bytes=MOST_UPDATE_BYTES))
        except UserFault as error:
            refused.append(Refusal(path.name, str(error)))
    combined = combine(current, found)
    if combined.next is not None:
        _write(out, combined.next)
    return combined._replace(refused=refused + combined.refused)


def make_key(path: Path) -> None:
    """A new secret key, readable by its owner only. Raises UserFault where one exists."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UserFault(f"{path}: exists already; a key is never overwritten") from None
    except OSError as error:
        raise UserFault(f"{path}: cannot be written: {error.strerror}") from None
    with os.fdopen(handle, "w") as file:
        file.write(os.urandom(KEY_BYTES).hex() + "\n")


def read(path: Path, what: type[Part], *, most_bytes: int = 1 << 26) -> Part:
    """Raises UserFault: cannot be read, too large, or none of this kind."""
    try:
        if path.stat().st_size > most_bytes:
            raise UserFault(f"{path}: is larger than {most_bytes:,} bytes")
        return msgspec.json.decode(path.read_bytes(), type=what)
    except OSError as error:
        raise UserFault(f"{path}: cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise UserFault(f"{path}: is no {what.__name__.lower()}: {error}") from None


def budget_of(epsilon: str, delta: float) -> Budget:
    """`epsilon` as typed: a number, or inf. Raises UserFault."""
    try:
        return Budget(inf if epsilon == "inf" else float(epsilon), delta)
    except ValueError as error:
        raise UserFault(f"no budget: {error}") from None


def _people(path: Path, names: Sequence[str]) -> dict[str, list[tuple[list[float], bool]]]:
    decoder = msgspec.json.Decoder(Line)
    found: dict[str, list[tuple[list[float], bool]]] = {}
    try:
        with path.open("rb") as lines:
            for number, text in enumerate(lines, 1):
                try:
                    line = decoder.decode(text)
                except msgspec.DecodeError as error:
                    raise UserFault(f"{path}, line {number}: is no example: {error}") from None
                x = [line.x.get(name, 0.0) for name in names]
                found.setdefault(line.person, []).append((x, line.y))
    except OSError as error:
        raise UserFault(f"{path}: cannot be read: {error.strerror}") from None
    return found


def _key(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except OSError as error:
        raise UserFault(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise UserFault(
            f"{path}: holds no key of {KEY_BYTES} bytes in hexadecimal; "
            "`streams federate key` makes one"
        )
    return key


def _write(path: Path, record: Struct) -> None:
    """Whole or not at all, and on the disk when this returns."""
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise UserFault(f"{path}: cannot be written: {error.strerror}") from None
