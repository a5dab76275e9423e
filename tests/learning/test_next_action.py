"""What comes next is counted, mixed over contexts, and can be asked without changing it."""

from itertools import product
from math import log
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.learning.next_action import NextAction

NAMES = ("view", "cart", "pay")
Step = tuple[int, int, int, int]
steps = st.lists(
    st.tuples(st.integers(-1, 2), st.integers(-1, 2), st.integers(0, 10**9), st.integers(0, 2)),
    max_size=60,
)


def learned(path: list[Step]) -> NextAction:
    model = NextAction(NAMES)
    for step in path:
        model.learn(*step)
    return model


@given(steps)
def test_probabilities_are_positive_and_sum_to_one(path: list[Step]) -> None:
    model = learned(path)
    for before, last in ((-1, -1), (-1, 1), (0, 2)):
        found = model.probabilities(before, last, 5)
        assert all(p > 0.0 for p in found)
        assert sum(found) == pytest.approx(1.0, abs=1e-12)


@given(steps, st.integers(0, 2))
def test_learning_returns_the_probability_that_was_foreseen(path: list[Step], action: int) -> None:
    model = learned(path)
    foreseen = model.probabilities(0, 1, 100)[action]
    assert model.learn(0, 1, 100, action) == pytest.approx(foreseen, abs=1e-12)


def test_a_habit_of_two_steps_is_foreseen_better_than_by_the_last_step_alone() -> None:
    model, random = NextAction(NAMES), Random(1)
    before, last = 0, 0
    for _ in range(6_000):
        action = (before + 1) % 3 if random.random() < 0.9 else random.randrange(3)
        model.learn(before, last, 1_000, action)
        before, last = last, action
    found = model.metrics()
    assert found["log_loss"] < 0.6 < found["log_loss_markov"] <= log(3) + 0.01


def test_how_long_ago_the_last_action_was_counts() -> None:
    model = NextAction(NAMES)
    for number in range(4_000):
        late = number % 2 == 1
        model.learn(-1, 1, 10**8 if late else 1_000, 0 if late else 2)
    assert model.probabilities(-1, 1, 1_000)[2] > 0.9
    assert model.probabilities(-1, 1, 10**8)[0] > 0.9


def test_a_model_taken_over_from_its_rows_goes_on_bit_for_bit() -> None:
    random = Random(3)
    path = [
        (random.randrange(-1, 3), random.randrange(-1, 3), random.randrange(10**8), 1)
        for _ in range(300)
    ]
    model, twin = learned(path[:200]), NextAction(NAMES)
    for key, row in model.changed_rows(b"m:n/"):
        assert row is not None
        assert len(row) <= 16_384
        twin.load_row(key.removeprefix(b"m:n/"), row)
    for step in path[200:]:
        assert model.learn(*step) == twin.learn(*step)
    assert model.changed_rows(b"") == twin.changed_rows(b"")
    assert model.metrics() == twin.metrics()


def test_rows_of_other_actions_are_refused() -> None:
    model = learned([(-1, 0, 5, 1)])
    rows = dict(model.changed_rows(b""))
    row = rows[b"mixture"]
    assert row is not None
    with pytest.raises(ValueError, match="3 actions, not 2"):
        NextAction(NAMES[:2]).load_row(b"mixture", row)
    with pytest.raises(ValueError, match="no row"):
        model.load_row(b"77", row)


def test_learners_that_share_their_counts_know_what_one_learner_would() -> None:
    random = Random(5)
    path = [
        (random.randrange(-1, 3), random.randrange(-1, 3), random.randrange(10**8), number % 3)
        for number in range(400)
    ]
    parts = [NextAction(NAMES), NextAction(NAMES)]
    for part in parts:
        part.begin_sharing()
    for number, step in enumerate(path):
        parts[number % 2].learn(*step)
    for part, other in (parts, parts[::-1]):
        counted = other.share()
        assert counted is not None
        part.absorb(counted)
    assert [part.share() for part in parts] == [None, None]
    whole = dict(learned(path).changed_rows(b""))
    for part in parts:
        rows = dict(part.changed_rows(b""))
        assert [rows[b"%d" % place] for place in range(3)] == [
            whole[b"%d" % place] for place in range(3)
        ]


def test_what_waits_to_be_told_fits_in_a_row() -> None:
    names = [f"action {number}" for number in range(16)]
    model = NextAction(names)
    model.begin_sharing()
    for before, last, action in product(range(16), repeat=3):
        for gap_ms in (0, 10**9):
            model.learn(before, last, gap_ms, action)
    assert all(len(row or b"") <= 16_384 for _, row in model.changed_rows(b""))
    assert model.share() is not None
