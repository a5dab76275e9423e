"""Why a journey reaches a person or does not: what `streams why` and a worker's `/why` answer.

Every answer has one code: of decisions.OUTCOMES, or of STANDINGS where nothing was to be decided.
"""

from typing import Any

from msgspec import Struct

from streams.contract.decisions import OUTCOMES, Candidate

# Code -> what it means. Together with OUTCOMES this is a closed list.
STANDINGS: dict[str, str] = {
    "INSIDE": "the person is in this journey and waits for its next step",
    "RULE_FALSE": "the entry condition does not hold",
    "NEEDS_EVENT": "nothing stands against it; the journey begins with an event",
    "NOT_WATCHED": "no daily check, for the person has not been active for long",
    "FORWARDED": "this id was merged into another person",
    "UNKNOWN_USER": "nothing was ever seen of this id",
}
CODES: dict[str, str] = {**OUTCOMES, **STANDINGS}
WOULD_SEND = ("SENT", "QUIET_DEFERRED", "AWAITING_STAFF", "SHADOWED")


class Term(Struct, omit_defaults=True):
    """A part of a condition with the values it saw, None where one is missing; `durations` names
    those that are milliseconds. `holds` None: it asks for the event, which has not come."""

    text: str
    seen: dict[str, Any]  # plain numbers, texts, booleans and None
    holds: bool | None
    durations: list[str] = []


class Condition(Struct, omit_defaults=True):
    """`any_of`: one of the terms is enough; else all must hold."""

    terms: list[Term]
    holds: bool | None
    any_of: bool = False


class Stay(Struct, omit_defaults=True):
    """Where the person is in the journey. `until_ms`: when the step is due, of a wait for an event
    its deadline; `waits_on`: the types of event that end it earlier."""

    version: int
    step: str
    kind: str
    entered_ms: int
    until_ms: int
    waits_on: list[str] = []
    key: str = ""


class Last(Struct, omit_defaults=True):
    """The last decision about this person and journey."""

    outcome: str
    decided_ms: int  # to the second


class Gates(Struct, omit_defaults=True):
    """What the policy would say now about the journey's next step that sends, `later`: which lies
    behind a wait. `seen`: the values of the gate that refused; `next_ms`: when it would not;
    `release_ms`: when what is sent now would go out. `left_fen`: by account, the money of the
    person's partition."""

    code: str
    step: str
    later: bool = False
    arm: str = ""
    channel: str = ""
    seen: dict[str, float] = {}
    next_ms: int = 0
    release_ms: int = 0
    arms: list[Candidate] = []
    left_fen: dict[str, int] = {}


class Why(Struct, kw_only=True, omit_defaults=True):
    """`code`: the first that stands against it, in the order in which the engine asks. `next_ms`:
    when that will be over, 0 where it cannot be known; `check_ms`: when a journey of the daily
    check asks next. `control`: the control group the person is in. `zone`: the person's."""

    user_id: str
    code: str
    at_ms: int
    zone: str = "UTC"
    journey: str = ""
    version: int = 0
    title: str = ""
    status: str = ""
    purpose: str = ""
    on: list[str] = []
    next_ms: int = 0
    check_ms: int = 0
    seen: dict[str, float] = {}
    entry: Condition | None = None
    guard: Condition | None = None
    inside: list[Stay] = []
    last: Last | None = None
    gates: Gates | None = None
    control: str = ""
    safety_paused_ms: int = 0  # since when the safety rules keep marketing back
    forwarded_to: str = ""
