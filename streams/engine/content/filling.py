"""Filling a wording's slots for one person: pure, quick, and never a message with a hole.

Values come from events and profiles, so anything may stand in them. Text loses what cannot be seen
and is cut between characters as a reader sees them; a link or a telephone number in it, a number
out of range, a value of another type count as missing. A missing value takes the default, and
where there is none the answer is a Hole, whose reason is TEMPLATE_ERROR.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

from streams.contract.content import KEYED_CHANNELS, Variant
from streams.contract.text import without_invisible
from streams.engine.content.slots import Gap, read

TEMPLATE_ERROR: Final = "TEMPLATE_ERROR"
MOST_FEN: Final = 999_999_999  # ten characters in yuan, as many as an amount field takes
_MOST_RAW: Final = 512  # more of a value is not looked at
_SUSPECT: Final = re.compile(r"[/／]|[wWｗＷ]{3}|\d{7}")  # a quick look before the careful one
_LINK_OR_PHONE: Final = re.compile(r"://|www\.|(?<!\d)1[3-9]\d{9}(?!\d)", re.IGNORECASE)
_DATE: Final = re.compile(r"\d{4}年\d{1,2}月\d{1,2}日|\d{4}-\d{2}-\d{2}")
_TIME: Final = re.compile(r"(?:\d{4}年\d{1,2}月\d{1,2}日 |\d{4}-\d{2}-\d{2} )?\d{1,2}:\d{2}")

_Clean = Callable[[Any, int], str]
_Place = tuple[str, _Clean, int, str | None]  # name of the slot, its type, longest, default
_Parts = tuple[str | _Place, ...]


class Filled(NamedTuple):
    """What is shown: `fields` on a keyed channel, else `title` and `text`."""

    fields: dict[str, str]
    title: str
    text: str

    @property
    def params(self) -> dict[str, str]:
        """As a trigger's message carries it."""
        if self.fields:
            return self.fields
        return {"title": self.title, "text": self.text} if self.title else {"text": self.text}


class Hole(NamedTuple):
    """No message: the value of `slot` is missing. `slot` is empty if the wording has no text for
    the channel."""

    slot: str
    reason: str = TEMPLATE_ERROR


class CompiledVariant(NamedTuple):
    id: str
    personalised: bool
    keyed: tuple[tuple[str, _Parts], ...]
    title: _Parts
    text: _Parts


def compile_variant(variant: Variant) -> CompiledVariant:
    """Raises ValueError for a wording that cannot be read: only admitted ones are compiled."""
    return CompiledVariant(
        variant.id,
        variant.personalised,
        tuple((key, _parts(field.text)) for key, field in variant.fields.items()),
        _parts(variant.title),
        _parts(variant.text),
    )


class Values(Protocol):
    """What the slots stand for; a mapping is one."""

    def get(self, name: str, /) -> Any:
        """None where it is not known."""
        ...


def fill(variant: CompiledVariant, values: Values, channel: str) -> Filled | Hole:
    """Never raises, whatever the values are."""
    if channel in KEYED_CHANNELS:
        if not variant.keyed:
            return Hole("")
        fields: dict[str, str] = {}
        for key, parts in variant.keyed:
            filled = _fill(parts, values)
            if isinstance(filled, Hole):
                return filled
            fields[key] = filled
        return Filled(fields, "", "")
    title = _fill(variant.title, values)
    if isinstance(title, Hole):
        return title
    text = _fill(variant.text, values)
    if isinstance(text, Hole):
        return text
    return Filled({}, title, text) if text else Hole("")


def cut(text: str, most: int) -> str:
    """At most `most` code points, as WeChat counts, never within what a reader sees as one; the
    last is … where something is missing."""
    if len(text) <= most:
        return text
    if most < 2:
        return text[: _boundary(text, most)]
    return text[: _boundary(text, most - 1)].rstrip() + "…"


def _parts(text: str) -> _Parts:
    reading = read(text)
    if reading.problems:
        raise ValueError(f"{text!r}: {reading.problems[0].message}")
    return tuple(
        (part.name, _CLEAN[part.slot.type], part.most, part.default)
        if isinstance(part, Gap)
        else part
        for part in reading.parts
    )


def _fill(parts: _Parts, values: Values) -> str | Hole:
    made = []
    for part in parts:
        if isinstance(part, str):
            made.append(part)
            continue
        name, clean, most, default = part
        value = values.get(name)
        text = "" if value is None else clean(value, most)
        if not text:
            if default is None:
                return Hole(name)
            text = default
        made.append(text)
    return "".join(made)


def _clean_text(value: Any, most: int) -> str:
    if type(value) is not str:
        return ""
    text = value if len(value) <= _MOST_RAW else value[:_MOST_RAW]
    if not text.isalnum():
        text = without_invisible(text).strip()
    if _SUSPECT.search(text) and _LINK_OR_PHONE.search(unicodedata.normalize("NFKC", text)):
        return ""
    return text if len(text) <= most else cut(text, most)


def _clean_count(value: Any, most: int) -> str:
    return str(value) if type(value) is int and 0 <= value < 10**most else ""


def _clean_money(value: Any, most: int) -> str:
    if type(value) is not int or not 0 <= value <= MOST_FEN:
        return ""
    yuan, fen = divmod(value, 100)
    return f"{yuan}.{fen:02d}".rstrip("0") if fen else str(yuan)


def _clean_date(value: Any, most: int) -> str:
    return value if type(value) is str and _DATE.fullmatch(value) else ""


def _clean_time(value: Any, most: int) -> str:
    return value if type(value) is str and _TIME.fullmatch(value) else ""


_CLEAN: Final[dict[str, _Clean]] = {
    "text": _clean_text,
    "count": _clean_count,
    "money": _clean_money,
    "date": _clean_date,
    "time": _clean_time,
}


def _boundary(text: str, at: int) -> int:
    """The last place at or before `at` where a reader sees one character end."""
    while at > 0 and _continues(text, at):
        at -= 1
    return at


def _continues(text: str, at: int) -> bool:
    mark = text[at]
    if unicodedata.category(mark) in ("Mn", "Mc", "Me") or "\U0001f3fb" <= mark <= "\U0001f3ff":
        return True
    if not "\U0001f1e6" <= mark <= "\U0001f1ff":
        return False
    flags = 0  # a flag is two regional letters: an odd number of them before means half a flag
    while flags < at and "\U0001f1e6" <= text[at - 1 - flags] <= "\U0001f1ff":
        flags += 1
    return flags % 2 == 1
