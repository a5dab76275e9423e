"""What a thousand journeys cost beside ten: the same events, folded in turns.

python -m streams.benchmarks.many_journeys [--events 30000]

Each journey is entered by one of the common event types, with a condition on the person, and waits
before it sends. In the first form the condition names a category too: those people look at and a
hundred more, as campaigns of a large shop do. In the second nothing tells beforehand which journeys
an event could match. Ten and a thousand see every event in alternating blocks in one process, so a
machine that slows down slows both.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from streams.benchmarks import full_engine
from streams.benchmarks.profile import KEY
from streams.contract.journeys import JourneySpec
from streams.contract.records import Origin
from streams.contract.topics import EVENTS
from streams.engine.config import Config
from streams.engine.fold import EngineFold
from streams.event_file import Clock, read_lines
from streams.intake import Intake

COUNTS: Final = (10, 1_000)
TYPES: Final = ("product.viewed", "cart.added", "item.favourited", "search.performed")
BLOCK: Final = 500
RARE: Final = 100  # categories nobody in the events looks at


def journey(number: int, categories: list[str], *, found: bool) -> JourneySpec:
    """Common categories come round once in as many journeys as there are categories. Not `found`:
    the condition names no category, so every event of the type has to be asked."""
    where = f"profile.orders >= {1 + number % 50} and score('churn') > 0.{1 + number % 9}"
    if found:
        category = categories[number % len(categories)]
        where = f"data.category == '{category}' and profile.orders >= 1 and score('churn') > 0.1"
    return msgspec.convert(
        {
            "id": f"campaign_{number}",
            "version": 1,
            "title": f"活动 {number}",
            "status": "live",
            "priority": number % 1_000,
            "entry": {
                "on": TYPES[number % len(TYPES)],
                "where": where,
                "reentry": {"cooldown": "7d"},
            },
            "exit": {"on": ["order.paid"]},
            "goal": {"on": "order.paid", "window": "72h"},
            "step": [
                {"id": "cool", "wait": "30m"},
                {"id": "say", "send": {"show": "entry"}},
            ],
        },
        JourneySpec,
    )


def config(count: int, categories: list[str], *, found: bool) -> Config:
    journeys = tuple(journey(number, categories, found=found) for number in range(count))
    return Config(partitions=1, journeys=journeys)


def measure(events: Path, most: int, *, found: bool) -> dict[str, Any]:
    """Microseconds an event for each count of journeys, and their ratio."""
    raws = [raw for raw, _ in zip(read_lines(events), range(most), strict=False)]
    records = _records(raws)
    seen = sorted({record.data.category for record in records if _category(record)})
    categories = seen + [f"rare_{number}" for number in range(RARE)]
    folds = {count: EngineFold(0, config(count, categories, found=found)) for count in COUNTS}
    seconds = dict.fromkeys(COUNTS, 0.0)
    for start in range(0, len(records), BLOCK):
        for count, fold in folds.items():
            began = time.perf_counter()
            for record in records[start : start + BLOCK]:
                fold.handle_record(record)
            fold.changed_rows()
            seconds[count] += time.perf_counter() - began
    result: dict[str, Any] = {"events": len(records), "categories_seen": len(seen)}
    for count, fold in folds.items():
        counters = fold.counters()
        result[f"journeys_{count}"] = {
            "us_per_event": round(seconds[count] / len(records) * 1e6, 1),
            "entries_matched": counters.get("journey.matched", 0),
            "sent": counters.get("trigger.content", 0),
        }
    result["ratio"] = round(seconds[COUNTS[1]] / seconds[COUNTS[0]], 2)
    return result


def _records(raws: list[bytes]) -> list[Any]:
    intake = Intake(key=KEY, tenant="default", partitions=1)
    clock = Clock()
    return [
        intake.take(raw, Origin(EVENTS, 0, 0, offset), at_ms)[1]
        for offset, (at_ms, raw) in enumerate(clock.stamped(raws))
    ]


def _category(record: Any) -> str:
    return str(getattr(getattr(record, "data", None), "category", ""))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m streams.benchmarks.many_journeys")
    parser.add_argument("--events", type=int, default=30_000)
    parser.add_argument("--users", type=int, default=1_500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        events, _ = full_engine.simulated(Path(name), options.users, 10)
        result = {
            "found_by_category": measure(events, options.events, found=True),
            "asked_at_every_event": measure(events, options.events, found=False),
        }
        print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
