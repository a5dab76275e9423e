"""The labels stage: an event may answer something we sent. Answers are counted per journey.

Churn labels need no event: they mature by the person's daily check.
"""

from streams.contract.events import TYPES, Coupon, PushResult
from streams.engine.moment import Moment
from streams.engine.policy.stage import mark_of

ANSWERS = frozenset(name for name, data in TYPES.items() if data in (PushResult, Coupon))


def answered(moment: Moment, counts: dict[str, int]) -> None:
    """Count an event of ANSWERS, for as long as the person's sends are remembered."""
    mark = mark_of(moment.data.trigger_id)
    for sent in moment.person.state.sends:
        if sent.mark == mark:
            name = f"response.{sent.journey}.{moment.type}"
            counts[name] = counts.get(name, 0) + 1
            return
