"""Every model of the list keeps the rules of models."""

import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from math import isfinite, nan
from random import Random

import msgspec
import pytest

from streams.engine.config import Churn
from streams.engine.models.churn import ChurnModel
from streams.engine.models.interest import InterestModel
from streams.engine.profile.interests import Interests
from tests.engine.models.crowd import START_MS, crowd, live

MODELS = (InterestModel, ChurnModel)
Model = ChurnModel | InterestModel
DAYS = 24


def made(kind: type[Model]) -> Model:
    return ChurnModel(Churn()) if kind is ChurnModel else InterestModel()


class Life:
    """A stream for a model, taken up to a day and then further; the people are part of it."""

    def __init__(self, kind: type[Model], size: int = 60) -> None:
        self.kind, self.size = kind, size
        self.people = crowd(size, DAYS + 7, seed=3)
        self.interests = [Interests() for _ in self.people]

    def run(self, model: Model, from_day: int, to_day: int) -> list[object]:
        if isinstance(model, ChurnModel):
            return [pair.probability for pair in live(model, self.people, from_day, to_day)]
        random, outputs = Random(from_day), []
        for number in range((to_day - from_day) * self.size):
            time_ms = START_MS + from_day * 86_400_000 + number * 1_000_000
            interests = self.interests[random.randrange(self.size)]
            model.observe(interests, f"category {int(9 * random.random() ** 2)}", 1.0, time_ms)
            outputs.append(interests.scores(time_ms, model.population(time_ms)))
        return outputs


def fate(kind: type[Model]) -> str:
    """A digest of all outputs and rows of a life."""
    life, model = Life(kind), made(kind)
    digest = sha256(repr(life.run(model, 1, DAYS)).encode())
    for row in sorted(model.changed_rows()):
        digest.update(repr(row).encode())
    return digest.hexdigest()


each_model = pytest.mark.parametrize("kind", MODELS, ids=lambda kind: kind.__name__)


@each_model
def test_a_model_taken_over_from_its_rows_goes_on_bit_for_bit(kind: type[Model]) -> None:
    life, model, rows = Life(kind), made(kind), {}
    life.run(model, 1, 12)
    rows.update(model.changed_rows())
    life.run(model, 12, 16)
    rows.update(model.changed_rows())
    successor, twin = made(kind), msgspec_copy(life)
    for key, row in rows.items():
        successor.load_row(key, row)
    assert twin.run(successor, 16, DAYS) == life.run(model, 16, DAYS)
    assert successor.metrics() == model.metrics()
    assert sorted(successor.changed_rows()) == sorted(model.changed_rows())


def msgspec_copy(life: Life) -> Life:
    """The people too come back from their rows."""
    twin = Life(life.kind, life.size)
    twin.people = [
        person._replace(activity=copied(person.activity), state=copied(person.state))
        for person in life.people
    ]
    twin.interests = [copied(interests) for interests in life.interests]
    return twin


def copied(part: msgspec.Struct) -> msgspec.Struct:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(part), type=type(part))


@each_model
def test_rows_have_keys_of_their_own_and_at_most_16_kilobytes(kind: type[Model]) -> None:
    model = made(kind)
    Life(kind).run(model, 1, DAYS)
    rows = dict(model.changed_rows())
    assert rows
    assert all(key.startswith(b"m:") and len(row) <= 16_384 for key, row in rows.items())
    assert model.changed_rows() == []


@each_model
def test_rows_do_not_grow_with_the_number_of_people(kind: type[Model]) -> None:
    sizes = []
    for size in (40, 120):
        model = made(kind)
        Life(kind, size).run(model, 1, DAYS)
        sizes.append(sum(len(row) for _, row in model.changed_rows()))
    assert sizes[1] <= 1.2 * sizes[0]


@each_model
def test_metrics_are_finite_before_and_after_learning(kind: type[Model]) -> None:
    model = made(kind)
    assert all(map(isfinite, model.metrics().values()))
    Life(kind).run(model, 1, DAYS)
    assert all(map(isfinite, model.metrics().values()))


@each_model
def test_asking_changes_nothing(kind: type[Model]) -> None:
    life, model = Life(kind), made(kind)
    life.run(model, 1, 12)
    model.changed_rows()
    model.metrics()
    if isinstance(model, ChurnModel):
        model.explain(life.people[0].activity, START_MS + 12 * 86_400_000)
    else:
        life.interests[0].scores(START_MS, model.population(START_MS))
    assert model.changed_rows() == []


@each_model
def test_a_row_of_a_newer_version_is_refused(kind: type[Model]) -> None:
    model = made(kind)
    Life(kind).run(model, 1, DAYS)
    for key, row in model.changed_rows():
        _, *parts = msgspec.msgpack.decode(row)
        with pytest.raises(ValueError, match="schema 99"):
            made(kind).load_row(key, msgspec.msgpack.encode([99, *parts]))


@each_model
def test_an_unknown_row_is_refused(kind: type[Model]) -> None:
    with pytest.raises(ValueError, match="m:other/row"):
        made(kind).load_row(b"m:other/row", b"")


HOSTILE: list[Callable[[Random], float]] = [
    lambda random: nan,
    lambda random: float("inf"),
    lambda random: -1e308,
    lambda random: 1e308,
    lambda random: random.gauss(0.0, 1e300),
]


@each_model
def test_no_number_makes_the_state_non_finite(kind: type[Model]) -> None:
    life, model, random = Life(kind), made(kind), Random(4)
    life.run(model, 1, 8)
    for number, person in enumerate(life.people):
        hostile = HOSTILE[number % len(HOSTILE)](random)
        if isinstance(model, InterestModel):
            model.observe(life.interests[number], "a", hostile, START_MS)
        else:
            person.activity.count_1 = person.activity.stars_28 = hostile
            person.activity.displeasure_7 = hostile
    life.run(model, 8, DAYS)
    for _, row in model.changed_rows():
        assert all(map(isfinite, numbers(msgspec.msgpack.decode(row))))


def numbers(value: object) -> list[float]:
    if isinstance(value, list):
        return [number for part in value for number in numbers(part)]
    return [value] if isinstance(value, int | float) else []


def test_outputs_do_not_depend_on_the_hash_seed() -> None:
    script = (
        "from tests.conformance.test_models import MODELS, fate\n"
        "print([fate(kind) for kind in MODELS])"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "7")
    }
    assert found == {f"{[fate(kind) for kind in MODELS]}\n".encode()}
