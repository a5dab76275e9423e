"""Consent for the purpose, by channel. Marketing needs a grant unless the deployment says
otherwise.
"""

from streams.engine.policy.case import Case
from streams.engine.profile.channels import CHANNELS
from streams.engine.profile.consent import allows


def consent(case: Case) -> str:
    purpose = case.journey.purpose
    by_default = case.config.policy.default_consent or not case.is_marketing
    case.channels = [
        channel
        for channel in CHANNELS
        if allows(case.state, purpose, channel, by_default=by_default)
    ]
    return "" if case.channels else "NO_CONSENT"
