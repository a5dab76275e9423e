"""What a what-if found, for a marketer: Chinese with English, one table after the other."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from streams.commands.terminal import print_lines, table
from streams.evaluation.off_policy import FLOOR
from streams.report.words import CHANNELS, KINDS, Words, outcome
from streams.whatif.compare import NEW, OLD, Pair
from streams.whatif.estimate import StepEstimate, Value
from streams.whatif.report import Example, Money, People, Report

SIDES: Final = ("原来 was", "改后 would be", "差 change")
ESTIMATORS: Final = {"snips": "SNIPS", "dr": "双稳健 doubly robust"}
UNITS: Final = {"fen": "元/决策 yuan per decision", "reached": "达成率 goal reached"}
LEFT_OUT: Final = {
    "gone": Words("改后没有这一步", "the step is gone"),
    "shared": Words("与别的旅程同时", "several journeys at one moment"),
    "refused": Words("对照组之前就被拦下", "refused before the control groups"),
    "shadow": Words("只观察", "of a shadow"),
}


def show(report: Report) -> None:
    print_lines(_head(report))
    if report.same:
        print_lines("\n没有任何不同 No difference at all: every decision is the same.")
    else:
        _totals(report)
        _by(report)
        _outcomes(report)
        _people(report)
    _money(report.money)
    _groups(report.control_groups)
    if not report.same:
        _days(report)
    for estimate in report.estimates:
        print_lines("\n" + "\n".join(_estimate(estimate)))


def _head(report: Report) -> str:
    partitions = ", ".join(map(str, report.partitions))
    since = f"，自 from {report.since}" if report.since else ""
    lines = [
        f"试运行 What-if: {report.records:,} 条记录 records, {report.first} – {report.last}, "
        f"分区 partitions {partitions}{since}",
        *(f"  改动 change: {text}" for text in report.changes),
        *(f"  注意 note: {note}" for note in report.notes),
        *report.caveat,
    ]
    return "\n".join(lines)


def _totals(report: Report) -> None:
    decisions, people = report.decisions, report.people_reached
    table(
        "总计 In all",
        ("", *SIDES),
        (
            ("触达 triggers", *_cells(report.triggers)),
            ("花费 spend, 元 yuan", *_yuan_cells(report.spend_fen)),
            ("触达人数 people reached", *_cells([people["was"], people["would"]])),
        ),
    )
    print_lines(
        f"新触达 newly reached {people['newly']:,} 人; 不再触达 no longer {people['no_longer']:,} "
        f"人. 决策 decisions: 相同 same {decisions['same']:,}, 不同 changed "
        f"{decisions['changed']:,}, 仅原来 only was {decisions['only_old']:,}, "
        f"仅改后 only would be {decisions['only_new']:,}"
    )


def _by(report: Report) -> None:
    titles = {
        "journey": "按旅程 Triggers by journey",
        "kind": "按类型 By kind",
        "channel": "按渠道 By channel",
        "arm": "按方案 By arm",
    }
    words = {"kind": KINDS, "channel": CHANNELS}
    for name, counts in report.by.items():
        rows = [
            (_named(key, words.get(name, {})), *_cells(pair)) for key, pair in _differing(counts)
        ]
        if rows:
            table(titles[name], ("", *SIDES), rows)
    spend = [(key, *_yuan_cells(pair)) for key, pair in _differing(report.spend_by_journey)]
    if spend:
        table("花费 Spend by journey, 元 yuan", ("", *SIDES), spend)


def _outcomes(report: Report) -> None:
    rows = [
        (journey, f"{code}  {' '.join(outcome(code))}", *_cells(pair))
        for journey, counts in report.outcomes.items()
        for code, pair in _differing(counts)
    ]
    if rows:
        table("决策结果 Decisions by outcome", ("旅程 journey", "结果 outcome", *SIDES), rows)


def _people(report: Report) -> None:
    found = [one for one in report.people if one.newly or one.no_longer]
    if not found:
        return
    table(
        "谁会收到什么 Who would get what",
        ("什么 what", "原来 was", "改后 would be", "新 newly", "不再 no longer"),
        (
            (_what(one), f"{one.reached[OLD]:,}", f"{one.reached[NEW]:,}", f"{one.newly:,}",
             f"{one.no_longer:,}")
            for one in found
        ),
    )  # fmt: skip
    for one in found:
        for title, examples in (
            ("新 newly", one.examples_newly), ("不再 no longer", one.examples_no_longer),
        ):  # fmt: skip
            if examples:
                print_lines(f"\n{title}: {_what(one)}")
                print_lines("\n".join(map(_example, examples)))


def _what(one: People) -> str:
    return f"{one.journey} · {_named(one.kind, KINDS)}" + (f" · {one.name}" if one.name else "")


def _example(one: Example) -> str:
    was, would = (
        _decided(said, before) for said, before in zip(one.outcomes, one.before, strict=True)
    )
    return f"  {one.user_id}  {one.at}  原来 was: {was}; 改后 would be: {would}"


def _decided(code: str, before: str) -> str:
    if code:
        return f"{code} {outcome(code).zh}"
    if before:
        return f"没有走到这一步 not at this step (之前 before: {before} {outcome(before).zh})"
    return "没有进入 not in the journey"


def _money(found: list[Money]) -> None:
    rows = [
        (
            one.account,
            _pair(one.daily_limit_fen), _pair(one.greatest_day_fen),
            _pair(one.total_limit_fen), _pair(one.spent_fen),
        )
        for one in found
        if any(one.spent_fen) or one.daily_limit_fen[OLD] != one.daily_limit_fen[NEW]
    ]  # fmt: skip
    if rows:
        table(
            "预算 Budgets, 元 yuan (原来 was → 改后 would be)",
            ("账户 account", "日限 daily limit", "最多一天 greatest day", "总限 total limit",
             "花费 spent"),
            rows,
        )  # fmt: skip


def _groups(found: Mapping[str, Pair]) -> None:
    rows = [(journey, *_cells(pair)) for journey, pair in found.items()]
    if rows:
        table("对照组人数 People in control groups", ("旅程 journey", *SIDES), rows)


def _days(report: Report) -> None:
    rows = [
        (
            day.day, f"{day.triggers[OLD]:,}", f"{day.triggers[NEW]:,}",
            _yuan(day.spend_fen[OLD]), _yuan(day.spend_fen[NEW]),
        )
        for day in report.days
    ]  # fmt: skip
    table(
        "按天 By day",
        ("", "触达 was", "改后 would be", "花费元 was", "改后 would be"),
        rows,
    )


def _estimate(one: StepEstimate) -> Iterator[str]:
    yield (
        f"效果估计 Estimated effect: {one.journey}/{one.step} — {one.decisions:,} 个有结果的决策 "
        f"decisions with a result, {one.people:,} 人 people; 结果未到 still open {one.open:,}"
    )
    for name, count in one.left_out.items():
        yield f"  未计入 left out: {count:,} {' '.join(LEFT_OUT[name])}"
    if one.arms:
        shares = ", ".join(
            f"{arm} {shares[OLD]:.1%} → {shares[NEW]:.1%}" for arm, shares in one.arms.items()
        )
        yield f"  方案占比 shares of arms: {shares}"
        yield (
            f"  有效样本 effective sample size {one.effective_sample_size:,.0f} 个决策 decisions, "
            f"{one.effective_people:,.0f} 人 people; 日志无法支持 unsupported {one.unsupported:.1%}"
        )
    for name, found in one.estimates.items():
        verdict = "没有显示出差别 no difference shown"
        if found.difference.low > 0:
            verdict = "改后更好 the change is better"
        elif found.difference.high < 0:
            verdict = "原来更好 as it was is better"
        yield (
            f"  {ESTIMATORS[name]}, {UNITS[one.unit]}: 原来 was {_value(found.was, one.unit)}, "
            f"改后 would be {_value(found.would, one.unit)}, 差 difference "
            f"{_value(found.difference, one.unit)}: {verdict}"
        )
    if one.refused:
        yield f"  不排序 not ranked: {_refused(one)} {one.refused}; {one.help}"


def _refused(one: StepEstimate) -> str:
    if not one.unit:
        return "这个旅程没有目标。"
    if not one.arms:
        return "还没有足够的结果。"
    if one.unsupported > FLOOR.unsupported:
        return f"改后的选择有 {one.unsupported:.1%} 是日志里从来不会做的。"
    if one.effective_people < FLOOR.effective_people:
        return (
            f"日志只相当于 {one.effective_people:.0f} 个人的证据 (至少 "
            f"{FLOOR.effective_people:.0f})。"
        )
    return "日志里能说明问题的决策太少。"


def _differing(counts: Mapping[str, Pair]) -> Iterator[tuple[str, Pair]]:
    return ((name, pair) for name, pair in counts.items() if pair[OLD] != pair[NEW])


def _named(code: str, words: Mapping[str, Words]) -> str:
    return f"{code} {words[code].zh}" if code in words else code


def _cells(pair: Pair) -> Iterable[str]:
    return f"{pair[OLD]:,}", f"{pair[NEW]:,}", f"{pair[NEW] - pair[OLD]:+,}"


def _yuan_cells(pair: Pair) -> Iterable[str]:
    return _yuan(pair[OLD]), _yuan(pair[NEW]), f"{(pair[NEW] - pair[OLD]) / 100:+,.2f}"


def _yuan(fen: float) -> str:
    return f"{fen / 100:,.2f}"


def _pair(pair: Pair) -> str:
    was, would = (_yuan(fen) if fen else "–" for fen in pair)
    return was if pair[OLD] == pair[NEW] else f"{was} → {would}"


def _value(found: Value, unit: str) -> str:
    value, low, high = found.value, found.low, found.high
    if unit == "fen":
        return f"{value / 100:,.2f} [{low / 100:,.2f}, {high / 100:,.2f}]"
    return f"{value:.1%} [{low:.1%}, {high:.1%}]"
