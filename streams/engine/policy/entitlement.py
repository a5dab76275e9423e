"""A unit of what WeChat grants: a subscription's credit, a place in an open window, one of the
month's messages. Ads need none.
"""

from streams.engine.policy.case import Case, Option


def entitlement(case: Case, option: Option) -> str:
    ledger, state, now_ms = case.terms.entitlements, case.state, case.now_ms
    purpose, template = case.journey.purpose, option.proposal.template_id
    asked, option.channels = option.channels, []
    for channel in asked:
        right = ledger.right(state, channel, purpose, template, now_ms)
        if right is not None:
            option.rights[channel] = right
            option.channels.append(channel)
    if option.channels:
        return ""
    option.seen["units"] = 0.0
    again = [ledger.next_ms(channel, purpose, now_ms) for channel in asked]
    option.next_ms = min(filter(None, again), default=0)
    return "NO_ENTITLEMENT"
