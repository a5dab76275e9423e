"""Marketing pauses by itself when too many unfollow, or too many sends fail: until operators say
resume, which arms the rules anew. Each partition watches its own people.
"""

from typing import Final

from msgspec import Struct

from streams.contract.policy import Pause, Safety
from streams.engine.moment import Moment
from streams.engine.policy.case import Case, Option

BUCKETS: Final = 24  # a window is counted in so many parts, and moves on by one
UNFOLLOWS: Final = frozenset({"user.unfollowed", "contact.removed_by_customer"})
FAILURE: Final = "push.failed"


class Part(Struct, array_like=True, gc=False):
    """Of one part of a window."""

    number: int
    sent: int = 0
    bad: int = 0


class Watch(Struct, array_like=True):
    """`paused_ms`: since when marketing pauses, 0: it does not; `cause`: the rule that said so."""

    paused_ms: int = 0
    cause: str = ""
    counted: dict[str, list[Part]] = {}  # by rule

    def sent(self, safety: Safety, now_ms: int) -> bool:
        """A marketing trigger went out; whether that was counted."""
        for rule in safety.pause_if:
            self._part(rule, now_ms).sent += 1
        return bool(safety.pause_if)

    def heard(self, safety: Safety, moment: Moment) -> bool:
        """An unfollow or a failure; whether it was counted. Who unfollows without having got
        anything says nothing about our messages."""
        counted, now_ms = False, moment.now_ms
        for rule in safety.pause_if:
            if _is_bad(rule, moment):
                self._part(rule, now_ms).bad += 1
                counted = True
                self._judge(rule, now_ms)
        return counted

    def resume(self) -> None:
        self.paused_ms, self.cause = 0, ""
        self.counted.clear()

    def _judge(self, rule: Pause, now_ms: int) -> None:
        parts = self.counted[_name(rule)]
        sent = sum(part.sent for part in parts)
        bad = sum(part.bad for part in parts)
        if not self.paused_ms and sent >= rule.least and bad > rule.above * sent:
            self.paused_ms, self.cause = now_ms, _name(rule)

    def _part(self, rule: Pause, now_ms: int) -> Part:
        """The part of the window that counts now, the old ones dropped."""
        number = now_ms // (rule.per_ms // BUCKETS)
        parts = self.counted.setdefault(_name(rule), [])
        if not parts or parts[-1].number != number:
            parts[:] = [part for part in parts if part.number > number - BUCKETS]
            parts.append(Part(number))
        return parts[-1]


def safety(case: Case, _option: Option) -> str:
    return "JOURNEY_PAUSED" if case.paused and case.is_marketing else ""


def _is_bad(rule: Pause, moment: Moment) -> bool:
    if rule.rate_of == "error":
        named = not rule.codes or (
            moment.type == FAILURE and getattr(moment.data, "code", "") in rule.codes
        )
        return moment.type == FAILURE and named
    if moment.type not in UNFOLLOWS:
        return False
    since_ms = moment.now_ms - rule.per_ms
    sends = moment.person.state.sends
    return any(one.purpose == "marketing" and one.created_ms > since_ms for one in sends)


def _name(rule: Pause) -> str:
    return f"{rule.rate_of} {' '.join(rule.codes)} {rule.per_ms}"
