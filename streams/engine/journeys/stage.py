"""The journeys stage: who enters, who leaves, whose step is due."""

from streams.engine.config import Config
from streams.engine.deciding import Decisions
from streams.engine.insight import Insight
from streams.engine.journeys import JOURNEYS
from streams.engine.journeys.journey import Due, Journey
from streams.engine.moment import Moment
from streams.engine.outcome import Effect
from streams.engine.state import UserState, Waiting
from streams.engine.store import Person

ENTRY = "enter"
TIMER = "timer"


class JourneyStage:
    def __init__(self, config: Config, insight: Insight, decisions: Decisions) -> None:
        self._decisions = decisions
        self._named: dict[str, Journey] = {}
        self._on: dict[str, list[Journey]] = {}
        self._exits: dict[str, frozenset[str]] = {}
        for make in JOURNEYS:
            journey: Journey = make(config, insight)
            self._named[journey.name] = journey
            self._exits[journey.name] = frozenset(journey.exits)
            for kind in journey.on if journey.enabled else ():
                self._on.setdefault(kind, []).append(journey)
        self.concerned = frozenset(self._on).union(*self._exits.values())

    def ask(self, moment: Moment, effects: list[Effect]) -> list[tuple[Moment, Due]]:
        """Exits first, then entries, at an event of a type in `concerned`. Returns what is due
        now."""
        if moment.person.state.waiting:
            self._leave(moment, effects)
        due: list[Due] = []
        for journey in self._on.get(moment.type, ()):
            if journey.enter(moment):
                self._enter(journey, moment, due, effects)
        return [(moment, one) for one in due] if due else []

    def due(self, person: Person, due_ms: int, now_ms: int) -> list[tuple[Moment, Due]]:
        """The waiting steps of the person due at `due_ms`; the person goes on from them."""
        found: list[tuple[Moment, Due]] = []
        waiting = person.state.waiting
        if not waiting:
            return found
        for step in [step for step in waiting if step.due_ms == due_ms]:
            waiting.remove(step)
            journey = self._named.get(step.journey)
            if journey is None or step.step >= len(journey.steps):
                continue  # of a journey that a newer version does not have any more
            moment = Moment(now_ms, person, TIMER, due_ms, step.cause_event_id, step.source)
            found.append((moment, self._due(journey, moment, step)))
            self._go_on(journey, step, now_ms, waiting)
        return found

    def erase(self, moment: Moment, effects: list[Effect]) -> None:
        """The person asked to be forgotten: each journey they are in ends."""
        for waiting in moment.person.state.waiting:
            self._end(moment, waiting, "ERASED", effects)

    def merge(self, moment: Moment, other: UserState, effects: list[Effect]) -> None:
        """Of two people who are one: of each journey the instance due first goes on."""
        waiting = moment.person.state.waiting
        both = sorted([*waiting, *other.waiting], key=lambda one: (one.due_ms, one.journey))
        first = {one.journey: one for one in reversed(both)}
        waiting[:] = [one for one in both if first[one.journey] is one]
        for one in both:
            if first[one.journey] is not one:
                self._end(moment, one, "EXITED", effects)

    def _enter(
        self, journey: Journey, moment: Moment, due: list[Due], effects: list[Effect]
    ) -> None:
        state, now_ms, first = moment.person.state, moment.now_ms, journey.steps[0]
        name = ENTRY if first.wait_ms else first.name
        record = self._decisions.at_event
        if moment.backfill:
            effects.append(record(moment, journey, name, "BACKFILL", score=moment.score))
            return
        free_ms = _free_ms(state, journey, now_ms)
        if free_ms:
            effects.append(
                record(
                    moment,
                    journey,
                    name,
                    "REENTRY_BLOCKED",
                    score=moment.score,
                    next_eligible_at_ms=free_ms,
                )
            )
        elif moment.time_ms + first.wait_ms + journey.expires_ms <= now_ms:
            effects.append(record(moment, journey, name, "EXPIRED", score=moment.score))
        elif first.wait_ms:
            state.waiting.append(_first_wait(journey, moment, first.wait_ms))
            effects.append(record(moment, journey, name, "ENTERED", score=moment.score))
        else:
            due.append(self._due(journey, moment, None))

    def _leave(self, moment: Moment, effects: list[Effect]) -> None:
        kind, waiting = moment.type, moment.person.state.waiting
        for step in list(waiting):
            journey = self._named.get(step.journey)
            if journey is None or kind not in self._exits[step.journey]:
                continue
            if journey.leave(moment, step):
                waiting.remove(step)
                self._end(moment, step, "EXITED", effects)

    def _end(self, moment: Moment, waiting: Waiting, outcome: str, effects: list[Effect]) -> None:
        journey = self._named.get(waiting.journey)
        if journey is not None:
            step = journey.steps[min(waiting.step, len(journey.steps) - 1)].name
            decision_id = self._identify(journey, step, moment.person.user_id, waiting)
            cause = waiting.cause_event_id
            record = self._decisions.record
            effects.append(record(moment, journey, step, outcome, decision_id, cause))

    def _due(self, journey: Journey, moment: Moment, waiting: Waiting | None) -> Due:
        step = journey.steps[waiting.step if waiting else 0].name
        user_id = moment.person.user_id
        if waiting is not None:
            decision_id = self._identify(journey, step, user_id, waiting)
        else:
            decision_id = self._decisions.identify(
                journey,
                step,
                user_id=user_id,
                source=moment.source,
                cause=moment.cause_event_id,
                due_ms=moment.time_ms,
            )
        proposal = journey.propose(moment, waiting)
        return Due(journey, step, decision_id, moment.cause_event_id, proposal)

    def _identify(self, journey: Journey, step: str, user_id: str, waiting: Waiting) -> str:
        return self._decisions.identify(
            journey,
            step,
            user_id=user_id,
            source=waiting.source,
            cause=waiting.cause_event_id,
            due_ms=waiting.due_ms,
        )

    def _go_on(self, journey: Journey, step: Waiting, now_ms: int, waiting: list[Waiting]) -> None:
        if step.step + 1 < len(journey.steps):
            step.step += 1
            step.due_ms = now_ms + journey.steps[step.step].wait_ms
            waiting.append(step)


def _free_ms(state: UserState, journey: Journey, now_ms: int) -> int:
    """When the person may enter again; 0 where they may now."""
    for step in state.waiting:
        if step.journey == journey.name:
            return step.due_ms
    last_ms = state.addressed.get(journey.name)
    if last_ms is None or now_ms - last_ms >= journey.cooldown_ms:
        return 0
    return last_ms + journey.cooldown_ms


def _first_wait(journey: Journey, moment: Moment, wait_ms: int) -> Waiting:
    return Waiting(
        journey=journey.name,
        step=0,
        due_ms=max(moment.time_ms + wait_ms, moment.now_ms + 1),
        entered_ms=moment.now_ms,
        event_ms=moment.time_ms,
        cause_event_id=moment.cause_event_id,
        source=moment.source,
        item_id=moment.item_id,
        category=moment.category,
        value_fen=moment.price_fen * moment.quantity,
    )
