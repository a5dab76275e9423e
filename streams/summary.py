"""What a run did, as one flat mapping: the content of summary.json.

Figures about triggers, decisions and dead letters are counted from the output files, so that the
summary speaks of what was really written.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec

from streams.contract.reports import JourneyReport, Report
from streams.evaluation import effect

FATES = ("applied", "duplicate", "late", "dead_lettered", "erased")
CHINA = timezone(timedelta(hours=8))
DAY_MS = 86_400_000

Summary = dict[str, Any]


class _Trigger(msgspec.Struct):
    kind: str
    channel: str
    campaign: str
    created_at_ms: int


class _Decision(msgspec.Struct):
    journey: str
    outcome: str


class _Insight(msgspec.Struct):
    insight: str
    kind: str = ""


class _DeadLetter(msgspec.Struct):
    reason: str


def summarise(
    folder: Path,
    *,
    events_in: int,
    counters: Mapping[str, float],
    engine_seconds: float,
    titles: Mapping[str, str],
) -> Summary:
    """`counters` are those of the folds, summed over partitions, for this run alone; `titles`
    those of the journeys by id."""
    triggers = list(_records(folder / "triggers.ndjson", _Trigger))
    outcomes: Counter[str] = Counter()
    journeys: dict[str, Counter[str]] = {}
    for decision in _records(folder / "decisions.ndjson", _Decision):
        outcomes[decision.outcome] += 1
        journeys.setdefault(decision.journey, Counter())[decision.outcome] += 1
    letters = _records(folder / "dead-letters.ndjson", _DeadLetter)
    reasons = Counter(letter.reason for letter in letters)
    fates = {fate: int(counters.get(f"fate.{fate}", 0)) for fate in FATES}
    return {
        "events_in": events_in,
        **fates,
        "triggers": len(triggers),
        "decisions": outcomes.total(),
        "profiles": sum(1 for _ in _lines(folder / "profiles.ndjson")),
        "events_per_s": round(events_in / engine_seconds, 1) if engine_seconds > 0 else 0.0,
        "engine_seconds": round(engine_seconds, 3),
        "triggers_by_kind": _sorted(Counter(trigger.kind for trigger in triggers)),
        "triggers_by_channel": _sorted(Counter(trigger.channel for trigger in triggers)),
        "triggers_by_campaign": _sorted(Counter(trigger.campaign for trigger in triggers)),
        "triggers_by_day": _by_day(triggers),
        "outcomes": _sorted(outcomes),
        "matched": int(counters.get("journey.matched", 0)),
        "due": int(counters.get("journey.due", 0)),
        "ended": int(counters.get("journey.ended", 0)),
        "titles": dict(titles),
        "effects": msgspec.to_builtins(effect.results(journey_reports(folder))),
        "journeys": {name: _sorted(counts) for name, counts in sorted(journeys.items())},
        "dead_letter_reasons": _sorted(reasons),
        "insights": _sorted(_insights(folder / "insights.ndjson")),
    }


def _insights(path: Path) -> Counter[str]:
    """Insights by kind: segment, forecast, and alerts by theirs."""
    found = _records(path, _Insight)
    return Counter(f"alert {one.kind}" if one.kind else one.insight for one in found)


def journey_reports(folder: Path) -> list[JourneyReport]:
    """What a run tells of its journeys, one report for each journey and partition."""
    reports = _records(folder / "reports.ndjson", Report)
    return [report for report in reports if isinstance(report, JourneyReport)]


def write_summary(folder: Path, summary: Mapping[str, Any]) -> None:
    text = msgspec.json.format(msgspec.json.encode(summary), indent=2)
    (folder / "summary.json").write_bytes(text + b"\n")


def day_of(at_ms: int) -> str:
    """The day in China's time, as YYYY-MM-DD."""
    return datetime.fromtimestamp(at_ms / 1000, CHINA).strftime("%Y-%m-%d")


def _by_day(triggers: list[_Trigger]) -> dict[str, dict[str, int]]:
    """Every day from the first trigger to the last, those without triggers too."""
    if not triggers:
        return {}
    times = [trigger.created_at_ms for trigger in triggers]
    first, last = min(times), max(times)
    days: dict[str, Counter[str]] = {day_of(at): Counter() for at in range(first, last, DAY_MS)}
    days.setdefault(day_of(last), Counter())
    for trigger in triggers:
        days[day_of(trigger.created_at_ms)][trigger.kind] += 1
    return {day: dict(sorted(kinds.items())) for day, kinds in days.items()}


def _sorted(counts: Counter[str]) -> dict[str, int]:
    """Largest first, ties by name."""
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _records(path: Path, what: Any) -> Any:
    decoder = msgspec.json.Decoder(what)
    return map(decoder.decode, _lines(path))


def _lines(path: Path) -> Any:
    with path.open("rb", buffering=1 << 20) as file:
        yield from file
