"""A model drives decisions while it holds; a plain rule answers when it does not."""

from random import Random

from streams.learning.guard import Guard


def lived(labels: int, *, right: bool = True, guard: Guard | None = None, seed: int = 1) -> Guard:
    """Two buckets, in which it happens 20 and 80 times of a hundred; the model knows, or thinks
    the opposite."""
    guard, random = guard or Guard(2), Random(seed)
    for _ in range(labels):
        bucket = random.randrange(2)
        truth = 0.8 if bucket else 0.2
        happened = random.random() < truth
        guard.judge(truth if right else 1.0 - truth, happened, bucket)
        guard.keep(lambda: b"weights")
    return guard


def test_a_model_that_holds_answers() -> None:
    guard = lived(2_000)
    assert guard.serves
    assert guard.answer(0.3, 1) == 0.3
    assert guard.metrics()["skill"] > 0.1


def test_before_there_are_labels_enough_the_model_answers() -> None:
    guard = Guard(2)
    assert guard.answer(0.3, 1) == 0.3


def test_a_model_that_turned_wrong_is_replaced_by_the_rule() -> None:
    guard = lived(2_000)
    moved = []
    random = Random(2)
    for _ in range(1_500):
        bucket = random.randrange(2)
        happened = random.random() < (0.8 if bucket else 0.2)
        moved.append(guard.judge(0.2 if bucket else 0.8, happened, bucket))
        if not guard.serves:
            break
    (event,) = [one for one in moved if one is not None]
    assert (event.before, event.after) == ("serving", "suspended")
    assert abs(guard.answer(0.2, 1) - 0.8) < 0.08
    assert guard.metrics()["serving"] == 0.0
    assert guard.metrics()["suspensions"] == 1.0


def test_the_last_good_state_is_one_that_outlived_its_probation() -> None:
    assert lived(900).gate.last_good is None
    assert lived(4_000).gate.last_good == b"weights"


def test_a_guard_taken_over_from_its_rows_goes_on_bit_for_bit() -> None:
    guard, twin = lived(2_500), Guard(2)
    for key, row in guard.changed_rows(b"m:x/"):
        assert row is not None
        twin.load_row(key.removeprefix(b"m:x/"), row)
    assert twin.metrics() == guard.metrics()
    lived(1_500, right=False, guard=guard, seed=3)
    lived(1_500, right=False, guard=twin, seed=3)
    assert twin.metrics() == guard.metrics()
    assert twin.rule(1) == guard.rule(1)


def test_rows_are_written_only_when_a_label_came() -> None:
    guard = lived(300)
    assert guard.changed_rows(b"")
    assert guard.changed_rows(b"") == []
