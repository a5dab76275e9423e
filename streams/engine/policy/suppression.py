"""People who ended the relation, and kinds of message a person said no to."""

from streams.engine.policy.case import Case, Option
from streams.engine.profile.channels import ended
from streams.engine.profile.refusals import refuses


def suppression(case: Case, option: Option) -> str:
    if not case.is_marketing:
        return ""
    arm, state = option.proposal, case.state
    kind = arm.kind or ""
    if ended(state) or refuses(state, case.journey.name, kind, arm.category, arm.item_id):
        return "SUPPRESSED"
    return ""
