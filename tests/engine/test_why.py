"""Why somebody gets something or nothing: the first that stands against it, and asking is free."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contract.codec import encode
from streams.contract.records import Tick
from streams.contract.why import CODES, WOULD_SEND, Why
from streams.engine.fold import EngineFold
from streams.engine.why import UnknownJourneyError
from streams.fold import Output, Row
from tests.engine.journeys import CART, CHURN, LOOPED, journey
from tests.engine.test_determinism import CONFIG, KINDS, PEOPLE, Step, live, steps
from tests.engine.world import DAY_MS, HOUR_MS, MINUTE_MS, OPEN, World, altered, with_policy

# Entered at the daily check, without a score that the check itself would move.
DAILY = """
id = "daily"
version = 1
title = "每日"
status = "live"
[entry]
on = "daily.check"
where = "profile.silence > 20m and profile.events > 1"
guard = "not has_tag('staff')"
reentry = { cooldown = "20h" }
[holdout]
share = 0.2
[budget]
daily_fen = 9000
[[step]]
id = "who"
if = "profile.orders > 0"
then = "thank"
else = "offer"
[[step]]
id = "offer"
decide = "split"
expire = "5h"
goto = "exit"
  [[step.arm]]
  id = "nothing"
  [[step.arm]]
  id = "coupon"
  weight = 2.0
  coupon = "WINBACK10"
  template = "cart_remind_v1"
[[step]]
id = "thank"
send = { template = "cart_remind_v1" }
"""
CHECKED = altered(
    with_policy(CONFIG, daily_budget_fen=20_000, global_holdout=0.1, default_consent=True),
    journeys=(journey(CART), journey(LOOPED), journey(DAILY)),
    timers_per_record=64,
)


def ask(world: World, user: str, name: str | None = None) -> Why:
    """The answer about the journey, the first of the world's where none is named."""
    name = name or world.config.journeys[0].id
    answers = [world_fold.why(user, name, world.now_ms) for world_fold in world.folds]
    return answers[0][-1]


def greeted(world: World) -> World:
    """Somebody who follows, has looked round, and is reachable."""
    world.see("ann", "user.followed")
    world.see("ann", "product.viewed", {"item_id": "i", "category": "tea"})
    return world


def folded(log: Sequence[bytes], partition: int, *, asks: bool) -> tuple[list[Output], list[Row]]:
    """Outputs, and all rows of all commits in their order."""
    fold = EngineFold(partition, users_in_memory=2)
    outputs: list[Output] = []
    rows: list[Row] = []
    for number, raw in enumerate(log):
        outputs += fold.handle(raw)
        if asks:
            for alias in PEOPLE:
                fold.why(alias, None, fold.now_ms + number % 3 * DAY_MS)
        if number % 7 == 6 or number == len(log) - 1:
            rows += fold.changed_rows()
    return outputs, rows


@given(history=steps)
@settings(max_examples=20, deadline=None)
def test_asking_changes_no_row_and_no_later_output(history: list[Step]) -> None:
    world = live(history, CHECKED)
    for partition, log in enumerate(world.logs):
        assert folded(log, partition, asks=True) == folded(log, partition, asks=False)


@given(history=steps, hours=st.integers(0, 72))
@settings(max_examples=25, deadline=None)
def test_what_it_says_of_a_daily_journey_is_what_the_next_check_decides(
    history: list[Step], hours: int
) -> None:
    greeted = [(alias, kind, 1, 0) for alias in PEOPLE for kind in ("user.followed", KINDS[2])]
    world = live([*greeted, *history], CHECKED)
    world.command("resume", "*")
    world.wait(hours * HOUR_MS)
    for _ in range(20):
        agreed_at_the_next_timer(world)
        world.deliver()


def agreed_at_the_next_timer(world: World) -> None:
    timers = [(fold.next_due_ms(), place) for place, fold in enumerate(world.folds)]
    due, place = min(((ms, place) for ms, place in timers if ms is not None), default=(0, 0))
    if not due:
        return  # nobody is watched any more
    fold = world.folds[place]
    answers = {}
    for alias in PEOPLE:
        found = fold.why(alias, "daily", due)[-1]
        if found.journey and found.check_ms == due:
            answers[found.user_id] = found
    world.now_ms = max(world.now_ms, due)
    before = len(world.decisions)
    world.feed(place, Tick(at_ms=world.now_ms))
    made = world.decisions[before:]
    for user_id, found in answers.items():
        ours = [one for one in made if one.user_id == user_id and one.journey == "daily"]
        steps_of = {one.step: one for one in ours if one.step in ("enter", "offer", "thank")}
        if found.code in ("RULE_FALSE", "INSIDE"):
            assert not ours or ours[0].outcome == "REENTRY_BLOCKED"
        elif found.code in ("JOURNEY_PAUSED", "REENTRY_BLOCKED", "JOURNEY_LIMIT", "GUARD_FALSE"):
            # A pause is told before the condition, which the check asks first.
            assert [one.outcome for one in ours] in ([found.code], [])
        else:
            assert found.gates is not None
            decided = steps_of[found.gates.step]
            if decided.outcome == "LOST_ARBITRATION":
                assert found.code in WOULD_SEND
                continue
            assert decided.outcome == found.code
            assert decided.channel == found.gates.channel or found.code not in WOULD_SEND
            assert decided.seen == found.gates.seen
            assert decided.candidates == found.gates.arms


def test_somebody_who_got_a_message_is_told_when_they_may_get_the_next() -> None:
    world = greeted(World())
    world.see("ann", "cart.added", {"item_id": "i"})
    world.wait(HOUR_MS)
    found = ask(world, "ann")
    assert found.last is not None
    assert found.last.outcome == "SENT"
    assert (found.code, found.next_ms) == ("REENTRY_BLOCKED", world.now_ms + 23 * HOUR_MS)
    assert found.gates is not None
    assert found.gates.code == "CAP_PERSON"
    assert found.gates.seen == {"sent": 1.0, "most": 1.0}
    assert found.gates.next_ms == world.now_ms - 30 * MINUTE_MS + DAY_MS + 1


def test_somebody_inside_is_told_the_step_and_until_when_it_waits() -> None:
    world = greeted(World())
    world.see("ann", "cart.added", {"item_id": "i"})
    found = ask(world, "ann")
    assert found.code == "INSIDE"
    assert [(stay.step, stay.kind, stay.until_ms) for stay in found.inside] == [
        ("cool", "wait", world.now_ms + 30 * MINUTE_MS)
    ]
    assert found.gates is not None
    assert (found.gates.code, found.gates.step, found.gates.later) == ("SENT", "remind", True)


def test_a_condition_that_does_not_hold_is_told_with_its_values() -> None:
    world = greeted(World(altered(OPEN, journeys=(journey(CHURN),))))
    found = ask(world, "ann")
    assert found.code == "RULE_FALSE"
    assert found.entry is not None
    assert [(term.text, term.seen, term.holds) for term in found.entry.terms] == [
        ("score('churn') >= 0.6", {"score('churn')": 0.0}, False)
    ]
    assert found.check_ms > world.now_ms


def test_a_term_about_the_event_waits_for_it_and_the_others_are_asked_now() -> None:
    where = "data.category == 'tea' and profile.orders >= 1"
    entry = {"on": "product.viewed", "where": where}
    world = greeted(World(altered(OPEN, journeys=(journey(CART, entry=entry),))))
    found = ask(world, "ann")
    assert found.code == "RULE_FALSE"
    assert found.entry is not None
    assert [term.holds for term in found.entry.terms] == [None, False]
    world.see("ann", "order.paid", {"order_id": "o", "amount_fen": 900})
    found = ask(world, "ann")
    assert found.code == "NEEDS_EVENT"
    assert found.entry is not None
    assert found.entry.holds is None


def test_of_alternatives_one_that_the_event_may_meet_is_enough() -> None:
    where = "data.category == 'silk' or profile.orders >= 1"
    entry = {"on": "product.viewed", "where": where}
    world = greeted(World(altered(OPEN, journeys=(journey(CART, entry=entry),))))
    found = ask(world, "ann")
    assert found.code == "NEEDS_EVENT"
    assert found.entry is not None
    assert (found.entry.any_of, found.entry.holds) == (True, None)


def test_the_wording_of_a_message_about_the_event_does_not_stand_against_it() -> None:
    send = {"id": "show", "send": {"show": "entry"}}
    world = greeted(World(altered(OPEN, journeys=(journey(CART, step=[send]),))))
    assert ask(world, "ann").code == "NEEDS_EVENT"


def test_the_control_group_is_said_plainly() -> None:
    world = greeted(World(with_policy(OPEN, global_holdout=1.0)))
    found = ask(world, "ann")
    assert (found.code, found.control) == ("HOLDOUT_GLOBAL", "HOLDOUT_GLOBAL")


def test_who_never_said_yes_is_told_so_before_anything_else() -> None:
    world = greeted(World(with_policy(OPEN, default_consent=False, global_holdout=1.0)))
    assert ask(world, "ann").code == "NO_CONSENT"


def test_a_paused_journey_is_told_first() -> None:
    world = greeted(World())
    world.command("pause", "cart_rescue")
    found = ask(world, "ann")
    assert (found.code, found.status) == ("JOURNEY_PAUSED", "paused")


def test_a_budget_that_is_spent_is_told_with_what_is_left() -> None:
    coupon = {"id": "offer", "send": {"coupon": "WINBACK10"}}
    config = with_policy(OPEN, daily_budget_fen=900)
    world = greeted(World(altered(config, journeys=(journey(CART, step=[coupon]),))))
    found = ask(world, "ann")
    assert found.code == "BUDGET_DAY"
    assert found.gates is not None
    assert found.gates.left_fen == {"policy": 225}  # the lease of a quarter a purse begins with
    assert found.gates.seen["cost_fen"] == 1_000.0


def test_an_id_nobody_is_known_by_is_unknown() -> None:
    assert [one.code for one in World().folds[0].why("nobody")] == ["UNKNOWN_USER"]


def test_an_id_that_was_merged_tells_into_whom_and_answers_for_them() -> None:
    world = greeted(World())
    world.see("bob", "product.viewed", {"item_id": "i"})
    world.see("ann", "identity.linked", {"other": "bob"})
    first, *others = world.folds[0].why("bob", None, world.now_ms)
    assert (first.code, first.user_id, first.forwarded_to) == ("FORWARDED", "bob", "ann")
    assert [one.user_id for one in others] == ["ann", "ann"]


def test_an_erased_person_is_told_to_be_erased_until_somebody_comes_back() -> None:
    world = greeted(World())
    world.see("ann", "user.erasure_requested")
    assert [one.code for one in world.folds[0].why("ann")] == ["ERASED"]
    world.wait(HOUR_MS)
    world.see("ann", "user.followed")
    assert {one.user_id for one in world.folds[0].why("ann")} == {"ann.1"}


def test_a_journey_nobody_published_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownJourneyError, match="cart_rescue, churn_coupon"):
        World().folds[0].why("ann", "carts")


def test_a_person_silent_for_long_is_not_checked_daily() -> None:
    where = {"on": "daily.check"}
    world = greeted(World(altered(OPEN, journeys=(journey(CHURN, entry=where),))))
    world.wait(60 * DAY_MS)
    found = ask(world, "ann")
    assert found.check_ms == 0
    assert found.code in ("NOT_WATCHED", "NO_ADDRESS", "NO_ENTITLEMENT", "REENTRY_BLOCKED")


@given(history=steps)
@settings(max_examples=10, deadline=None)
def test_every_answer_is_of_the_closed_list(history: list[Step]) -> None:
    world = live(history)
    for fold in world.folds:
        for alias in PEOPLE:
            for found in fold.why(alias, None, world.now_ms):
                assert found.code in CODES
                assert encode(found)
