"""Who is suspected of abuse gets no coupon, until cleared or the mark ends; all else stays."""

from streams.engine.policy.case import Case, Option


def abuse(case: Case, option: Option) -> str:
    if case.suspected and option.proposal.coupon is not None:
        option.seen["suspected." + case.suspected] = 1.0
        return "ABUSE_SUSPECTED"
    return ""
