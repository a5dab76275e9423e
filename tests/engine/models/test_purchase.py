"""Orders within a week are learned from days on record, and what is learned reaches everybody."""

from streams.contract.insights import Alert
from streams.engine.insight import Insight
from streams.engine.models.model import gate_moved
from streams.engine.models.purchase import PurchaseModel
from streams.learning.drift import Event
from tests.engine.world import DAY_MS, HOUR_MS, OPEN, World, alias_in, altered

QUIET = altered(OPEN, journeys=())


def insight(world: World, partition: int = 0) -> Insight:
    return world.folds[partition].engine.insight


def weeks(world: World, people: int, days: int, partition: int | None = None) -> None:
    """The even ones put something into the cart each week and order the day after; the others
    look."""
    partitions = world.config.partitions
    names = [
        alias_in(number % partitions if partition is None else partition, partitions, f"p{number}-")
        for number in range(people)
    ]
    for day in range(days):
        for number, alias in enumerate(names):
            kind = "product.viewed"
            if number % 2 == 0:
                kind = {0: "cart.added", 1: "order.paid"}.get(day % 7, kind)
            data = {"item_id": "tea", "order_id": f"{alias}-{day}", "amount_fen": 900}
            if kind == "order.paid" or day % 2 == number % 2 or day % 7 == 0:
                world.see(alias, kind, data)
        world.wait(DAY_MS)
        world.deliver()


def test_who_orders_is_told_from_who_looks() -> None:
    world = World(QUIET)
    weeks(world, 24, 43)
    engine = world.folds[0].engine
    scores = {}
    for user_id in engine.store:
        person = engine.store.get(user_id)
        assert person is not None
        found = engine.insight.score("purchase", person, world.now_ms)
        scores.setdefault(person.state.activity.orders > 0, []).append(found)
    assert min(scores[True]) > max(scores[False])
    assert world.count("model.purchase.auc") > 0.55
    assert world.count("model.purchase.timed_out") > 20


def test_the_end_of_the_relation_censors_the_prediction_on_record() -> None:
    world = World(QUIET)
    world.see("ann", "product.viewed", {"item_id": "tea"})
    world.wait(2 * DAY_MS)
    assert world.count("model.purchase.pending") == 1
    world.see("ann", "user.unfollowed")
    assert world.count("model.purchase.pending") == 0
    assert world.count("model.purchase.censored") == 1


def test_an_erased_person_leaves_no_prediction_behind() -> None:
    world = World(QUIET)
    world.see("ann", "product.viewed", {"item_id": "tea"})
    world.wait(2 * DAY_MS)
    world.see("ann", "user.erasure_requested")
    assert world.count("model.purchase.pending") == 0


def test_an_order_told_late_corrects_what_was_learned_as_silence() -> None:
    world = World(QUIET)
    world.see("ann", "product.viewed", {"item_id": "tea"})
    world.wait(DAY_MS)
    for _ in range(5):
        world.see("ann", "product.viewed", {"item_id": "tea"})
        world.wait(DAY_MS)
    ordered_ms = world.now_ms - 3 * DAY_MS + HOUR_MS
    world.see("ann", "order.paid", {"order_id": "o", "amount_fen": 1}, time_ms=ordered_ms)
    assert world.count("model.purchase.corrected") == 1


def test_what_one_partition_learned_is_told_to_the_others() -> None:
    world = World(altered(QUIET, partitions=2))
    weeks(world, 12, 22, partition=0)
    x = [0.5] * 12
    here, there = (insight(world, place).model(PurchaseModel) for place in (0, 1))
    assert there.metrics()["examples"] == 0.0
    assert here._outcome.probability(x) != PurchaseModel(here.around)._outcome.probability(x)
    assert abs(here._outcome.probability(x) - there._outcome.probability(x)) < 0.1


def test_a_gate_that_closes_is_told_and_the_rule_answers_meanwhile() -> None:
    world = World(QUIET)
    weeks(world, 24, 15)
    model = insight(world).model(PurchaseModel)
    moved = Event("serving", "suspended", "p - y drifts", 900)
    told = gate_moved(model.around, model.NAME, moved, -0.2, world.now_ms)
    assert isinstance(told, Alert)
    assert (told.kind, told.name) == ("model_gate", "purchase")
    assert told.detail == "serving -> suspended: p - y drifts"
    assert model._guard.answer(0.123, 0) == 0.123
    model._guard.gate._row.state = "suspended"
    assert model._guard.answer(0.123, 0) == model._guard.rule(0) != 0.123
