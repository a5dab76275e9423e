"""What choosing costs by learning, beside Vowpal Wabbit's best, where the truth is known.

Three worlds (streams/benchmarks/bandit_worlds.py), results 0, 1 and 24 hours late, at 200 decisions
an hour. Everybody meets the same people, answers and draws. Regret is per decision, in fen of
expected net reward; figures are means over seeds with Student's 95 % interval.

Vowpal Wabbit runs in an environment of its own, free to explore without a floor, as ours is here.
`VOWPAL` is its best for each world, by hindsight, of 54: nine ways to explore, with and without
products of features, learning rates 0.1, 0.5 and 1 (8 000 decisions, results an hour late, a seed
of its own: `python -m streams.benchmarks.vowpal_grid`). The bar is 5 % above its least regret.
Other peers: river's LinUCB, with results an hour late, for it is slow; an even split.

The default is short; `run(fetch, seeds=10, decisions=20_000, best=3)` takes about an hour.

A last line holds our draws against the probabilities stated: chi-square over its degrees of
freedom, which is near 1 where the logged propensities are the true ones.
"""

import json
import tempfile
from collections.abc import Callable, Sequence
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, Final

import numpy as np
from river.bandit import LinUCBDisjoint

from streams.benchmarks import bandit_worlds
from streams.benchmarks.bandit_worlds import DELAYS, ORDER_FEN, WORLDS, World, play, regret
from streams.benchmarks.peers import environment, vowpal
from streams.engine.choices import CHOOSERS
from streams.engine.choices.choice import Candidate, Step
from streams.scoreboard.board import Score
from streams.scoreboard.data import Fetch

CHOOSER: Final = "linear_thompson"
RIVER: Final = "river LinUCB"
SPLIT: Final = "even split"
MARGIN: Final = 1.05

Figures = dict[str, list[float]]  # by contestant: regret for each seed
Vowpal = Callable[[World, int, Sequence[str]], dict[str, float]]


class Ours:
    def __init__(self, world: World, chooser: str = CHOOSER) -> None:
        arms = tuple(f"arm{place}" for place in range(len(world.cost_most)))
        self.chooser = CHOOSERS[chooser](Step(arms, bandit_worlds.WIDTH))
        self.candidates = tuple(map(Candidate, arms, world.cost_most))

    def shares(self, context: Sequence[float]) -> Sequence[float]:
        return self.chooser.propensities(self.candidates, context, floor=0.0, price=1.0)

    def learn(
        self, context: Sequence[float], arm: int, share: float, value: float, cost: float
    ) -> None:
        self.chooser.learn(arm, context, value_fen=value, cost_fen=cost)


class River:
    """Always the arm of the greatest bound."""

    def __init__(self, arms: int) -> None:
        self.arms: list[int | str] = list(range(arms))
        self.policy = LinUCBDisjoint(alpha=1.0, beta=1.0, seed=1)

    def shares(self, context: Sequence[float]) -> Sequence[float]:
        chosen = self.policy.pull(self.arms, context=self._context(context))
        return [float(arm == chosen) for arm in self.arms]

    def learn(
        self, context: Sequence[float], arm: int, share: float, value: float, cost: float
    ) -> None:
        reward = (value - cost) / ORDER_FEN
        self.policy.update(arm, self._context(context), reward)  # type: ignore[no-untyped-call]

    @staticmethod
    def _context(context: Sequence[float]) -> dict[Any, float]:
        return {**dict(enumerate(context)), "one": 1.0}


def run(
    fetch: Fetch, *, seeds: int = 5, decisions: int = 7_000, best: int = 1, river: bool = True
) -> list[Score]:
    """`best`: so many of Vowpal Wabbit's settings in each world."""
    python = fetch.python("vowpal", vowpal.PACKAGES)
    return scores(vowpal_in(python), range(seeds), decisions, best, river)


def scores(
    theirs: Vowpal, seeds: Sequence[int], decisions: int, best: int, river: bool
) -> list[Score]:
    found, squares, freedom = [], 0.0, 0
    for name in WORLDS:
        figures: dict[str, Figures] = {delay: {} for delay in DELAYS}
        for seed in seeds:
            world = WORLDS[name](seed, decisions)
            for delay, late in DELAYS.items():
                played = play(world, Ours(world), late)
                square, count = bandit_worlds.chi_square(played.shares, played.arms)
                squares, freedom = squares + square, freedom + count
                line = {CHOOSER: regret(world, played.arms), SPLIT: of_split(world)}
                line |= theirs(world, late, vowpal.BEST[name][:best])
                if river and late == DELAYS["1 h"]:
                    line[RIVER] = regret(world, play(world, River(len(world.cost_most)), late).arms)
                for contestant, value in line.items():
                    figures[delay].setdefault(contestant, []).append(value)
        found += [score(name, delay, figures[delay], decisions) for delay in DELAYS]
    cases = len(WORLDS) * len(DELAYS) * len(seeds) * decisions
    return [*found, calibration(squares, freedom, cases)]


def score(world: str, delay: str, figures: Figures, decisions: int) -> Score:
    ours = figures[CHOOSER]
    peers = {name: fmean(values) for name, values in figures.items() if name != CHOOSER}
    rivals = [name for name in peers if name.startswith(vowpal.NAME)]
    best = min(rivals, key=peers.__getitem__)
    won = sum(map(lambda mine, its: mine <= MARGIN * its, ours, figures[best]))
    low, high = student(ours)
    return Score(
        task="bandit",
        data=f"{world}, results {delay} late",
        metric="regret per decision, fen",
        ours=fmean(ours),
        low=low,
        high=high,
        better="lower",
        bar=MARGIN * peers[best],
        cases=decisions * len(ours),
        peers=peers,
        note=f"within the bar on {won} of {len(ours)} seeds",
    )


def calibration(squares: float, freedom: int, cases: int) -> Score:
    """The interval is what a true distribution stays in (Wilson, Hilferty, 1931). Numbers that are
    drawn by are common to the three delays, so it may well be below."""
    ninth = 2.0 / (9.0 * freedom)
    low, high = ((1.0 - ninth + z * sqrt(ninth)) ** 3 for z in (-1.96, 1.96))
    return Score(
        task="bandit",
        data="all of these",
        metric="chi-square of draws per degree of freedom",
        ours=squares / freedom,
        low=low,
        high=high,
        better="lower",
        bar=high,
        cases=cases,
        note=f"{freedom} degrees of freedom; the interval is that of exact propensities",
    )


def vowpal_in(python: Path) -> Vowpal:
    """Its regret by settings, played in an environment of its own."""

    def theirs(world: World, delay: int, settings: Sequence[str]) -> dict[str, float]:
        with tempfile.TemporaryDirectory() as folder:
            told, chosen = Path(folder) / "world.json", Path(folder) / "chosen.json"
            body = {
                "contexts": world.contexts,
                "rewards": ((world.value - world.cost) / ORDER_FEN).tolist(),
                "draws": world.draws,
                "delay": delay,
                "settings": list(settings),
            }
            told.write_text(json.dumps(body))
            environment.run(python, vowpal.__file__, told, chosen)
            played = json.loads(chosen.read_text())
        return {
            f"{vowpal.NAME} {one}": regret(world, np.array(arms)) for one, arms in played.items()
        }

    return theirs


def of_split(world: World) -> float:
    return float((world.expected.max(axis=1) - world.expected.mean(axis=1)).mean())


def student(values: Sequence[float]) -> tuple[float, float]:
    """A 95 % interval of the mean; the quantile by its expansion, good from 5 values on."""
    freedom = len(values) - 1
    if freedom < 1:
        return values[0], values[0]
    quantile = 1.96 + 2.37 / freedom + 2.82 / freedom**2
    half = quantile * stdev(values) / sqrt(len(values))
    return fmean(values) - half, fmean(values) + half
