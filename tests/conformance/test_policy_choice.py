"""Control groups, the draw of an arm with its probabilities, and who goes first at one moment."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.contract.policy import Cap, Control, Pause, Policy, Safety
from streams.engine.control_groups import in_global_holdout, in_journey_holdout
from streams.engine.journeys.journey import Due, Proposal
from tests.conformance.desk import DAY_MS, HOUR_MS, NOTHING, OPEN, REMIND, Desk, coupon


def desk(**policy: object) -> Desk:
    return Desk(replace(OPEN, **policy))


# Control groups.


def test_a_control_group_gets_a_ghost_decision_with_its_propensity() -> None:
    at = desk(global_holdout=0.2)
    outcomes = [at.ask(who=f"p{number}", holdout=0.5) for number in range(300)]
    assert {one.propensity for one in at.settled if one.arm == "remind"} == {0.4}
    assert {one.propensity for one in at.settled if one.arm == "hold"} == {0.6}
    assert 40 <= outcomes.count("HOLDOUT_GLOBAL") <= 85
    assert 90 <= outcomes.count("HOLDOUT_JOURNEY") <= 150
    held = next(decision for decision in at.decisions if decision.arm == "hold")
    assert [(one.arm, one.propensity) for one in held.candidates] == [
        ("remind", 0.4),
        ("hold", 0.6),
    ]
    assert held.channel == "official_account"


def test_a_ghost_changes_nothing() -> None:
    at = desk(global_holdout=1.0)
    state = at.person().state
    before = msgspec.msgpack.encode(state)
    at.wallet.fen = 10
    assert at.ask(coupon(5_000), REMIND) == "HOLDOUT_GLOBAL"
    assert msgspec.msgpack.encode(state) == before
    assert (at.wallet.asked, at.wallet.spent, at.triggers) == (0, {}, [])
    assert at.decision.candidates[0].refused_by == "BUDGET_DAY"


def test_a_journey_may_leave_the_global_group_out() -> None:
    at = desk(global_holdout=1.0)
    assert at.ask(honours_global=False) == "SENT"
    assert at.settled[-1].propensity == 1.0


def test_who_could_not_be_addressed_anyway_is_in_no_control_group() -> None:
    at = desk(global_holdout=1.0, default_consent=False)
    assert at.ask() == "NO_CONSENT"
    assert at.settled[-1].arm == ""


def test_the_global_group_changes_with_its_period_and_not_within() -> None:
    policy = Policy(global_holdout=0.3, control=Control(rotate="30d"))
    at = Desk(policy)
    people = [at.person(f"p{number}") for number in range(200)]

    def group(now_ms: int) -> list[bool]:
        return [in_global_holdout(one, policy, b"seed", now_ms) for one in people]

    start_ms = 30 * DAY_MS * 690
    assert group(start_ms) == group(start_ms + 30 * DAY_MS - 1)
    assert group(start_ms) != group(start_ms + 30 * DAY_MS)
    assert 35 <= sum(group(start_ms + 30 * DAY_MS)) <= 85


def test_a_salt_draws_another_group_and_journeys_of_one_salt_share_it() -> None:
    at = desk()
    people = [at.person(f"p{number}") for number in range(200)]

    def group(journey: str, salt: str) -> list[bool]:
        return [in_journey_holdout(one, journey, 0.5, b"seed", salt) for one in people]

    assert group("a", "") != group("b", "")
    assert group("a", "q4") == group("b", "q4") != group("a", "")


# The draw.


def weighted(due: Due, passing: Sequence[int]) -> list[float]:
    weights = [due.arms[place].weight for place in passing]
    return [weight / sum(weights) for weight in weights]


ARMS = (
    NOTHING,
    REMIND,
    coupon(1_000, arm="ten", weight=2.0),
    coupon(9_000, arm="ninety", weight=0.5),
)


@given(
    arms=st.lists(st.sampled_from(range(4)), min_size=1, max_size=4, unique=True),
    everyone=st.sampled_from((0.0, 0.05, 0.5)),
    holdout=st.sampled_from((0.0, 0.1, 0.37)),
    fen=st.sampled_from((0, 2_000, 10_000)),
    name=st.text("abcdef", min_size=1, max_size=5),
)
@settings(max_examples=150, deadline=None)
def test_the_probabilities_of_a_draw_sum_to_1(
    arms: list[int], everyone: float, holdout: float, fen: int, name: str
) -> None:
    at = Desk(replace(OPEN, global_holdout=everyone), choose=weighted, fen=fen)
    (answer,) = at.decide(at.due(*(ARMS[place] for place in arms), who=name, holdout=holdout))
    assert sum(answer.propensities.values()) == pytest.approx(1.0, abs=1e-9)
    logged = at.decision.candidates
    assert sum(one.propensity for one in logged) == pytest.approx(1.0, abs=1e-9)
    assert answer.propensity == answer.propensities[answer.arm] > 0.0
    assert all((one.propensity == 0.0) == bool(one.refused_by) for one in logged)


def test_arms_are_drawn_as_often_as_their_probability_says() -> None:
    at = Desk(OPEN, choose=weighted)
    arms = (NOTHING, REMIND, ARMS[2])
    for number in range(1_200):
        at.decide(at.due(*arms, who=f"p{number}"))
    drawn = [one.arm for one in at.settled]
    assert 240 <= drawn.count("nothing") <= 360
    assert 540 <= drawn.count("ten") <= 660
    nothing = next(one for one in at.settled if one.arm == "nothing")
    assert (nothing.outcome, nothing.trigger_id) == ("CHOSE_NOTHING", "")


def test_the_same_decision_draws_the_same_arm() -> None:
    first, second = Desk(OPEN, choose=weighted), Desk(OPEN, choose=weighted)
    for at in (first, second):
        for number in range(20):
            at.decide(at.due(*ARMS, who=f"p{number}"))
    assert first.decisions == second.decisions
    assert first.triggers == second.triggers


def test_an_arm_the_person_is_not_meant_for_is_out() -> None:
    at = Desk(OPEN, choose=weighted)
    arms = (replace(REMIND, eligible=False), replace(ARMS[2], problem="TEMPLATE_ERROR"), NOTHING)
    assert at.ask(*arms) == "TEMPLATE_ERROR"
    assert [one.refused_by for one in at.decision.candidates] == [
        "NOT_ELIGIBLE",
        "TEMPLATE_ERROR",
        "",
    ]
    assert at.ask(arms[0]) == "NOT_ELIGIBLE"


def test_the_decision_is_the_log_that_off_policy_estimates_need() -> None:
    at = Desk(replace(OPEN, global_holdout=0.1), choose=weighted)
    at.decide(at.due(*ARMS[:3], who="p1", chooser="linucb"))
    decision = at.decision
    assert (decision.chooser, decision.features) == ("linucb", (1.0, 0.5))
    assert [(one.arm, one.cost_fen) for one in decision.candidates] == [
        ("nothing", 0),
        ("remind", 0),
        ("ten", 1_000),
        ("hold", 0),
    ]


def test_an_inline_test_s_arm_is_taken_and_outside_of_the_groups() -> None:
    at = Desk(replace(OPEN, global_holdout=1.0), choose=weighted)
    for arm in ("nothing", "remind", "ten", "hold"):
        at.decide(at.due(*ARMS[:3], forced=arm))
        assert at.settled[-1].arm == arm
    assert at.ask(replace(REMIND, problem="TEMPLATE_ERROR"), NOTHING, forced="remind") == (
        "TEMPLATE_ERROR"
    )


# One moment.


def test_of_two_proposals_of_one_moment_the_lower_number_wins() -> None:
    at = desk()
    late = at.due(name="late", priority=20)
    early = at.due(coupon(), name="early", priority=10)
    settled = at.decide(late, early)
    assert [(one.due.journey.name, one.outcome) for one in settled] == [
        ("early", "SENT"),
        ("late", "LOST_ARBITRATION"),
    ]
    assert [trigger.campaign for trigger in at.triggers] == ["early"]
    assert settled[1].arm == ""


def test_a_shadow_records_and_neither_sends_nor_stands_in_the_way() -> None:
    at = desk()
    state = at.person().state
    settled = at.decide(at.due(coupon(), name="a", shadow=True), at.due(name="b"))
    assert [one.outcome for one in settled] == ["SHADOWED", "SENT"]
    assert (settled[0].arm, settled[0].trigger_id, settled[0].cost_fen) == ("coupon", "", 0)
    assert [sent.journey for sent in state.sends] == ["b"]
    assert at.wallet.spent == {}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(range(4)),
            st.integers(1, 3),
            st.booleans(),
            st.sampled_from(("marketing", "service")),
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=60, deadline=None)
def test_each_due_step_ends_in_one_decision_and_one_answer(
    steps: list[tuple[int, int, bool, str]],
) -> None:
    at = Desk(replace(OPEN, global_holdout=0.3, caps=(Cap(most=1, per="24h"),)), fen=5_000)
    dues = [
        at.due(ARMS[arm], name=f"j{number}", priority=priority, shadow=shadow, purpose=purpose)
        for number, (arm, priority, shadow, purpose) in enumerate(steps)
    ]
    settled = at.decide(*dues)
    assert sorted(one.due.decision_id for one in settled) == sorted(due.decision_id for due in dues)
    assert [one.decision_id for one in at.decisions] == [one.due.decision_id for one in settled]
    assert len(at.triggers) <= 1
    assert sum(count for name, count in at.counts.items() if name[:8] == "outcome.") == len(dues)


# Safety.

UNFOLLOWS = Safety((Pause(rate_of="unfollow", above=0.1, per="24h", least=10),))


def lose(at: Desk, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        at.hear("user.unfollowed", who=f"p{number}")


def test_marketing_pauses_when_too_many_unfollow_until_somebody_resumes() -> None:
    at = desk(safety=UNFOLLOWS)
    for number in range(20):
        at.ask(who=f"p{number}")
    lose(at, 2)
    assert at.ask(who="new") == "SENT"
    lose(at, 1, start=2)
    assert at.ask(who="newer") == "JOURNEY_PAUSED"
    assert at.ask(who="newer", purpose="service") == "SENT"
    at.wait(30 * DAY_MS)
    assert at.ask(who="newer") == "JOURNEY_PAUSED", "it does not end by itself"
    at.stage.resume(at.now_ms)
    assert at.ask(who="newer") == "SENT"
    lose(at, 1, start=3)
    assert at.ask(who="newest") == "SENT", "the rules count anew"


def test_few_sends_and_people_who_got_nothing_do_not_pause() -> None:
    at = desk(safety=UNFOLLOWS)
    for number in range(9):
        at.ask(who=f"p{number}")
    lose(at, 9)
    assert at.ask(who="new") == "SENT"
    for number in range(100, 130):
        at.person(f"p{number}")
    lose(at, 30, start=100)
    assert at.stage.paused_ms == 0


def test_old_sends_leave_the_window() -> None:
    at = desk(safety=UNFOLLOWS)
    for number in range(20):
        at.ask(who=f"p{number}")
    at.wait(25 * HOUR_MS)
    for number in range(20, 29):
        at.ask(who=f"p{number}")
    lose(at, 5, start=20)
    assert at.stage.paused_ms == 0


def test_a_code_of_failed_sends_pauses_too() -> None:
    rule = Pause(rate_of="error", above=0.2, per="1h", least=10, codes=("43101",))
    at = desk(safety=Safety((rule,)))
    for number in range(12):
        at.ask(who=f"p{number}")
    for number, code in enumerate(("0", "45009", "43101", "43101", "43101")):
        at.hear("push.failed", {"trigger_id": "x", "code": code}, who=f"p{number}")
        assert bool(at.stage.paused_ms) == (number == 4)


def test_what_the_policy_has_counted_survives_a_restart() -> None:
    at, after = desk(safety=UNFOLLOWS), desk(safety=UNFOLLOWS)
    for number in range(20):
        at.ask(who=f"p{number}")
    lose(at, 2)
    at.stage.answered("wecom", "push.delivered")
    assert sorted(at.changed) == [b"p:channels", b"p:safety"]
    for key in at.changed:
        after.stage.load(key, at.stage.row(key))
        assert after.stage.row(key) == at.stage.row(key)
    after.people = at.people
    lose(after, 2, start=2)
    assert after.stage.paused_ms


def test_another_policy_is_in_force_at_once() -> None:
    at = desk()
    assert at.ask() == "SENT"
    at.stage.put(replace(OPEN, caps=(Cap(most=0, per="24h"),)))
    assert at.ask() == "CAP_PERSON"


def test_an_unknown_row_is_refused() -> None:
    with pytest.raises(ValueError, match="p:else"):
        desk().stage.load(b"p:else", b"\x02\x90")


def test_a_proposal_without_arms_that_send_chooses_nothing() -> None:
    at = desk()
    assert at.ask(NOTHING, Proposal(arm="silence")) == "CHOSE_NOTHING"
