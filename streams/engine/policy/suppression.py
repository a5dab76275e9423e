"""People who ended the relation, and kinds of message a person said no to."""

from streams.engine.journeys.journey import Proposal
from streams.engine.policy.case import Case
from streams.engine.profile.channels import ended
from streams.engine.profile.refusals import refuses


def suppression(case: Case) -> str:
    if not case.is_marketing:
        return ""
    journey, proposal = case.journey, case.due.proposal
    item_id = _item_id(proposal)
    refused = refuses(case.state, journey.name, journey.kind, proposal.category, item_id)
    return "SUPPRESSED" if refused or ended(case.state) else ""


def _item_id(proposal: Proposal) -> str:
    """The item the message would show; empty where it shows none."""
    if proposal.content is not None:
        return proposal.content.item_id
    return "" if proposal.message is None else proposal.message.params.get("item_id", "")
