"""The whole report: one HTML file that needs no network, Chinese first, English beneath."""

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Any, NamedTuple

from streams.contract.triggers import KINDS as KIND_CODES
from streams.report import svg
from streams.report.choose import Chosen
from streams.report.parts import Bar, bars, both, card, legend, tile, two_columns
from streams.report.person import decision_card, person_card
from streams.report.results import effects_card, journey_card
from streams.report.words import (
    CHANNELS,
    FATES,
    GOES_ON,
    KINDS,
    SCENARIOS,
    Words,
    journey,
    outcome,
    pick,
)

EMITTED = GOES_ON[:3]
UNDER_WAY = GOES_ON[3:]
OUTCOME_COLOURS = dict.fromkeys(EMITTED, svg.GREEN) | dict.fromkeys(UNDER_WAY, svg.BLUE)


class Picture(NamedTuple):
    """A journey drawn, to stand with its results."""

    journey: str
    svg: str


def render(summary: Mapping[str, Any], chosen: Chosen, picture: Picture | None = None) -> str:
    """`summary` is what summary.json holds; parts it has no figures for are left out."""
    titles = summary["titles"]
    left, right = [_funnel(summary), _days(summary), _fates(summary)], [_outcomes(summary)]
    if summary.get("churn_auc") is not None:
        right += [_reliability(summary), _ranking(summary)]
    effects = "".join(f'<div class="gap">{part}</div>' for part in _effects(summary, picture))
    person = "" if chosen.person is None else person_card(chosen.person)
    steps = [
        decision_card(decision, trigger, journey(decision.journey, titles))
        for decision, trigger in chosen.decisions
    ]
    style = files("streams.report").joinpath("style.css").read_text("utf-8")
    scenario = pick(SCENARIOS, summary["scenario"])
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>微信营销实时触达报告 · {escape(scenario.zh)}</title><style>{style}</style></head>"
        f"<body>{_header(summary, scenario)}<main>{_tiles(summary)}"
        f"{two_columns(left, right)}{effects}{two_columns(steps[:1], steps[1:])}"
        f'<div class="gap">{person}</div>'
        f"{_footer(summary)}</main></body></html>\n"
    )


def _effects(summary: Mapping[str, Any], picture: Picture | None) -> list[str]:
    """The journey drawn with its results, and the effects of all."""
    found = summary["effects"]
    if not found:
        return []
    drawn = [one for one in found if picture is not None and one["journey"] == picture.journey]
    cards = [journey_card(one, "" if picture is None else picture.svg) for one in drawn]
    return [*cards, effects_card(found)]


def _header(summary: Mapping[str, Any], scenario: Words) -> str:
    return (
        "<header><div><h1>微信营销实时触达报告<small>What the event stream did: WeChat marketing "
        f"triggers in real time</small></h1><p>{escape(scenario.zh)} {escape(scenario.en)} · "
        f"{summary['users']:,} 位模拟用户 simulated users · {summary['days']} 天 days"
        "</p></div></header>"
    )


def _tiles(summary: Mapping[str, Any]) -> str:
    tiles = [
        tile(f"{summary['events_in']:,}", Words("条事件", "events in")),
        tile(
            f"{summary['triggers']:,}",
            Words("次触达", "triggers out"),
            f"{summary['decisions']:,} 次决策 decisions",
        ),
    ]
    if summary.get("churn_auc") is not None:
        tiles.append(
            tile(
                f"{summary['churn_auc']:.3f}",
                Words("流失预测 AUC", "churn AUC"),
                f"可能的最好 best possible {summary['churn_auc_best']:.3f}",
            )
        )
    if summary.get("interest_hit_at_3") is not None:
        tiles.append(
            tile(
                f"{summary['interest_hit_at_3']:.1%}",
                Words("兴趣命中率（前 3）", "interest hit@3"),
                f"热门基线 popularity {summary['interest_hit_at_3_popularity']:.1%}",
            )
        )
    tiles.append(
        tile(
            f"{summary['events_per_s']:,.0f}",
            Words("条/秒，单核", "events/s on one core"),
            "引擎时间 engine time",
        )
    )
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _funnel(summary: Mapping[str, Any]) -> str:
    outcomes = summary["outcomes"]
    stages = [
        (summary["events_in"], Words("收到事件", "events in")),
        (summary["applied"], Words("有效事件", "applied")),
        (summary["decisions"], Words("触达决策", "decisions")),
        (summary["decisions"] - sum(outcomes.get(code, 0) for code in UNDER_WAY),
         Words("到达关口", "asked at the gates")),
        (summary["triggers"], Words("发出触达", "triggers")),
    ]  # fmt: skip
    rows = []
    for i, (count, words) in enumerate(stages):
        share = 1 - 0.62 * i / (len(stages) - 1)
        rows.append(
            f'<div style="width:{share:.0%};opacity:{1 - 0.09 * i:.2f}">{escape(words.zh)} '
            f"<b>{count:,}</b><small>{escape(words.en)}</small></div>"
        )
    kinds = summary["triggers_by_kind"]
    channels = summary["triggers_by_channel"]
    by_kind = [Bar(pick(KINDS, code), n, f"{n:,}", _colour(code)) for code, n in kinds.items()]
    by_channel = [Bar(pick(CHANNELS, code), n, f"{n:,}", svg.PALE) for code, n in channels.items()]
    return card(
        Words("从事件到触达", "From event to trigger"),
        f'<div class="funnel">{"".join(rows)}</div><h3>种类 <span class="en">by kind</span></h3>'
        f'{bars(by_kind)}<h3>渠道 <span class="en">by channel</span></h3>{bars(by_channel)}',
    )


def _fates(summary: Mapping[str, Any]) -> str:
    whole = summary["events_in"] or 1
    rows = "".join(
        f"<tr><td>{escape(words.zh)} <span class=en>{escape(words.en)}</span></td>"
        f"<td>{summary[code]:,}</td><td>{summary[code] / whole:.2%}</td></tr>"
        for code, words in FATES.items()
    )
    reasons = summary.get("dead_letter_reasons", {})
    letters = [Bar(Words(code, ""), n, f"{n:,}", svg.AMBER) for code, n in reasons.items()]
    below = (
        f'<h3>死信原因 <span class="en">dead letters by reason</span></h3>{bars(letters[:6])}'
        if letters
        else ""
    )
    return card(
        Words("每条事件的去向", "Where each event ended"),
        f"<table>{rows}<tr><th>合计 sum</th><th>{summary['events_in']:,}</th><th>100%</th></tr>"
        f"</table>{below}",
        note=_conserved(summary),
    )


def _conserved(summary: Mapping[str, Any]) -> Words:
    """Counted in = counted out, for events and for decisions."""
    entering, due, ended = summary["matched"], summary["due"], summary["ended"]
    return Words(
        f"每条输入恰好落在其中一类。决策也一样：{entering:,} 次符合进入条件 + {due:,} 个到期步骤 + "
        f"{ended:,} 次旅程结束 = {entering + due + ended:,}，有结果的 {summary['decisions']:,}。",
        f"Every input ends in exactly one of these. So do decisions: {entering:,} entry matches + "
        f"{due:,} steps due + {ended:,} journeys ended = {entering + due + ended:,}; with an "
        f"outcome: {summary['decisions']:,}.",
    )


def _days(summary: Mapping[str, Any]) -> str:
    by_day = summary["triggers_by_day"]
    codes = [code for code in KIND_CODES if summary["triggers_by_kind"].get(code)]
    series = {
        " ".join(pick(KINDS, code)): [float(kinds.get(code, 0)) for kinds in by_day.values()]
        for code in codes
    }
    colours = [_colour(code) for code in codes]
    chart = svg.stacked_days([day[5:] for day in by_day], series, colours, "triggers per day")
    return card(
        Words("每天的触达", "Triggers per day, by kind"),
        legend([pick(KINDS, code) for code in codes], colours) + chart,
    )


def _outcomes(summary: Mapping[str, Any]) -> str:
    found = sorted(summary["outcomes"].items(), key=lambda pair: -pair[1])
    rows = [
        Bar(outcome(code), n, f"{n:,}", OUTCOME_COLOURS.get(code, svg.PALE)) for code, n in found
    ]
    return card(
        Words("为什么发、为什么没发", "Why people got something, and why others got nothing"),
        bars(rows[:12]),
    )


def _reliability(summary: Mapping[str, Any]) -> str:
    points = [(p, o, n) for p, o, n in summary["churn_reliability"]]
    return card(
        Words("流失分数可信吗", "Can the churn score be trusted?"),
        svg.reliability(points, "calibration of the churn score"),
        note=Words(
            f"横轴是预测的流失概率，纵轴是实际流失的比例；越贴近虚线越准。平均偏差 "
            f"{summary['churn_calibration_error']:.3f}。",
            "Predicted probability against what happened; on the dashed line the score is exact. "
            f"Mean gap {summary['churn_calibration_error']:.3f}.",
        ),
    )


def _ranking(summary: Mapping[str, Any]) -> str:
    auc = [
        Bar(words, summary[name] - 0.5, f"{summary[name]:.3f}", colour)
        for name, words, colour in (
            ("churn_auc", Words("本引擎", "this engine"), svg.GREEN),
            ("churn_auc_best", Words("可能的最好", "best possible"), svg.PALE),
        )
    ]
    parts = [f'<h3>流失 AUC <span class="en">churn AUC</span></h3>{bars(auc)}']
    if summary.get("interest_hit_at_3") is not None:
        hits = [
            Bar(words, summary[name], f"{summary[name]:.1%}", colour)
            for name, words, colour in (
                ("interest_hit_at_3", Words("本引擎", "this engine"), svg.GREEN),
                ("interest_hit_at_3_last_seen", Words("最近看过", "last seen"), svg.PALE),
                ("interest_hit_at_3_popularity", Words("全站热门", "popularity"), svg.PALE),
            )
        ]
        parts.append(f'<h3>兴趣命中率 <span class="en">interest hit@3</span></h3>{bars(hits)}')
    return card(
        Words("预测有多好", "How good the predictions are"),
        "".join(parts),
        note=Words(
            "AUC 条从 0.5（随机）画起。“可能的最好”知道每个人真实的流失概率；"
            "兴趣命中：下一次来访的品类在前三名之内。",
            "AUC bars begin at 0.5 (chance). “Best possible” knows each person's true hazard. "
            "A hit: the category of the next visit is among the first three.",
        ),
    )


def _footer(summary: Mapping[str, Any]) -> str:
    words = Words(
        "本页由模拟数据生成，时间为北京时间。明细在同一文件夹的 decisions.ndjson、triggers.ndjson、"
        "profiles.ndjson；用 streams explain 可查任何一条。",
        "Made from simulated people; times are China's. The records are in the same folder; "
        "`streams explain ID --in DIR` tells why for any of them.",
    )
    return f"<footer>{both(words)}</footer>"


def _colour(kind: str) -> str:
    """The same for a kind in every picture."""
    codes = [str(code) for code in KIND_CODES]
    return svg.COLOURS[codes.index(kind)] if kind in codes else svg.PALE
