"""Figures of `streams.evaluation.effect` as text, for the terminal and for pages.

They come as plain values, as summary.json and `streams report --json` hold them: an estimate is
`{value, low, high}`, one that is not given `{not_enough, of}`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from streams.report.words import Words, pick

HOUR_MS = 3_600_000

OF: dict[str, Words] = {
    "people": Words("人", "people"),
    "goals": Words("次达成", "goals"),
    "redeemed": Words("张券核销", "coupons redeemed"),
}


def ordered(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Results in the order in which they are shown: the journeys of the most people first."""
    return sorted(found, key=lambda one: (-one["effect"]["treated"]["people"], one["journey"]))


def points(figure: Mapping[str, Any]) -> str:
    """A difference of shares, in percentage points."""
    return estimate(figure, lambda value: f"{100 * value:+.1f}", " pp")


def yuan(figure: Mapping[str, Any]) -> str:
    """Fen, shown in yuan."""
    return estimate(
        figure, lambda value: f"{value / 100:+,.{0 if abs(value) > 1e6 else 2}f}", " 元"
    )


def number(figure: Mapping[str, Any]) -> str:
    return estimate(figure, lambda value: f"{value:+,.0f}")


def times(figure: Mapping[str, Any] | None) -> str:
    """A return as a multiple of the cost."""
    return "—" if figure is None else estimate(figure, lambda value: f"{value:,.1f}", "×")


def estimate(figure: Mapping[str, Any], shown: Callable[[float], str], unit: str = "") -> str:
    if "not_enough" in figure:
        words = pick(OF, figure["of"])
        return f"不足 not enough: {figure['not_enough']} {words.zh} {words.en}"
    low, high = shown(figure["low"]), shown(figure["high"])
    return f"{shown(figure['value'])}{unit} [{low}, {high}]"


def is_measured(figure: Mapping[str, Any]) -> bool:
    return "not_enough" not in figure


def share(value: float | None) -> str:
    return "—" if value is None else f"{value:.1%}"


def money(fen: float | None) -> str:
    """Yuan; nothing to speak of is a dash."""
    return f"¥{fen / 100:,.2f}" if fen else "—"


def touch(result: Mapping[str, Any]) -> float | None:
    """The share of messages that a goal was credited to."""
    found = result["last_touch"]
    credited: int = found["credited"]
    return credited / found["sent"] if found["sent"] else None


def window(ms: int) -> str:
    hours = ms / HOUR_MS
    if hours >= 48 and hours % 24 == 0:
        return f"{hours / 24:.0f} 天 days"
    return f"{hours:g} h" if hours >= 1 else f"{ms / 60_000:g} min"


def goal(result: Mapping[str, Any]) -> str:
    """The goal and its window; empty where the journey has none."""
    if not result["goal"]:
        return ""
    return f"{' / '.join(result['goal'])}, {window(result['window_ms'])}"


def of_arm(arm: Mapping[str, Any]) -> tuple[str, ...]:
    """What an arm did, in the order of the columns of its table."""
    return (
        f"{arm['decided']:,}",
        f"{arm['sent']:,}",
        f"{arm['delivered']:,}",
        share(arm["open_rate"]),
        share(arm["click_rate"]),
        f"{arm['redeemed']:,}",
        share(arm["conversion"]),
        money(arm["value_fen"]),
        money(arm["spent_fen"]),
        money(arm["cost_per_conversion_fen"]),
    )
