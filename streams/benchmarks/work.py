"""What the small job does with one event; every contestant calls exactly this.

Keep a profile of the user, predict by river's logistic regression whether the event is a purchase,
learn whether it was. A purchase, one event in twenty, triggers. What differs between contestants is
how events are read, where profiles live, how they survive, and how triggers leave.
"""

import os
import random
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from river import linear_model, optim

PARTITIONS = 4
USERS = 10_000
PURCHASE_EVERY = 20
CATEGORIES = tuple(f"c{number}" for number in range(12))
_HOUR_MS = 3_600_000
_START_MS = 1_767_225_600_000

Profile = dict[str, Any]


def new_model() -> linear_model.LogisticRegression:
    return linear_model.LogisticRegression(optimizer=optim.SGD(0.05))


def new_profile() -> Profile:
    return {"events": 0, "spent": 0.0, "last_ms": 0, "categories": {}}


def learn(
    profile: Profile,
    model: linear_model.LogisticRegression,
    category: str,
    amount: float,
    at_ms: int,
    bought: bool,
) -> float:
    """Update the profile and the model in place; the probability of a purchase, as seen before."""
    events = profile["events"] + 1
    if events == 1:
        stamp_start()
    categories = profile["categories"]
    seen = categories.get(category, 0)
    gap_h = (at_ms - profile["last_ms"]) / _HOUR_MS
    x = {
        "recent": 1.0 / (1.0 + gap_h),
        "liked": seen / events,
        "spent": profile["spent"] / events / 100.0,
    }
    probability: float = model.predict_proba_one(x)[True]
    model.learn_one(x, bought)
    profile["events"] = events
    profile["last_ms"] = at_ms
    categories[category] = seen + 1
    if bought:
        profile["spent"] += amount
    return probability


@cache
def stamp_start() -> None:
    """Tell the harness, once, when the first event is processed and the processor time so far."""
    path = os.environ.get("BENCH_STARTED")
    if path:
        Path(path).write_text(f"{time.time()} {time.process_time()}")


def trigger(event_id: str, user: str, probability: float) -> dict[str, Any]:
    return {"trigger_id": event_id, "user": user, "probability": probability}


def events(count: int, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """(user, JSON) of `count` events of `USERS` users; the same for the same seed."""
    chance = random.Random(seed)
    for number in range(count):
        user = f"u{chance.randrange(USERS):06d}"
        event = {
            "id": f"e{number:08d}",
            "user": user,
            "category": CATEGORIES[chance.randrange(len(CATEGORIES))],
            "amount": chance.randrange(100, 100_000) / 100,
            "at_ms": _START_MS + number * 37,
            "bought": number % PURCHASE_EVERY == 0,
        }
        yield user, orjson.dumps(event)
