"""Cards about what came of journeys, and the page `streams report --html` writes."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from streams.evaluation.effect import wilson
from streams.report import figures, svg
from streams.report.parts import Bar, bars, both, card
from streams.report.words import ARMS, LIFECYCLES, Words, journey, outcome, pick, verdict

Result = Mapping[str, Any]
MOST_OUTCOMES = 8


def results_page(found: Sequence[Result]) -> str:
    """One HTML file that needs no network."""
    style = files("streams.report").joinpath("style.css").read_text("utf-8")
    cards = effects_card(found) + "".join(
        f'<div class="gap">{journey_card(one)}</div>' for one in figures.ordered(found)
    )
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>旅程效果报告</title><style>{style}</style></head>"
        "<body><header><div><h1>旅程效果报告<small>What came of the journeys, measured against "
        f"their control groups</small></h1></div></header><main>{cards}</main></body></html>\n"
    )


def effects_card(found: Sequence[Result]) -> str:
    """Every journey's effect as an interval, beside what last touch says."""
    measured = [part for one in found if figures.is_measured(part := one["effect"]["conversion"])]
    reach = max((abs(part[end]) for part in measured for end in ("low", "high")), default=0.0)
    rows = "".join(_effect_row(one, reach) for one in figures.ordered(found))
    head = "".join(
        f"<th>{zh}<br><span class=en>{en}</span></th>"
        for zh, en in (
            ("旅程", "journey"),
            ("可得的人", "treated"),
            ("达成", "goal"),
            ("对照组", "held out"),
            ("达成", "goal"),
            ("增量（95%）", "effect"),
            ("", ""),
            ("末次触点", "last touch"),
        )
    )
    return card(
        Words("旅程真的有用吗", "What the journeys changed, against their control groups"),
        f'<div class="wide"><table><tr>{head}</tr>{rows}</table></div>',
        note=Words(
            "增量：随机分组，可得的人（不管后来被哪条规则挡下）减去对照组。末次触点把达成记给之前最后一条"
            "消息，本来也会发生的也算了进来，所以不是效果。",
            "Effect: everybody who was not held out, whatever refused them later, less those held "
            "out at random. Last touch credits a goal to the message before it, and so counts "
            "what would have come anyway.",
        ),
    )


def journey_card(one: Result, picture: str = "") -> str:
    """One journey: its picture, what became of its arms, its effect, why others got nothing."""
    name = _name(one)
    aim = figures.goal(one)
    parts = [f'<div class="picture">{picture}</div>'] if picture else []
    if aim:
        parts.append(f'<p class="note">目标 <span class="en">goal</span> {escape(aim)}</p>')
    said = _said(one)
    parts.append(f'<div class="wide">{_arms(one)}</div><p class="said">{both(said)}</p>')
    if figures.is_measured(one["effect"]["conversion"]):
        parts.append(f'<div class="side"><div>{_groups(one)}</div><div>{_money(one)}</div></div>')
    parts.append(f'<div class="side"><div>{_segments(one)}</div><div>{_outcomes(one)}</div></div>')
    title = Words(f"旅程：{name.zh}", f"{name.en}, version {one['version']}")
    return card(title, "".join(parts))


def _effect_row(one: Result, reach: float) -> str:
    name, effect = _name(one), one["effect"]
    treated, held = effect["treated"], effect["held_out"]
    touch, part = figures.touch(one), effect["conversion"]
    whisker = ""
    if figures.is_measured(part):
        band = svg.Band(name.en, part["low"], part["value"], part["high"], _colour(part))
        whisker = svg.whisker(band, reach)
    return (
        f"<tr><td>{escape(name.zh)}<br><span class=en>{escape(name.en)}</span></td>"
        f"<td>{treated['people']:,}</td><td>{figures.share(treated['share'])}</td>"
        f"<td>{held['people']:,}</td><td>{figures.share(held['share'])}</td>"
        f"<td>{escape(figures.points(part))}</td><td>{whisker}</td>"
        f"<td>{figures.share(touch)}</td></tr>"
    )


def _arms(one: Result) -> str:
    head = "".join(
        f"<th>{zh}<br><span class=en>{en}</span></th>"
        for zh, en in (
            *(("方案", "arm"), ("决策", "decided"), ("发出", "sent"), ("送达", "delivered")),
            *(("打开率", "opened"), ("点击率", "CTR"), ("核销", "redeemed"), ("达成率", "goal")),
            *(("价值", "value"), ("券成本", "cost"), ("每次达成", "per goal"), ("阅读", "reads")),
        )
    )
    rows = "".join(_arm_row(arm) for arm in one["arms"])
    return f"<table><tr>{head}</tr>{rows}</table>"


def _arm_row(arm: Result) -> str:
    words = pick(ARMS, arm["arm"])
    english = f" <span class=en>{escape(words.en)}</span>" if words.zh != words.en else ""
    reads = f"{arm['reads']:,} · {arm['dwell_ms'] // 60_000:,} min" if arm["reads"] else "—"
    cells = (
        *figures.of_arm(arm),
        reads,
    )
    shown = "".join(f"<td>{cell}</td>" for cell in cells)
    return f"<tr><td>{escape(words.zh)}{english}</td>{shown}</tr>"


def _groups(one: Result) -> str:
    """The two groups, their difference with its interval, and last touch for comparison."""
    effect = one["effect"]
    title = '<h3>增量与末次触点 <span class="en">effect and last touch</span></h3>'
    bands = []
    for label, group, colour in (
        ("可得 treated", effect["treated"], svg.GREEN),
        ("对照 held out", effect["held_out"], svg.PALE),
    ):
        bands.append(svg.Band(label, *_share(group), colour))
    measured = effect["conversion"]
    bands.append(
        svg.Band("增量 effect", measured["low"], measured["value"], measured["high"], svg.BLUE)
    )
    touch = figures.touch(one)
    if touch is not None:
        bands.append(svg.Band("末次触点", touch, touch, touch, svg.AMBER))
    return title + svg.intervals(bands, "treated, held out, effect, last touch")


def _share(group: Result) -> tuple[float, float, float]:
    """The share of a group with its interval."""
    return wilson(group["reached"], group["people"])


def _money(one: Result) -> str:
    effect, touch = one["effect"], one["last_touch"]
    rows = (
        (Words("增量达成率", "effect on the goal"), figures.points(effect["conversion"])),
        (Words("多达成", "extra goals"), figures.number(effect["extra"])),
        (Words("人均价值", "value per person"), figures.yuan(effect["value_fen"])),
        (Words("总价值", "value in all"), figures.yuan(effect["extra_fen"])),
        (Words("券的回报", "return on coupon cost"), figures.times(effect["return_on_cost"])),
        (
            Words("末次触点", "last touch"),
            f"{touch['credited']:,} / {touch['sent']:,} · {figures.money(touch['credited_fen'])}",
        ),
    )
    body = "".join(
        f"<tr><td>{escape(words.zh)} <span class=en>{escape(words.en)}</span></td>"
        f"<td>{escape(shown)}</td></tr>"
        for words, shown in rows
    )
    return f'<h3>价值 <span class="en">what it was worth (95 %)</span></h3><table>{body}</table>'


def _segments(one: Result) -> str:
    rows = []
    for part in one["segments"]:
        words = pick(LIFECYCLES, part["lifecycle"])
        rows.append(
            f"<tr><td>{escape(words.zh)} <span class=en>{escape(words.en)}</span></td>"
            f"<td>{part['treated']['people']:,}</td><td>{part['held_out']['people']:,}</td>"
            f"<td>{escape(figures.points(part['conversion']))}</td></tr>"
        )
    if not rows:
        return ""
    note = (
        '<p class="note">人群看得多了，偶然也会有一个区间不含 0。<br><span class="en">Of several '
        "groups one may leave 0 out by chance.</span></p>"
    )
    return (
        '<h3>按人群 <span class="en">by stage before the journey</span></h3>'
        "<table><tr><th></th><th>可得 treated</th><th>对照 held</th><th>增量 effect</th></tr>"
        f"{''.join(rows)}</table>{note}"
    )


def _outcomes(one: Result) -> str:
    rows = [
        Bar(outcome(code), count, f"{count:,}", svg.GREEN if code == "SENT" else svg.PALE)
        for code, count in list(one["outcomes"].items())[:MOST_OUTCOMES]
    ]
    return f'<h3>步骤的结果 <span class="en">how its steps ended</span></h3>{bars(rows)}'


def _said(one: Result) -> Words:
    """What may be concluded."""
    effect = one["effect"]
    measured, touch = effect["conversion"], figures.touch(one)
    if not figures.is_measured(measured):
        return Words(
            f"可得 {effect['treated']['people']:,} 人，对照 {effect['held_out']['people']:,} 人："
            "人太少，不下结论。",
            "Too few people whose window has ended: nothing is concluded.",
        )
    said = verdict(measured["low"], measured["high"])
    if touch is None:
        return said
    found = f"{100 * measured['value']:+.1f}"
    return Words(
        f"{said.zh}末次触点会说 {touch:.1%} 的消息带来了达成；"
        f"与对照组相比，增量是 {found} 个百分点。",
        f"{said.en} Last touch would say that {touch:.1%} of messages led to a goal; against the "
        f"control group the effect is {found} points.",
    )


def _colour(part: Result) -> str:
    if part["low"] > 0:
        return svg.GREEN
    return svg.RED if part["high"] < 0 else svg.PALE


def _name(one: Result) -> Words:
    return journey(one["journey"], {one["journey"]: one["title"]})
