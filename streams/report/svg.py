"""Pictures as inline SVG text. Each function takes plain numbers and returns one `<svg>`."""

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor
from typing import NamedTuple

WIDTH = 560
INK = "#1f2a37"
PALE = "#8a94a3"
RULE = "#e6e9ee"
GREEN = "#07c160"
AMBER = "#f5a623"
BLUE = "#3b82f6"
RED = "#e5484d"
COLOURS = (GREEN, AMBER, BLUE, "#a855f7", RED, "#14b8a6")


class Band(NamedTuple):
    """An estimate with its interval, all in the unit of the axis."""

    label: str
    low: float
    middle: float
    high: float
    colour: str = GREEN


def stacked_days(
    days: Sequence[str], series: Mapping[str, Sequence[float]], colours: Sequence[str], name: str
) -> str:
    """One bar per day, stacked by series in the given order; `days` are the labels."""
    height, left, top, bottom = 250, 44, 12, 30
    totals = [sum(values[i] for values in series.values()) for i in range(len(days))]
    most = nice_ceiling(max(totals, default=0.0))
    plot = height - top - bottom
    parts = [_grid(left, top, plot, most)]
    step = (WIDTH - left - 8) / max(1, len(days))
    for i, day in enumerate(days):
        x, y = left + i * step, float(top + plot)
        for colour, (label, values) in zip(colours, series.items(), strict=True):
            size = values[i] / most * plot
            y -= size
            if size > 0:
                parts.append(
                    f'<rect x="{x + step * 0.12:.1f}" y="{y:.1f}" width="{step * 0.76:.1f}" '
                    f'height="{size:.1f}" fill="{colour}" rx="1.5">'
                    f"<title>{escape(day)} · {escape(label)}: {values[i]:,.0f}</title></rect>"
                )
        if i % max(1, round(len(days) / 8)) == 0:
            parts.append(_text(x + step / 2, height - 8, day, anchor="middle"))
    return _svg(height, parts, name)


def reliability(points: Sequence[tuple[float, float, float]], name: str) -> str:
    """(predicted, observed, count) per bin against the diagonal of a perfectly calibrated score."""
    height, left, top, bottom = 380, 52, 14, 44
    width, plot = WIDTH - left - 20, height - top - bottom
    parts = []
    for i in range(6):
        share = i / 5
        x, y = left + share * width, top + (1 - share) * plot
        parts.append(
            f'<line x1="{left}" x2="{left + width}" y1="{y:.1f}" y2="{y:.1f}" stroke="{RULE}"/>'
        )
        parts.append(_text(left - 8, y + 4, f"{share:.0%}", anchor="end"))
        parts.append(_text(x, top + plot + 18, f"{share:.0%}", anchor="middle"))
    parts.append(
        f'<line x1="{left}" y1="{top + plot}" x2="{left + width}" y2="{top}" '
        f'stroke="{PALE}" stroke-dasharray="5 5"/>'
    )
    whole = sum(count for _, _, count in points) or 1.0
    at = [(left + p * width, top + (1 - o) * plot, n) for p, o, n in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in at)
    parts.append(f'<polyline points="{line}" fill="none" stroke="{GREEN}" stroke-width="2.5"/>')
    for (x, y, count), (predicted, observed, _) in zip(at, points, strict=True):
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{3 + 12 * (count / whole) ** 0.5:.1f}" '
            f'fill="{GREEN}" fill-opacity=".75" stroke="#fff"><title>{predicted:.1%} → '
            f"{observed:.1%} (n={count:,.0f})</title></circle>"
        )
    parts.append(_text(left + width / 2, height - 4, "预测 predicted", anchor="middle"))
    return _svg(height, parts, name)


def intervals(bands: Sequence[Band], name: str) -> str:
    """Estimates as dots with whiskers on a common percentage axis that contains zero."""
    left, top, row = 130, 10, 46
    height = top + row * len(bands) + 34
    low = min([0.0, *(band.low for band in bands)])
    high = max([0.01, *(band.high for band in bands)])
    step = nice_step((high - low) / 4)
    first, last = floor(low / step), ceil(high / step)
    low, high = first * step, last * step

    def place(value: float) -> float:
        return left + (value - low) / (high - low) * (WIDTH - left - 28)

    base = top + row * len(bands)
    parts = []
    for i in range(first, last + 1):
        x = place(i * step)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{base}" stroke="{RULE}"/>')
        parts.append(_text(x, base + 20, f"{i * step:.0%}", anchor="middle"))
    zero = place(0.0)
    parts.append(f'<line x1="{zero:.1f}" x2="{zero:.1f}" y1="{top}" y2="{base}" stroke="{PALE}"/>')
    for i, band in enumerate(bands):
        y = top + row * (i + 0.5)
        a, b, c = place(band.low), place(band.middle), place(band.high)
        parts.append(_text(left - 12, y + 5, band.label, anchor="end", colour=INK))
        parts.append(
            f'<line x1="{a:.1f}" x2="{c:.1f}" y1="{y}" y2="{y}" stroke="{band.colour}" '
            f'stroke-width="4" stroke-linecap="round" stroke-opacity=".4"/>'
            f'<circle cx="{b:.1f}" cy="{y}" r="7" fill="{band.colour}"/>'
        )
        parts.append(_text(b, y - 12, f"{band.middle:.1%}", anchor="middle", colour=INK))
    return _svg(height, parts, name)


def whisker(band: Band, reach: float) -> str:
    """One estimate with its interval, small, on an axis from -reach to reach with 0 marked."""
    width, height, y = 220, 26, 13

    def place(value: float) -> float:
        return width / 2 * (1 + value / (reach or 1.0) * 0.96)

    low, middle, high = place(band.low), place(band.middle), place(band.high)
    return (
        f'<svg viewBox="0 0 {width} {height}" class="whisker" role="img" '
        f'aria-label="{escape(band.label)}">'
        f'<line x1="0" x2="{width}" y1="{y}" y2="{y}" stroke="{RULE}"/>'
        f'<line x1="{width / 2}" x2="{width / 2}" y1="2" y2="{height - 2}" stroke="{PALE}"/>'
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="{band.colour}" '
        f'stroke-width="5" stroke-linecap="round" stroke-opacity=".45"/>'
        f'<circle cx="{middle:.1f}" cy="{y}" r="6" fill="{band.colour}"/></svg>'
    )


def ring(share: float, label: str, colour: str) -> str:
    """A share of one as a ring with its percentage inside."""
    around = 2 * 3.14159265 * 42
    part = max(0.0, min(1.0, share)) * around
    return (
        f'<svg viewBox="0 0 110 110" class="ring" role="img" aria-label="{escape(label)}">'
        f'<circle cx="55" cy="55" r="42" fill="none" stroke="{RULE}" stroke-width="11"/>'
        f'<circle cx="55" cy="55" r="42" fill="none" stroke="{colour}" stroke-width="11" '
        f'stroke-linecap="round" stroke-dasharray="{part:.1f} {around:.1f}" '
        'transform="rotate(-90 55 55)"/>'
        f'<text x="55" y="62" text-anchor="middle" font-size="22" font-weight="700" '
        f'fill="{INK}">{share:.0%}</text></svg>'
    )


def nice_step(value: float) -> float:
    """The least of 1, 2, 2.5, 5 hundredths times a power of ten that is not below the value."""
    return nice_ceiling(value * 100) / 100


def nice_ceiling(value: float) -> float:
    """The least of 1, 2, 2.5, 5 times a power of ten that is not below the value."""
    if value <= 0:
        return 1.0
    unit = 1.0
    while unit * 10 <= value:
        unit *= 10
    return next(factor * unit for factor in (1, 2, 2.5, 5, 10) if factor * unit >= value)


def _grid(left: int, top: int, plot: int, most: float) -> str:
    parts = []
    for i in range(5):
        y = top + plot * (1 - i / 4)
        parts.append(f'<line x1="{left}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="{RULE}"/>')
        label = most * i / 4
        parts.append(_text(left - 8, y + 4, f"{label:,.0f}" if most >= 4 else f"{label:.1f}"))
    return "".join(parts)


def _text(x: float, y: float, text: str, *, anchor: str = "end", colour: str = PALE) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
        f'font-size="13">{escape(text)}</text>'
    )


def _svg(height: int, parts: Sequence[str], name: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(name)}">'
        f"{''.join(parts)}</svg>"
    )
