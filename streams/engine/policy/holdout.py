"""The gates of the control groups, and the probability of being in one."""

from streams.contract.policy import Policy
from streams.engine.control_groups import in_global_holdout, in_journey_holdout
from streams.engine.journeys.journey import Rules
from streams.engine.policy.case import Case


def global_holdout(case: Case) -> str:
    if not case.journey.honours_global:
        return ""
    person, policy = case.due.moment.person, case.terms.policy
    held = in_global_holdout(person, policy, case.seed, case.now_ms)
    return "HOLDOUT_GLOBAL" if held else ""


def journey_holdout(case: Case) -> str:
    journey, person = case.journey, case.due.moment.person
    held = in_journey_holdout(person, journey.name, journey.holdout, case.seed, journey.salt)
    return "HOLDOUT_JOURNEY" if held else ""


def hold_propensity(policy: Policy, journey: Rules) -> float:
    """The probability of the arm `hold`: the two groups are drawn independently."""
    everyone = policy.global_holdout if journey.honours_global else 0.0
    return 1.0 - (1.0 - everyone) * (1.0 - journey.holdout)
