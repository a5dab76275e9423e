"""The value of a change, estimated from decisions whose truth is known."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from streams.contract.codec import decode
from streams.contract.decisions import Decision
from streams.contract.journeys import JourneySpec
from streams.contract.topics import DECISIONS
from streams.engine.chance import fraction, key_of
from streams.whatif.estimate import StepEstimate
from tests.engine.journeys import journey
from tests.engine.world import altered, with_policy
from tests.whatif.worlds import DAY_MS, OPEN, World, dumped, spec, tried

OFFER = """
id = "offer"
version = {version}
title = "提醒还是不提醒"
status = "live"
[entry]
on = "cart.added"
[goal]
on = "order.paid"
window = "24h"
value = "data.amount_fen"
[[step]]
id = "offer"
decide = "{decide}"
explore_floor = {floor}
  [[step.arm]]
  id = "nothing"
  [[step.arm]]
  id = "remind"
  weight = {weight}
  template = "cart_remind_v1"
  when = "{when}"
  [[step.arm]]
  id = "show"
  show = "{show}"
  when = "{when}"
"""
# Probability of an order by arm, of those whose cart is dear and of the others, who buy less when
# they are written to.
BUYS = {"nothing": (0.2, 0.7), "remind": (0.8, 0.1), "show": (0.8, 0.2)}
THIRD = 1 / 3
ORDER_FEN = 8_000
DEAR_FEN = 5_000
PEOPLE = 280


def offer(
    version: int = 2,
    *,
    decide: str = "split",
    floor: float = 0.1,
    weight: float = 1.0,
    when: str = "true",
    show: str = "entry",
) -> JourneySpec:
    text = OFFER.format(
        version=version, decide=decide, floor=floor, weight=weight, when=when, show=show
    )
    return journey(text)


def lived(seed: str, path: Path, *, running: JourneySpec, people: int = PEOPLE) -> Path:
    """A log of people who got what the running offer drew, and bought by BUYS."""
    config = with_policy(altered(OPEN, journeys=(running,)), caps=(), gap_ms=0)
    world, key = World(config), key_of(seed)
    for number in range(people):
        alias, dear, told = f"{seed}-{number}", number % 2 == 0, len(world.outputs)
        world.see(alias, "user.followed")
        price = DEAR_FEN if dear else 100
        cart = {"item_id": "i", "category": "tea", "price_fen": price}
        world.see(alias, "cart.added", cart)
        said = [decode(one.value or b"", Decision) for one in world.outputs[told:]
                if one.topic == DECISIONS]  # fmt: skip
        [arm] = [one.arm for one in said if one.candidates]
        if fraction(key, "buys", alias) < BUYS[arm][not dear]:
            world.see(alias, "order.paid", {"order_id": f"o{number}", "amount_fen": ORDER_FEN})
    world.wait(3 * DAY_MS)
    return dumped(world, path)


def truth(dear: Mapping[str, float], others: Mapping[str, float]) -> float:
    """Fen per decision of a policy that gives these shares of arms."""
    return sum(
        ORDER_FEN * share * BUYS[arm][place] / 2
        for place, shares in enumerate((dear, others))
        for arm, share in shares.items()
    )


def estimated(log: Path, changed: JourneySpec) -> StepEstimate:
    [found] = tried(log, journeys=[changed]).estimates
    return found


EVEN = {"nothing": THIRD, "remind": THIRD, "show": THIRD}
MORE = {"nothing": 0.2, "remind": 0.6, "show": 0.2}


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("logs")
    return [lived(seed, folder / seed, running=offer(1)) for seed in ("a", "b", "c")]


@pytest.mark.parametrize(
    ("changed", "value_fen"),
    [
        (offer(weight=3.0), truth(MORE, MORE)),
        (offer(when=f"entry.price_fen >= {DEAR_FEN}"), truth(EVEN, {"nothing": 1.0})),
    ],
)
def test_estimates_cover_the_truth_of_what_is_in_force_and_of_the_change(
    changed: JourneySpec, value_fen: float, logs: list[Path]
) -> None:
    covered = []
    for log in logs:
        found = estimated(log, changed)
        assert not found.refused
        for one in found.estimates.values():
            covered.append(one.was.low <= truth(EVEN, EVEN) <= one.was.high)
            covered.append(one.would.low <= value_fen <= one.would.high)
    assert sum(covered) >= len(covered) - 1


def test_a_change_that_is_much_better_is_shown_to_be(logs: list[Path]) -> None:
    found = estimated(logs[0], offer(when=f"entry.price_fen >= {DEAR_FEN}"))
    assert all(one.difference.low > 0 for one in found.estimates.values())


def test_what_is_in_force_already_is_worth_exactly_the_same(tmp_path: Path) -> None:
    running = offer(1, decide="thompson")
    log = lived("f", tmp_path / "log", running=running)
    found = estimated(log, offer(1, decide="thompson"))
    assert found.effective_sample_size == found.decisions == PEOPLE
    assert found.estimates["snips"].difference.high == 0.0
    assert all(was == would for was, would in found.arms.values())


def test_an_arm_that_the_log_never_drew_is_refused_with_what_would_help(tmp_path: Path) -> None:
    log = lived("g", tmp_path / "log", running=offer(1, floor=0.0, weight=0.0))
    found = estimated(log, offer(weight=3.0))
    assert not found.estimates
    assert found.unsupported == pytest.approx(0.6)
    assert "the log could not have done 60.0%" in found.refused
    assert "'remind'" in found.help


def test_an_arm_that_would_send_something_else_is_another_arm(tmp_path: Path) -> None:
    log = lived("h", tmp_path / "log", running=offer(1), people=60)
    found = estimated(log, offer(show="interest"))
    assert found.arms["show (changed)"] == [0.0, pytest.approx(THIRD)]
    assert found.unsupported == pytest.approx(THIRD)


def test_too_few_people_are_refused_with_how_long_to_wait(tmp_path: Path) -> None:
    log = lived("i", tmp_path / "log", running=offer(1), people=40)
    found = estimated(log, offer(weight=3.0))
    assert not found.estimates
    assert "at least 100" in found.refused
    assert "more days" in found.help


def test_a_goal_without_a_value_is_estimated_as_how_often_it_is_reached(tmp_path: Path) -> None:
    running = spec(offer(1), goal={"on": "order.paid", "window": "24h"})
    log = lived("j", tmp_path / "log", running=running, people=150)
    found = estimated(log, running)
    assert found.unit == "reached"
    assert 0.3 < found.estimates["snips"].was.value < 0.65


def test_decisions_without_a_result_yet_are_told_and_left_out(tmp_path: Path) -> None:
    config = altered(OPEN, journeys=(offer(1),))
    world = World(config)
    world.see("someone", "user.followed")
    world.see("someone", "cart.added", {"item_id": "i", "category": "tea", "price_fen": 100})
    found = estimated(dumped(world, tmp_path / "log"), offer(weight=3.0))
    assert (found.decisions, found.open) == (0, 1)
