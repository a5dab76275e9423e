"""`python -m streams.benchmarks.decisions`: are decisions measured and made well, where truth is
known?

The real engine decides about the people of streams/simulation/decided_world.py. Measured are:

1. effect: whether the 95 % interval of the effect that a journey's report gives against its control
   groups holds the true one, of these people and of the whole population they are drawn from.
2. policies: whether the 95 % intervals of what other policies would have earned, estimated from the
   decisions a learning chooser logged, hold what they truly earn.
3. bandit: what the learning chooser loses to whoever knows each person's kind, as a share of what
   an even split loses on the same people, and who gets the coupons.

Shares of runs come with Wilson's 95 % interval, means over seeds with Student's. Ends with 1 where
fewer than LEAST of all intervals hold, or the chooser loses more than MOST of what the split does.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit
from scipy.stats import spearmanr

from streams.engine.choices import CHOOSERS
from streams.engine.choices.choice import Candidate, Step
from streams.engine.choices.linear import LinearThompson
from streams.engine.choosers import OF_ARM, PREFIX
from streams.engine.features import NAMES, WIDTH
from streams.engine.state import decode_row
from streams.evaluation.clusters import Floats
from streams.evaluation.effect import Measured, results, wilson
from streams.evaluation.off_policy import Logged, doubly_robust, estimate, snips
from streams.evaluation.reward_model import reward_model
from streams.simulation import decided_world, offers
from streams.simulation.decided_world import Passed, Setting
from streams.simulation.offers import ARMS, COST_FEN, KINDS, PERSUADABLE, SHARES, SURE

KIND_RANGE: Final = range(len(KINDS))
ARM_RANGE: Final = range(len(ARMS))
VALUE: Final = np.array(
    [[offers.true_value(kind, arm) for arm in ARM_RANGE] for kind in KIND_RANGE]
)
NET: Final = np.array([[offers.true_net(kind, arm) for arm in ARM_RANGE] for kind in KIND_RANGE])
BUYS: Final = np.array(offers.BUYS)
BEST: Final = NET.max(axis=1)

LEAST: Final = 0.9
MOST: Final = 0.5

# 1. Journeys of several shapes. Where nothing depends on what is known, little is.
COOLS: Final[dict[str, Any]] = {
    "exit": {"on": ["order.paid"]},
    "step": [
        {"id": "cool", "wait": "30m"},
        decided_world.offer_step(),
    ],
}
SHAPES: Final = {
    "even split": Setting(people=600, days=1, known=0.1),
    "gates refuse some": Setting(
        people=700,
        days=2,
        known=0.5,
        coupon_when="profile.orders >= 1",
        news=0.3,
        consenting=0.85,
        daily_budget_fen=60_000,
    ),
    "waits first": Setting(people=600, days=1, known=0.1, journey=COOLS, holdout=0.1),
    "learning": Setting(people=600, days=2, chooser="linear_thompson"),
}
# 2. What the log is written by, in turn.
LOGGING: Final = (
    Setting(people=600, days=2, chooser="linear_thompson", floor=0.05, holdout=0.0),
    Setting(people=600, days=2, chooser="thompson", floor=0.05, holdout=0.0),
)
ESTIMATORS: Final = {"SNIPS": snips, "DR": doubly_robust}
# 3.
COMPARED: Final = ("split", "linear_thompson")
CROWD: Final = Setting(people=6_000, days=10, floor=0.01, holdout=0.0, everyone=0.05)
JUDGED: Final = Setting(people=600, days=2, holdout=0.0, everyone=0.05)
ORDERS: Final = NAMES.index("orders")
RESPONSE: Final = NAMES.index("response")


class Cover(NamedTuple):
    """Of one interval: whether it holds the truth of these people, and of the population."""

    what: str
    people: bool
    population: bool
    estimate: float
    truth: float
    half: float


class Contest(NamedTuple):
    """Of one seed; regrets are per decision of people not held out."""

    regret_fen: float
    split_fen: float
    share: float  # of the split's regret
    late_share: float  # the same in the last quarter
    guess_share: float  # of whoever knows all laws but must guess the kind from events
    persuadable: float  # share of those of this kind who got a coupon, in the second half
    sure: float
    of_persuadables: float  # share of coupons, in the second half
    of_sure: float
    rank: float  # correlation of estimated with true uplift of coupon10, for people never seen
    qini: float


def effect_run(shape: str, seed: int) -> list[Cover]:
    run = decided_world.run(seed, SHAPES[shape])
    found = {result.journey: result for result in results(run.reports)}["offers"].effect
    treated = [one for one in run.passed if one.first and not one.held]
    covers = []
    for name, law, figure in (
        ("conversion", BUYS, found.conversion),
        ("value", VALUE, found.value_fen),
    ):
        assert isinstance(figure, Measured), "there are people enough"
        gains = np.array(
            [law[one.person.kind] @ one.odds - law[one.person.kind, 0] for one in treated]
        )
        kinds = np.array([one.person.kind for one in treated])
        population = sum(SHARES[kind] * gains[kinds == kind].mean() for kind in KIND_RANGE)
        covers.append(_cover(f"{shape}, {name}", figure, float(gains.mean()), float(population)))
    return covers


def policies_run(number: int) -> list[tuple[str, str, Measured, float]]:
    """Policy, estimator, interval and what it truly earns of these people per decision."""
    run = decided_world.run(50_000 + number, LOGGING[number % len(LOGGING)])
    passed = [one for one in run.passed if one.odds and not one.held]
    features = np.array([one.decision.features for one in passed])
    action = np.array([one.arm for one in passed])
    reward = np.array([float(one.value_fen - one.cost_fen) for one in passed])
    person = np.array([one.person.number for one in passed])
    odds = np.array([one.odds for one in passed])
    net = NET[[one.person.kind for one in passed]]
    q_hat = reward_model(features, reward, action, actions=len(ARMS), person=person)
    found = []
    for policy, target in targets(features, np.array([one.eligible for one in passed])).items():
        logged = Logged(
            reward,
            action,
            odds[np.arange(len(action)), action],
            target,
            q_hat,
            person,
            odds > 0,
        )
        truth = float((target * net).sum(axis=1).mean())
        for name, estimator in ESTIMATORS.items():
            one = estimate(logged, estimator)
            found.append((policy, name, Measured(one.value, one.low, one.high), truth))
    return found


def targets(features: Floats, eligible: NDArray[np.bool_]) -> dict[str, Floats]:
    """Other policies' probabilities (n, K). What a gate refuses is not sent."""
    rows = len(features)
    remind = np.zeros((rows, len(ARMS)))
    remind[:, 1] = 1.0
    # Who answers messages but seldom buys is taken to be persuadable.
    persuadable = (features[:, RESPONSE] > 1.0) & (features[:, ORDERS] < 0.0)
    coupon = np.zeros((rows, len(ARMS)))
    coupon[np.arange(rows), np.where(persuadable, 2, 0)] = 1.0
    version = np.tile([0.3, 0.3, 0.4, 0.0], (rows, 1))
    found = {
        "always remind": remind,
        "coupon to predicted persuadables": coupon,
        "a new version's split": version,
    }
    return {policy: _possible(target, eligible) for policy, target in found.items()}


def _possible(target: Floats, eligible: NDArray[np.bool_]) -> Floats:
    sent = np.where(eligible, target, 0.0)
    sent[:, 0] += 1.0 - sent.sum(axis=1)
    return sent


def bandit_run(seed: int, crowd: Setting = CROWD) -> Contest:
    regrets, guess_fen, coupons = {}, 0.0, [0] * len(KINDS)
    late: list[Passed] = []
    uplift: Callable[[Passed], float] = _even
    for chooser in COMPARED:
        run = decided_world.run(seed, crowd._replace(chooser=chooser))
        passed = [one for one in run.passed if one.odds and not one.held]
        kinds = np.array([one.person.kind for one in passed])
        regrets[chooser] = BEST[kinds] - NET[kinds, [one.arm for one in passed]]
        guesses = [decided_world.best_guess(one.person) for one in passed]
        guess_fen = float((BEST[kinds] - NET[kinds, guesses]).mean())
        late = passed[len(passed) // 2 :]
        uplift = _uplift(run.rows, chooser) if chooser != "split" else _even
    for one in late:
        coupons[one.person.kind] += one.arm >= 2
    number = [sum(one.person.kind == kind for one in late) for kind in KIND_RANGE]
    split, bandit = (regrets[chooser] for chooser in COMPARED)
    quarter = len(split) // 4
    strangers = decided_world.run(seed + 900_000, JUDGED).passed
    estimates = np.array([uplift(one) for one in strangers])
    kinds = np.array([one.person.kind for one in strangers])
    truth = NET[kinds, 2] - NET[kinds, 0]
    return Contest(
        regret_fen=float(bandit.mean()),
        split_fen=float(split.mean()),
        share=float(bandit.mean() / split.mean()),
        late_share=float(bandit[-quarter:].mean() / split[-quarter:].mean()),
        guess_share=guess_fen / float(split.mean()),
        persuadable=coupons[PERSUADABLE] / number[PERSUADABLE],
        sure=coupons[SURE] / number[SURE],
        of_persuadables=coupons[PERSUADABLE] / max(sum(coupons), 1),
        of_sure=coupons[SURE] / max(sum(coupons), 1),
        rank=float(spearmanr(estimates, truth).statistic),
        qini=_gain(estimates, truth) / _gain(truth, truth),
    )


def _even(_: Passed) -> float:
    return 0.0


def _uplift(rows: dict[bytes, bytes], chooser: str) -> Callable[[Passed], float]:
    """What the engine's chooser has learned: net reward of coupon10 beyond that of nothing."""
    key = PREFIX + f"offers/{decided_world.STEP}".encode()
    kind, arms, row = decode_row(key, rows[key], tuple[str, list[str], bytes])
    assert kind == chooser
    learned = CHOOSERS[chooser](Step(tuple(arms), WIDTH))
    learned.from_row(row)
    if isinstance(learned, LinearThompson):
        for arm in arms:
            bend = rows.get(key + f"{OF_ARM}{arm}".encode())
            if bend:
                learned.take_bend(arm, decode_row(key, bend, bytes))
    candidates = [Candidate(ARMS[arm], COST_FEN[arm]) for arm in (0, 2)]

    def uplift(one: Passed) -> float:
        nothing, coupon = learned.expected(candidates, one.decision.features, price=1.0)
        return coupon - nothing

    return uplift


def _gain(order: Floats, truth: Floats) -> float:
    """Area between the cumulative uplift of the best-ranked and that of a random order (Qini)."""
    ranked = np.cumsum(truth[np.argsort(-order, kind="stable")])
    chance = ranked[-1] * np.arange(1, len(truth) + 1) / len(truth)
    return float((ranked - chance).sum())


def _cover(what: str, found: Measured, truth: float, population: float) -> Cover:
    return Cover(
        what,
        found.low <= truth <= found.high,
        found.low <= population <= found.high,
        found.value,
        truth,
        (found.high - found.low) / 2,
    )


def effects(runs: int, spread: "Spread") -> list[Cover]:
    shapes = [list(SHAPES)[number % len(SHAPES)] for number in range(runs)]
    return [cover for covers in spread(effect_run, shapes, range(runs)) for cover in covers]


def policies(runs: int, spread: "Spread") -> list[Cover]:
    """The population's truth is the mean of all runs': people of the same laws."""
    found = [one for each in spread(policies_run, range(runs)) for one in each]
    everywhere: dict[str, list[float]] = {}
    for policy, _, _, truth in found:
        everywhere.setdefault(policy, []).append(truth)
    return [
        _cover(f"{policy}, {name}", figure, truth, float(np.mean(everywhere[policy])))
        for policy, name, figure, truth in found
    ]


def table(covers: Iterable[Cover]) -> list[dict[str, Any]]:
    """One line for each interval, and one for all, whose own interval is too narrow: those of one
    run hold or fail together."""
    lines: dict[str, list[Cover]] = {}
    for cover in covers:
        lines.setdefault(cover.what, []).append(cover)
    lines["all"] = [cover for each in lines.values() for cover in each]
    return [
        {
            "what": what,
            "runs": len(each),
            "people": wilson(sum(one.people for one in each), len(each)),
            "population": wilson(sum(one.population for one in each), len(each)),
            "truth": float(np.mean([one.truth for one in each])),
            "bias": float(np.mean([one.estimate - one.truth for one in each])),
            "half": float(np.mean([one.half for one in each])),
        }
        for what, each in lines.items()
    ]


def contests(found: list[Contest]) -> dict[str, tuple[float, float]]:
    """Of each figure the mean and half of its 95 % interval."""
    columns = np.array(found)
    number = len(columns)
    half = np.zeros(columns.shape[1])
    if number > 1:
        half = stdtrit(number - 1, 0.975) * columns.std(axis=0, ddof=1) / np.sqrt(number)
    means = columns.mean(axis=0)
    return {
        name: (float(means[place]), float(half[place]))
        for place, name in enumerate(Contest._fields)
    }


class Spread:
    """`map` over processes: a run is one task."""

    def __init__(self, processes: int) -> None:
        self._processes = processes

    def __call__(self, what: Callable[..., Any], *arguments: Iterable[Any]) -> list[Any]:
        if self._processes < 2:
            return list(map(what, *arguments))
        with ProcessPoolExecutor(self._processes) as pool:
            return list(pool.map(what, *arguments))


def show(title: str, lines: list[dict[str, Any]]) -> None:
    print(f"\n{title}")
    print(
        f"{'':46}{'runs':>5}{'holds, these people':>22}{'the population':>20}"
        f"{'true':>9}{'bias':>9}{'+-':>9}"
    )
    for line in lines:
        shares = [
            f"{share:.1%} ({low:.1%}..{high:.1%})"
            for low, share, high in (line["people"], line["population"])
        ]
        figures = "".join(f"{line[name]:9.3f}" for name in ("truth", "bias", "half"))
        if line["what"] == "all":
            figures = ""
        print(f"{line['what']:46}{line['runs']:5}    {shares[0]:>22}{shares[1]:>22}{figures}")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m streams.benchmarks.decisions")
    parser.add_argument("--runs", type=int, default=200, help="of 1 and 2 each")
    parser.add_argument("--seeds", type=int, default=20, help="of 3")
    parser.add_argument("--only", nargs="+", choices=("effect", "policies", "bandit"))
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()
    wanted = options.only or ("effect", "policies", "bandit")
    spread = Spread(options.processes)
    figures: dict[str, Any] = {}
    if "effect" in wanted:
        figures["effect"] = table(effects(options.runs, spread))
        show("1. effect against the control groups", figures["effect"])
    if "policies" in wanted:
        figures["policies"] = table(policies(options.runs, spread))
        show("2. other policies, from the log", figures["policies"])
    if "bandit" in wanted:
        found = spread(bandit_run, range(options.seeds), repeat(CROWD, options.seeds))
        figures["bandit"] = contests(found)
        print(f"\n3. linear_thompson against an even split, {options.seeds} seeds")
        for name, (mean, half) in figures["bandit"].items():
            print(f"{name:20}{mean:10.3f} +- {half:.3f}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), "utf-8")
    return 0 if _passes(figures) else 1


def _passes(figures: dict[str, Any]) -> bool:
    covers = [figures[name][-1] for name in ("effect", "policies") if name in figures]
    held = all(line[truth][1] >= LEAST for line in covers for truth in ("people", "population"))
    return held and ("bandit" not in figures or figures["bandit"]["share"][0] <= MOST)


if __name__ == "__main__":
    sys.exit(main())
