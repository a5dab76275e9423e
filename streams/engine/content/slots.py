"""Reading a text with placeholders: `{name}`, `{name|default}`, `{name:12|default}`.

A number after the colon cuts the value to so many characters. There is no escape: a brace that
begins no placeholder is a fault.
"""

import re
from typing import Final, NamedTuple

from streams.contract.content import PERSONAL_DATA, SLOTS, Slot

_PLACEHOLDER: Final = re.compile(r"\{([a-z_][a-z0-9_.]*)(?::(\d{1,3}))?(?:\|([^{}|]*))?\}")


class Gap(NamedTuple):
    """A place for a value, at most `most` characters. `default` None: there is none."""

    name: str
    slot: Slot
    most: int
    default: str | None


class Problem(NamedTuple):
    code: str
    message: str
    remedy: str


class Reading(NamedTuple):
    """A text in parts: literals and gaps in their order. With problems it cannot be filled."""

    parts: tuple[str | Gap, ...]
    problems: tuple[Problem, ...]

    @property
    def gaps(self) -> list[Gap]:
        return [part for part in self.parts if isinstance(part, Gap)]


def read(text: str) -> Reading:
    """Never raises."""
    parts: list[str | Gap] = []
    problems: list[Problem] = []
    end = 0
    for found in _PLACEHOLDER.finditer(text):
        _literal(text[end : found.start()], parts, problems)
        name, most, default = found.groups()
        problem = _unusable(name)
        if problem is None:
            slot = SLOTS[name]
            parts.append(Gap(name, slot, _most(most, slot), default))
        else:
            problems.append(problem)
        end = found.end()
    _literal(text[end:], parts, problems)
    return Reading(tuple(parts), tuple(problems))


def without_slots(text: str, instead: str = "。") -> str:
    return _PLACEHOLDER.sub(instead, text)


def _literal(text: str, parts: list[str | Gap], problems: list[Problem]) -> None:
    if "{" in text or "}" in text:
        problems.append(
            Problem(
                "PLACEHOLDER",
                f"a brace that begins no placeholder in {text!r}",
                "write {name} or {name|default}, and no other braces",
            )
        )
    elif text:
        parts.append(text)


def _unusable(name: str) -> Problem | None:
    if name in SLOTS:
        return None
    if name.rpartition(".")[2] in PERSONAL_DATA:
        return Problem(
            "PERSONAL_DATA", f"{{{name}}} is personal data", "address the reader as 您 instead"
        )
    known = ", ".join(SLOTS)
    return Problem("PLACEHOLDER", f"{{{name}}} is unknown", f"use one of {known}")


def _most(most: str | None, slot: Slot) -> int:
    """Only text can be cut: half a number or date would be another one."""
    if most is None or slot.type != "text":
        return slot.longest
    return max(1, min(int(most), slot.longest))
