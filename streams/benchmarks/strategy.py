"""Does looking ahead pay, and would the log have told? Policies in a world where messages tire.

python -m streams.benchmarks.strategy

People live as in `streams/simulation/fatigue.py`, where the truth is exact. A policy that sends at
random to about half writes two logs: from one the policies are learned; on the other, of other
people, they are evaluated and pass the gate or not. Writes out/strategy.json; one core, under a
minute.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table

from streams.evaluation import sequential
from streams.evaluation.clusters import margin, people_of
from streams.evaluation.off_policy import Estimate
from streams.evaluation.sequential import Gate, GreedyWithFloor, Setting, Trajectories
from streams.simulation import fatigue

Floats = NDArray[np.float64]

SETTING = Setting(arms=2, horizon=fatigue.DECISIONS, discount_per_day=fatigue.DISCOUNT_PER_DAY)
EXPLORATION = 0.1  # floor of the learned policies
RELEARNED = 10  # times, on logs of their own, to see how much luck is in one log
MONTE_CARLO_SEED = 9_000


class Row(NamedTuple):
    policy: str
    true_value: float  # exact
    monte_carlo: tuple[float, float, float]  # mean, low, high
    estimate: Estimate | None  # from the log; None for what is no policy of features
    gate: Gate | None


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m streams.benchmarks.strategy")
    parser.add_argument("--people", type=int, default=40_000, help="in each log")
    parser.add_argument("--out", type=Path, default=Path("out/strategy.json"))
    options = parser.parse_args()
    rows = measure(options.people)
    relearned = {
        "one-step bandit": relearn(options.people // 4, horizon=1),
        "sequential": relearn(options.people // 4, horizon=SETTING.horizon),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    figures = {"policies": [_plain(row) for row in rows], "relearned": relearned}
    options.out.write_text(json.dumps(figures, indent=2) + "\n")
    _show(rows, relearned, Console(width=110))
    return 0


def measure(people: int) -> list[Row]:
    """Every policy by its true value, and by what the log says about it."""
    log = trajectories(fatigue.live(fatigue.today, seed=2, people=people))
    incumbent = sequential.logged_value(log, SETTING)
    seen = trajectories(fatigue.live(fatigue.today, seed=1, people=people))
    rows = [
        _row("today's, at random", people, fatigue.today, incumbent, None),
        _row("best possible", people, fatigue.best_policy(), None, None),
    ]
    policies: dict[str, sequential.Policy] = {
        "send never": _always(fatigue.HOLD),
        "send always": _always(fatigue.SEND),
        "one-step bandit": _learn(seen, horizon=1),
        "sequential": _learn(seen, horizon=SETTING.horizon),
    }
    for name, policy in policies.items():
        found = sequential.evaluate(log, policy, SETTING)
        gate = sequential.gate(found, incumbent)
        rows.append(_row(name, people, fatigue.on_features(policy), found, gate))
    return sorted(rows, key=lambda row: row.true_value)


def relearn(people: int, horizon: int) -> list[float]:
    """True values of policies learned on logs of their own, sorted."""
    return sorted(
        fatigue.true_value(fatigue.on_features(_learn(trajectories(lives), horizon)))
        for lives in (
            fatigue.live(fatigue.today, seed=100 + number, people=people)
            for number in range(RELEARNED)
        )
    )


def trajectories(lives: fatigue.Lives) -> Trajectories:
    """What a decisions log would hold of lives: features, no states."""
    return Trajectories(
        person=lives.person,
        features=fatigue.features(lives.state),
        arm=lives.arm,
        propensity=lives.propensity,
        reward=lives.reward,
        next_features=fatigue.features(lives.next_state),
        gap_days=lives.gap_days,
        ended=lives.ended,
    )


def _learn(log: Trajectories, horizon: int) -> GreedyWithFloor:
    return sequential.learn(log, SETTING._replace(horizon=horizon), floor=EXPLORATION)


def _always(arm: int) -> Callable[[Floats], Floats]:
    return lambda features: np.eye(SETTING.arms)[np.full(len(features), arm)]


def _row(
    name: str,
    people: int,
    policy: fatigue.StatePolicy,
    found: Estimate | None,
    gate: Gate | None,
) -> Row:
    seed = MONTE_CARLO_SEED + len(name)  # not the same luck for all
    returns = fatigue.returns(fatigue.live(policy, seed=seed, people=people))
    mean = float(returns.mean())
    weights = np.ones(len(returns))
    half = margin((returns - mean) / len(returns), weights, people_of(None, len(returns)))
    return Row(name, fatigue.true_value(policy), (mean, mean - half, mean + half), found, gate)


def _plain(row: Row) -> dict[str, Any]:
    return row._asdict() | {
        "estimate": row.estimate and row.estimate._asdict(),
        "gate": row.gate and row.gate._asdict(),
    }


def _show(rows: list[Row], relearned: dict[str, list[float]], console: Console) -> None:
    table = Table(title="discounted purchases less costs, of one person's life", box=box.SIMPLE)
    table.add_column("policy", no_wrap=True)
    for title in ("true", "of best", "Monte Carlo, 95 %", "from the log, 95 %", "people", "gate"):
        table.add_column(title, justify="right", no_wrap=True)
    best = rows[-1].true_value
    for row in rows:
        table.add_row(
            row.policy,
            f"{row.true_value:.3f}",
            f"{row.true_value / best:.0%}",
            _interval(*row.monte_carlo),
            _interval(*row.estimate[:3]) if row.estimate else "",
            f"{row.estimate.effective_people:,.0f}" if row.estimate else "",
            ("passes" if row.gate.may_drive else "refused") if row.gate else "",
        )
    console.print(table)
    for row in rows:
        if row.gate:
            console.print(f"{row.policy}: {row.gate.reason}", highlight=False)
    for name, values in relearned.items():
        console.print(
            f"{name} learned {len(values)} times on a quarter of the people:"
            f" {values[0]:.3f} to {values[-1]:.3f}",
            highlight=False,
        )


def _interval(value: float, low: float, high: float) -> str:
    return f"{value:.3f} ({low:.3f}..{high:.3f})"


if __name__ == "__main__":
    sys.exit(main())
