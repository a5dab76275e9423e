"""The shipped library has what the scenarios show, at their prices and values."""

from streams.simulation.scenarios import SCENARIOS
from tests.engine.content.builders import shipped


def test_every_item_of_a_scenario_stands_on_the_shelf() -> None:
    found = {one.item_id: (one.category, one.price_fen) for one in shipped().goods}
    for scenario in SCENARIOS.values():
        for category in scenario.categories:
            for item, price_fen in category.items:
                assert found[item] == (category.name, price_fen)
