"""A run's summary as a person reads it on the terminal."""

from collections.abc import Mapping
from typing import Any

from streams.commands.report import show_effects
from streams.commands.terminal import counts, print_lines, table
from streams.report.words import CHANNELS, FATES, KINDS, Words, journey, outcome, pick
from streams.told_by_models import LABELS


def show_summary(summary: Mapping[str, Any]) -> None:
    _fates(summary)
    _triggers(summary)
    _conserved(summary)
    codes = summary["outcomes"]
    counts("决策结果 Decisions by outcome", "", codes, {code: outcome(code) for code in codes})
    if summary.get("churn_auc") is not None:
        _quality(summary)
    _models(summary)
    show_effects(summary["effects"])
    _speed(summary)


def _fates(summary: Mapping[str, Any]) -> None:
    whole = summary["events_in"] or 1
    rows = [
        (f"{words.zh} {words.en}", f"{summary[code]:,}", f"{summary[code] / whole:.2%}")
        for code, words in FATES.items()
    ]
    rows.append(("合计 events in", f"{summary['events_in']:,}", ""))
    table("每条事件的去向 Where each event ended", ("", "", ""), rows)
    if summary["dead_letter_reasons"]:
        counts("死信原因 Dead letters by reason", "", summary["dead_letter_reasons"], {})


def _triggers(summary: Mapping[str, Any]) -> None:
    rows = []
    campaigns = summary["triggers_by_campaign"]
    titles = {code: journey(code, summary["titles"]) for code in campaigns}
    for title, found, words in (
        ("种类 kind", summary["triggers_by_kind"], KINDS),
        ("渠道 channel", summary["triggers_by_channel"], CHANNELS),
        ("旅程 journey", campaigns, titles),
    ):
        for i, (code, n) in enumerate(found.items()):
            rows.append((title if i == 0 else "", _name(words, code), f"{n:,}"))
    table(f"触达 Triggers: {summary['triggers']:,}", ("", "", ""), rows)


def _conserved(summary: Mapping[str, Any]) -> None:
    entering, due, ended = summary["matched"], summary["due"], summary["ended"]
    print_lines(
        f"决策守恒 Decisions: {entering:,} 次符合进入条件 entry matches + {due:,} 个到期步骤 steps "
        f"due + {ended:,} 次结束 ends = {entering + due + ended:,}; "
        f"有结果的 with an outcome: {summary['decisions']:,}"
    )


def _name(words: Mapping[str, Words], code: str) -> str:
    found = pick(dict(words), code)
    return f"{found.zh} {found.en}"


def _quality(summary: Mapping[str, Any]) -> None:
    rows = [
        (
            "流失预测 AUC churn AUC",
            f"{summary['churn_auc']:.4f}",
            f"可能的最好 best possible {summary['churn_auc_best']:.4f}",
        ),
        (
            "流失校准误差 churn calibration error",
            f"{summary['churn_calibration_error']:.4f}",
            f"{summary['churn_cases']:,} 个预测 predictions",
        ),
    ]
    if summary.get("interest_hit_at_3") is not None:
        rows.append(
            (
                "兴趣命中率 interest hit@3",
                f"{summary['interest_hit_at_3']:.1%}",
                f"热门 popularity {summary['interest_hit_at_3_popularity']:.1%} · "
                f"最近看过 last seen {summary['interest_hit_at_3_last_seen']:.1%}",
            )
        )
    table("预测质量 How good the predictions are", ("", "", ""), rows)


# Model, its measure, what it is called; in the order they are shown.
MODELS = (
    ("churn", "流失 churn", (("auc", "AUC"), ("ece", "校准误差 calibration error"))),
    ("purchase", "七天内下单 order in 7 days", (("auc", "AUC"), ("ece", "校准误差"))),
    (
        "next_action",
        "下一步 next action",
        (("accuracy", "命中"), ("log_loss", "log-loss")),
    ),
    ("interest", "兴趣 interest", (("hit_at_3", "hit@3"),)),
    ("recommend", "推荐 recommendation", (("hit_at_3", "hit@3"),)),
    ("sentiment", "情感 sentiment", (("auc", "AUC"), ("accuracy", "命中 accuracy"))),
    ("demand", "需求 demand", (("mase", "MASE"), ("coverage", "90 % 覆盖 coverage"))),
)


def _models(summary: Mapping[str, Any]) -> None:
    """What the models say of themselves: all of it foreseen before it was learned."""
    rows = []
    for name, title, measures in MODELS:
        found = summary.get("models", {}).get(name, {})
        known = [f"{words} {found[measure]:.3f}" for measure, words in measures if measure in found]
        cases = next((found[count] for count in LABELS if found.get(count)), 0)
        if known and cases:
            rows.append((title, " · ".join(known), f"{cases:,.0f} 个 labels"))
    if rows:
        table("模型自评 What the models say of themselves", ("", "", ""), rows)
    if summary.get("insights"):
        counts("洞察 Insights", "", summary["insights"], {})


def _speed(summary: Mapping[str, Any]) -> None:
    line = f"引擎 Engine: {summary['events_per_s']:,.0f} events/s"
    if "wall_seconds" in summary:
        whole = summary["events_in"] / max(summary["wall_seconds"], 1e-9)
        line += (
            f" (全程 whole run {summary['wall_seconds']:.1f} s, "
            f"含模拟 simulation included: {whole:,.0f} events/s)"
        )
    print_lines(line)
