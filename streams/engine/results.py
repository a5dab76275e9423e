"""What came of decisions: answers, goals within their window, and what choosers learn from it.

A decision is open in the person's state until its window ends; then its result is known, counted,
and learned from, once. Control groups are counted like everybody else, so effects can be measured
against them. A late answer to a closed decision changes nothing any more.

Effects are measured on a person's first decision in a journey for which the control groups were
drawn: whoever a gate refused before the draw is in neither group, whoever one refused after it
stays in theirs.

    r:<journey>   Tally     l:<journey>/<step>   what its chooser has learned
"""

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from streams.contract.events import Coupon, PushResult
from streams.contract.journeys import HOLD, NOTHING
from streams.contract.reports import ArmTally, JourneyReport
from streams.engine.choosers import Choosers
from streams.engine.journeys.book import Book
from streams.engine.journeys.compiled import Journey
from streams.engine.journeys.journey import Settled
from streams.engine.journeys.view import View
from streams.engine.moment import Moment
from streams.engine.policy.stage import mark_of
from streams.engine.profile.lifecycle import LIFECYCLES
from streams.engine.state import NEVER_MS, Pending, UserState, decode_row, encode_row
from streams.engine.store import Person

PREFIX: Final = b"r:"
MOST_PENDING: Final = 12
NO_GOAL_MS: Final = 7 * 86_400_000  # so long answers are counted where a journey has no goal
MOST_VALUE_FEN: Final = 1_000_000_000
# Refused before the control groups are drawn: these people are in neither of the groups compared.
NOT_DRAWN: Final = (
    *("NO_CONSENT", "SUPPRESSED", "ABUSE_SUSPECTED", "NO_ADDRESS", "JOURNEY_PAUSED"),
)
READ: Final = "article.read"
NEITHER_GROUP: Final = (*NOT_DRAWN, "NOT_ELIGIBLE", "TEMPLATE_ERROR")
DELIVERED, OPENED, CLICKED, REDEEMED, FAILED = 1, 2, 4, 8, 16
CREDITED: Final = 32  # no answer, but kept with them: a goal has been credited to it
BITS: Final = {
    "push.delivered": DELIVERED,
    "push.opened": DELIVERED | OPENED,
    "push.clicked": DELIVERED | OPENED | CLICKED,
    "coupon.used": REDEEMED,
    "push.failed": FAILED,
}


class Tally(Struct, array_like=True):
    arms: dict[str, ArmTally] = {}
    outcomes: dict[str, int] = {}
    by_lifecycle: dict[str, list[int]] = {}
    version: int = 0
    reported_ms: int = 0
    unreported: bool = False  # something changed since then
    title: str = ""
    goal: list[str] = []
    window_ms: int = 0


class Results:
    def __init__(
        self, choosers: Choosers, changed: dict[bytes, None], *, partition: int, every_ms: int
    ) -> None:
        self._choosers = choosers
        self._changed = changed
        self._partition = partition
        self._every_ms = every_ms
        self._tallies: dict[str, Tally] = {}
        self._unreported: dict[str, None] = {}
        self._report_ms = NEVER_MS  # when the next report is due
        # Told what a decision was worth and what it cost, once that is known: of a what-if.
        self.observe: Callable[[str, Pending, int, int], None] | None = None
        self.teach: Callable[[Pending, bool], None] | None = None  # whether the goal was reached

    def decided(self, answer: Settled, journey: Journey) -> None:
        """Count the decision and keep it open until its result is known."""
        due = answer.due
        tally = self._tally(journey.name)
        if journey.version > tally.version:
            _describe(tally, journey)
        tally.outcomes[answer.outcome] = tally.outcomes.get(answer.outcome, 0) + 1
        arm = tally.arms.setdefault(answer.arm, ArmTally())
        arm.decided += 1
        mark = mark_of(answer.trigger_id) if answer.trigger_id else 0
        if mark:
            arm.sent += 1
            arm.cost_fen += answer.cost_fen
            due.instance.marks[due.step] = mark
        drawn = HOLD in answer.propensities
        if due.journey.shadow or (not drawn and answer.outcome in NOT_DRAWN):
            return
        state, now_ms = due.moment.person.state, due.moment.now_ms
        reward = journey.reward
        first = due.first and (drawn or answer.outcome not in NEITHER_GROUP)
        while len(state.pending) >= MOST_PENDING:
            self._close(state.pending.pop(0), due.moment.person)
        state.pending.append(
            Pending(
                journey=journey.name,
                version=journey.version,
                step=due.step,
                arm=answer.arm,
                decided_ms=now_ms,
                until_ms=now_ms + (reward.window_ms if reward else NO_GOAL_MS),
                first=first,
                propensity=answer.propensity,
                mark=mark,
                cost_fen=answer.cost_fen,
                features=due.features if answer.arm else (),
                entry={
                    name: value
                    for name, value in due.instance.entry.items()
                    if name in journey.rewarded_by
                },
                lifecycle=state.lifecycle,
                shown=_shown(answer) if mark else "",
                treating=_treating(answer),
            )
        )
        if first and journey.name in state.standings:
            state.standings[journey.name].measured = True

    def reached(self, moment: Moment, book: Book) -> None:
        """An event that is some journey's goal: it counts for every open decision it fits, and is
        credited to the latest of them that sent something."""
        state = moment.person.state
        touch: Pending | None = None
        touch_fen = 0
        for pending in state.pending:
            journey = book.version(pending.journey, pending.version)
            reward = None if journey is None else journey.reward
            if reward is None or moment.type not in reward.on:
                continue
            if not pending.decided_ms <= moment.time_ms <= pending.until_ms:
                continue
            view = View(
                moment, state, moment.now_ms, entry=pending.entry, entered_ms=pending.decided_ms
            )
            if not reward.where(view):
                continue
            value_fen = 0 if reward.value is None else _fen(reward.value(view))
            pending.reached += 1
            pending.value_fen += value_fen
            if pending.mark and (touch is None or pending.decided_ms >= touch.decided_ms):
                touch, touch_fen = pending, value_fen
        if touch is not None:
            arm = self._arm(touch)
            arm.credited += not touch.answers & CREDITED
            arm.credited_fen += touch_fen
            touch.answers |= CREDITED

    def read(self, moment: Moment) -> None:
        """An article was read: credited to the latest message that showed something like it."""
        for pending in reversed(moment.person.state.pending):
            if pending.shown and pending.shown in (moment.category, moment.item_id):
                arm = self._arm(pending)
                arm.reads += 1
                arm.dwell_ms += int(moment.dwell_ms)
                return

    def answered(self, moment: Moment) -> bool:
        """An answer to one of our triggers; whether it is news, by push service or person."""
        bits = BITS.get(moment.type, 0)
        data = moment.data
        if not bits or not isinstance(data, PushResult | Coupon):
            return False
        mark, news = mark_of(data.trigger_id), 0
        for pending in moment.person.state.pending:
            if mark and pending.mark == mark:
                news = bits & ~pending.answers
                self._count_answer(pending, news)
                pending.answers |= bits
        return bool(news) and isinstance(data, PushResult)

    def mature(self, person: Person, now_ms: int) -> None:
        """The windows that have ended: what came of the decision is known."""
        pending = person.state.pending
        if not pending or all(one.until_ms > now_ms for one in pending):
            return
        for one in [one for one in pending if one.until_ms <= now_ms]:
            pending.remove(one)
            self._close(one, person)

    def reports(self, now_ms: int) -> list[JourneyReport]:
        """What has changed since the last report of each journey, at most once an `every_ms`."""
        found: list[JourneyReport] = []
        if now_ms < self._report_ms:
            return found
        for journey in sorted(self._unreported):
            tally = self._tallies[journey]
            if now_ms - tally.reported_ms < self._every_ms:
                continue
            tally.reported_ms = now_ms
            tally.unreported = False
            del self._unreported[journey]
            self._changed[PREFIX + journey.encode()] = None
            found.append(self._report(journey, now_ms))
        due = (self._tallies[name].reported_ms + self._every_ms for name in self._unreported)
        self._report_ms = min(due, default=NEVER_MS)
        return found

    def all(self, now_ms: int) -> list[JourneyReport]:
        """Every journey's results so far, told or not; nothing counts as told by it."""
        return [self._report(journey, now_ms) for journey in sorted(self._tallies)]

    def _report(self, journey: str, now_ms: int) -> JourneyReport:
        tally = self._tallies[journey]
        return JourneyReport(
            partition=self._partition,
            at_ms=now_ms,
            journey=journey,
            version=tally.version,
            arms=tally.arms,
            outcomes=tally.outcomes,
            by_lifecycle=tally.by_lifecycle,
            title=tally.title,
            goal=tally.goal,
            window_ms=tally.window_ms,
        )

    def next_due_ms(self) -> int:
        """When the next report is due; NEVER_MS where there is no news."""
        return self._report_ms

    def row(self, key: bytes) -> bytes:
        return encode_row(self._tallies[key[len(PREFIX) :].decode()])

    def load(self, key: bytes, row: bytes) -> None:
        name = key[len(PREFIX) :].decode()
        self._tallies[name] = tally = decode_row(key, row, Tally)
        if tally.unreported:
            self._has_news(name, tally)

    def _tally(self, journey: str) -> Tally:
        tally = self._tallies.get(journey)
        if tally is None:
            tally = self._tallies[journey] = Tally()
        self._changed[PREFIX + journey.encode()] = None
        if not tally.unreported:
            tally.unreported = True
            self._has_news(journey, tally)
        return tally

    def _has_news(self, journey: str, tally: Tally) -> None:
        self._unreported[journey] = None
        self._report_ms = min(self._report_ms, tally.reported_ms + self._every_ms)

    def _arm(self, pending: Pending) -> ArmTally:
        return self._tally(pending.journey).arms.setdefault(pending.arm, ArmTally())

    def _count_answer(self, pending: Pending, news: int) -> None:
        arm = self._arm(pending)
        arm.delivered += bool(news & DELIVERED)
        arm.opened += bool(news & OPENED)
        arm.clicked += bool(news & CLICKED)
        arm.redeemed += bool(news & REDEEMED)
        arm.failed += bool(news & FAILED)

    def _close(self, pending: Pending, person: Person) -> None:
        tally = self._tally(pending.journey)
        arm = tally.arms.setdefault(pending.arm, ArmTally())
        reached, value_fen = bool(pending.reached), min(pending.value_fen, MOST_VALUE_FEN)
        spent_fen = pending.cost_fen if pending.answers & REDEEMED else 0
        arm.settled += 1
        arm.reached += reached
        arm.value_fen += value_fen
        arm.spent_fen += spent_fen
        if self.observe is not None:
            self.observe(person.user_id, pending, value_fen, spent_fen)
        if pending.first:
            arm.first_settled += 1
            arm.first_reached += reached
            arm.first_value_fen += value_fen
            arm.first_value_squares += float(value_fen) * value_fen
            arm.first_spent_fen += spent_fen
            arm.first_spent_squares += float(spent_fen) * spent_fen
            arm.first_products += float(value_fen) * spent_fen
            segment = tally.by_lifecycle.setdefault(LIFECYCLES[pending.lifecycle], [0, 0, 0, 0])
            place = 2 if pending.arm == HOLD else 0
            segment[place] += 1
            segment[place + 1] += reached
        self._choosers.learn_from(pending, value_fen=value_fen, cost_fen=spent_fen)
        if self.teach is not None:
            self.teach(pending, reached)


def next_close_ms(state: UserState, never_ms: int) -> int:
    return min((one.until_ms for one in state.pending), default=never_ms)


def merge(into: UserState, other: UserState) -> None:
    """Open decisions of two people who are one: all stay open."""
    both: list[Pending] = [*into.pending, *other.pending]
    both.sort(key=lambda one: (one.until_ms, one.journey, one.step, one.mark))
    into.pending[:] = both


def _describe(tally: Tally, journey: Journey) -> None:
    tally.version, tally.title = journey.version, journey.spec.title
    reward = journey.reward
    tally.goal = [] if reward is None else sorted(reward.on)
    tally.window_ms = 0 if reward is None else reward.window_ms


def _treating(answer: Settled) -> float:
    """The probability that something was to be sent; 0 where nothing was drawn."""
    if HOLD not in answer.propensities and NOTHING not in answer.propensities:
        return 0.0
    odds = answer.propensities.items()
    drawn = [share for arm, share in odds if arm not in ("", HOLD, NOTHING)]
    return round(sum(drawn, 0.0), 6)


def _shown(answer: Settled) -> str:
    """The category of what a content trigger shows; the item where it has none."""
    for proposal in answer.due.arms:
        if proposal.arm == answer.arm and proposal.kind == "content" and proposal.content:
            return proposal.content.category or proposal.content.item_id
    return ""


def _fen(value: Any) -> int:
    if not isinstance(value, int | float) or not -MOST_VALUE_FEN <= value <= MOST_VALUE_FEN:
        return 0
    return int(value)
