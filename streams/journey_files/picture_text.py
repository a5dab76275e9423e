"""What stands in the boxes of a journey's picture."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from streams.contract.journeys import HOLD, Arm, JourneySpec, Send, Step, listed
from streams.contract.reports import ArmTally
from streams.expressions import show_duration
from streams.expressions.durations import duration_ms
from streams.journey_files.ways import Way
from streams.journey_files.words import CHANNELS, event_zh, yuan

UNITS: Final = {"d": "天", "h": "小时", "m": "分钟", "s": "秒", "ms": "毫秒"}
KINDS: Final = {"coupon": "发券", "message": "发消息", "content": "推内容", "ad": "投广告"}
CHOOSERS: Final = {
    "fixed": "按固定概率",
    "split": "随机分流 (A/B)",
    "thompson": "汤普森采样, 边发边学",
    "linear_thompson": "看人选择, 边发边学",
    "linucb": "看人选择 (LinUCB)",
}
SHOWN: Final = {
    "entry": "进入时看的那件",
    "interest": "最感兴趣的分类",
    "recommended": "最适合此人的内容",
}
EM: Final = 13.6  # width of a Chinese character at 14 px, a little less than its square
MOST_LINES: Final = 4


class Line(NamedTuple):
    text: str
    style: str = ""  # p: pale; c: code


class Card(NamedTuple):
    title: str
    colour: str
    lines: list[Line]


def wrapped(text: str, width: float, em: float = EM) -> list[str]:
    """The text in lines of at most so many pixels, broken at blanks or after a Chinese character;
    what is longer than MOST_LINES is cut."""
    lines, line, used = [], "", 0.0
    for word in re.findall(r"[\x21-\x7e]+ ?|.", " ".join(text.split())):
        size = sum(em * (0.56 if ord(mark) < 256 else 1.0) for mark in word)
        if line and used + size > width:
            lines.append(line.rstrip())
            line, used = "", 0.0
        line += word
        used += size
    lines.append(line.rstrip())
    if len(lines) > MOST_LINES:
        return [*lines[: MOST_LINES - 1], lines[MOST_LINES - 1][:-1] + "…"]
    return lines


def length_zh(text: str) -> str:
    """`1h30m` -> 1 小时 30 分钟."""
    shown = show_duration(duration_ms(text))
    parts = re.findall(r"(\d+)([a-z]+)", shown)
    return " ".join(f"{amount} {UNITS[unit]}" for amount, unit in parts)


def entry_lines(spec: JourneySpec, width: int) -> list[Line]:
    lines = [Line(" / ".join(map(event_zh, listed(spec.entry.on))))]
    lines += _code(spec.entry.where, width)
    reentry = spec.entry.reentry
    again = f"再次进入至少隔 {length_zh(reentry.cooldown)}"
    if reentry.max:
        again += f", {length_zh(reentry.per)}内最多 {reentry.max} 次"
    return [*lines, Line(again, "p")]


def box_of(step: Step, width: int) -> Card:
    """A step's title, colour and what it does."""
    if step.wait:
        return Card("等待", "var(--blue)", [Line(length_zh(step.wait))])
    if step.until:
        when = "本人最活跃的时段" if step.until == "best" else f"本人当地时间 {step.until}"
        return Card("等到", "var(--blue)", [Line(when)])
    if step.wait_for is not None:
        awaited = " / ".join(map(event_zh, listed(step.wait_for.on)))
        lines = [Line(f"{awaited}, 最多等 {length_zh(step.wait_for.within)}")]
        return Card("等事件", "var(--blue)", [*lines, *_code(step.wait_for.where, width)])
    if step.condition:
        return Card("判断", "var(--amber)", _code(step.condition, width))
    if step.split:
        return Card("分流", "var(--amber)", [])
    if step.decide:
        return Card("选择", "var(--violet)", [Line(CHOOSERS[step.decide], "p")])
    if step.send is not None:
        lines = _send_lines(step.send, width)
        return Card(KINDS[step.send.kind], "var(--green)", lines)
    return Card("跳转", "var(--line)", [])


def arm_lines(arm: Arm, tally: ArmTally | None, share: str, width: int) -> list[Line]:
    lines = [Line(f"抽中概率 {share}", "p")] if share else []
    if arm.sends:
        lines += _send_lines(arm, width)
    else:
        lines.append(Line("什么都不发", "p"))
    if arm.when:
        lines += _code("仅当 " + arm.when, width)
    if tally is not None:
        lines.append(Line(f"发出 {tally.sent:,}" if tally.sent else f"抽中 {tally.decided:,}"))
        lines += [Line(part, "p") for part in wrapped(_rate(tally), width)]
    return lines


def side_cards(spec: JourneySpec, tallies: Mapping[str, ArmTally], width: int) -> list[Card]:
    """Goal, exits, control group, money."""
    cards = []
    if spec.goal is not None:
        goal = [Line(part) for part in wrapped(_events(spec.goal.on), width)]
        goal += _code(spec.goal.where, width)
        goal.append(Line(f"{length_zh(spec.goal.window)}内", "p"))
        cards.append(Card("目标", "var(--green)", goal))
    leave = [Line(part) for part in wrapped(_events(spec.exit.on), width)] if spec.exit.on else []
    leave.append(Line(f"最长 {length_zh(spec.exit.after)}", "p"))
    cards.append(Card("随时退出 (等待中也一样)", "var(--red)", leave))
    held = [Line(f"本旅程 {spec.holdout.share:.0%}")]
    if spec.holdout.everyone:
        held.append(Line("并遵守全局对照组", "p"))
    if HOLD in tallies:
        held.append(Line(_rate(tallies[HOLD])))
    cards.append(Card("对照组", "var(--amber)", held))
    money = _money(spec)
    if money:
        cards.append(Card("预算", "var(--violet)", money))
    return cards


def way_label(kind: str, way: Way) -> str:
    if kind == "wait_for":
        return "来了" if way.why == "then" else "超时"
    return {"then": "是", "else": "否", "refused": "被拦"}.get(way.why, way.why)


def _send_lines(send: Send, width: int) -> list[Line]:
    lines = []
    if send.coupon:
        lines.append(Line(f"券 {send.coupon}"))
    if send.show:
        shown = SHOWN.get(send.show, send.show)
        lines.append(Line(f"展示 {shown}"))
    if send.ad:
        lines.append(Line(f"广告 {send.ad}"))
    if send.template:
        lines += [Line(part, "c") for part in wrapped(send.template, width, 12.6)]
    names = ["auto"] if send.channel == "auto" else list(send.channel)
    channels = " › ".join(CHANNELS[name].zh for name in names)
    prefix = "渠道 " if names == ["auto"] else ""
    return lines + [Line(part, "p") for part in wrapped(prefix + channels, width, 12.6)]


def _code(text: str, width: int) -> list[Line]:
    return [Line(part, "c") for part in wrapped(text, width, 12.9)] if text else []


def _events(on: str | list[str]) -> str:
    return " / ".join(map(event_zh, listed(on)))


def _money(spec: JourneySpec) -> list[Line]:
    budget, lines = spec.budget, []
    if budget.total_fen:
        lines.append(Line(f"总共 {yuan(budget.total_fen)}"))
    if budget.daily_fen:
        lines.append(Line(f"每天 {yuan(budget.daily_fen)}"))
    if budget.person is not None:
        per = length_zh(budget.person.per)
        lines.append(Line(f"每人 {yuan(budget.person.fen)} / {per}"))
    return lines


def _rate(tally: ArmTally) -> str:
    if not tally.first_settled:
        return "还没有结果"
    rate = tally.first_reached / tally.first_settled
    return f"达成 {rate:.1%} / {tally.first_settled:,} 人"
