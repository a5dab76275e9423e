"""`python -m streams.benchmarks.bandits`: what choosers cost by learning, where truth is known.

A stream of people passes a `decide` step (streams/simulation/offers.py); what came of a decision
is learned `delay` decisions later. Regret is the sum of what the oracle's arm would have brought
more, in expected net reward of the person's true kind; its share is of the regret of an even
split on the same people. Beside our choosers: the split itself, and whoever knows all laws but must
guess the kind from the features (nobody can do better). Means over seeds with 95 % intervals
(Student). Peers: the scoreboard's task `bandit`.
"""

import argparse
import json
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from streams.engine.choices import CHOOSERS
from streams.engine.choices.choice import Candidate, Step, draw
from streams.evaluation.uplift import rank_correlation
from streams.simulation import offers
from streams.simulation.chance import keyed, uniform
from streams.simulation.offers import ARMS, COST_FEN, Person

OURS = ("split", "thompson", "linear_thompson", "linucb")
CANDIDATES = tuple(Candidate(arm, cost) for arm, cost in zip(ARMS, COST_FEN, strict=True))
STEP = Step(ARMS, width=len(offers.FEATURES))
FLOOR = 0.01
COUPONS = (2, 3)
JUDGED = 1_000  # people on whom uplift estimates are compared with the truth
TRUE_NET = np.array([[offers.true_net(kind, arm) for arm in range(4)] for kind in range(4)])
BEST_NET = TRUE_NET.max(axis=1)


class Contestant(Protocol):
    def shares(self, person: Person) -> Sequence[float]: ...
    def learn(self, person: Person, arm: int, propensity: float) -> None: ...
    def uplift(self, person: Person) -> float:
        """Estimated net reward of coupon10 beyond that of nothing."""
        ...


class Ours:
    def __init__(self, name: str) -> None:
        self.chooser = CHOOSERS[name](STEP)

    def shares(self, person: Person) -> Sequence[float]:
        return self.chooser.propensities(CANDIDATES, person.features, floor=FLOOR, price=1.0)

    def learn(self, person: Person, arm: int, propensity: float) -> None:
        value, cost = offers.answer(person, arm)
        self.chooser.learn(arm, person.features, value_fen=value, cost_fen=cost)

    def uplift(self, person: Person) -> float:
        nets = self.chooser.expected(CANDIDATES, person.features, price=1.0)
        return nets[2] - nets[0]


class Knowing:
    """Knows the laws, not the kind."""

    def shares(self, person: Person) -> Sequence[float]:
        best = offers.best_guess(person.features)
        return [float(arm == best) for arm in range(len(ARMS))]

    def learn(self, person: Person, arm: int, propensity: float) -> None:
        """There is nothing left to learn."""

    def uplift(self, person: Person) -> float:
        return 0.0


class Run(NamedTuple):
    regret_fen: float  # per decision
    regret_late_fen: float  # in the last quarter
    to_persuadables: float  # share of coupons in the second half
    to_sure_things: float
    rank_correlation: float  # of estimated with true uplift
    qini: float  # area of the uplift curve over chance, relative to the truth's own order
    us_per_decision: float  # choose and learn


def run(contestant: Contestant, seed: int, decisions: int, delay: int) -> Run:
    waiting: deque[tuple[Person, int, float]] = deque()
    regrets = np.zeros(decisions)
    coupons = [0] * len(offers.KINDS)
    key = keyed("bandits", seed)
    begun = time.perf_counter()
    for number, person in enumerate(offers.people(seed, decisions)):
        shares = contestant.shares(person)
        arm = draw(shares, uniform(keyed(key, number)))
        regrets[number] = BEST_NET[person.kind] - TRUE_NET[person.kind, arm]
        if arm in COUPONS and number >= decisions // 2:
            coupons[person.kind] += 1
        waiting.append((person, arm, shares[arm]))
        if len(waiting) > delay:
            contestant.learn(*waiting.popleft())
    took = time.perf_counter() - begun
    rank, qini = judged(contestant, seed)
    total = max(sum(coupons), 1)
    return Run(
        float(regrets.mean()),
        float(regrets[-decisions // 4 :].mean()),
        coupons[offers.PERSUADABLE] / total,
        coupons[offers.SURE] / total,
        rank,
        qini,
        took / decisions * 1e6,
    )


def judged(contestant: Contestant, seed: int) -> tuple[float, float]:
    """Rank correlation and Qini of the uplift estimates for people never seen."""
    others = list(offers.people(seed + 1_000_000, JUDGED))
    estimates = np.array([contestant.uplift(person) for person in others])
    truth = np.array([TRUE_NET[person.kind, 2] - TRUE_NET[person.kind, 0] for person in others])
    return rank_correlation(estimates, truth), _gain(estimates, truth) / _gain(truth, truth)


def _gain(order: np.ndarray, truth: np.ndarray) -> float:
    """Area between the cumulative uplift of the best-ranked and that of a random order."""
    ranked = np.cumsum(truth[np.argsort(-order, kind="stable")])
    chance = ranked[-1] * np.arange(1, len(truth) + 1) / len(truth)
    return float((ranked - chance).sum())


def contestants() -> dict[str, Callable[[int], Contestant]]:
    ours: dict[str, Callable[[int], Contestant]] = {
        name: lambda seed, name=name: Ours(name) for name in OURS
    }
    return ours | {"knows the laws": lambda seed: Knowing()}


def measure(seeds: int, decisions: int, delay: int, names: Sequence[str]) -> dict[str, list[Run]]:
    makers = contestants()
    return {
        name: [run(makers[name](seed), seed, decisions, delay) for seed in range(seeds)]
        for name in names
    }


def table(results: dict[str, list[Run]]) -> list[dict[str, object]]:
    split = np.array([one.regret_fen for one in results["split"]])
    lines: list[dict[str, object]] = []
    for name, runs in results.items():
        columns = np.array(runs)
        share = columns[:, 0] / split
        line: dict[str, object] = {"chooser": name, "share_of_split": _interval(share)}
        for place, field in enumerate(Run._fields):
            line[field] = _interval(columns[:, place])
        lines.append(line)
    return lines


def _interval(values: np.ndarray) -> tuple[float, float]:
    """Mean and half-width; Student's quantile by its expansion, good from 5 seeds on."""
    freedom = len(values) - 1
    if freedom < 1:
        return float(values.mean()), 0.0
    quantile = 1.96 + 2.37 / freedom + 2.82 / freedom**2
    return float(values.mean()), float(quantile * values.std(ddof=1) / np.sqrt(len(values)))


def show(delay: int, lines: list[dict[str, object]]) -> None:
    print(f"\ndelay {delay} decisions")
    head = ("share of split", "regret fen", "last quarter", "persuadable", "sure", "rank", "qini")
    print(f"{'':16}" + "".join(f"{name:>17}" for name in head) + f"{'us':>6}")
    for line in lines:
        cells = [line["share_of_split"], *(line[field] for field in Run._fields)]
        text = ""
        for (mean, half), digits in zip(cells[:-1], (3, 1, 1, 3, 3, 3, 3), strict=True):
            text += f"{f'{mean:.{digits}f} +- {half:.{digits}f}':>17}"
        print(f"{line['chooser']:16}{text}{cells[-1][0]:6.0f}")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m streams.benchmarks.bandits")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--decisions", type=int, default=10_000)
    parser.add_argument("--delays", type=int, nargs="+", default=[0, 200, 2_000])
    parser.add_argument("--only", nargs="+", help="these contestants, and the split")
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    options = parser.parse_args()
    names = [name for name in contestants() if name == "split" or name in (options.only or [name])]
    figures = {}
    for delay in options.delays:
        lines = table(measure(options.seeds, options.decisions, delay, names))
        show(delay, lines)
        figures[str(delay)] = lines
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
