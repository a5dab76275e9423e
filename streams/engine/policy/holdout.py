"""The gates of the control groups, and the probability with which the message is sent."""

from streams.engine.config import Config
from streams.engine.control_groups import in_global_holdout, in_journey_holdout
from streams.engine.journeys.journey import Journey
from streams.engine.policy.case import Case


def global_holdout(case: Case) -> str:
    held = in_global_holdout(case.moment.person, case.config, case.seed)
    return "HOLDOUT_GLOBAL" if held else ""


def journey_holdout(case: Case) -> str:
    journey = case.journey
    held = in_journey_holdout(case.moment.person, journey.name, journey.holdout, case.seed)
    return "HOLDOUT_JOURNEY" if held else ""


def send_propensity(config: Config, journey: Journey) -> float:
    """The probability of the arm `send`; the arm `hold` has the rest."""
    return (1.0 - config.policy.global_holdout) * (1.0 - journey.holdout)
