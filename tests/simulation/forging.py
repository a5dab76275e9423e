"""Triggers and decisions that the engine never made, put beside those it did."""

from typing import Any

from msgspec.structs import replace

from streams.contract.codec import decode, encode
from streams.contract.decisions import Decision
from streams.contract.policy import Cap, QuietHours
from streams.contract.profiles import Profile
from streams.contract.records import Tick
from streams.contract.topics import DECISIONS, PROFILES, TRIGGERS
from streams.contract.triggers import Coupon, Experiment, Explanation, Trigger
from streams.engine.config import Config
from streams.fold import Output
from streams.simulation.policy_checker import Partition, check_policy
from tests.engine.journeys import CART, journey, library
from tests.engine.world import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    OPEN,
    altered,
    with_policy,
)
from tests.simulation.histories import CONTENT, NUDGE, SERVICE, Storm


def never_late(config: Config) -> Config:
    """What happened yesterday may still begin a journey."""
    specs = [replace(spec, entry=replace(spec.entry, late="30d")) for spec in config.journeys]
    return altered(config, journeys=tuple(specs))


DAILY_FEN = 3_000
MONEY = {"total_fen": 5_000, "daily_fen": 4_000, "person": {"fen": 2_000, "per": "7d"}}
QUIET = QuietHours(jitter_ms=0, holidays=("2026-10-03",), on_holiday="defer")
PLAIN = never_late(
    altered(
        with_policy(
            OPEN,
            default_consent=False,
            daily_budget_fen=DAILY_FEN,
            quiet=QUIET,
            caps=(Cap(most=1, per="calendar day"), Cap(most=2, window_ms=3 * DAY_MS)),
        ),
        journeys=(
            journey(CART, budget=MONEY, limits={"caps": [{"max": 1, "per": "2d"}]}),
            journey(NUDGE, status="shadow", id="shadow"),
            journey(SERVICE),
        ),
        content=library(CONTENT),
    )
)
LOOSE = altered(
    with_policy(PLAIN, caps=(Cap(most=9, window_ms=DAY_MS),), gap_ms=0, daily_budget_fen=50_000),
    journeys=(
        journey(CART, budget={"total_fen": 5_000}, entry={"on": "cart.added", "late": "30d"}),
    ),
)
News = tuple[str, dict[str, Any]]
CREDIT: News = ("subscription.credit_granted", {"template_id": "nudge"})
ERASED: News = ("user.erasure_requested", {})
CHEAP = Coupon("FOUR", 400, 400)

Claim = Trigger | Decision | Profile


def played(*news: News, config: Config = PLAIN) -> Storm:
    """Ann follows and allows, bob follows only; the news of ann follow, and a day of ticks. Ann is
    inside of the journey that is forged, by her follow."""
    world = Storm(config)
    world.see("ann", "page.viewed", id="history", backfill=True)
    world.see("ann", "user.followed", id="follow")
    world.see("ann", "consent.granted")
    world.see("bob", "user.followed", id="bobs")
    for kind, data in news:
        world.wait(MINUTE_MS)
        world.see("ann", kind, data)
    for _ in range(24):
        world.wait(HOUR_MS)
        world.feed(0, Tick(at_ms=world.now_ms))
    return world


def forged(world: Storm, *, hours_ago: int = 0, **changes: Any) -> tuple[Claim, ...]:
    """A trigger to ann that keeps every rule but for the changes, with all that belongs to it."""
    at_ms = world.now_ms - hours_ago * HOUR_MS
    made = Trigger(
        trigger_id=f"forged {hours_ago}",
        kind="message",
        user_id="ann",
        channel="official_account",
        purpose="marketing",
        created_at_ms=at_ms,
        not_before_ms=at_ms,
        expires_at_ms=at_ms + 40 * DAY_MS,
        campaign="cart_rescue",
        campaign_version=1,
        decision_id=f"decided {hours_ago}",
        cause_event_id="follow",
        experiment=Experiment("send", 1.0, holdout=False),
        explanation=Explanation("CART_ABANDONED", 0.0, []),
        personalised=False,
    )
    trigger = replace(made, **changes)
    outcome = "SENT" if trigger.not_before_ms == trigger.created_at_ms else "QUIET_DEFERRED"
    decision = Decision(
        decision_id=trigger.decision_id,
        user_id=trigger.user_id,
        journey=trigger.campaign,
        journey_version=trigger.campaign_version,
        step="remind",
        outcome="AWAITING_STAFF" if trigger.awaits_staff else outcome,
        decided_at_ms=trigger.created_at_ms,
        cause_event_id=trigger.cause_event_id,
        trigger_id=trigger.trigger_id,
        channel=trigger.channel,
        cost_fen=trigger.coupon.cost_fen if trigger.coupon else 0,
        arm=trigger.experiment.arm,
        propensity=trigger.experiment.propensity,
    )
    entered = altered_decision(decision, "enters", "enter", "ENTERED")
    ended = altered_decision(decision, "ends", "exit", "COMPLETED")
    return trigger, entered, decision, ended


def altered_decision(decision: Decision, name: str, step: str, outcome: str) -> Decision:
    return replace(
        decision,
        decision_id=f"{name} {decision.decision_id}",
        step=step,
        outcome=outcome,
        trigger_id="",
        channel="",
        cost_fen=0,
        arm="",
        propensity=1.0,
    )


def found(world: Storm, *claims: Claim) -> list[str]:
    """What the checker says where these stand in the topics besides what the engine emitted."""
    return check_policy([besides(part_of(world), *claims)])


def part_of(world: Storm) -> Partition:
    return world.dumped()[0]._replace(counters=None, inside=None)


def last_profile(world: Storm, user_id: bytes) -> Profile:
    records = part_of(world).outputs[PROFILES]
    value = [one.value for one in records if one.key == user_id][-1]
    profile: Profile = decode(value or b"", Profile)
    return profile


def besides(partition: Partition, *claims: Claim) -> Partition:
    outputs = {topic: list(records) for topic, records in partition.outputs.items()}
    for claim in claims:
        topic = PROFILES if isinstance(claim, Profile) else DECISIONS
        if isinstance(claim, Trigger):
            topic = TRIGGERS[claim.kind]
        record = Output(topic, claim.user_id.encode(), encode(claim))
        outputs.setdefault(topic, []).append(record)
    return partition._replace(outputs=outputs)
