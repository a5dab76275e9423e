"""Churn models of several partitions tell each other what they learned."""

import msgspec
import pytest

from streams.engine.config import Churn
from streams.engine.models.churn import ChurnModel
from streams.evaluation.scores import auc
from tests.engine.models.crowd import Pair, crowd, live

DAYS = 24


def lived(partitions: int, *, telling: bool, people: int = 160) -> tuple[list[Pair], ChurnModel]:
    """The pairs of the second half, and the first partition's model; told once a day."""
    models = [ChurnModel(Churn()) for _ in range(partitions)]
    everybody = crowd(people, DAYS + 7, seed=5)
    pairs: list[Pair] = []
    for model in models:
        if telling:
            model.begin_sharing()
    for day in range(1, DAYS):
        for number, model in enumerate(models):
            pairs += live(model, everybody[number::partitions], day, day + 1)
        deltas = [model.share() if telling else None for model in models]
        for to, model in enumerate(models):
            for place, delta in enumerate(deltas):
                if place != to and delta is not None:
                    model.absorb(msgspec.json.decode(msgspec.json.encode(delta)))
    return [pair for pair in pairs if pair.day > DAYS // 2], models[0]


def quality(pairs: list[Pair]) -> float:
    return auc([pair.probability for pair in pairs], [pair.churned for pair in pairs])


@pytest.mark.parametrize("partitions", [4, 16])
def test_split_people_are_foreseen_as_well_as_by_one_model(partitions: int) -> None:
    single, _ = lived(1, telling=False)
    told, model = lived(partitions, telling=True)
    assert quality(told) > quality(single) - 0.01
    assert model.metrics()["examples"] < 160 * DAYS / partitions


def test_one_partition_that_could_share_scores_bit_for_bit_as_before() -> None:
    assert lived(1, telling=True)[0] == lived(1, telling=False)[0]


def test_a_model_taken_over_from_its_rows_tells_the_same() -> None:
    model, twin, people = ChurnModel(Churn()), ChurnModel(Churn()), crowd(40, DAYS + 7, seed=6)
    other = ChurnModel(Churn())
    for each in (model, twin, other):
        each.begin_sharing()
    rows: dict[bytes, bytes] = {}
    list(live(model, people[:30], 1, 12))
    rows.update(model.changed_rows())
    assert model.share() is not None
    list(live(other, people[30:], 1, 12))
    model.absorb(other.share() or {})
    list(live(model, people[:30], 12, 14))
    rows.update(model.changed_rows())
    for key, row in rows.items():
        assert len(row) <= 16_384
        twin.load_row(key, row)
    assert twin.share() == model.share()
    assert twin.share() is None
    assert sorted(twin.changed_rows()) == sorted(model.changed_rows())
