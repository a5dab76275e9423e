"""The task `bandit`, small: worlds that are the same for all, regret, and what is said of both."""

from collections.abc import Sequence

import numpy as np
import pytest

from streams.benchmarks import bandit_worlds
from streams.benchmarks.bandit_worlds import WORLDS, World, chi_square, play, regret
from streams.benchmarks.peers import vowpal
from streams.scoreboard.tasks import bandit


class Oracle:
    def __init__(self, world: World) -> None:
        self.best = iter(world.expected.argmax(axis=1).tolist())

    def shares(self, context: Sequence[float]) -> Sequence[float]:
        best = next(self.best)
        return [float(arm == best) for arm in range(4)]

    def learn(self, context, arm, share, value, cost) -> None:
        """It knows."""


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_is_its_seed_s_and_its_answers_average_to_the_truth(name: str) -> None:
    world, again = WORLDS[name](3, 6_000), WORLDS[name](3, 6_000)
    assert (world.value == again.value).all()
    net = (world.value - world.cost).mean(axis=0)
    assert net == pytest.approx(world.expected.mean(axis=0), abs=150.0)


@pytest.mark.parametrize("name", WORLDS)
def test_who_knows_the_best_arm_has_no_regret(name: str) -> None:
    world = WORLDS[name](1, 200)
    assert regret(world, play(world, Oracle(world), 0).arms) == 0.0
    assert bandit.of_split(world) > 0.0


def test_nothing_is_learned_before_its_result_is_known() -> None:
    world = WORLDS["linear"](1, 60)
    early = play(world, bandit.Ours(world), 50).shares[:51]
    assert (early == early[0]).all()


def test_ours_beats_an_even_split_by_far() -> None:
    world = WORLDS["interactions"](1, 2_000)
    found = regret(world, play(world, bandit.Ours(world), bandit_worlds.HOUR).arms)
    assert found < 0.7 * bandit.of_split(world)


def test_draws_that_are_not_from_what_is_stated_show() -> None:
    rng = np.random.default_rng(1)
    stated = rng.dirichlet((1.0, 1.0, 1.0), 5_000)
    arms = np.array([rng.choice(3, p=row) for row in stated])
    square, freedom = chi_square(stated, arms)
    assert square < 3.0 * freedom
    flattered = stated**2 / (stated**2).sum(axis=1, keepdims=True)
    assert chi_square(flattered, arms)[0] > 10.0 * freedom


def test_each_world_and_delay_has_a_line_with_the_best_peer_as_its_bar() -> None:
    def theirs(world: World, delay: int, settings: Sequence[str]) -> dict[str, float]:
        return {f"{vowpal.NAME} {one}": 1_000.0 + 10.0 * len(one) for one in settings}

    found = bandit.scores(theirs, range(2), 300, best=2, river=False)
    assert len(found) == len(WORLDS) * len(bandit_worlds.DELAYS) + 1
    for line in found[:-1]:
        best = min(value for name, value in line.peers.items() if name.startswith(vowpal.NAME))
        assert line.bar == pytest.approx(1.05 * best)
        assert line.low <= line.ours <= line.high
    assert found[-1].bar == found[-1].high


def test_the_settings_measured_are_of_the_grid_that_was_tried() -> None:
    assert list(vowpal.BEST) == list(WORLDS)
    assert all(one in vowpal.GRID for settings in vowpal.BEST.values() for one in settings)
