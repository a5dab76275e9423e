"""What every chooser must do, one suite for all."""

from collections.abc import Sequence
from math import inf, nan
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.choices import CHOOSERS
from streams.engine.choices.choice import Candidate, Chooser, Step
from streams.engine.choices.linear import LinearThompson

STEP = Step(("nothing", "remind", "coupon10", "coupon20"), 3, (4.0, 3.0, 2.0, 1.0))
ALL = tuple(Candidate(arm, cost) for arm, cost in zip(STEP.arms, (0, 0, 1000, 2000), strict=True))
WIDEST = Step(tuple(f"arm{number}" for number in range(8)), 8)
HERE = (0.5, -1.0, 2.0)
Example = tuple[int, tuple[float, ...], float, float]
LEARNERS = ("thompson", "linear_thompson", "linucb")

every = pytest.mark.parametrize("name", CHOOSERS)
every_learner = pytest.mark.parametrize("name", LEARNERS)


def examples(count: int, step: Step = STEP, seed: int = 1) -> list[Example]:
    chance = Random(seed)
    found = []
    for _ in range(count):
        arm = chance.randrange(len(step.arms))
        features = tuple(chance.uniform(-3.0, 3.0) for _ in range(step.width))
        bought = chance.random() < 0.2 + 0.1 * (arm == 2)
        found.append((arm, features, 6_000.0 * bought, 1_000.0 * bought * (arm == 2)))
    return found


def taught(name: str, found: Sequence[Example], step: Step = STEP) -> Chooser:
    chooser = CHOOSERS[name](step)
    for arm, features, value, cost in found:
        chooser.learn(arm, features, value_fen=value, cost_fen=cost)
    return chooser


def shares(chooser: Chooser, candidates: Sequence[Candidate] = ALL) -> list[float]:
    return chooser.propensities(candidates, HERE, floor=0.02, price=1.5)


@every
@given(
    count=st.integers(0, 60),
    seed=st.integers(0, 99),
    eligible=st.lists(st.sampled_from(ALL), min_size=1, max_size=4, unique=True),
    floor=st.floats(0.0, 1.0),
    price=st.floats(1.0, 100.0),
)
def test_propensities_are_a_distribution_over_the_eligible_above_the_floor(
    name: str, count: int, seed: int, eligible: list[Candidate], floor: float, price: float
) -> None:
    chooser = taught(name, examples(count, seed=seed))
    found = chooser.propensities(eligible, HERE, floor=floor, price=price)
    assert len(found) == len(eligible)
    assert sum(found) == pytest.approx(1.0, abs=1e-12)
    assert min(found) >= min(floor, 1.0 / len(eligible)) - 1e-15


@every
def test_asking_changes_nothing(name: str) -> None:
    chooser = taught(name, examples(50))
    before = chooser.to_row()
    first = shares(chooser)
    chooser.expected(ALL, HERE, price=3.0)
    chooser.propensities(ALL[:2], (3.0, 3.0, 3.0), floor=0.0, price=9.0)
    assert (chooser.to_row(), shares(chooser)) == (before, first)


@every
def test_a_row_brings_the_chooser_back_to_the_last_bit(name: str) -> None:
    chooser, found = taught(name, examples(80)), examples(20, seed=2)
    again = CHOOSERS[name](STEP)
    again.from_row(chooser.to_row())
    for each in (chooser, again):
        for arm, features, value, cost in found:
            each.learn(arm, features, value_fen=value, cost_fen=cost)
    assert (again.to_row(), shares(again)) == (chooser.to_row(), shares(chooser))


@every
def test_the_row_of_the_widest_step_fits(name: str) -> None:
    chooser = taught(name, examples(500, WIDEST), WIDEST)
    if isinstance(chooser, LinearThompson):
        assert len(chooser.head_row()) < 10_000  # of 16 KB
        assert max(len(chooser.bend_row(arm) or b"") for arm in WIDEST.arms) < 10_000
    else:
        assert len(chooser.to_row()) < 10_000


@every_learner
def test_the_order_of_rewards_matters_little_or_not_at_all(name: str) -> None:
    found = examples(300)
    late = sorted(found, key=lambda example: example[1])
    forward, otherwise = taught(name, found), taught(name, late)
    near = 0.1 if name == "linear_thompson" else 1e-6  # its products are learned one by one
    assert shares(otherwise) == pytest.approx(shares(forward), abs=near)
    assert otherwise.expected(ALL, HERE, price=2.0) == pytest.approx(
        forward.expected(ALL, HERE, price=2.0), rel=near
    )


@every_learner
def test_arms_that_stay_keep_what_they_know_new_ones_begin_anew(name: str) -> None:
    found = [example for example in examples(400) if example[0] != 0]
    later = CHOOSERS[name](Step(("video", "coupon10", "remind"), STEP.width))
    later.from_row(taught(name, found).to_row())
    video, coupon = later.expected((Candidate("video", 0), ALL[2]), HERE, price=1.0)
    assert coupon > 0.0
    assert abs(video) < 6_000.0
    assert b"coupon20" not in later.to_row()
    assert shares(later, (Candidate("video", 0), ALL[1]))[0] > 0.05  # it will be tried


@every
def test_nothing_known_is_an_even_split_or_the_one_configured(name: str) -> None:
    configured = {"fixed": [0.94, 0.02, 0.02, 0.02], "split": [0.4, 0.3, 0.2, 0.1]}
    assert shares(CHOOSERS[name](STEP)) == pytest.approx(configured.get(name, [0.25] * 4))


@every
def test_values_beyond_all_bounds_break_nothing(name: str) -> None:
    chooser = taught(name, examples(10))
    for extreme in (inf, -inf, nan, 1e308, -1e308):
        chooser.learn(1, (extreme, 0.0, extreme), value_fen=extreme, cost_fen=extreme)
    found = chooser.propensities(ALL, (nan, inf, -inf), floor=0.0, price=100.0)
    assert sum(found) == pytest.approx(1.0, abs=1e-12)
    again = CHOOSERS[name](STEP)
    again.from_row(chooser.to_row())
    assert shares(again) == shares(chooser)


@every
def test_a_step_without_eligible_arms_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no candidates"):
        shares(CHOOSERS[name](STEP), ())


@every
def test_rows_of_others_broken_ones_and_newer_ones_are_refused(name: str) -> None:
    chooser = CHOOSERS[name](STEP)
    other = "thompson" if name != "thompson" else "linucb"
    newer = b"\x92\x63" + chooser.to_row()[2:]
    for row in (taught(other, examples(3)).to_row(), b"", b"\xc1broken", newer):
        with pytest.raises(ValueError, match=r"no row of a|schema 99"):
            chooser.from_row(row)


def test_a_split_follows_its_weights_among_the_eligible_only() -> None:
    assert CHOOSERS["split"](STEP).propensities(ALL[1:], HERE, floor=0.0, price=1.0) == (
        pytest.approx([1 / 2, 1 / 3, 1 / 6])
    )


def test_fixed_takes_the_first_that_is_eligible() -> None:
    assert CHOOSERS["fixed"](STEP).propensities(ALL[2:], HERE, floor=0.0, price=1.0) == [1.0, 0.0]
