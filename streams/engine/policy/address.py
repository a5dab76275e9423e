"""A channel that reaches the person: the official account followed, the mini-programme with a
subscription credit or recent use, a WeCom contact."""

from streams.engine.policy.case import Case
from streams.engine.profile.channels import reachable


def address(case: Case) -> str:
    allowed = case.channels
    case.channels = [
        channel for channel in reachable(case.state, case.now_ms) if channel in allowed
    ]
    return "" if case.channels else "NO_ADDRESS"
