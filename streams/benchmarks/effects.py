"""Does the effect the engine reports cover the true one in 95 of 100 runs?

python -m streams.benchmarks.effects

In each run people leave a cart behind, the shipped journey decides what they get while it learns,
and they order with a probability that is known for each arm. The true effect of a run is what those
not held out gained by what they got. Writes out/effects.json; fails below 90 %.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec

from streams.contract.codec import decode
from streams.contract.decisions import Decision
from streams.contract.events import TYPES
from streams.contract.journeys import HOLD
from streams.contract.records import Genesis, Observed, Origin, Tick
from streams.contract.reports import JourneyReport
from streams.contract.topics import DECISIONS
from streams.engine.config import Config
from streams.engine.fold import EngineFold
from streams.evaluation.effect import Measured, results
from streams.fold import Output
from streams.simulation.run import START_MS
from streams.simulation.scenarios import SCENARIOS

LEAST = 0.9
JOURNEY, STEP = "cart_rescue", "offer"
SHARE = 0.25  # held out: more than in production, so that few people are enough for an interval
ORDERS = {"remind": 0.35, "coupon": 0.42}  # probability of an order by what was sent ...
ANYWAY = 0.2  # ... and where nothing was
NOON_MS = START_MS + 12 * 3_600_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Run(NamedTuple):
    truth: float
    found: Measured

    @property
    def covered(self) -> bool:
        return self.found.low <= self.truth <= self.found.high


class Log:
    """One partition with its clock; what comes out of it is kept."""

    def __init__(self, config: Config) -> None:
        self._fold = EngineFold(0)
        self._number = 0
        self.now_ms = NOON_MS
        self.outputs: list[Output] = []
        body = msgspec.to_builtins(config)
        genesis = Genesis(at_ms=NOON_MS, partition=0, partitions=1, seed=config.seed, config=body)
        self._fold.handle_record(genesis)

    def see(self, alias: str, type: str, data: dict[str, object]) -> None:
        self._number += 1
        event = Observed(
            at_ms=self.now_ms,
            origin=Origin("events", 0, 0, self._number),
            id=str(self._number),
            source="wx:mp:benchmark",
            type=type,
            alias=alias,
            time_ms=self.now_ms,
            data=msgspec.convert(data, TYPES[type]),
        )
        self.outputs += self._fold.handle_record(event)

    def wait(self, ms: int) -> None:
        until_ms = self.now_ms + ms
        while (due_ms := self._fold.next_due_ms()) is not None and due_ms <= until_ms:
            self.now_ms = max(self.now_ms, due_ms)
            self.outputs += self._fold.handle_record(Tick(at_ms=self.now_ms))
        self.now_ms = until_ms

    def reports(self) -> list[JourneyReport]:
        return [decode(one.value or b"", JourneyReport) for one in self._fold.reports()]


def config_of(seed: int) -> Config:
    """The shipped journey alone, with another control group in each run."""
    config = SCENARIOS["ecommerce"].config
    (spec,) = [spec for spec in config.journeys if spec.id == JOURNEY]
    holdout = msgspec.structs.replace(spec.holdout, share=SHARE, everyone=False)
    spec = msgspec.structs.replace(spec, holdout=holdout)
    policy = msgspec.structs.replace(config.policy, global_holdout=0.0, default_consent=True)
    return msgspec.structs.replace(
        config, partitions=1, seed=str(seed), journeys=(spec,), policy=policy
    )


def run(seed: int, people: int) -> Run:
    rng, log = Random(seed), Log(config_of(seed))
    for number in range(people):
        alias = f"p{number}"
        log.see(alias, "user.followed", {})
        log.see(alias, "cart.added", {"item_id": "i", "category": "c", "price_fen": 9_900})
        log.wait(2 * 60_000)
    log.wait(HOUR_MS)
    got = dict(_got(log.outputs))
    for alias in sorted(got):
        if rng.random() < ORDERS.get(got[alias], ANYWAY):
            order = {"order_id": alias, "amount_fen": 5_000 + rng.randrange(9_000)}
            log.see(alias, "order.paid", order)
    log.wait(5 * DAY_MS)
    treated = [ORDERS.get(arm, ANYWAY) - ANYWAY for arm in got.values() if arm != HOLD]
    (result,) = results(log.reports())
    assert isinstance(result.effect.conversion, Measured), "too few people for an interval"
    assert result.effect.treated.people == len(treated)
    return Run(truth=sum(treated) / len(treated), found=result.effect.conversion)


def _got(outputs: Iterable[Output]) -> Iterable[tuple[str, str]]:
    """By person: the arm that was sent, `hold`, or empty where nothing went out."""
    for output in outputs:
        if output.topic == DECISIONS and output.value is not None:
            decision = decode(output.value, Decision)
            if decision.step == STEP and decision.candidates:
                sent = decision.arm if decision.trigger_id or decision.arm == HOLD else ""
                yield decision.user_id, sent


def main() -> int:
    parser = argparse.ArgumentParser(description="Coverage of the reported effect.")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("out/effects.json"))
    given = parser.parse_args()
    runs = [run(seed, given.people) for seed in range(given.runs)]
    coverage = sum(one.covered for one in runs) / len(runs)
    mean = sum(one.truth for one in runs) / len(runs)
    found = sum(one.found.value for one in runs) / len(runs)
    figures = {
        "runs": len(runs),
        "people": given.people,
        "coverage": coverage,
        "true_effect": mean,
        "mean_estimate": found,
        "mean_width": sum(one.found.high - one.found.low for one in runs) / len(runs),
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    print(
        f"{len(runs)} runs of {given.people} people: intervals cover the true effect in "
        f"{coverage:.1%} (true {mean:+.3f}, estimated {found:+.3f} on average)"
    )
    return 0 if coverage >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
