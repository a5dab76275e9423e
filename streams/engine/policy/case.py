"""One due step before the gates, with what they find out about it and about each of its arms."""

from msgspec import Struct, field

from streams.engine.entitlements import Right
from streams.engine.journeys.journey import Due, Proposal, Rules
from streams.engine.policy.purse import Purse
from streams.engine.policy.terms import Terms
from streams.engine.state import UserState


class Case(Struct, gc=False):
    """What is the same for all arms. `suspected`: of abuse, and why. `ghost`: of the control group,
    or in a shadow: nothing may change. `release_ms`: when it would go out; 0: not asked yet."""

    due: Due
    terms: Terms
    seed: bytes
    purse: Purse
    paused: bool
    state: UserState
    journey: Rules
    now_ms: int
    zone: str
    is_marketing: bool
    suspected: str = ""
    ghost: bool = False
    release_ms: int = 0


class Option(Struct, gc=False):
    """An arm: whether it may be sent, and how. `channels`: those still possible, the preferred one
    first; `channel`: the one that is used. `refused`: the code of the first gate that failed.
    `stands`: it passed the gates that people in and outside the control groups are asked alike.
    `next_ms`: when to ask again."""

    proposal: Proposal
    sends: bool
    cost_fen: int
    keeps_coupon: bool = True
    channels: list[str] = []
    channel: str = ""
    rights: dict[str, Right] = field(default_factory=dict)
    refused: str = ""
    stands: bool = False
    next_ms: int = 0
    seen: dict[str, float] = field(default_factory=dict)
