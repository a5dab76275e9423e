"""What the journeys stage hands to the policy, and what comes back.

A journey never sends. A step that is due proposes one or more arms; the policy asks its gates about
each, lets the step's chooser draw among those that pass, and says how it ended. Every entry match
and every due step ends in exactly one decision.
"""

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct

from streams.contract.journeys import NOTHING
from streams.contract.policy import Cap
from streams.contract.triggers import Content, Contribution, Coupon, Kind, Message, Purpose
from streams.engine.moment import Moment
from streams.engine.state import Instance


class Proposal(Struct, kw_only=True, gc=False):
    """One arm: what it would send. An arm that sends nothing has no kind. `channels`: in the order
    of preference; empty means that the policy chooses. `messages`: the wording by channel, which
    goes before `message`. `problem` names why the arm cannot be sent
    whatever the policy says (TEMPLATE_ERROR), with `seen` for the record."""

    arm: str = NOTHING
    kind: Kind | None = None
    weight: float = 1.0
    eligible: bool = True  # by the arm's own condition
    channels: tuple[str, ...] = ()
    template_id: str = ""
    category: str = ""
    item_id: str = ""
    coupon: Coupon | None = None
    message: Message | None = None
    messages: dict[str, Message] = {}
    content: Content | None = None
    ad_id: str = ""
    personalised: bool = True
    problem: str = ""

    @property
    def cost_fen(self) -> int:
        return 0 if self.coupon is None else self.coupon.cost_fen


class Rules(NamedTuple):
    """What the policy asks of a journey, whatever its steps are."""

    name: str
    version: int
    purpose: Purpose
    priority: int  # the lowest number wins where several propose at one moment
    shadow: bool  # decides and records, never sends
    honours_global: bool  # the global control group
    holdout: float
    salt: str
    caps: tuple[Cap, ...]  # of this journey's own, on top of the policy's
    person_fen: int  # 0: none; most that may be spent on one person within person_ms
    person_ms: int
    has_budget: bool  # an account of its own beside the policy's
    exhausted: str  # drop_coupon | skip | exit


class Due(Struct, gc=False):
    """A step that is due now. `decision_id` is fixed by cause, journey, step and due time alone."""

    moment: Moment
    journey: Rules
    step: str
    decision_id: str
    cause_event_id: str
    arms: list[Proposal]
    chooser: str  # fixed | split | thompson | linear | linucb
    floor: float  # the least propensity of an arm that passes its gates
    expires_ms: int  # how long after its moment the send is pointless
    reason: str
    score: float
    top: list[Contribution]
    instance: Instance
    features: tuple[float, ...] = ()
    first: bool = False  # the first decision of this person's instance
    forced: str = ""  # the arm an inline test asks for


class Settled(NamedTuple):
    """How a due step ended: its outcome, the arm (`hold` for the control groups, empty where no
    arm was drawn) with the probability it was drawn with, and the trigger's mark if one went out.
    """

    due: Due
    outcome: str
    arm: str
    propensity: float
    propensities: Mapping[str, float]
    trigger_id: str
    channel: str
    cost_fen: int
