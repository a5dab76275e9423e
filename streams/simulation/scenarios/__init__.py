"""The stories the simulation can tell, by name; the first is the default."""

from streams.simulation.scenarios import (
    bank,
    catering,
    cosmetics,
    ecommerce,
    education,
    group_growth,
)
from streams.simulation.scenarios.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    story.SCENARIO.name: story.SCENARIO
    for story in (ecommerce, catering, education, cosmetics, bank, group_growth)
}


def scenario_named(name: str) -> Scenario:
    """Raises ValueError with the names there are."""
    if name not in SCENARIOS:
        raise ValueError(f"there is no scenario {name!r}; choose one of {', '.join(SCENARIOS)}")
    return SCENARIOS[name]
