"""What a journey is: who enters it, what it waits for, what ends it, and what it proposes.

A journey never sends. It proposes; the policy decides. Journeys written as files will be
instances of another class with the same shape. Every entry match and every due step ends in
exactly one decision.
"""

from typing import NamedTuple, Protocol

from msgspec import Struct

from streams.contract.triggers import Content, Contribution, Coupon, Kind, Message, Purpose
from streams.engine.moment import Moment
from streams.engine.state import Waiting


class Step(NamedTuple):
    name: str
    wait_ms: int  # before it, after the entry or the step before


class Proposal(Struct, kw_only=True, gc=False):
    """What a journey would like to send, and why: a reason code and what spoke for it most."""

    reason: str
    score: float = 0.0
    top: list[Contribution] = []
    category: str = ""
    coupon: Coupon | None = None
    message: Message | None = None
    content: Content | None = None


class Journey(Protocol):
    """Settings, then the questions asked of it. `on` and `exits` name types or DAILY_CHECK."""

    name: str
    enabled: bool
    version: int
    kind: Kind
    purpose: Purpose
    priority: int  # the lowest number wins where several propose at one moment
    holdout: float
    cooldown_ms: int
    expires_ms: int
    on: tuple[str, ...]
    exits: tuple[str, ...]
    steps: tuple[Step, ...]

    def enter(self, moment: Moment) -> bool:
        """The entry condition, asked at events of a type in `on`. May note the moment's score."""

    def leave(self, moment: Moment, waiting: Waiting) -> bool:
        """Whether the event ends the wait, asked at events of a type in `exits`."""

    def propose(self, moment: Moment, waiting: Waiting | None) -> Proposal:
        """What the step proposes; `waiting` is None at a first step without a wait."""


class Due(NamedTuple):
    """A step that is due now. `decision_id` is fixed by cause, journey, step and due time alone."""

    journey: Journey
    step: str
    decision_id: str
    cause_event_id: str
    proposal: Proposal
