"""Money: what may be spent on this person, by this journey and by all. It counts as spent when the
trigger is emitted. A day of the budget is one of the policy's zone.
"""

from typing import Final

from streams.engine.policy.case import Case, Option
from streams.engine.profile.hours import local_day

POLICY_ACCOUNT: Final = "policy"


def person_budget(case: Case, option: Option) -> str:
    journey, cost_fen = case.journey, option.cost_fen
    if not journey.person_fen or not cost_fen:
        return ""
    since_ms = case.now_ms - journey.person_ms
    costs = [
        (sent.created_ms, sent.cost_fen)
        for sent in case.state.sends
        if sent.journey == journey.name and sent.cost_fen and sent.created_ms > since_ms
    ]
    spent_fen = sum(fen for _, fen in costs)
    if spent_fen + cost_fen <= journey.person_fen or _drop_coupon(case, option):
        return ""
    option.seen["spent_fen"] = float(spent_fen)
    option.seen["person_fen"] = float(journey.person_fen)
    for created_ms, fen in sorted(costs):
        spent_fen -= fen
        if spent_fen + cost_fen <= journey.person_fen:
            option.next_ms = created_ms + journey.person_ms
            break
    return "BUDGET_PERSON"


def budget(case: Case, option: Option) -> str:
    if not option.cost_fen:
        return ""
    day, charged = budget_day(case), accounts(case)
    if case.purse.can_spend(charged, day, option.cost_fen) or _drop_coupon(case, option):
        return ""
    if case.ghost:
        return "BUDGET_DAY"  # why exactly would be an ask for money, which nobody needs
    code, seen = case.purse.refusal(charged, day, option.cost_fen)
    option.seen.update(seen)
    return code


def accounts(case: Case) -> tuple[str, ...]:
    journey = case.journey
    return (journey.name, POLICY_ACCOUNT) if journey.has_budget else (POLICY_ACCOUNT,)


def budget_day(case: Case) -> int:
    return local_day(case.terms.policy.quiet.zone, case.now_ms)


def _drop_coupon(case: Case, option: Option) -> bool:
    """Where the journey says so, what has a message of its own goes out without its coupon."""
    said = option.proposal.message is not None or bool(option.proposal.messages)
    if case.journey.exhausted != "drop_coupon" or not said:
        return False
    option.keeps_coupon = False
    option.cost_fen = 0
    option.seen["coupon_dropped"] = 1.0
    return True
