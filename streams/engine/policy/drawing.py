"""What became of a due step: its arms behind the gates, and what its record tells of them."""

from collections.abc import Callable, Sequence
from typing import Final

from streams.contract.decisions import Candidate
from streams.contract.journeys import HOLD
from streams.engine.journeys.journey import Proposal
from streams.engine.policy.case import Case, Option

NO_ARM: Final = ""  # where all are refused, nobody outside the control groups gets one
Gate = Callable[[Case, Option], str]


class Drawn:
    """What became of a due step: the chosen option, if any, and the probabilities of all arms."""

    __slots__ = ("arm", "case", "hold", "option", "options", "outcome", "propensities")

    def __init__(self, case: Case, options: list[Option]) -> None:
        self.case = case
        self.options = options
        self.option: Option | None = None  # of those that send
        self.outcome = ""
        self.arm = ""
        self.hold = 0.0
        self.propensities: dict[str, float] = {}


def option_of(arm: Proposal) -> Option:
    option = Option(arm, arm.kind is not None, arm.cost_fen)
    if option.sends and not arm.eligible:
        option.refused = "NOT_ELIGIBLE"
    elif arm.problem:
        option.refused = arm.problem
    return option


def candidates(drawn: Drawn) -> list[Candidate]:
    odds = drawn.propensities
    found = [
        Candidate(
            option.proposal.arm,
            odds.get(option.proposal.arm, 0.0),
            option.refused,
            option.cost_fen,
            option.channel,
        )
        for option in drawn.options
    ]
    found += [Candidate(arm, odds[arm]) for arm in (NO_ARM, HOLD) if arm in odds]
    return found


def first_refusal(gates: Sequence[Gate], case: Case, option: Option) -> str:
    """The code of the first gate that refuses; empty where all pass."""
    for gate in gates:
        outcome = gate(case, option)
        if outcome:
            return outcome
    return ""


def _leading(sends: list[Option]) -> Option:
    """The arm that tells why nothing is sent: the first that the person is eligible for."""
    eligible = [option for option in sends if option.refused != "NOT_ELIGIBLE"]
    return (eligible or sends)[0]


def refusal(sends: list[Option]) -> str:
    return _leading(sends).refused if sends else "CHOSE_NOTHING"


def telling(drawn: Drawn) -> Option | None:
    """Whose values stand in the record of a decision that sends nothing."""
    sends = [option for option in drawn.options if option.sends]
    if not sends:
        return None
    if drawn.arm == HOLD:
        return next((option for option in sends if not option.refused), sends[0])
    if drawn.outcome in ("CHOSE_NOTHING", "LOST_ARBITRATION"):
        return None
    return _leading(sends)
