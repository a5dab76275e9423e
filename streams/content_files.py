"""The content library from its files: every `*.toml` of a directory is a part of one library."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from streams.contract.content import SPEC, Fault, Library, Limits, Words
from streams.engine.content.library import check_library
from streams.faults import UserFault

MOST_FILES: Final = 256
MOST_BYTES: Final = 4 * 1024 * 1024  # of one file
_STEP: Final = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")
_REMEDY: Final = "see schemas/content.json"


class ContentError(UserFault):
    """The first fault of a library, and how many there are."""


def load_library(path: Path) -> Library:
    """The library of a directory or of one file. Raises ContentError if it has a fault."""
    library, faults = _read(path)
    if faults:
        more = f" (and {len(faults) - 1} more: streams content lint)" if len(faults) > 1 else ""
        raise ContentError(f"{faults[0]}{more}")
    return library


def lint_library(path: Path) -> list[Fault]:
    """Every fault, `where` beginning with the file and line. Empty: the library is good."""
    return _read(path)[1]


def _read(path: Path) -> tuple[Library, list[Fault]]:
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not files or len(files) > MOST_FILES:
        found = f"{len(files)} *.toml files" if path.exists() else "nothing there"
        return _EMPTY, [Fault("FORM", str(path), found, f"name a directory with 1 to {MOST_FILES}")]
    sources: dict[Path, list[str]] = {}
    parts: list[Library] = []
    faults: list[Fault] = []
    for file in files:
        part = _part(file, sources)
        if isinstance(part, Fault):
            faults.append(part)
        else:
            parts.append(part)
    if faults:
        return _EMPTY, faults
    library = _joined(parts)
    if not library.version:
        where = f"{files[0]}:1 version"
        faults.append(Fault("FORM", where, "no file says a version", "add version = 1"))
    faults += [
        fault._replace(where=_place(fault.where, sources)) for fault in check_library(library)
    ]
    return library, faults


def _part(file: Path, sources: dict[Path, list[str]]) -> Library | Fault:
    try:
        if file.stat().st_size > MOST_BYTES:
            return Fault("FORM", str(file), f"more than {MOST_BYTES} bytes", "split the file")
        text = file.read_text("utf-8")
        fields = tomllib.loads(text)
    except OSError as error:
        return Fault("FORM", str(file), f"cannot be read: {error.strerror}", "check the path")
    except UnicodeDecodeError as error:
        return Fault("FORM", str(file), f"byte {error.start} is no UTF-8", "save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        return Fault("FORM", f"{file}:{line.group(1) if line else 1}", str(error), "mend the TOML")
    sources[file] = text.splitlines()
    if fields.get("spec") != SPEC:
        found = fields.get("spec", "nothing")
        return Fault("FORM", f"{file}:1 spec", f"spec is {found}", f'begin with spec = "{SPEC}"')
    try:
        return msgspec.convert(fields, Library)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        steps = [_numbered(step) for step in _steps(path.rstrip("`"))]
        where = f"{file}:{_line(sources[file], steps)[1]} {path.rstrip('`').lstrip('.')}".rstrip()
        return Fault("FORM", where, message, _REMEDY)


def _joined(parts: list[Library]) -> Library:
    return Library(
        spec=SPEC,
        version=max(part.version for part in parts),
        goods=[one for part in parts for one in part.goods],
        coupons=[one for part in parts for one in part.coupons],
        articles=[one for part in parts for one in part.articles],
        ads=[one for part in parts for one in part.ads],
        templates=[one for part in parts for one in part.templates],
        limits=Limits(
            fields=[one for part in parts for one in part.limits.fields],
            texts=[one for part in parts for one in part.limits.texts],
        ),
        words=Words(
            banned=[one for part in parts for one in part.words.banned],
            required=[one for part in parts for one in part.words.required],
            variants={k: v for part in parts for k, v in part.words.variants.items()},
        ),
    )


def _place(where: str, sources: dict[Path, list[str]]) -> str:
    """File and line of a path such as templates[cart_remind_v1].variants[a].fields.thing1."""
    steps = list(_steps(where))
    found = [(*_line(lines, steps), file) for file, lines in sources.items()]
    _, line, file = max(found, key=lambda one: one[0])
    return f"{file}:{line} {where}"


def _steps(path: str) -> Iterator[str | tuple[str, str]]:
    """A key as text; ("id", x) or, from a decoder's path, ("index", n) for what is in brackets."""
    for found in _STEP.finditer(path):
        selector, key = found.groups()
        if key is not None:
            yield key
        else:
            yield ("id", selector)


def _numbered(step: str | tuple[str, str]) -> str | tuple[str, str]:
    if isinstance(step, tuple) and step[1].isdigit():
        return ("index", step[1])
    return step


def _line(lines: list[str], steps: list[str | tuple[str, str]]) -> tuple[int, int]:
    """How many steps can be found, and the line (from 1) of the last of them.

    tomllib tells no lines, so the file is walked: each step is looked for after the one before. A
    table of which there are many is opened by [[its.path]], an id stands in quotes.
    """
    at = 0
    tables: list[str] = []
    for number, step in enumerate(steps):
        if isinstance(step, str):
            tables.append(step)
            found = _nth(lines, max(0, at - 1), _key_pattern(step, tables), 0)
        elif step[0] == "index":
            header = re.compile(rf"\s*\[\[\s*{re.escape('.'.join(tables))}\s*\]\]")
            found = _nth(lines, max(0, at - 1), header, int(step[1]))
        else:
            wanted = re.compile(rf"\s*\w+\s*=\s*[\"']{re.escape(step[1])}[\"']")
            found = _nth(lines, at, wanted, 0)
        if not found:
            return number, max(at, 1)
        at = found
    return len(steps), max(at, 1)


def _key_pattern(key: str, tables: list[str]) -> re.Pattern[str]:
    """A key, or the table that it is; [[words.banned]] opens `words` too."""
    path = re.escape(".".join(tables))
    return re.compile(rf"\s*(?:\[+\s*{path}\s*(?:\.[^\]]*)?\]+|{re.escape(key)}\s*[.=])")


def _nth(lines: list[str], after: int, pattern: re.Pattern[str], skip: int) -> int:
    for number in range(after, len(lines)):
        if pattern.match(lines[number]):
            if skip == 0:
                return number + 1
            skip -= 1
    return 0


_EMPTY: Final = Library(spec=SPEC)
