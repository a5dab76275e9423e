"""The trigger that goes out, and the mark by which an answer finds it."""

from streams.contract.triggers import Experiment, Explanation, Trigger
from streams.engine.config import Config
from streams.engine.journeys.journey import Due
from streams.engine.policy.case import Case, Option
from streams.engine.profile.consent import deciding


def trigger_of(
    case: Case,
    option: Option,
    channel: str,
    *,
    propensity: float,
    trigger_id: str,
    personalised: bool,
    config: Config,
) -> Trigger:
    due, journey, moment, arm = case.due, case.journey, case.due.moment, option.proposal
    said = deciding(case.state, journey.purpose, channel)
    assert arm.kind is not None, "only an arm that sends is drawn to be sent"
    return Trigger(
        trigger_id=trigger_id,
        kind=arm.kind if option.keeps_coupon or arm.kind != "coupon" else "message",
        user_id=moment.person.user_id,
        channel=channel,  # type: ignore[arg-type]
        purpose=journey.purpose,
        created_at_ms=case.now_ms,
        not_before_ms=case.release_ms,
        expires_at_ms=case.now_ms + due.expires_ms,
        campaign=journey.name,
        campaign_version=journey.version,
        decision_id=due.decision_id,
        cause_event_id=due.cause_event_id,
        experiment=Experiment(arm.arm, propensity, holdout=False),
        explanation=explanation(due),
        tenant=config.tenant,
        brand=moment.brand or config.brand,
        personalised=personalised,
        consent_version=said.version if said is not None else "",
        coupon=arm.coupon if option.keeps_coupon else None,
        message=arm.messages.get(channel, arm.message),
        content=arm.content,
        ad_id=arm.ad_id,
        awaits_staff=bool(option.rights[channel].needs),
    )


def explanation(due: Due) -> Explanation:
    return Explanation(due.reason, due.score, due.top)


def mark_of(trigger_id: str) -> int:
    """32 bits by which an answer finds the person's send; 0 for what is no id of ours."""
    try:
        return int(trigger_id[:8], 16)
    except ValueError:
        return 0
