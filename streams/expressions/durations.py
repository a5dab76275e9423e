"""Durations as people write them: `30m`, `7d`, `1h30m`."""

import re
from typing import Final

UNITS_MS: Final = {
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
MAX_DURATION_MS: Final = 36_500 * UNITS_MS["d"]  # a hundred years: what is longer is a mistake

_WHOLE: Final = re.compile("".join(f"(?:([0-9]{{1,15}}){unit}(?!s))?" for unit in UNITS_MS))


def duration_ms(text: str) -> int:
    """Milliseconds of `90s`, `30m`, `6h`, `7d`, `2w` or, longest unit first, of `1h30m`.

    Raises ValueError.
    """
    found = _WHOLE.fullmatch(text)
    if found is None or not text:
        raise ValueError(
            f"{text!r} is no duration: write a whole number and a unit of w, d, h, m, s or ms, "
            "as in 30m, 7d or 1h30m"
        )
    amounts = zip(found.groups(), UNITS_MS.values(), strict=True)
    total_ms = sum(int(amount) * unit_ms for amount, unit_ms in amounts if amount)
    if total_ms > MAX_DURATION_MS:
        raise ValueError(f"{text!r} is too long: a duration has at most 36500d")
    return total_ms


def show_duration(ms: int) -> str:
    """The duration as `duration_ms` reads it, in days and below; a negative one with a minus.

    >>> show_duration(5_400_000), show_duration(604_800_000)
    ('1h30m', '7d')
    """
    rest_ms = abs(ms)
    parts = ["-"] if ms < 0 else []
    for unit in ("d", "h", "m", "s", "ms"):
        amount, rest_ms = divmod(rest_ms, UNITS_MS[unit])
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts) or "0s"
