"""Do the 95 % intervals of off-policy estimates hold the truth in 95 of 100 logs?

python -m streams.benchmarks.coverage

Logs by policies that learn while they decide (`streams/simulation/adaptive_log.py`) and of lives
with lasting effects (`streams/simulation/fatigue.py`), where the truth is exact. Writes
out/coverage.json; fails where an interval holds the truth in less than 90 % of the logs.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from streams.benchmarks.strategy import SETTING, trajectories
from streams.evaluation import sequential
from streams.evaluation.off_policy import (
    Estimate,
    Estimator,
    Logged,
    direct,
    doubly_robust,
    doubly_robust_self_normalised,
    estimate,
    ips,
    snips,
    switch,
)
from streams.evaluation.reward_model import reward_model
from streams.simulation import adaptive_log, fatigue

LEAST = 0.9
PEOPLE = 300  # in an adaptive log, three decisions each
LIVES = 4_000
TARGET = np.array([[0.1, 0.2, 0.7], [0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
ESTIMATORS: dict[str, Estimator] = {
    "IPS": ips,
    "SNIPS": snips,
    "DR": doubly_robust,
    "SNDR": doubly_robust_self_normalised,
    "switch-DR": switch(5.0),
    "DM": direct,
}
# Shown for what they are: the model's bias is not in their intervals.
BIASED = ("DM", "switch-DR")


class Covered(NamedTuple):
    estimator: str
    logs: int
    truth: float
    held: float  # share of logs whose interval holds the truth
    bias: float  # mean estimate less truth
    half_width: float  # mean, of the interval
    effective_people: float  # mean


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m streams.benchmarks.coverage")
    parser.add_argument("--logs", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("out/coverage.json"))
    options = parser.parse_args()
    rows = list(measure(options.logs))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps([row._asdict() for row in rows], indent=2) + "\n")
    _show(rows, Console(width=100))
    return int(any(row.held < LEAST for row in rows if row.estimator not in BIASED))


def measure(logs: int) -> Iterator[Covered]:
    """One row for each estimator over as many logs."""
    truth = adaptive_log.true_value(TARGET)
    adaptive = [_adaptive(seed) for seed in range(logs)]
    for name, estimator in ESTIMATORS.items():
        yield _covered(name, truth, [estimate(logged, estimator) for logged in adaptive])
    policy = sequential.learn(_lives(seed=0), SETTING, floor=0.1)
    truth = fatigue.true_value(fatigue.on_features(policy))
    seeds = range(1, logs + 1)
    found = [sequential.evaluate(_lives(seed), policy, SETTING) for seed in seeds]
    yield _covered("sequential DR", truth, found)


def _adaptive(seed: int) -> Logged:
    log = adaptive_log.adaptive_log(seed, PEOPLE)
    return Logged(
        reward=log.reward,
        action=log.action,
        propensity=log.propensity,
        target=TARGET[log.segment],
        q_hat=reward_model(
            log.features,
            log.reward,
            log.action,
            actions=adaptive_log.ACTIONS,
            person=log.person,
        ),
        person=log.person,
    )


def _lives(seed: int) -> sequential.Trajectories:
    return trajectories(fatigue.live(fatigue.today, seed=seed, people=LIVES))


def _covered(name: str, truth: float, found: list[Estimate]) -> Covered:
    return Covered(
        estimator=name,
        logs=len(found),
        truth=truth,
        held=sum(each.low <= truth <= each.high for each in found) / len(found),
        bias=float(np.mean([each.value for each in found])) - truth,
        half_width=float(np.mean([each.high - each.low for each in found])) / 2,
        effective_people=float(np.mean([each.effective_people for each in found])),
    )


def _show(rows: list[Covered], console: Console) -> None:
    table = Table(title=f"95 % intervals over {rows[0].logs} logs", box=box.SIMPLE)
    table.add_column("estimator")
    for title in ("truth", "held", "bias", "half width", "effective people"):
        table.add_column(title, justify="right")
    for row in rows:
        numbers = (row.truth, row.bias, row.half_width)
        truth, bias, half_width = (f"{number:.4f}" for number in numbers)
        people = f"{row.effective_people:,.0f}"
        table.add_row(row.estimator, truth, f"{row.held:.1%}", bias, half_width, people)
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
