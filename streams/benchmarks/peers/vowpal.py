"""Vowpal Wabbit's contextual bandits in a world whose truth is known.

python vowpal.py WORLD CHOICES

Runs in an environment of its own and knows nothing of ours. WORLD is a JSON file: contexts, net
rewards of each arm, draws, delay, and the settings to try; CHOICES, which it writes, has the arms
chosen under each of them. It draws from its own probabilities by the draws given.

One reward, as is its way: value less cost, in units that make an order about 1. Features are those
of the person crossed with the arm (`-q pa`), and where the settings say so their products as well.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

NAME: Final = "vw"
PACKAGES: Final = ("vowpalwabbit==9.11.9",)
COMMON: Final = "--cb_explore_adf --cb_type mtr --ignore_linear p --quiet"
EXPLORATIONS: Final = (
    "--epsilon 0.05",
    "--squarecb",
    "--squarecb --gamma_scale 100",
    "--squarecb --gamma_scale 1000",
    "--regcb --mellowness 0.01 --cb_min_cost -1.5 --cb_max_cost 0.5",
    "--bag 5",
    "--cover 4",
    "--softmax --lambda 10",
    "--first 500",
)
FEATURES: Final = ("-q pa", "-q pa --interactions ppa")
RATES: Final = (0.1, 0.5, 1.0)
GRID: Final = tuple(
    f"{exploration} {features} -l {rate}"
    for exploration in EXPLORATIONS
    for features in FEATURES
    for rate in RATES
)
# Of the grid, by `python -m streams.benchmarks.vowpal_grid`: the least regret first.
BEST: Final = {
    "linear": (
        "--squarecb --gamma_scale 1000 -q pa -l 0.5",
        "--first 500 -q pa -l 0.1",
        "--squarecb --gamma_scale 100 -q pa -l 0.5",
    ),
    "offers": (
        "--squarecb --gamma_scale 1000 -q pa --interactions ppa -l 0.5",
        "--squarecb --gamma_scale 1000 -q pa -l 0.5",
        "--squarecb --gamma_scale 1000 -q pa -l 0.1",
    ),
    "interactions": (
        "--squarecb --gamma_scale 1000 -q pa --interactions ppa -l 1.0",
        "--squarecb --gamma_scale 100 -q pa --interactions ppa -l 1.0",
        "--squarecb --gamma_scale 1000 -q pa --interactions ppa -l 0.5",
    ),
}


def main() -> None:
    world = json.loads(Path(sys.argv[1]).read_text())
    contexts = [
        "shared |p " + " ".join(f"f{place}:{number:.6f}" for place, number in enumerate(context))
        for context in world["contexts"]
    ]
    chosen = {settings: play(world, contexts, settings) for settings in world["settings"]}
    Path(sys.argv[2]).write_text(json.dumps(chosen))


def play(world: dict[str, Any], contexts: list[str], settings: str) -> list[int]:
    from vowpalwabbit import Workspace  # noqa: PLC0415 - who only asks for the names has none

    workspace = Workspace(f"{COMMON} {settings}")
    rewards, delay = world["rewards"], world["delay"]
    plain = [f"|a arm{arm}" for arm in range(len(rewards[0]))]
    arms: list[int] = []
    shares: list[float] = []
    for number, (context, u) in enumerate(zip(contexts, world["draws"], strict=True)):
        given = workspace.predict([context, *plain])
        arm = draw(given, u)
        arms.append(arm)
        shares.append(given[arm])
        then = number - delay
        if then >= 0:
            lines = [contexts[then], *plain]
            arm = arms[then]
            lines[1 + arm] = f"0:{-rewards[then][arm]:.6f}:{shares[then]:.6f} {plain[arm]}"
            workspace.learn(lines)
    workspace.finish()
    return arms


def draw(shares: list[float], u: float) -> int:
    reached, last = 0.0, 0
    for arm, share in enumerate(shares):
        if share > 0.0:
            reached, last = reached + share, arm
            if u < reached:
                return arm
    return last


if __name__ == "__main__":
    main()
