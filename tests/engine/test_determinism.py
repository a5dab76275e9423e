"""The same log gives the same bytes: for any batches, any cache, and with save and load in
between.
"""

import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.engine.config import Config
from streams.engine.fold import EngineFold
from streams.fold import Output
from tests.engine.journeys import CART, CHURN, INTEREST, LOOPED, journey
from tests.engine.world import DAY_MS, HOUR_MS, MINUTE_MS, OPEN, World, altered, with_policy

Step = tuple[str, str, int, int]

HELD = {"share": 0.2}
CONFIG = altered(
    with_policy(OPEN, global_holdout=0.2, gap_ms=HOUR_MS, default_consent=False),
    partitions=2,
    journeys=(
        journey(CART, holdout=HELD, entry={"on": "cart.added", "reentry": {"cooldown": "1h"}}),
        journey(
            CHURN,
            holdout=HELD,
            entry={
                "on": "daily.check",
                "where": "score('churn') >= 0.2",
                "reentry": {"cooldown": "24h"},
            },
        ),
        journey(INTEREST, holdout=HELD),
        journey(LOOPED),
    ),
    timers_per_record=2,
)
MIGRATE = ("pin", "restart", "exit", "pin")
PEOPLE = ("ann", "bob", "cyd", "dan", "eve")
KINDS = (
    "user.followed",
    "user.unfollowed",
    "product.viewed",
    "article.read",
    "cart.added",
    "cart.removed",
    "order.paid",
    "order.refunded",
    "order.rated",
    "search.performed",
    "consent.granted",
    "consent.withdrawn",
    "user.erasure_requested",
    "user.attributes_given",
    "identity.linked",
    "feedback.not_interested",
    "subscription.credit_granted",
    "push.opened",
    "push.failed",
    "something.new",
    "message.received",
    "item.reviewed",
    "item.commented",
    "coupon.claimed",
    "coupon.used",
    "order.created",
    "share.initiated",
    "share.opened",
    "group.member_joined",
    "abuse.confirmed",
    "abuse.cleared",
    "service.session_started",
)
DATA = {
    "item_id": "item",
    "article_id": "article",
    "category": "tea",
    "tags": ["green", "hot"],
    "price_fen": 900,
    "dwell_ms": 4_000,
    "order_id": "order",
    "amount_fen": 1_800,
    "items": [{"item_id": "item"}, {"item_id": "cup", "category": "cups"}],
    "stars": 4,
    "trigger_id": "0badcafe",
    "code": "refused",
    "attributes": {"zone": "Europe/London", "sex": "f"},
    "coupon_id": "coupon",
    "topic": "refund",
    "reason": "ring_device",
}

steps = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.sampled_from(KINDS),
        st.integers(0, 3),
        st.sampled_from((0, 0, 1, 40, 600, 1_441, 8 * 1_440)),
    ),
    max_size=60,
)


def live(history: Sequence[Step], config: Config = CONFIG) -> World:
    """The world after the history: events, duplicates, late ones, links, erasures, commands."""
    world = World(config)
    for number, (alias, kind, variant, minutes) in enumerate(history):
        data = {**DATA, "category": f"c{variant}", "item_id": f"i{variant}"}
        data["other"] = PEOPLE[(PEOPLE.index(alias) + 1 + variant) % len(PEOPLE)]
        data["invited_by"] = data["other"]
        data |= {name: f"{name}{variant}" for name in ("device", "address", "ref", "group_id")}
        data["grams"] = [variant, 7 * number % 1_000, 77_777 + number]
        old_ms = (0, MINUTE_MS, DAY_MS, 9 * DAY_MS)[variant] if number % 3 == 0 else 0
        again = f"event-{number // 2}" if number % 5 == 0 else None
        world.see(
            alias, kind, data, time_ms=world.now_ms - old_ms, id=again, backfill=number % 7 == 0
        )
        if number % 11 == 10:
            world.publish(journey(LOOPED, version=2 + number, migrate=MIGRATE[variant]))
        elif number % 17 == 16:
            world.command("pause" if variant % 2 else "resume", "*")
        if variant != 3:
            world.deliver(2)
        world.wait(minutes * MINUTE_MS)
    world.deliver()
    return world


def folded(
    log: Sequence[bytes], partition: int, batch: int, memory: int
) -> tuple[list[Output], dict[bytes, bytes]]:
    """Outputs and last rows, with commits after each batch and a fresh fold from rows after each
    third."""
    fold = EngineFold(partition, users_in_memory=memory)
    outputs: list[Output] = []
    rows: dict[bytes, bytes] = {}
    for number, raw in enumerate(log, 1):
        outputs += fold.handle(raw)
        if number % batch == 0 or number == len(log):
            commit(fold, rows)
            if number // batch % 3 == 2:
                fold = loaded(rows, partition, memory)
    return outputs, rows


def commit(fold: EngineFold, rows: dict[bytes, bytes]) -> None:
    changed = fold.changed_rows()
    assert len({key for key, _ in changed}) == len(changed)
    for key, value in changed:
        if value is None:
            rows.pop(key, None)
        else:
            rows[key] = value


def loaded(rows: dict[bytes, bytes], partition: int, memory: int) -> EngineFold:
    fold = EngineFold(partition, users_in_memory=memory)
    for key in sorted(rows, reverse=len(rows) % 2 == 0):
        fold.load_row(key, rows[key])
    return fold


@given(history=steps, batch=st.sampled_from((1, 2, 7, 50)))
@settings(max_examples=60, deadline=None)
def test_batches_cache_and_restarts_change_no_byte(history: list[Step], batch: int) -> None:
    world = live(history)
    for partition, log in enumerate(world.logs):
        expected = folded(log, partition, len(log), 1_000)
        assert folded(log, partition, batch, 2) == expected


@given(history=steps)
@settings(max_examples=40, deadline=None)
def test_fates_sum_to_the_input_in_any_history(history: list[Step]) -> None:
    world = live(history)
    fates = sum(
        world.count(f"fate.{fate}")
        for fate in ("applied", "duplicate", "late", "dead_lettered", "erased")
    )
    assert fates == world.count("input") == len(history)
    assert world.count("mail.forwarded") == world.count("mail.received")
    decisions = world.decisions
    assert len({decision.decision_id for decision in decisions}) == len(decisions)


@given(history=steps, batch=st.sampled_from((1, 5)))
@settings(max_examples=25, deadline=None)
def test_a_loaded_fold_reports_the_same_timers_and_counters(
    history: list[Step], batch: int
) -> None:
    world = live(history)
    for partition, fold in enumerate(world.folds):
        rows = folded(world.logs[partition], partition, batch, 2)[1]
        other = loaded(rows, partition, 2)
        assert other.next_due_ms() == fold.next_due_ms()
        assert other.now_ms == fold.now_ms
        assert other.counters() == fold.counters()


@given(history=steps)
@settings(max_examples=25, deadline=None)
def test_rows_of_people_stay_small(history: list[Step]) -> None:
    world = live(history)
    for rows in world.rows():
        for key, row in rows.items():
            assert len(row) <= (1_300 if key[:2] == b"u:" else 16_384), key


PROGRAM = """
from tests.engine.test_determinism import KINDS, PEOPLE, digest
kinds = [KINDS[n * 11 % len(KINDS)] for n in range(150)]
print(digest([(PEOPLE[n * 7 % 5], kind, n % 4, n * n % 700) for n, kind in enumerate(kinds)]))
"""


def digest(history: Sequence[Step]) -> str:
    world = live(history)
    found = sha256()
    for rows in world.rows():
        for key in sorted(rows):
            found.update(key + rows[key])
    for topic, key, value in world.outputs:
        found.update(topic.encode() + key + (value or b"-"))
    return found.hexdigest()


def test_the_hash_seed_of_the_process_changes_no_byte() -> None:
    digests = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "7")
    ]
    assert len(digests[0]) == 65
    assert len(set(digests)) == 1
