"""A channel by which the person can be found: the official account followed, the mini-programme
used, a WeCom contact. Ads find anybody.
"""

from streams.engine.policy.case import Case, Option
from streams.engine.profile.channels import reachable


def address(case: Case, option: Option) -> str:
    found = reachable(case.state, case.now_ms)
    found.append("ads")
    option.channels = [channel for channel in option.channels if channel in found]
    return "" if option.channels else "NO_ADDRESS"
