"""What may stand in text: no control and no invisible characters.

The rule: Unicode's control (Cc), format (Cf: zero-width, bidirectional, tags), line and paragraph
separators and noncharacters. In ids they refuse the event, since two ids that look alike must not
be two people; elsewhere they are removed (a line break or a tab becomes a space) and counted.
"""

from collections.abc import Mapping
from typing import Any, Final

_BREAKS: Final = (0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029)
_INVISIBLE: Final = (
    (0x00, 0x1F),
    (0x7F, 0x9F),
    (0xAD, 0xAD),
    (0x0600, 0x0605),
    (0x061C, 0x061C),
    (0x06DD, 0x06DD),
    (0x070F, 0x070F),
    (0x0890, 0x0891),
    (0x08E2, 0x08E2),
    (0x180E, 0x180E),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0xD800, 0xDFFF),
    (0xFDD0, 0xFDEF),
    (0xFEFF, 0xFEFF),
    (0xFFF0, 0xFFFB),
    (0xFFFE, 0xFFFF),
    (0x110BD, 0x110BD),
    (0x110CD, 0x110CD),
    (0x13430, 0x1345F),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
_TABLE: Final[Mapping[int, str | None]] = {
    point: " " if point in _BREAKS else None
    for first, last in _INVISIBLE
    for point in range(first, last + 1)
}

# JSON cannot carry such a character without a backslash, DEL, or one of these first bytes of UTF-8.
_SUSPECT_BYTES: Final = b"\\\x7f\xc2\xd8\xdb\xdc\xe0\xe1\xe2\xef\xf0\xf3"
_SAFE_BYTES: Final = bytes(byte for byte in range(256) if byte not in _SUSPECT_BYTES)


def may_have_invisible(raw: bytes) -> bool:
    """Whether JSON as received can hold such a character; a pass or two in C, errs to yes."""
    if raw.isascii():
        return b"\\" in raw or b"\x7f" in raw
    if not raw.translate(None, _SAFE_BYTES):
        return False
    return b"\\" in raw or has_invisible(raw.decode(errors="replace"))


def has_invisible(text: str) -> bool:
    return not text.isprintable() and text.translate(_TABLE) != text


def without_invisible(text: str) -> str:
    return text if text.isprintable() else text.translate(_TABLE)


def scrubbed(value: Any, native: str, alias: str) -> tuple[Any, int]:
    """Texts without invisible characters and the person's native id, and how many changed."""
    if type(value) is str:
        clean = without_invisible(value)
        if native and native in clean:
            clean = clean.replace(native, alias)
        return clean, int(clean != value)
    if type(value) is list:
        items = [scrubbed(item, native, alias) for item in value]
        return [item for item, _ in items], sum(count for _, count in items)
    if type(value) is dict:
        pairs = [(without_invisible(key), scrubbed(v, native, alias)) for key, v in value.items()]
        return {key: item for key, (item, _) in pairs}, sum(count for _, (_, count) in pairs)
    return value, 0
