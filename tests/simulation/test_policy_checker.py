"""Caps, consent, quiet hours, entitlements, money, erasure: the policy checker finds nothing wrong.

The short form runs with every test run; STREAMS_POLICY_HISTORIES=1000 asks for the long one.
"""

import ast
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.contract.policy import Cap
from streams.contract.records import Origin
from streams.contract.topics import EVENTS
from streams.engine.config import Config
from streams.event_file import told_ms
from streams.intake import Intake
from streams.simulation import policy_checker
from streams.simulation.population import Population
from tests.engine.journeys import CART, CHURN, INTEREST, journey
from tests.engine.world import DAY_MS, HOUR_MS, NOON_MS, OPEN, altered, with_policy
from tests.simulation.histories import Happening, Storm, configs, happenings, told

HISTORIES = int(os.environ.get("STREAMS_POLICY_HISTORIES", "120"))
DAYS = (0, 23, 30, 163, 177)  # of the clock changes in London and New York, and another
KEY = b"a key of the tests, 32 bytes long"
TIGHT = altered(
    with_policy(
        OPEN,
        global_holdout=0.1,
        default_consent=False,
        caps=(
            Cap(most=2, window_ms=DAY_MS),
            Cap(most=3, window_ms=5 * DAY_MS),
            Cap(channel="mini_programme", most=1, window_ms=2 * DAY_MS),
        ),
        gap_ms=6 * HOUR_MS,
        daily_budget_fen=6_000,
    ),
    partitions=2,
    journeys=(
        journey(CART, entry={"on": "cart.added", "reentry": {"cooldown": "1h"}}),
        journey(
            CHURN,
            entry={
                "on": "daily.check",
                "where": "score('churn') >= 0.1",
                "reentry": {"cooldown": "24h"},
            },
        ),
        journey(
            INTEREST,
            entry={
                "on": ["product.viewed", "article.read"],
                "where": "data.interest >= 0.2",
                "reentry": {"cooldown": "1h"},
            },
        ),
    ),
)


@given(config=configs, history=happenings, days=st.sampled_from(DAYS))
@settings(max_examples=HISTORIES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_history_breaks_a_rule(config: Config, history: list[Happening], days: int) -> None:
    assert told(config, history, days).checked() == []


def test_the_histories_lead_to_nearly_every_outcome() -> None:
    """Or the test above would find nothing wrong because nothing happens."""
    seen: Counter[str] = Counter()

    @given(config=configs, history=happenings, days=st.sampled_from(DAYS))
    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    def look(config: Config, history: list[Happening], days: int) -> None:
        seen.update(told(config, history, days).outcomes)

    look()
    common = {"SENT", "QUIET_DEFERRED", "ENTERED", "COMPLETED", "CHOSE_NOTHING", "TIMED_OUT"}
    gates = {"NO_CONSENT", "SUPPRESSED", "HOLDOUT_GLOBAL", "HOLDOUT_JOURNEY", "NO_ENTITLEMENT"}
    stateful = {"CAP_PERSON", "CAP_GAP", "BUDGET_DAY", "JOURNEY_PAUSED", "BACKFILL", "EXPIRED"}
    assert common | gates | stateful <= set(seen), seen


@pytest.mark.parametrize(("scenario", "seed"), [("ecommerce", "a"), ("catering", "b")])
def test_a_crowd_is_addressed_within_every_limit_where_the_limits_bite(
    scenario: str, seed: str
) -> None:
    intake = Intake(key=KEY, tenant="default", partitions=TIGHT.partitions)
    people = Population(60, scenario, seed, NOON_MS, intake.alias_of)
    world, offset, answered = Storm(TIGHT), 0, 0
    for hour in range(9 * 24):
        for event in people.hour(hour):
            raw = event if isinstance(event, bytes) else orjson.dumps(event)
            world.wait(max(0, told_ms(raw) - world.now_ms))
            partition, record = intake.take(raw, Origin(EVENTS, 0, 0, offset), world.now_ms)
            world.feed(partition, record)
            world.deliver()
            offset += 1
        emitted = world.triggers
        people.receive(emitted[answered:])
        answered = len(emitted)
    biting = {"CAP_PERSON", "CAP_GAP", "NO_CONSENT", "HOLDOUT_GLOBAL"}
    assert {"SENT", "QUIET_DEFERRED", *biting} <= set(world.outcomes)
    assert world.checked() == []


def test_an_item_somebody_said_no_to_is_not_shown_although_its_category_is_unknown() -> None:
    world = Storm(OPEN)
    world.see("ann", "user.followed")
    world.see("ann", "feedback.not_interested", {"item_id": "pot"})
    world.see("ann", "cart.added", {"item_id": "pot"})
    world.wait(HOUR_MS)
    assert "SUPPRESSED" in world.outcomes
    assert world.checked() == []


def test_quiet_hours_are_the_persons_however_much_else_they_told() -> None:
    world = Storm(OPEN)
    world.see("ann", "user.followed")
    world.see("ann", "user.attributes_given", {"attributes": {f"a{n}": "x" for n in range(20)}})
    world.see("ann", "user.attributes_given", {"attributes": {"zone": "America/New_York"}})
    world.see("ann", "cart.added", {"item_id": "pot"})
    world.wait(HOUR_MS)
    assert "QUIET_DEFERRED" in world.outcomes
    assert world.checked() == []


def test_the_checker_knows_the_contract_and_nothing_of_the_engine() -> None:
    """Its modules import each other, the contract and the words for durations, directly or not."""
    streams = Path(policy_checker.__file__).parents[1]
    allowed = ("streams.contract.", "streams.expressions.durations", "streams.simulation.policy_")
    reached, wrong = ["streams.simulation.policy_checker"], []
    for module in reached:
        for name in imported(streams.parent / (module.replace(".", "/") + ".py")):
            if not name.startswith(allowed):
                wrong.append(f"{module} imports {name}")
            elif name not in reached:
                reached.append(name)
    assert len(reached) > 8
    assert not wrong, wrong


def imported(path: Path) -> Iterator[str]:
    """The modules of the project that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("streams"):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name.startswith("streams"))
