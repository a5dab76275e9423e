"""`python -m streams.benchmarks.vowpal_grid`: which settings of Vowpal Wabbit do best where.

All of `vowpal.GRID`, on a seed that the scoreboard does not use, results an hour late. Prints the
best of each world; `vowpal.BEST` holds the first three of each.
"""

import argparse
from pathlib import Path

from streams.benchmarks.bandit_worlds import DELAYS, WORLDS
from streams.benchmarks.peers import vowpal
from streams.scoreboard.data import Fetch
from streams.scoreboard.tasks.bandit import vowpal_in

SEED = 100


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m streams.benchmarks.vowpal_grid")
    parser.add_argument("--decisions", type=int, default=8_000)
    parser.add_argument("--delay", choices=DELAYS, default="1 h")
    parser.add_argument("--out", type=Path, default=Path("out/scoreboard"))
    parser.add_argument("--most", type=int, default=10, help="lines for each world")
    options = parser.parse_args()
    theirs = vowpal_in(Fetch(options.out).python("vowpal", vowpal.PACKAGES))
    for name, make in WORLDS.items():
        found = theirs(make(SEED, options.decisions), DELAYS[options.delay], vowpal.GRID)
        for settings in sorted(found, key=found.__getitem__)[: options.most]:
            print(f"{name:14}{found[settings]:8.1f}  {settings}", flush=True)


if __name__ == "__main__":
    main()
