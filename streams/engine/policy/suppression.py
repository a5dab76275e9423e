"""People who ended the relation, and kinds of message a person said no to."""

from streams.engine.policy.case import Case
from streams.engine.profile.channels import ended
from streams.engine.profile.refusals import refuses


def suppression(case: Case) -> str:
    if not case.is_marketing:
        return ""
    journey, category = case.journey, case.due.proposal.category
    if ended(case.state) or refuses(case.state, journey.name, journey.kind, category):
        return "SUPPRESSED"
    return ""
