"""`streams deadletters list|redrive` over a file that replay, demo or `streams log dump` wrote."""

from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from streams.commands.terminal import print_json, print_lines, table
from streams.contract.dead_letters import REASONS, DeadLetter
from streams.event_file import read_lines
from streams.faults import UserFault

MAX_LINE_BYTES = 1 << 20

Source = Annotated[
    Path, typer.Argument(metavar="FILE", help="dead-letters.ndjson, or the folder it stands in.")
]
Reason = Annotated[str | None, typer.Option(help="Only those with this reason.")]


def list_letters(
    source: Source,
    *,
    reason: Reason = None,
    most: Annotated[int, typer.Option(min=0, help="So many single ones.")] = 10,
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show what could not be taken in, by reason, and what the producer should do."""
    found: Counter[str] = Counter()
    shown: list[DeadLetter] = []
    for letter in letters(source, reason):
        found[letter.reason] += 1
        if len(shown) < most:
            shown.append(letter)
    if json:
        print_json({"reasons": dict(found.most_common()), "dead_letters": shown})
        return
    rows = [(code, f"{n:,}", REASONS.get(code, "")) for code, n in found.most_common()]
    table(f"{found.total():,} dead letters", ("reason", "", "what to do"), rows)
    table(
        f"The first {len(shown)}",
        ("id", "reason", "detail", "bytes"),
        ((x.dead_letter_id, x.reason, x.detail, f"{x.raw_bytes:,}") for x in shown),
    )


def redrive(
    source: Source,
    out: Annotated[Path, typer.Option("--out", help="File of events to write, for a new replay.")],
    *,
    reason: Reason = None,
) -> None:
    """Turn dead letters back into events, as they came in; mend them before, or the cause."""
    written = cut = 0
    with out.open("wb") as file:
        for letter in letters(source, reason):
            raw = b64decode(letter.raw)
            if len(raw) < letter.raw_bytes or not raw:
                cut += 1
                continue
            # A line break in JSON stands between values only, where a blank says the same.
            file.write(raw.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n")
            written += 1
    left = f"; {cut:,} left out, their input is empty or was too long to keep" if cut else ""
    print_lines(f"{out}: {written:,} events{left}")


class _Dumped(msgspec.Struct):
    """A line of `streams log dump --topic dead-letters`; empty for a dead letter itself."""

    value: msgspec.Raw = msgspec.Raw(b"")


def letters(source: Path, reason: str | None) -> Iterator[DeadLetter]:
    """The dead letters of a file. Raises UserFault."""
    if reason is not None and reason not in REASONS:
        raise UserFault(f"{reason!r} is no reason; there are: {', '.join(REASONS)}")
    path = source / "dead-letters.ndjson" if source.is_dir() else source
    dumped = msgspec.json.Decoder(_Dumped)
    plain = msgspec.json.Decoder(DeadLetter)
    for number, line in enumerate(read_lines(path, MAX_LINE_BYTES), start=1):
        try:
            letter = plain.decode(dumped.decode(line).value or line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UserFault(f"{path}:{number}: is no dead letter: {error}") from None
        if reason is None or letter.reason == reason:
            yield letter
