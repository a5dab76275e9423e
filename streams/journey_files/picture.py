"""A journey as a picture: steps from the top down, what leads where, goal, exits, money.

One self-contained `<svg>` without scripts; its colours follow the reader's light or dark mode.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from streams.contract.journeys import JourneySpec
from streams.contract.policy import Policy
from streams.contract.reports import ArmTally
from streams.engine.journeys.compiled import CompiledStep, Journey
from streams.journey_files.lint import compiled
from streams.journey_files.picture_text import (
    Card,
    Line,
    arm_lines,
    box_of,
    entry_lines,
    side_cards,
    way_label,
)
from streams.journey_files.ways import Way, ways_from

WIDTH: Final = 920
LEFT: Final = 24
BOX: Final = 484  # width of a step
PILL: Final = 56
PILL_X: Final = LEFT + BOX + 42
LANE_X: Final = PILL_X + PILL + 16
LANE: Final = 13
SIDE_X: Final = 676
SIDE: Final = WIDTH - SIDE_X - 24
GAP: Final = 34
PAD: Final = 14
ROW: Final = 20
ARM_GAP: Final = 10
FIRST: Final = 32  # below a step's top, where its first way to the side begins

STYLE: Final = """
.jp{--ink:#1f2a37;--pale:#66717f;--line:#9aa5b1;--rule:#dfe4ea;--paper:#fff;--ground:#f6f8fa;
--green:#07a050;--blue:#2f6fe0;--amber:#b86e00;--violet:#8a3ffc;--red:#c8323a;--soft:#f1f4f7;
font-family:system-ui,-apple-system,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
@media(prefers-color-scheme:dark){.jp{--ink:#e8edf2;--pale:#9fabb8;--line:#6b7885;--rule:#38434f;
--paper:#1b232c;--ground:#12181f;--green:#3ddc84;--blue:#78a9ff;--amber:#ffb84d;--violet:#be95ff;
--red:#ff8389;--soft:#232d38}}
.jp text{fill:var(--ink);font-size:14px}.jp .p{fill:var(--pale);font-size:12.5px}
.jp .t{font-weight:650}.jp .h{font-size:19px;font-weight:700}
.jp .c{font-family:ui-monospace,Menlo,Consolas,"Noto Sans CJK SC",monospace;font-size:12px}
.jp .box{fill:var(--paper);stroke:var(--rule)}.jp .arm{fill:var(--soft);stroke:var(--rule)}
.jp .way{fill:none;stroke:var(--line);stroke-width:1.6}.jp .dash{stroke-dasharray:5 4}
.jp .tip{fill:var(--line)}.jp .pill{fill:var(--soft);stroke:var(--rule)}
.jp .label{paint-order:stroke;stroke:var(--ground);stroke-width:4px;stroke-linejoin:round}
"""


def picture(spec: JourneySpec, tallies: Mapping[str, ArmTally] | None = None) -> str:
    """The journey as one `<svg>`. `tallies`: what came of each arm so far, as in a JourneyReport.

    Raises JourneyError for a journey that does not compile."""
    return _Picture(compiled(spec, Policy()), tallies or {}).draw()


class _Picture:
    def __init__(self, journey: Journey, tallies: Mapping[str, ArmTally]) -> None:
        self._journey = journey
        self._tallies = tallies
        self._parts: list[str] = []
        self._tops: list[int] = []
        self._bottoms: list[int] = []
        self._lanes = 0

    def draw(self) -> str:
        journey = self._journey
        spec = journey.spec
        self._text(LEFT, 40, spec.title, "h")
        self._text(LEFT, 62, f"{spec.id} · 版本 {spec.version} · {spec.purpose}", "p")
        below = self._entry(84)
        for number, step in enumerate(journey.steps):
            below = self._step(number, step, below + GAP)
        end = below + GAP
        self._end_pill(LEFT + BOX // 2 - PILL // 2, end, "结束")
        self._tops.append(end)
        for number, step in enumerate(journey.steps):
            self._ways(number, ways_from(step))
        side = self._side(84)
        height = max(end + 30, side) + 24
        return (
            f'<svg class="jp" viewBox="0 0 {WIDTH} {height}" xmlns="http://www.w3.org/2000/svg" '
            f'role="img" aria-label="{escape(spec.title)}"><style>{STYLE}</style>'
            f'<rect width="{WIDTH}" height="{height}" rx="14" style="fill:var(--ground)"/>'
            f"{''.join(self._parts)}</svg>"
        )

    def _entry(self, top: int) -> int:
        lines = entry_lines(self._journey.spec, BOX - 2 * PAD)
        bottom = self._card(LEFT, top, BOX, Card("进入", "var(--green)", lines))
        self._down(bottom, "")
        return bottom

    def _step(self, number: int, step: CompiledStep, top: int) -> int:
        spec = self._journey.spec.steps[number]
        card = box_of(spec, BOX - 2 * PAD)
        bottom = top + 2 * PAD + ROW * (1 + len(card.lines)) - 4
        columns = 3 if len(spec.arms) in (3, 5, 6) else 2
        width = (BOX - 2 * PAD - ARM_GAP * (columns - 1)) // columns
        arms = [
            (
                arm.id,
                arm_lines(
                    arm, self._tallies.get(arm.id), self._share(step, arm.weight), width - 20
                ),
            )
            for arm in spec.arms
        ]
        rows = [arms[i : i + columns] for i in range(0, len(arms), columns)]
        heights = [max(len(lines) for _, lines in row) * 18 + 34 for row in rows]
        bottom += sum(heights) + ARM_GAP * len(rows)
        aside = len({way.to for way in ways_from(step)} - {number + 1})
        bottom = max(bottom, top + FIRST + aside * 26 - 8)
        self._frame(LEFT, top, BOX, bottom - top, card.colour)
        at = self._heading(LEFT, top, card, spec.id)
        for row, height in zip(rows, heights, strict=True):
            self._arms(row, at - 6, width, height)
            at += height + ARM_GAP
        self._tops.append(top)
        self._bottoms.append(bottom)
        return bottom

    def _share(self, step: CompiledStep, weight: float) -> str:
        """How often an arm is drawn where chance alone decides."""
        if step.chooser not in ("split", "fixed") or step.kind != "decide":
            return ""
        total = sum(arm.spec.weight for arm in step.arms)
        return f"{weight / total:.0%}" if step.chooser == "split" and total else ""

    def _arms(
        self, row: Sequence[tuple[str, list[Line]]], top: int, width: int, height: int
    ) -> None:
        for place, (name, lines) in enumerate(row):
            x = LEFT + PAD + place * (width + ARM_GAP)
            self._parts.append(
                f'<rect class="arm" x="{x}" y="{top}" width="{width}" height="{height}" rx="7"/>'
            )
            self._text(x + 10, top + 20, name, "t")
            for number, line in enumerate(lines):
                self._text(x + 10, top + 39 + number * 18, line.text, line.style)

    def _ways(self, number: int, ways: Sequence[Way]) -> None:
        """Down to the next step, to a pill beside the step that ends it, or by a lane."""
        merged: dict[int, list[str]] = {}
        for way in ways:
            merged.setdefault(way.to, []).append(way_label(self._journey.steps[number].kind, way))
        aside = 0
        end = len(self._journey.steps)
        for to, labels in merged.items():
            label = "" if len(labels) > 1 else labels[0]
            if to == number + 1:
                self._down(self._bottoms[number], label)
                continue
            y = self._tops[number] + FIRST + aside * 26
            aside += 1
            if to == end:
                self._line(f"M{LEFT + BOX} {y}H{PILL_X - 7}", dash=True)
                self._tip(PILL_X - 1, y, "right")
                self._end_pill(PILL_X, y - 13, "结束")
                self._label(LEFT + BOX + 20, y - 8, label)
            else:
                self._jump(y, to, label)

    def _jump(self, y: int, to: int, label: str) -> None:
        x = LANE_X + self._lanes % 4 * LANE
        self._lanes += 1
        target = self._tops[to] + 11
        self._line(f"M{LEFT + BOX} {y}H{x}V{target}H{LEFT + BOX + 7}")
        self._tip(LEFT + BOX + 1, target, "left")
        self._label(LEFT + BOX + 34, y - 6, label)

    def _down(self, y: int, label: str) -> None:
        x = LEFT + BOX // 2
        self._line(f"M{x} {y}V{y + GAP - 7}")
        self._tip(x, y + GAP - 1, "down")
        if label:
            self._text(x + 12, y + GAP // 2 + 4, label, "p label")

    def _side(self, top: int) -> int:
        for card in side_cards(self._journey.spec, self._tallies, SIDE - 2 * PAD):
            top = self._card(SIDE_X, top, SIDE, card) + 16
        return top

    def _card(self, x: int, top: int, width: int, card: Card) -> int:
        height = 2 * PAD + ROW * (1 + len(card.lines)) - 4
        self._frame(x, top, width, height, card.colour)
        self._heading(x, top, card, "")
        return top + height

    def _heading(self, x: int, top: int, card: Card, name: str) -> int:
        """The title and the lines; the y below them."""
        self._text(x + PAD, top + PAD + 11, card.title, "t", card.colour)
        if name:
            self._text(x + BOX - PAD, top + PAD + 11, name, "p", anchor="end")
        y = top + PAD + 11
        for line in card.lines:
            y += ROW
            self._text(x + PAD, y, line.text, line.style)
        return y + ROW

    def _frame(self, x: int, top: int, width: int, height: int, colour: str) -> None:
        self._parts.append(
            f'<rect class="box" x="{x}" y="{top}" width="{width}" height="{height}" rx="9"/>'
            f'<rect x="{x}" y="{top + 8}" width="4" height="{height - 16}" rx="2" '
            f'style="fill:{colour}"/>'
        )

    def _end_pill(self, x: int, y: int, text: str) -> None:
        self._parts.append(
            f'<rect class="pill" x="{x}" y="{y}" width="{PILL}" height="26" rx="13"/>'
        )
        self._text(x + PILL // 2, y + 18, text, "p", anchor="middle")

    def _line(self, path: str, *, dash: bool = False) -> None:
        self._parts.append(f'<path class="way{" dash" if dash else ""}" d="{path}"/>')

    def _tip(self, x: int, y: int, way: str) -> None:
        ends = {
            "down": f"{x - 5},{y - 8} {x + 5},{y - 8}",
            "right": f"{x - 8},{y - 5} {x - 8},{y + 5}",
            "left": f"{x + 8},{y - 5} {x + 8},{y + 5}",
        }
        self._parts.append(f'<polygon class="tip" points="{x},{y} {ends[way]}"/>')

    def _label(self, x: int, y: int, text: str) -> None:
        if text:
            self._text(x, y, text, "p label", anchor="middle")

    def _text(
        self, x: int, y: int, text: str, style: str, colour: str = "", *, anchor: str = ""
    ) -> None:
        fill = f' style="fill:{colour}"' if colour else ""
        end = f' text-anchor="{anchor}"' if anchor else ""
        said = f' class="{style}"' if style else ""
        self._parts.append(f'<text x="{x}" y="{y}"{said}{fill}{end}>{escape(text)}</text>')
