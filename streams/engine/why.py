"""Why a journey reaches a person or does not, asked at any moment of a running engine.

The person, the money and the learned odds are copies, and what is drawn is a keyed hash: asking
changes no row and no later output. The order of the answers is that in which the engine asks: the
first that stands against a journey is its code.
"""

from typing import Final

from streams.contract.decisions import OUTCOMES
from streams.contract.partitioning import base_alias
from streams.contract.why import WOULD_SEND, Condition, Gates, Last, Stay, Term, Why
from streams.engine import chance
from streams.engine.budget.purse import UNLIMITED_FEN
from streams.engine.control_groups import in_global_holdout, in_journey_holdout
from streams.engine.engine import Engine
from streams.engine.journeys.ahead import UNKNOWN, Ahead, next_sending
from streams.engine.journeys.compiled import Journey
from streams.engine.journeys.entering import instance_of, key_of, refusal
from streams.engine.journeys.journey import Due
from streams.engine.journeys.view import View, at
from streams.engine.moment import DAILY_CHECK, Moment
from streams.engine.money import POLICY
from streams.engine.policy.budget import accounts, budget_day
from streams.engine.policy.drawing import candidates, telling
from streams.engine.profile import attributes
from streams.engine.profile.hours import local_day
from streams.engine.state import Instance
from streams.engine.store import Person
from streams.expressions import Expression

CODES: Final = tuple(OUTCOMES)


class UnknownJourneyError(ValueError):
    """No such journey is published; the message names those that are."""


def why(engine: Engine, user_id: str, journey: str | None, now_ms: int) -> list[Why]:
    """One answer per journey, or for the one asked for; first one about the id, where it was merged
    into another person or nobody is known by it. Raises UnknownJourneyError."""
    asked: list[Journey] = list(engine.book)
    if journey is not None:
        newest = engine.book.newest(journey)
        if newest is None:
            known = ", ".join(each.name for each in asked) or "none"
            raise UnknownJourneyError(f"no journey {journey!r} is published; there are: {known}")
        asked = [newest]
    user, answers = engine.people.stands_for(user_id), []
    if base_alias(user) != base_alias(user_id):
        answers = [Why(user_id=user_id, code="FORWARDED", at_ms=now_ms, forwarded_to=user)]
        if not engine.people.is_here(user):
            return answers
    person = engine.store.copy(user)
    if person is None:
        code = "ERASED" if engine.people.erased_ms(base_alias(user)) else "UNKNOWN_USER"
        return [*answers, Why(user_id=user, code=code, at_ms=now_ms)]
    engine.policy.forget(person.state, now_ms)
    return [*answers, *(_Question(engine, person, each, now_ms).answer() for each in asked)]


class _Question:
    """One person and one journey."""

    def __init__(self, engine: Engine, person: Person, journey: Journey, now_ms: int) -> None:
        self._engine = engine
        self._person = person
        self._journey = journey
        self._now_ms = now_ms
        self._of_check = DAILY_CHECK in journey.on  # it needs no event
        kind, due_ms, cause = journey.on[0], now_ms, ""
        if self._of_check:
            kind, due_ms = DAILY_CHECK, person.state.check_ms or now_ms
            cause = f"check:{person.user_id}:{due_ms}"  # as the check itself will be called
        # What the entry condition would see now.
        self._entry = at(Moment(now_ms, person, kind, due_ms, cause))
        self._key = key_of(journey, self._entry)
        self._inside = sorted(
            (one for one in person.state.inside if one.journey == journey.name),
            key=lambda one: (one.due_ms, one.key),
        )

    def answer(self) -> Why:
        engine, journey, state = self._engine, self._journey, self._person.state
        instance = instance_of(journey, self._entry, self._key)
        entered = at(self._entry.moment, instance)
        found = Why(
            user_id=self._person.user_id,
            code="",
            at_ms=self._now_ms,
            zone=attributes.zone(state, engine.policy.terms.policy.quiet.zone),
            journey=journey.name,
            version=journey.version,
            title=journey.spec.title,
            status="paused" if engine.book.is_paused(journey.name) else journey.spec.status,
            purpose=journey.spec.purpose,
            on=list(journey.on),
            check_ms=state.check_ms if self._of_check else 0,
            entry=self._condition("entry.where", self._entry),
            guard=self._condition("entry.guard", entered),
            inside=[self._stay(one) for one in self._inside],
            last=self._last(),
            gates=self._gates(entered),
            control=self._control(),
            safety_paused_ms=engine.policy.paused_ms,
        )
        self._judge(found)
        return found

    def _judge(self, found: Why) -> None:
        """The first that stands against it."""
        journey, gates = self._journey, found.gates
        blocked, next_ms = refusal(self._engine.book, journey, self._entry, self._key)
        if blocked == "JOURNEY_PAUSED":
            found.code = blocked
        elif self._inside and (blocked or not journey.spec.entry.reentry.concurrent):
            found.code, found.next_ms = "INSIDE", self._inside[0].due_ms
        elif found.entry is not None and found.entry.holds is False:
            found.code = "RULE_FALSE"
        elif blocked:
            found.code, found.next_ms, found.seen = blocked, next_ms, self._entries()
        elif found.guard is not None and found.guard.holds is False:
            found.code = "GUARD_FALSE"
        elif gates is not None and gates.code not in WOULD_SEND:
            found.code, found.next_ms, found.seen = gates.code, gates.next_ms, gates.seen
        elif not self._of_check:
            found.code = "NEEDS_EVENT"
        elif not found.check_ms:
            found.code = "NOT_WATCHED"
        else:
            found.code = "ENTERED" if gates is None or gates.later else gates.code
            found.next_ms = found.check_ms

    def _condition(self, where: str, view: View) -> Condition | None:
        for place, expression in self._journey.expressions:
            if place == where:
                return _condition(expression, view, () if self._of_check else UNKNOWN)
        return None

    def _stay(self, instance: Instance) -> Stay:
        journey = self._engine.book.version(instance.journey, instance.version) or self._journey
        stay = Stay(
            instance.version,
            journey.step_id(instance.step),
            "",
            instance.entered_ms,
            instance.due_ms,
            key=instance.key,
        )
        if instance.step < len(journey.steps):
            step = journey.steps[instance.step]
            stay.kind, stay.waits_on = step.kind, sorted(step.waits_on)
        return stay

    def _last(self) -> Last | None:
        standing = self._person.state.standings.get(self._journey.name)
        if standing is None or not standing.decided_s:
            return None
        return Last(CODES[standing.outcome], standing.decided_s * 1000)

    def _entries(self) -> dict[str, float]:
        """How often the person entered within the journey's period, and how often they may."""
        standing = self._person.state.standings.get(self._journey.name)
        since_ms = self._now_ms - self._journey.per_ms
        entered = [] if standing is None else standing.entered
        seen = {"entered": float(sum(second * 1000 > since_ms for second in entered))}
        most = self._journey.spec.entry.reentry.max
        return seen | ({"most": float(most)} if most else {})

    def _control(self) -> str:
        person, rules, engine = self._person, self._journey.rules, self._engine
        seed, policy = chance.key_of(engine.config.seed), engine.policy.terms.policy
        if rules.honours_global and in_global_holdout(person, policy, seed, self._now_ms):
            return "HOLDOUT_GLOBAL"
        held = in_journey_holdout(person, rules.name, rules.holdout, seed, rules.salt)
        return "HOLDOUT_JOURNEY" if held else ""

    def _gates(self, entered: View) -> Gates | None:
        """The policy's answer for the step the person comes to next; None where none sends."""
        engine, journey, view = self._engine, self._journey, entered
        supposed = not self._of_check
        if self._inside:
            instance = self._inside[0]
            journey = engine.book.version(instance.journey, instance.version) or journey
            moment = Moment(
                self._now_ms,
                self._person,
                "timer",
                instance.due_ms,
                instance.cause_event_id,
                instance.source,
            )
            view, supposed = at(moment, instance), False
        seed = chance.key_of(engine.config.seed)
        ahead = next_sending(journey, view, seed, supposed=supposed)
        if ahead is None:
            return None
        assert view.instance is not None, "it is what is ahead of"
        due = engine.journeys.probe(
            journey, ahead.step, view.moment, view.instance, supposed=supposed
        )
        # The draw hangs on the entry event and on when the step is due: known behind one wait that
        # has begun, not behind others.
        open_draw = supposed or ahead.waits > bool(self._inside)
        return self._asked(ahead, due, open_draw=open_draw)

    def _asked(self, ahead: Ahead, due: Due, *, open_draw: bool) -> Gates:
        engine = self._engine
        day = local_day(engine.policy.terms.policy.quiet.zone, self._now_ms)
        purse = engine.money.copy_of((due.journey.name, POLICY), day)
        drawn = engine.policy.probe(
            due, choose=engine.choosers.look, budget=purse, open_draw=open_draw
        )
        told = drawn.option or telling(drawn)
        found = Gates(
            drawn.outcome, ahead.step.id, ahead.waits > 0, drawn.arm, arms=candidates(drawn)
        )
        if told is not None:
            found.seen = told.seen
            found.next_ms = told.next_ms
        if drawn.option is not None:
            found.channel = drawn.option.channel
            found.release_ms = drawn.case.release_ms
        if any(arm.cost_fen for arm in due.arms):
            for name in accounts(drawn.case):
                left_fen = purse.available_fen(name, budget_day(drawn.case))
                if left_fen < UNLIMITED_FEN:
                    found.left_fen[name] = left_fen
        return found


def _condition(expression: Expression, view: View, unknown: tuple[str, ...]) -> Condition:
    """Each of its terms as it stands, and what they make together; None: it hangs on an event."""
    terms = []
    for term in expression.terms(view):
        open_names = [name for name in term.seen if unknown and name.startswith(unknown)]
        seen = {**term.seen, **dict.fromkeys(open_names)}
        durations = [name for name in seen if expression.kinds[name] == "duration"]
        terms.append(Term(term.text, seen, None if open_names else term.holds, durations))
    decisive = expression.alternatives
    holds: bool | None = not decisive
    if any(term.holds is decisive for term in terms):
        holds = decisive
    elif any(term.holds is None for term in terms):
        holds = None
    return Condition(terms, holds, decisive)
