"""Where in a TOML file something stands. tomllib tells no lines, so the text is walked."""

import re
from collections.abc import Sequence

_PATH = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_HEADER = re.compile(r"\s*\[\[?\s*([\w.\"-]+)\s*\]\]?\s*(#.*)?$")


def line_of(text: str, path: str) -> int:
    """The line (from 1) of a path such as `step[2].arm[0].when`, as far as it can be found: what
    is not is said by the line of what it stands in. 1 where nothing is."""
    lines = text.splitlines()
    steps = [(int(number) if number else name) for number, name in _PATH.findall(path)]
    tables: list[str] = []
    at, end = 0, len(lines)
    for place, step in enumerate(steps):
        if isinstance(step, int):
            found = _header(lines, at, end, ".".join(tables), skip=step)
            if found:
                at, end = found, _section_end(lines, found, ".".join(tables))
            continue
        tables.append(step)
        if place + 1 < len(steps) and isinstance(steps[place + 1], int):
            continue
        found = _header(lines, at, end, ".".join(tables), skip=0) or _key(lines, at, end, step)
        if not found:
            break
        at = found
    return max(at, 1)


def line_of_id(text: str, table: str, name: str) -> int:
    """The line of `id = "name"` (or `name = ...` of a test) in a `[[table]]`; 1 if not found."""
    wanted = re.compile(rf"\s*(id|name)\s*=\s*[\"']{re.escape(name)}[\"']")
    inside = ""
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header:
            inside = header.group(1)
        elif inside == table and wanted.match(line):
            return number
    return 1


def _header(lines: Sequence[str], start: int, end: int, table: str, *, skip: int) -> int:
    """The number of the line after which the table's `skip`-th section from `start` on begins."""
    for number in range(start, end):
        found = _HEADER.match(lines[number])
        if found and found.group(1) == table:
            if not skip:
                return number + 1
            skip -= 1
    return 0


def _section_end(lines: Sequence[str], start: int, table: str) -> int:
    """Where the section ends: the next table that is no part of it."""
    for number in range(start, len(lines)):
        found = _HEADER.match(lines[number])
        if found and not found.group(1).startswith(table + "."):
            return number
    return len(lines)


def _key(lines: Sequence[str], start: int, end: int, key: str) -> int:
    said = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[.=]|.*[{{,]\s*{re.escape(key)}\s*=")
    for number in range(start, end):
        if said.match(lines[number]):
            return number + 1
    return 0
