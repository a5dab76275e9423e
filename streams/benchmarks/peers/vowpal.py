"""Vowpal Wabbit's contextual bandits on the same stream.

One reward, as is its way: value less cost, in units of 6 000 fen so that its learning rate fits.
It sees the person's features crossed with the arm, its own propensities, and the same floor. Of
the options tried (with and without the features uncrossed, the range of costs told, coin betting,
a learning rate of 0.1), each on one seed of a noisier world, these had the least regret summed
over the explorations; single ones do better with others. It is not tuned beyond that.
"""

from collections.abc import Sequence
from importlib.util import find_spec

from streams.engine.choices.choice import with_floor
from streams.simulation import offers
from streams.simulation.offers import ARMS, Person

INSTALLED = find_spec("vowpalwabbit") is not None
UNIT_FEN = 6_000.0
EXPLORATIONS = {
    "squarecb": "--squarecb",
    "regcb": "--regcb --mellowness 0.01",
    "cover": "--cover 4",
    "epsilon": "--epsilon 0.05",
}


class Vowpal:
    def __init__(self, exploration: str, seed: int, floor: float) -> None:
        from vowpalwabbit import Workspace  # noqa: PLC0415 - only where it is installed

        self.floor = floor
        self.workspace = Workspace(
            f"--cb_explore_adf {EXPLORATIONS[exploration]} --cb_type mtr -q pa "
            "--ignore_linear p --cb_min_cost -2 --cb_max_cost 0.5 "
            f"--random_seed {seed + 1} --quiet"
        )

    def shares(self, person: Person) -> Sequence[float]:
        shares = [0.0] * len(ARMS)
        for arm, share in enumerate(self.workspace.predict(self._example(person))):
            shares[arm] = share
        return with_floor(shares, self.floor)

    def learn(self, person: Person, arm: int, propensity: float) -> None:
        value, cost = offers.answer(person, arm)
        self.workspace.learn(self._example(person, (arm, (cost - value) / UNIT_FEN, propensity)))

    def uplift(self, person: Person) -> float:
        """Its estimates are not given out beside propensities; those stand in for them."""
        shares = self.shares(person)
        return shares[2] - shares[0]

    def _example(self, person: Person, label: tuple[int, float, float] | None = None) -> list[str]:
        numbers = zip(offers.FEATURES, person.features, strict=True)
        lines = ["shared |p " + " ".join(f"{name}:{number:.6f}" for name, number in numbers)]
        for arm, name in enumerate(ARMS):
            chosen = label is not None and arm == label[0]
            head = f"0:{label[1]:.6f}:{label[2]:.6f} " if label is not None and chosen else ""
            lines.append(f"{head}|a {name}")
        return lines
