"""The journeys stage: who enters, who leaves, whose step is due, and how an instance goes on.

An instance is a place in a journey. It runs until it waits, ends, or proposes something; what is
proposed goes to the policy together with everything else of that moment, and `settled` goes on from
the answer. Each entry match and each due step has one decision.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from streams.contract.journeys import END
from streams.engine.deciding import Decisions
from streams.engine.journeys.book import Book
from streams.engine.journeys.compiled import ENTRY, MOST_STEPS, WAITS, CompiledStep, Journey
from streams.engine.journeys.entering import instance_of, key_of, refusal
from streams.engine.journeys.journey import Due, Settled
from streams.engine.journeys.proposals import Proposer
from streams.engine.journeys.standings import (
    count_entry,
    remember,
    stand,
    uncount_entry,
)
from streams.engine.journeys.steps import TIMER, drawn_path, end_of_wait
from streams.engine.journeys.view import View, at
from streams.engine.moment import Moment
from streams.engine.outcome import Effect
from streams.engine.results import Results
from streams.engine.state import Instance, UserState
from streams.engine.store import Person

TIMED: Final = ("wait", "until")  # steps that the clock alone ends
ENDS: Final = ("EXITED", "COMPLETED", "ERASED")


class Gone(NamedTuple):
    """A version of which only the name is left."""

    name: str
    version: int


class JourneyStage:
    def __init__(
        self, book: Book, proposer: Proposer, results: Results, decisions: Decisions, *, zone: str
    ) -> None:
        self.book = book
        self._proposer = proposer
        self._results = results
        self._decisions = decisions
        self._zone = zone
        self.forced: Mapping[str, str] = {}  # step -> arm: what an inline test asks for

    def concerns(self, moment: Moment) -> bool:
        """Whether `ask` could find anything to do at this event."""
        book, kind = self.book, moment.type
        if kind in book.entries or kind in book.asked_for:
            return True
        state = moment.person.state
        return bool(state.inside or state.pending) and kind in book.heard

    def ask(self, moment: Moment, effects: list[Effect]) -> list[Due]:
        """Exits first, then waits that end, then entries. Returns what is due now."""
        state, kind, book = moment.person.state, moment.type, self.book
        if kind in book.asked_for:
            remember(state, kind, moment.time_ms)
        due: list[Due] = []
        if kind in book.heard:
            if state.pending:
                self._results.reached(moment, book)
            if state.inside:
                self._exit(moment, effects)
                self._end_waits(moment, due, effects)
        entries = book.entries.get(kind)
        if entries is not None:
            view = at(moment)
            for journey in entries.possible(view):
                if journey.enter(view):
                    self._enter(journey, view, due, effects)
        return due

    def due(self, person: Person, due_ms: int, now_ms: int, effects: list[Effect]) -> list[Due]:
        """The instances of the person due at `due_ms` go on."""
        found: list[Due] = []
        for instance in [one for one in person.state.inside if one.due_ms <= due_ms]:
            moment = Moment(
                now_ms, person, TIMER, instance.due_ms, instance.cause_event_id, instance.source
            )
            version = instance.version
            journey = self._journey(instance, moment, effects)
            if journey is None:
                continue
            if instance.version != version:  # it begins anew: what it waited for is of no concern
                self._run(journey, moment, instance, found, effects)
                continue
            if now_ms >= instance.entered_ms + journey.after_ms:
                self._end(journey, moment, instance, "EXITED", effects)
                continue
            step = journey.steps[instance.step]
            if step.kind == "wait_for":
                self._note(journey, moment, instance, step.id, "TIMED_OUT", effects)
                instance.step = step.otherwise
            self._run(journey, moment, instance, found, effects, waited=step.kind in TIMED)
        return found

    def settled(self, answers: Iterable[Settled], effects: list[Effect]) -> list[Due]:
        """The policy has decided: instances go on behind the step, perhaps to another at once."""
        found: list[Due] = []
        for answer in answers:
            due, instance = answer.due, answer.due.instance
            moment = due.moment
            journey = self.book.version(instance.journey, instance.version)
            assert journey is not None, "its step was just run"
            if answer.arm:
                instance.arms[due.step] = answer.arm
            stand(moment.person.state, instance.journey, answer.outcome, moment.now_ms)
            self._results.decided(answer, journey)
            step = journey.steps[instance.step]
            if answer.arm:
                instance.step = step.after
            elif answer.outcome.startswith("BUDGET") and due.journey.exhausted == "exit":
                instance.step = len(journey.steps)
            else:
                instance.step = step.failed
            self._run(journey, moment, instance, found, effects)
        return found

    def probe(
        self,
        journey: Journey,
        step: CompiledStep,
        moment: Moment,
        instance: Instance,
        *,
        supposed: bool = False,
    ) -> Due:
        """The step as it would be proposed now, for who only asks; `supposed`: the event the
        instance began with has not come."""
        due = self._proposer.due(journey, step, at(moment, instance))
        due.decision_id = self._identify(journey.name, step.id, moment, instance)
        return self._proposer.suppose(due) if supposed else due

    def erase(self, moment: Moment, effects: list[Effect]) -> None:
        """The person asked to be forgotten: each journey they are in ends."""
        for instance in list(moment.person.state.inside):
            journey = self.book.version(instance.journey, instance.version)
            if journey is not None:
                self._end(journey, moment, instance, "ERASED", effects)

    def merge(self, moment: Moment, other: UserState, effects: list[Effect]) -> None:
        """Of two people who are one: of each journey and key the instance due first goes on."""
        inside = moment.person.state.inside
        both = sorted([*inside, *other.inside], key=lambda one: (one.due_ms, one.journey, one.key))
        first = {(one.journey, one.key): one for one in reversed(both)}
        inside[:] = both
        for one in both:
            journey = self.book.version(one.journey, one.version)
            if first[one.journey, one.key] is one:
                continue  # of a version this partition has not heard of yet, it waits for it
            if journey is None:
                self._drop(moment, one, effects)
            else:
                self._end(journey, moment, one, "EXITED", effects)

    # Entering.

    def _enter(self, journey: Journey, view: View, due: list[Due], effects: list[Effect]) -> None:
        moment, state = view.moment, view.state
        moment.score = self._proposer.score(journey, view)
        self._decisions.count("journey.matched")
        key = key_of(journey, view)
        outcome, next_ms = refusal(self.book, journey, view, key)
        instance = None
        if not outcome:
            instance = instance_of(journey, view, key)
            if journey.guard(at(moment, instance)):
                outcome = "ENTERED"
            else:
                outcome, instance = "GUARD_FALSE", None
        effects.append(
            self._decisions.at_event(
                moment,
                journey,
                ENTRY,
                outcome,
                score=moment.score,
                next_eligible_at_ms=next_ms,
            )
        )
        if instance is None:
            if journey.name not in state.standings or outcome != "REENTRY_BLOCKED":
                stand(state, journey.name, outcome, moment.now_ms)
            return
        count_entry(state, journey, key, moment.now_ms)
        state.inside.append(instance)
        self._run(journey, moment, instance, due, effects)

    # Being inside.

    def _journey(self, instance: Instance, moment: Moment, effects: list[Effect]) -> Journey | None:
        """The version the instance is on, after what a newer one says about people inside. None:
        the instance has ended."""
        journey = self.book.version(instance.journey, instance.version)
        newest = self.book.newest(instance.journey)
        if journey is None or newest is None:
            self._drop(moment, instance, effects)
            return None
        if newest.version == journey.version or newest.spec.migrate == "pin":
            return journey
        if newest.spec.migrate == "exit":
            self._end(journey, moment, instance, "EXITED", effects)
            return None
        self._note(journey, moment, instance, journey.step_id(instance.step), "RESTARTED", effects)
        instance.version, instance.step = newest.version, 0
        return newest

    def _exit(self, moment: Moment, effects: list[Effect]) -> None:
        for instance in list(moment.person.state.inside):
            journey = self.book.version(instance.journey, instance.version)
            if (
                journey is not None
                and moment.type in journey.exits
                and moment.time_ms >= instance.event_ms
                and journey.leave(at(moment, instance))
            ):
                self._end(journey, moment, instance, "EXITED", effects)

    def _end_waits(self, moment: Moment, due: list[Due], effects: list[Effect]) -> None:
        """The event that a `wait_for` waits for has come."""
        for instance in list(moment.person.state.inside):
            journey = self.book.version(instance.journey, instance.version)
            if journey is None or moment.type not in journey.waits_on:
                continue
            version = instance.version
            journey = self._journey(instance, moment, effects)
            if journey is None:
                continue
            if instance.version != version:
                self._run(journey, moment, instance, due, effects)
                continue
            step = journey.steps[instance.step]
            if moment.type in step.waits_on and step.condition(at(moment, instance)):
                self._note(journey, moment, instance, step.id, "EVENT_CAME", effects)
                instance.step = step.then
                self._run(journey, moment, instance, due, effects)

    def _run(
        self,
        journey: Journey,
        moment: Moment,
        instance: Instance,
        due: list[Due],
        effects: list[Effect],
        *,
        waited: bool = False,
    ) -> None:
        """Step by step until the instance waits, proposes something, or ends. `waited`: the wait
        of the step it stands before is over."""
        for _ in range(MOST_STEPS + 1):
            if instance.step >= len(journey.steps):
                break
            step = journey.steps[instance.step]
            if step.kind in WAITS:
                if not waited:
                    longest_ms = instance.entered_ms + journey.after_ms
                    due_ms = end_of_wait(step, moment, instance, self._zone)
                    instance.due_ms = max(min(due_ms, longest_ms), moment.now_ms + 1)
                    return
                waited = False
                instance.step = step.after
            elif step.kind == "if":
                holds = bool(step.condition(at(moment, instance)))
                place = step.then if holds else step.otherwise
                self._branch(journey, moment, instance, step, place, 1.0, effects)
            elif step.kind == "split":
                place, share = drawn_path(self._decisions.seed, step, moment, instance)
                self._branch(journey, moment, instance, step, place, share, effects)
            elif step.kind == "goto":
                instance.step = step.after
            else:
                self._propose(journey, moment, instance, step, due, effects)
                return
        self._end(journey, moment, instance, "COMPLETED", effects)

    def _branch(
        self,
        journey: Journey,
        moment: Moment,
        instance: Instance,
        step: CompiledStep,
        place: int,
        propensity: float,
        effects: list[Effect],
    ) -> None:
        arm = journey.step_id(place)
        instance.arms[step.id] = arm
        instance.step = place
        more = {"arm": arm, "propensity": propensity}
        self._note(journey, moment, instance, step.id, "BRANCHED", effects, **more)

    def _propose(
        self,
        journey: Journey,
        moment: Moment,
        instance: Instance,
        step: CompiledStep,
        due: list[Due],
        effects: list[Effect],
    ) -> None:
        view = at(moment, instance)
        refused = ""
        if self.book.is_paused(journey.name):
            refused = "JOURNEY_PAUSED"
        elif not journey.guard(view):
            refused = "GUARD_FALSE"
        if refused:
            self._note(journey, moment, instance, step.id, refused, effects)
            instance.step = step.failed
            self._run(journey, moment, instance, due, effects)
            return
        self._decisions.count("journey.due")
        standing = moment.person.state.standings.get(journey.name)
        proposal = self._proposer.due(journey, step, view)
        proposal.decision_id = self._identify(journey.name, step.id, moment, instance)
        proposal.first = standing is None or not standing.measured
        proposal.forced = self.forced.get(step.id, "")
        due.append(proposal)

    def _end(
        self,
        journey: Journey,
        moment: Moment,
        instance: Instance,
        outcome: str,
        effects: list[Effect],
    ) -> None:
        state = moment.person.state
        state.inside.remove(instance)
        if not instance.arms and outcome == "COMPLETED":
            uncount_entry(state, journey, instance, moment.now_ms)
        step = journey.step_id(instance.step)
        self._note(journey, moment, instance, step, outcome, effects)

    def _drop(self, moment: Moment, instance: Instance, effects: list[Effect]) -> None:
        """The instance is on a version that is not known here, or not any more."""
        moment.person.state.inside.remove(instance)
        self._decisions.count("journey.ended")
        known = Gone(instance.journey, instance.version)
        decision_id = self._identify(instance.journey, "gone/end", moment, instance)
        cause = instance.cause_event_id
        effects.append(self._decisions.record(moment, known, END, "EXITED", decision_id, cause))

    def _note(
        self,
        journey: Journey,
        moment: Moment,
        instance: Instance,
        step: str,
        outcome: str,
        effects: list[Effect],
        **more: object,
    ) -> None:
        """A decision of the journey itself, about a step or its end."""
        ends = outcome in ENDS
        self._decisions.count("journey.ended" if ends else "journey.due")
        place = f"{step}/end" if ends else step  # a step that was due may also be the last one
        decision_id = self._identify(journey.name, place, moment, instance)
        effects.append(
            self._decisions.record(
                moment,
                journey,
                step,
                outcome,
                decision_id,
                instance.cause_event_id,
                **more,
            )
        )

    def _identify(self, journey: str, step: str, moment: Moment, instance: Instance) -> str:
        return self._decisions.identify(
            journey,
            step,
            user_id=moment.person.user_id,
            source=instance.source,
            cause=instance.cause_event_id,
            due_ms=instance.due_ms,
        )
