"""Rolling frequency caps and the gap between two triggers of one person.

Both hold for the times at which triggers are created and for those at which they are released,
since quiet hours move the second: a count over either clock finds no window with too many.
"""

from streams.engine.config import MOST_SENDS, Cap, Policy
from streams.engine.policy.case import Case
from streams.engine.policy.quiet import release
from streams.engine.state import Sent, UserState

KEPT_MS = 7 * 86_400_000  # sends are remembered so long for the answers to them, caps or not


def cap(case: Case) -> str:
    case.release_ms = release(case)
    for rule in case.config.policy.caps:
        if rule.purpose not in (case.journey.purpose, "*"):
            continue
        if rule.channel == "*":
            if not _free(case, rule):
                return "CAP_PERSON"
        elif rule.channel in case.channels and not _free(case, rule):
            case.channels.remove(rule.channel)
            if not case.channels:
                return "CAP_CHANNEL"
    return ""


def gap(case: Case) -> str:
    gap_ms = case.config.policy.gap_ms
    if not case.is_marketing or not gap_ms:
        return ""
    latest_ms = 0
    for sent in case.state.sends:
        if sent.purpose == "marketing":
            release_ms = sent.created_ms + sent.delay_ms
            if abs(case.release_ms - release_ms) < gap_ms or case.now_ms - sent.created_ms < gap_ms:
                latest_ms = max(latest_ms, release_ms)
    if not latest_ms:
        return ""
    case.next_eligible_ms = latest_ms + gap_ms
    case.seen["gap_ms"] = float(abs(case.now_ms - latest_ms))
    return "CAP_GAP"


def forget_old(state: UserState, policy: Policy, now_ms: int) -> None:
    """Drop the sends no cap, gap or answer asks for any more."""
    sends = state.sends
    if not sends or (len(sends) <= MOST_SENDS and now_ms - sends[0].created_ms <= KEPT_MS):
        return
    keep_ms = max([KEPT_MS, policy.gap_ms, *(rule.window_ms for rule in policy.caps)])
    if now_ms - sends[0].created_ms - sends[0].delay_ms > keep_ms:
        sends[:] = [one for one in sends if now_ms - one.created_ms - one.delay_ms <= keep_ms]
    if len(sends) > MOST_SENDS:
        del sends[: len(sends) - MOST_SENDS]


def _free(case: Case, rule: Cap) -> bool:
    created, released = [], []
    for sent in case.state.sends:
        if not _counts(rule, sent):
            continue
        if case.now_ms - sent.created_ms <= rule.window_ms:
            created.append(sent.created_ms)
        if abs(case.release_ms - sent.created_ms - sent.delay_ms) <= rule.window_ms:
            released.append(sent.created_ms + sent.delay_ms)
    most = max(len(created), len(released))
    if most < rule.most:
        return True
    case.seen["sent"] = float(most)
    case.seen["most"] = float(rule.most)
    for times in (created, released):
        if rule.most and len(times) >= rule.most:
            free_ms = sorted(times)[-rule.most] + rule.window_ms + 1
            case.next_eligible_ms = max(case.next_eligible_ms, free_ms)
    return False


def _counts(rule: Cap, sent: Sent) -> bool:
    return rule.purpose in (sent.purpose, "*") and rule.channel in (sent.channel, "*")
