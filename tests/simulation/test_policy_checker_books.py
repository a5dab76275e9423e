"""The power of the policy checker over what only shows beside something else: leases, control
groups, pauses, missing decisions, what erasures leave behind.
"""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from streams.contract.codec import encode
from streams.contract.decisions import Candidate, Decision
from streams.contract.policy import Cap
from streams.contract.records import Mail, Origin, Tick
from streams.contract.topics import DECISIONS, MAIL, PROFILES
from streams.contract.triggers import Experiment
from streams.fold import Output
from streams.simulation.policy_checker import check_policy
from tests.engine.journeys import CART, journey
from tests.engine.world import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    NOON_MS,
    alias_in,
    altered,
    with_policy,
)
from tests.simulation.forging import (
    CHEAP,
    CREDIT,
    ERASED,
    LOOSE,
    PLAIN,
    Claim,
    besides,
    forged,
    found,
    last_profile,
    never_late,
    part_of,
    played,
)
from tests.simulation.histories import Storm


def letter(kind: str, *values: Any) -> Output:
    body = {"from": 0, "message": [kind, *values]}
    mail = Mail(NOON_MS, Origin(MAIL, 0, 0, 999), "budget", "", "", body, to=0)
    return Output(MAIL, b"0", encode(mail))


def test_money_is_found_that_was_spent_or_leased_beyond_what_the_mails_say() -> None:
    world = played()
    day = 20_728
    good = besides(part_of(world), *forged(world, kind="coupon", coupon=CHEAP))
    spent = letter("report", "policy", day, 1, 1, NOON_MS, 300, 0, 0, 0, 0, 0, 0, 0)
    for told, words in (
        (spent, "400 fen were spent, 300 were leased"),
        (letter("report", "policy", day, 1, 1, NOON_MS, 900, 0, 500, 500, 0, 0, 0, 0), "told that"),
        (letter("lease", "policy", day, 1, 3_001, 1, "", 0, 0, 0, False), "3001 fen are leased"),
    ):
        more = good._replace(outputs={**good.outputs, MAIL: [told]})
        assert any(words in fault for fault in check_policy([more])), words


def drawn(decision: Decision, **changes: Any) -> Decision:
    """The decision where a tenth of all is held out."""
    candidates = [Candidate("send", 0.9), Candidate("hold", 0.1)]
    return replace(decision, **{"propensity": 0.9, "candidates": candidates, **changes})


GROUPED = never_late(altered(LOOSE, journeys=(journey(CART, holdout={"share": 0.1}),)))


def shown(world: Storm, *, hours_ago: int = 0, **changes: Any) -> list[Claim]:
    """A forged trigger where a tenth of all is held out."""
    experiment = Experiment("send", 0.9, holdout=False)
    trigger, entered, decision, ended = forged(world, hours_ago=hours_ago, experiment=experiment)
    assert isinstance(decision, Decision)
    return [trigger, entered, drawn(decision, **changes), ended]


def test_a_trigger_to_whom_was_held_out_before_is_found() -> None:
    world = played(config=GROUPED)
    assert found(world, *shown(world, hours_ago=3), *shown(world)) == []
    _, entered, decision, ended = shown(world, hours_ago=3)
    assert isinstance(decision, Decision)
    held = replace(
        decision, outcome="HOLDOUT_JOURNEY", trigger_id="", arm="hold", channel="", propensity=0.1
    )
    assert found(world, entered, held, ended) == []
    faults = found(world, entered, held, ended, *shown(world))
    assert len(faults) == 1
    assert "is outside the control group ('journey', 'cart_rescue', 0.1), and was in" in faults[0]


def test_a_trigger_to_whom_the_profile_says_to_be_held_out_is_found() -> None:
    config = with_policy(GROUPED, global_holdout=0.1)
    config = altered(config, journeys=(replace(config.journeys[0], holdout=OPEN_TO_ALL),))
    world = played(config=config)
    profile = last_profile(world, b"ann")
    assert not profile.holdout
    told = replace(profile, holdout=True, updated_at_ms=world.now_ms)
    assert any("is in the control group" in fault for fault in found(world, told))
    assert found(world, *shown(world)) == []


OPEN_TO_ALL = journey(CART).holdout


def test_chances_that_are_not_exact_are_found() -> None:
    world = played(config=GROUPED)
    send, hold = Candidate("send", 0.9), Candidate("hold", 0.1)
    for candidates, words in (
        ([replace(send, propensity=0.9 + 1e-8), hold], "sum to 1.00000001"),
        ([send], "sum to 0.9"),
        ([replace(send, propensity=0.8), replace(hold, propensity=0.2)], "propensity of 0.2, not"),
        ([replace(send, refused_by="CAP_GAP"), hold], "refused has a propensity"),
        ([replace(send, arm="other"), hold], "'send' was drawn, which had no chance"),
        ([replace(send, propensity=-0.1), replace(hold, propensity=1.1)], "not within 0 and 1"),
    ):
        faults = found(world, *shown(world, candidates=candidates))
        assert any(words in fault for fault in faults), (words, faults)
    faults = found(world, *shown(world, propensity=0.8))
    assert any("its propensity is 0.8, its arm's 0.9" in fault for fault in faults)


def test_what_is_sent_or_entered_in_a_pause_is_found() -> None:
    for name in ("cart_rescue", "*"):
        world = played()
        before = forged(world)
        world.wait(MINUTE_MS)
        world.command("pause", name)
        assert found(world, *before) == []
        world.wait(HOUR_MS)
        world.feed(0, Tick(at_ms=world.now_ms))
        faults = found(world, *forged(world))
        assert any("its journey is paused" in fault for fault in faults)
        assert any("entered a journey that is paused" in fault for fault in faults)
        world.command("resume", name)
        world.wait(MINUTE_MS)
        world.feed(0, Tick(at_ms=world.now_ms))
        assert found(world, *forged(world)) == []


def test_what_a_new_version_paused_and_a_command_without_report_are_found() -> None:
    world = played()
    world.publish(replace(PLAIN.journeys[0], version=2, status="retired"))
    world.wait(MINUTE_MS)
    world.feed(0, Tick(at_ms=world.now_ms))
    assert any("its journey is paused" in fault for fault in found(world, *forged(world)))
    part = part_of(world)
    silent = part._replace(outputs={**part.outputs, "reports": []})
    assert any("there is no report of it" in fault for fault in check_policy([silent]))


def test_a_policy_counts_from_its_place_in_the_log() -> None:
    world = played()
    changed = replace(PLAIN.policy, version=2, caps=(Cap(most=0, window_ms=DAY_MS),))
    early = forged(world)
    world.wait(MINUTE_MS)
    world.command("policy", "policy", msgspec.to_builtins(changed), 2)
    world.wait(MINUTE_MS)
    world.feed(0, Tick(at_ms=world.now_ms))
    assert found(world, *early) == []
    assert any("the cap is 0" in fault for fault in found(world, *forged(world)))


def test_what_does_not_fit_together_is_found() -> None:
    world = played()
    trigger, entered, decision, ended = forged(world)
    assert isinstance(decision, Decision)
    assert isinstance(entered, Decision)
    inside_claims = [trigger, entered, ended]
    for claims, words in (
        ([trigger, *inside_claims, decision], "stands there 2 times"),
        ([*inside_claims, decision, decision], "stands there 2 times"),
        (inside_claims, "has no decision"),
        ([entered, decision, ended], "is missing"),
        ([*inside_claims, replace(decision, outcome="QUIET_DEFERRED")], "its decision says"),
        ([*inside_claims, replace(decision, user_id="bob")], "its decision says"),
        ([replace(decision, outcome="FORGOTTEN", trigger_id="")], "'FORGOTTEN' is unknown"),
        ([replace(decision, trigger_id="")], "SENT with trigger ''"),
        ([*inside_claims, replace(decision, outcome="CAP_GAP")], "CAP_GAP with trigger"),
        ([trigger, decision, ended], "is not inside of that journey"),
        ([trigger, entered, decision, ended, replace(ended, decision_id="x")], "is not inside"),
        ([replace(entered, cause_event_id="x")], "its cause is no event of this person"),
        ([replace(entered, cause_event_id="history")], "its cause is a backfill"),
    ):
        assert any(words in fault for fault in found(world, *claims)), words
    late = replace(world.config.journeys[0], entry=journey(CART).entry)
    world = played(config=altered(PLAIN, journeys=(late,)))
    assert any("6h is allowed" in fault for fault in found(world, *forged(world)))


def test_decisions_that_are_missing_are_found_by_the_counts_and_by_who_is_inside() -> None:
    world = played(CREDIT, ("cart.added", {"item_id": "pot"}))
    world.see("ann", "cart.added", {"item_id": "cup"}, time_ms=world.now_ms)
    (good,) = world.dumped()
    assert check_policy([good]) == []
    assert good.inside == 2
    decided = good.outputs[DECISIONS]
    for gone, one in enumerate(decided):
        left = [*decided[:gone], *decided[gone + 1 :]]
        faults = check_policy([good._replace(outputs={**good.outputs, DECISIONS: left})])
        assert any("journey." in fault and "decisions" in fault for fault in faults), one
    faults = check_policy([good._replace(inside=0)])
    assert faults == [
        "partition 0: 2 instances of journeys have begun and not ended, 0 are in the state"
    ]


def test_an_erasure_without_the_end_of_what_the_person_was_inside_of_is_found() -> None:
    world = played(("cart.added", {"item_id": "pot"}), ERASED)
    (good,) = world.dumped()
    assert "ERASED" in world.outcomes
    assert check_policy([good]) == []
    left = [one for one in good.outputs[DECISIONS] if b"ERASED" not in (one.value or b"")]
    faults = check_policy([good._replace(outputs={**good.outputs, DECISIONS: left})])
    assert any("ann was erased, cart_rescue of event-" in fault for fault in faults)


def test_what_an_erasure_leaves_behind_is_found() -> None:
    world = played(ERASED, ("user.followed", {}))
    good = part_of(world)
    assert good.rows is not None
    assert check_policy([good]) == []
    profiles = [record for record in good.outputs[PROFILES] if record.value is not None]
    kept = good._replace(outputs={**good.outputs, PROFILES: profiles})
    assert check_policy([kept]) == ["partition 0: profile of b'ann': no tombstone"]
    row = good._replace(rows={**good.rows, b"u:ann": b""})
    assert any("state row" in fault for fault in check_policy([row]))
    profile = last_profile(world, b"ann.1")
    for changes, words in (
        ({"first_seen_ms": profile.first_seen_ms - MINUTE_MS}, "60000 ms too early"),
        ({"events": profile.events + 3}, f"has {profile.events + 3} events, 1 are known"),
        ({"user_id": "ann", "updated_at_ms": world.now_ms}, "its person is erased"),
    ):
        assert any(words in fault for fault in found(world, replace(profile, **changes))), words


def test_a_log_without_its_beginning_cannot_be_checked() -> None:
    good = part_of(played())
    with pytest.raises(ValueError, match="begins with its genesis record"):
        check_policy([good._replace(log=good.log[1:])])
    world = Storm(altered(PLAIN, partitions=2))
    world.see(alias_in(1, 2), "identity.linked", {"other": alias_in(0, 2)})
    while world.deliver():
        pass
    assert check_policy(world.dumped()) == []
    assert "no given log handed over" in check_policy(world.dumped()[1:])[0]
