"""One record on `wechat.decisions` for each match of an entry condition and each due step.

`outcome` is closed: every decision ends in exactly one of `OUTCOMES`, nothing is decided silently.
"""

from msgspec import Struct

from streams.contract.triggers import Explanation

# Outcome -> what it means. The gates are asked in a fixed order; the first that fails names it.
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
}


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
