"""Consent for the purpose, by channel. Marketing needs a grant unless the deployment says
otherwise.
"""

from collections.abc import Sequence
from typing import Final

from streams.engine.journeys.journey import Proposal
from streams.engine.policy.case import Case, Option
from streams.engine.profile.consent import allows

ADS: Final = ("ads",)
# What the policy chooses from by itself: not the group, where others would read it.
AUTO: Final = ("official_account", "mini_programme", "customer_service", "wecom")


def consent(case: Case, option: Option) -> str:
    channels, purpose = _named(option.proposal), case.journey.purpose
    by_default = case.terms.policy.default_consent or not case.is_marketing
    if case.state.consents:
        option.channels = [
            channel
            for channel in channels
            if allows(case.state, purpose, channel, by_default=by_default)
        ]
    else:
        option.channels = list(channels) if by_default else []
    return "" if option.channels else "NO_CONSENT"


def _named(arm: Proposal) -> Sequence[str]:
    """Where there are wordings by channel, only what has one."""
    if arm.kind == "ad":
        return ADS
    channels = arm.channels or AUTO
    if arm.messages:
        return [channel for channel in channels if channel in arm.messages]
    return channels
