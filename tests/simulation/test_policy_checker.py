"""Caps, consent, quiet hours, budget, erasure: the policy checker finds nothing wrong."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.contract.records import Origin
from streams.contract.topics import EVENTS
from streams.engine.config import Cap, Config, QuietHours
from streams.engine.fold import EngineFold
from streams.event_file import told_ms
from streams.intake import Intake
from streams.runtime.port import Stored
from streams.simulation.checkers import replay
from streams.simulation.policy_checker import Partition, check_policy
from streams.simulation.population import Population
from tests.engine.world import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    NOON_MS,
    OPEN,
    World,
    altered,
)

KEY = b"a key of the tests, 32 bytes long"
SHARE_FEN = 3_000
TIGHT = Config(
    partitions=2,
    policy=replace(
        Config().policy,
        caps=(
            Cap(most=2, window_ms=DAY_MS),
            Cap(most=3, window_ms=5 * DAY_MS),
            Cap(channel="mini_programme", most=1, window_ms=2 * DAY_MS),
        ),
        gap_ms=6 * HOUR_MS,
        daily_budget_fen=2 * SHARE_FEN + 1,
    ),
    cart_rescue=replace(OPEN.cart_rescue, cooldown_ms=HOUR_MS),
    churn_coupon=replace(Config().churn_coupon, threshold=0.1, cooldown_ms=DAY_MS),
    interest_content=replace(Config().interest_content, threshold=0.2, cooldown_ms=HOUR_MS),
)


def dumped(world: World) -> list[Partition]:
    found = []
    for number, log in enumerate(world.logs):
        stored = [Stored(offset, None, raw) for offset, raw in enumerate(log)]
        outputs, rows, _ = replay(stored, EngineFold(number))
        found.append(Partition(stored, outputs, rows))
    return found


def checked(world: World) -> list[str]:
    return check_policy(world.config, dumped(world))


# Nothing is wrong with the engine.


@pytest.mark.parametrize(("scenario", "seed"), [("ecommerce", "a"), ("catering", "b")])
def test_a_crowd_is_addressed_within_every_limit_where_the_limits_bite(
    scenario: str, seed: str
) -> None:
    intake = Intake(key=KEY, tenant="default", partitions=TIGHT.partitions)
    people = Population(60, scenario, seed, NOON_MS, intake.alias_of)
    world, offset, answered = World(TIGHT), 0, 0
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
    biting = {"CAP_PERSON", "CAP_GAP", "BUDGET_DAY", "NO_CONSENT", "HOLDOUT_GLOBAL"}
    assert {"SENT", "QUIET_DEFERRED", *biting} <= set(world.outcomes)
    assert checked(world) == []


PEOPLE = ("ann", "bob", "cyd", "dan")
NEWS: dict[str, list[dict[str, Any]]] = {
    "user.followed": [{}],
    "user.unfollowed": [{}],
    "contact.added": [{}],
    "contact.removed_by_customer": [{}],
    "contact.removed_by_staff": [{}],
    "consent.granted": [{}, {"purpose": "*"}, {"channel": "wecom"}],
    "consent.withdrawn": [{}, {"channel": "official_account"}],
    "user.attributes_given": [
        {"attributes": {"zone": zone}}
        for zone in ("Europe/London", "America/New_York", "Australia/Lord_Howe", "no zone")
    ],
    "feedback.not_interested": [
        {"item_id": "i1"},
        {"category": "c2"},
        {"campaign": "cart_rescue"},
        {"campaign": "content"},
        {},
    ],
    "identity.linked": [{"other": other} for other in PEOPLE],
    "user.erasure_requested": [{}],
    "cart.added": [{"item_id": "i1"}, {"item_id": "i2", "category": "c2", "price_fen": 900}],
    "product.viewed": [{"item_id": "i1", "category": "c1"}, {"item_id": "i2", "category": "c2"}],
    "order.paid": [{"order_id": "o", "amount_fen": 900}],
}
happenings = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.sampled_from([*NEWS, *["cart.added", "product.viewed", "user.followed"] * 4]).flatmap(
            lambda kind: st.tuples(st.just(kind), st.sampled_from(NEWS[kind]))
        ),
        st.sampled_from((0, 0, 0, 1, 30, 700)),  # minutes late
        st.sampled_from((0, 0, 1, 31, 45, 400, 1_441)),  # minutes until the next
        st.booleans(),
    ),
    min_size=10,
    max_size=60,
)


@given(
    history=happenings,
    gap_ms=st.sampled_from((0, HOUR_MS, 5 * HOUR_MS)),
    quiet=st.sampled_from(
        (QuietHours(), QuietHours(60, 400, "Europe/London"), QuietHours(1_200, 600, jitter_ms=0))
    ),
    partitions=st.integers(1, 3),
    default_consent=st.booleans(),
    days=st.sampled_from((0, 24, 150)),  # the clocks change on the 24th day in Europe
)
@settings(max_examples=60, deadline=None)
def test_no_history_of_merges_erasures_and_changes_of_mind_breaks_a_limit(
    history: list[tuple[str, tuple[str, dict[str, Any]], int, int, bool]],
    gap_ms: int,
    quiet: QuietHours,
    partitions: int,
    default_consent: bool,
    days: int,
) -> None:
    policy = replace(
        TIGHT.policy,
        gap_ms=gap_ms,
        quiet=quiet,
        default_consent=default_consent,
        global_holdout=0.1,
    )
    world = World(altered(TIGHT, policy=policy, partitions=partitions, timers_per_record=2))
    world.now_ms += days * DAY_MS
    for alias, (kind, data), late, wait, deliver in history:
        world.see(alias, kind, data, time_ms=world.now_ms - late * MINUTE_MS)
        if deliver:
            world.deliver(2)
        world.wait(wait * MINUTE_MS)
    world.deliver()
    assert checked(world) == []


def test_an_item_somebody_said_no_to_is_not_shown_although_its_category_is_unknown() -> None:
    world = World()
    world.see("ann", "user.followed")
    world.see("ann", "feedback.not_interested", {"item_id": "pot"})
    world.see("ann", "cart.added", {"item_id": "pot"})
    world.see("ann", "order.paid", {"order_id": "1"})
    world.see("ann", "cart.added", {"item_id": "pot"}, time_ms=world.now_ms + 1)
    world.wait(HOUR_MS)
    assert world.outcomes[-1] == "SUPPRESSED"
    assert checked(world) == []


def test_quiet_hours_are_the_persons_however_much_else_they_told() -> None:
    world = World()
    world.see("ann", "user.followed")
    world.see("ann", "user.attributes_given", {"attributes": {f"a{n}": "x" for n in range(20)}})
    world.see("ann", "user.attributes_given", {"attributes": {"zone": "America/New_York"}})
    world.see("ann", "cart.added", {"item_id": "pot"})
    world.wait(HOUR_MS)
    assert world.outcomes[-1] == "QUIET_DEFERRED"
    assert checked(world) == []
