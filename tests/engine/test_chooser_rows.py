"""What choosers have learned, as rows: an arm's products have one of their own."""

from random import Random
from types import SimpleNamespace

import msgspec
import pytest

from streams.engine.choices.choice import Candidate, Step
from streams.engine.choices.linear import LinearThompson
from streams.engine.choosers import Choosers
from streams.engine.features import WIDTH
from streams.engine.state import Pending

ARMS = ("nothing", "remind", "coupon")


def due(arms: tuple[str, ...] = ARMS, chooser: str = "linear_thompson") -> SimpleNamespace:
    return SimpleNamespace(
        journey=SimpleNamespace(name="win_back"),
        step="offer",
        arms=[SimpleNamespace(arm=arm, cost_fen=0, weight=1.0) for arm in arms],
        chooser=chooser,
        features=(0.5,) * WIDTH,
        floor=0.01,
    )


def choosers() -> tuple[Choosers, dict[bytes, None]]:
    changed: dict[bytes, None] = {}
    return Choosers(changed, lambda journey: 1.0), changed


def teach(found: Choosers, count: int, seed: int = 1) -> None:
    random = Random(seed)
    for _ in range(count):
        pending = Pending(
            journey="win_back",
            version=1,
            step="offer",
            arm=random.choice(ARMS),
            decided_ms=1,
            until_ms=2,
            first=True,
            features=tuple(random.gauss(0.0, 1.0) for _ in range(WIDTH)),
        )
        bought = random.random() < 0.4 + 0.3 * pending.features[0] * pending.features[1]
        found.learn_from(pending, value_fen=6_000 * bought, cost_fen=0)


def test_each_arm_has_a_row_beside_the_step_s_and_all_fit() -> None:
    found, changed = choosers()
    found.choose(due(), (0, 1, 2))
    teach(found, 50)
    keys = [b"l:win_back/offer", *(f"l:win_back/offer#{arm}".encode() for arm in ARMS)]
    assert sorted(changed) == sorted(keys)
    assert max(len(found.row(key) or b"") for key in changed) <= 16_384


def test_choosers_taken_over_from_their_rows_go_on_bit_for_bit() -> None:
    found, changed = choosers()
    found.choose(due(), (0, 1, 2))
    teach(found, 400)
    again, _ = choosers()
    for key in sorted(changed, reverse=True):
        row = found.row(key)
        assert row is not None
        again.load(key, row)
    assert again.look(due(), (0, 1, 2)) == found.look(due(), (0, 1, 2))
    for one in (found, again):
        teach(one, 100, seed=2)
    assert again.choose(due(), (0, 1, 2)) == found.choose(due(), (0, 1, 2))
    assert [again.row(key) for key in changed] == [found.row(key) for key in changed]


def test_rows_of_arms_go_when_another_chooser_takes_over() -> None:
    found, changed = choosers()
    found.choose(due(), (0, 1, 2))
    teach(found, 20)
    changed.clear()
    found.choose(due(chooser="thompson"), (0, 1, 2))
    assert found.row(b"l:win_back/offer") is not None
    assert [found.row(key) for key in changed if b"#" in key] == [None] * 3


def test_a_row_of_the_last_release_is_read() -> None:
    step, size = Step(("nothing", "remind"), 2), 3
    unit = [[float(row == column) for column in range(size)] for row in range(size)]
    part = [20.0, 5.0, unit, [1.0, 2.0, 3.0], [0.0] * 3, 4.0, 0.0, 0.0]
    row = msgspec.msgpack.encode([1, ["linear", 2, ["nothing", "remind"], [part, part], part]])
    chooser = LinearThompson(step)
    chooser.from_row(row)
    assert chooser.regressions["remind"].inverse == unit
    assert chooser.pool.value == [1.0, 2.0, 3.0]
    chooser.learn(1, (0.5, -0.5), value_fen=100.0, cost_fen=0.0)
    both = (Candidate("nothing", 0), Candidate("remind", 0))
    shares = chooser.propensities(both, (0.5, 1.0), floor=0.1, price=1.0)
    assert sum(shares) == pytest.approx(1.0)
