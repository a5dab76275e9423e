"""Small pieces of HTML the page is made of. Everything given to them as text is escaped here."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from streams.report.svg import GREEN
from streams.report.words import Words


class Bar(NamedTuple):
    words: Words
    value: float
    shown: str
    colour: str = GREEN


def card(words: Words, body: str, *, note: Words | None = None) -> str:
    below = f'<p class="note">{both(note)}</p>' if note is not None else ""
    return (
        f'<section class="card"><h2>{escape(words.zh)}</h2>'
        f'<span class="en">{escape(words.en)}</span>{body}{below}</section>'
    )


def two_columns(left: Sequence[str], right: Sequence[str]) -> str:
    return f'<div class="two"><div>{"".join(left)}</div><div>{"".join(right)}</div></div>'


def tile(number: str, words: Words, note: str = "") -> str:
    return (
        f'<div class="tile"><b>{escape(number)}</b><span>{escape(words.zh)}</span>'
        f'<span class="en">{escape(words.en)}</span><i>{escape(note)}</i></div>'
    )


def both(words: Words) -> str:
    return f'{escape(words.zh)}<br><span class="en">{escape(words.en)}</span>'


def bars(rows: Sequence[Bar]) -> str:
    most = max((row.value for row in rows), default=0.0) or 1.0
    return '<ul class="bars">' + "".join(_bar(row, most) for row in rows) + "</ul>"


def legend(labels: Sequence[Words], colours: Sequence[str]) -> str:
    shown = "".join(
        f'<span><i style="background:{colour}"></i>{escape(words.zh)} {escape(words.en)}</span>'
        for colour, words in zip(colours, labels, strict=True)
    )
    return f'<div class="legend">{shown}</div>'


def _bar(row: Bar, most: float) -> str:
    return (
        f'<li><span class="name">{escape(row.words.zh)}'
        f'<span class="en">{escape(row.words.en)}</span></span>'
        f'<span class="track"><i style="width:{max(0.0, row.value) / most:.2%};'
        f'background:{row.colour}"></i></span>'
        f'<span class="value">{escape(row.shown)}</span></li>'
    )
