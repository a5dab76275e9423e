"""Frequency caps and the gap between two triggers of one person.

Both hold for the times at which triggers are created and for those at which they are released,
since quiet hours move the second: a count over either clock finds no window, and no unit of the
calendar, with too many. What a cap refuses is not queued: it is over.
"""

from collections.abc import Iterator

from streams.contract.policy import MOST_SENDS, Cap
from streams.engine.calendars import next_unit_ms, unit_of
from streams.engine.policy.case import Case, Option
from streams.engine.policy.quiet import release
from streams.engine.policy.terms import PURPOSES, applying
from streams.engine.state import NEVER_MS, Sent, UserState


def cap(case: Case, option: Option) -> str:
    """All that are reached are asked, so that the person is known to be eligible after them all."""
    release(case)
    outcome, again_ms, of_channels = "", 0, dict.fromkeys(option.channels, 0)
    for rule, own in _rules(case):
        if rule.channel != "*" and rule.channel not in of_channels:
            continue
        free_ms = _free_ms(case, option, rule, own=own)
        if not free_ms:
            continue
        if rule.channel == "*":
            outcome = outcome or "CAP_PERSON"
            again_ms = max(again_ms, free_ms)
            continue
        of_channels[rule.channel] = max(of_channels[rule.channel], free_ms)
        if rule.channel in option.channels:
            option.channels.remove(rule.channel)
        if not option.channels:
            outcome = outcome or "CAP_CHANNEL"
    if outcome:
        if not option.channels:
            again_ms = max(again_ms, min(of_channels.values()))
        again_ms = max(again_ms, _gap_ends_ms(case))
        option.next_ms = 0 if again_ms == NEVER_MS else again_ms
    return outcome


def gap(case: Case, option: Option) -> str:
    ends_ms = _gap_ends_ms(case)
    if not ends_ms:
        return ""
    option.next_ms = ends_ms
    gap_ms = case.terms.policy.gap_ms
    option.seen["gap_ms"] = float(abs(case.now_ms - (ends_ms - gap_ms)))
    return "CAP_GAP"


def forget_old(state: UserState, keep_ms: int, now_ms: int) -> None:
    """Drop the sends no cap, gap or answer asks for any more."""
    sends = state.sends
    if sends and now_ms - sends[0].created_ms - sends[0].delay_ms > keep_ms:
        sends[:] = [one for one in sends if now_ms - one.created_ms - one.delay_ms <= keep_ms]
    if len(sends) > MOST_SENDS:
        for purpose in PURPOSES:  # many service messages push no marketing out of memory
            _keep_latest(sends, purpose)


def _keep_latest(sends: list[Sent], purpose: str) -> None:
    ours = [place for place, sent in enumerate(sends) if sent.purpose == purpose]
    for place in reversed(ours[:-MOST_SENDS]):
        del sends[place]


def _rules(case: Case) -> Iterator[tuple[Cap, bool]]:
    """The policy's caps, and those of the journey, which count its own sends only."""
    purpose = case.journey.purpose
    for rule in case.terms.caps[purpose]:
        yield rule, False
    for rule in applying(case.journey.caps, purpose):
        yield rule, True
    if case.is_marketing and len(case.state.sends) >= MOST_SENDS:
        yield case.terms.memory, False


def _gap_ends_ms(case: Case) -> int:
    """When the gap after the latest trigger ends; 0 where none is too near."""
    gap_ms = case.terms.policy.gap_ms
    if not case.is_marketing or not gap_ms:
        return 0
    latest_ms = 0
    for sent in case.state.sends:
        if sent.purpose == "marketing":
            release_ms = sent.created_ms + sent.delay_ms
            if abs(case.release_ms - release_ms) < gap_ms or case.now_ms - sent.created_ms < gap_ms:
                latest_ms = max(latest_ms, release_ms)
    return latest_ms + gap_ms if latest_ms else 0


def _free_ms(case: Case, option: Option, rule: Cap, *, own: bool) -> int:
    """0 where one more fits; else when it would."""
    counted = [sent for sent in case.state.sends if _counts(case, rule, sent, own=own)]
    if rule.per:
        created, released = _of_calendar(case, rule, counted)
    else:
        created, released = _of_window(case, rule, counted)
    most = max(len(created), len(released))
    if most < rule.most:
        return 0
    option.seen["sent"] = float(most)
    option.seen["most"] = float(rule.most)
    if not rule.most:
        return NEVER_MS
    free_ms = 0
    for times, here_ms in ((created, case.now_ms), (released, case.release_ms)):
        if len(times) >= rule.most:
            if rule.per:
                free_ms = max(free_ms, next_unit_ms(rule.per, case.zone, here_ms))
            else:
                free_ms = max(free_ms, sorted(times)[-rule.most] + rule.window_ms + 1)
    return free_ms


def _of_window(case: Case, rule: Cap, counted: list[Sent]) -> tuple[list[int], list[int]]:
    created, released = [], []
    for sent in counted:
        if case.now_ms - sent.created_ms <= rule.window_ms:
            created.append(sent.created_ms)
        release_ms = sent.created_ms + sent.delay_ms
        if abs(case.release_ms - release_ms) <= rule.window_ms:
            released.append(release_ms)
    return created, released


def _of_calendar(case: Case, rule: Cap, counted: list[Sent]) -> tuple[list[int], list[int]]:
    zone = case.zone
    this = unit_of(rule.per, zone, case.now_ms)
    then = unit_of(rule.per, zone, case.release_ms)
    created, released = [], []
    for sent in counted:
        if unit_of(rule.per, zone, sent.created_ms) == this:
            created.append(sent.created_ms)
        release_ms = sent.created_ms + sent.delay_ms
        if unit_of(rule.per, zone, release_ms) == then:
            released.append(release_ms)
    return created, released


def _counts(case: Case, rule: Cap, sent: Sent, *, own: bool) -> bool:
    if own and sent.journey != case.journey.name:
        return False
    return rule.purpose in (sent.purpose, "*") and rule.channel in (sent.channel, "*")
