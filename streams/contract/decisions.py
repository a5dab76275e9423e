"""One record on `wechat.decisions` for each match of an entry condition and each due step.

`outcome` is closed: every decision ends in exactly one of `OUTCOMES`, nothing is decided silently.
"""

from msgspec import Struct

from streams.contract.triggers import Explanation

# Outcome -> what it means. The gates are asked in a fixed order; the first that fails names it.
# State remembers an outcome by its place here: new ones are appended, none is ever removed.
OUTCOMES: dict[str, str] = {
    "SENT": "a trigger was emitted",
    "QUIET_DEFERRED": "a trigger was emitted whose not_before_ms is the end of the quiet hours",
    "ENTERED": "the journey began and waits for its next step",
    "EXITED": "the journey ended before its next step: an exit event came",
    "REENTRY_BLOCKED": "the person is in this journey already or left it too recently",
    "BACKFILL": "the event is from a backfill: profiles learn from it, nobody is addressed",
    "NO_CONSENT": "no consent for this purpose and channel",
    "SUPPRESSED": "the person unfollowed, blocked us or said no to this kind of message",
    "NO_ADDRESS": "no channel reaches this person",
    "HOLDOUT_GLOBAL": "the person is in the global control group",
    "HOLDOUT_JOURNEY": "the person is in this journey's control group",
    "CAP_PERSON": "the person has had as many as the rolling cap allows",
    "CAP_CHANNEL": "the channel's rolling cap is reached",
    "CAP_GAP": "too soon after the last one",
    "EXPIRED": "would be released from quiet hours only after it has expired",
    "BUDGET_DAY": "this partition's budget of the day is spent",
    "LOST_ARBITRATION": "another proposal of the same moment had priority",
    "ERASED": "the person asked to be forgotten",
    "NO_ENTITLEMENT": "WeChat grants no message to this person by any channel that is left",
    "HOLIDAY": "marketing is silent on a public holiday",
    "BUDGET_TOTAL": "the whole budget is spent",
    "BUDGET_PERSON": "as much as the journey allows was spent on this person",
    "PACED": "today's money is kept for later in the day",
    "CHOSE_NOTHING": "the arm that sends nothing was drawn",
    "SHADOWED": "would have been sent, but the journey only watches",
    "JOURNEY_PAUSED": "the journey is paused, by its owners or by the safety rules",
    "TEMPLATE_ERROR": "the template has no wording that can be filled for this person",
    "NOT_ELIGIBLE": "the conditions of no arm hold for this person",
    "GUARD_FALSE": "the journey's standing condition does not hold any more",
    "LATE_ENTRY": "the event came too late to enter the journey",
    "BRANCHED": "a condition or split of the journey chose the way on",
    "TIMED_OUT": "the event that was waited for did not come in time",
    "EVENT_CAME": "the event that was waited for came",
    "COMPLETED": "the journey ended after its last step",
    "RESTARTED": "a new version of the journey began anew",
    "AWAITING_STAFF": "a trigger was emitted that a member of staff has to confirm",
    "JOURNEY_LIMIT": "the person is in as many journeys as are remembered",
    "ABUSE_SUSPECTED": "suspected of abuse: no coupon until cleared, or the mark ends",
}


class Candidate(Struct, omit_defaults=True):
    """An arm the decision was about, `hold` being that of the control groups, the empty one that of
    everybody else where all are refused: the probability it was drawn with, or the gate that
    refused it. The probabilities of one decision sum to 1."""

    arm: str
    propensity: float = 0.0
    refused_by: str = ""
    cost_fen: int = 0
    channel: str = ""


class Decision(Struct, kw_only=True, omit_defaults=True):
    decision_id: str
    user_id: str
    journey: str
    journey_version: int
    step: str
    outcome: str
    decided_at_ms: int
    cause_event_id: str
    arm: str = ""
    propensity: float = 1.0
    trigger_id: str = ""
    channel: str = ""
    cost_fen: int = 0
    score: float = 0.0
    next_eligible_at_ms: int = 0
    seen: dict[str, float] = {}  # the values the deciding gate saw
    explanation: Explanation | None = None
    tenant: str = "default"
    candidates: list[Candidate] = []
    features: tuple[float, ...] = ()  # what the chooser saw
    chooser: str = ""
