"""What becomes due by time alone: the daily check of each person and the waiting steps of journeys.

The hour of the check is a keyed hash of the user id, which spreads the load over the day.
"""

from collections.abc import Callable

from streams.contract.events import ACTIVITY
from streams.contract.policy import DAY_MS
from streams.engine.chance import number
from streams.engine.config import Config
from streams.engine.insight import Insight
from streams.engine.journeys.journey import Due
from streams.engine.journeys.stage import JourneyStage
from streams.engine.moment import DAILY_CHECK, Moment
from streams.engine.outcome import Effect
from streams.engine.profile.portrait import Portraits, changed_materially
from streams.engine.results import Results, next_close_ms
from streams.engine.state import NEVER_MS, UserState
from streams.engine.store import Person, Store


class Timers:
    def __init__(
        self,
        config: Config,
        seed: bytes,
        store: Store,
        *,
        insight: Insight,
        decide: Callable[[list[Due], list[Effect]], None],
        forget: Callable[[UserState, int], None],
        journeys: JourneyStage,
        results: Results,
        portraits: Portraits,
    ) -> None:
        self._config = config
        self._seed = seed
        self._store = store
        self._insight = insight
        self._decide = decide
        self._forget = forget
        self._journeys = journeys
        self._results = results
        self._portraits = portraits

    def fire(self, now_ms: int, effects: list[Effect]) -> None:
        """Fire what is due, in (due, user id) order, at most so much that a record stays quick."""
        store = self._store
        for _ in range(self._config.timers_per_record):
            person = store.pop_due(now_ms)
            if person is None:
                return
            self._fire(person, now_ms, effects)
            store.touch(person)
            self.schedule(person)

    def watch(self, person: Person, now_ms: int) -> None:
        """Begin the daily checks."""
        phase_ms = number(self._seed, "check", person.user_id) % DAY_MS
        person.state.check_ms = _next(phase_ms, now_ms)

    def follow(self, moment: Moment) -> None:
        """After an event: who is active is watched, and whoever entered a journey is due."""
        person = moment.person
        state = person.state
        if not state.check_ms and moment.type in ACTIVITY:
            self.watch(person, moment.now_ms)
        elif state.check_ms == person.due_ms and not state.inside and not state.pending:
            return
        self.schedule(person)

    def schedule(self, person: Person) -> None:
        """Tell the store when the person is due next."""
        state = person.state
        due_ms = state.check_ms or NEVER_MS
        for instance in state.inside:
            due_ms = min(due_ms, instance.due_ms)
        if state.pending:
            due_ms = min(due_ms, next_close_ms(state, NEVER_MS))
        self._store.set_due(person, due_ms)

    def _fire(self, person: Person, now_ms: int, effects: list[Effect]) -> None:
        due_ms = person.due_ms
        person.due_ms = NEVER_MS  # its entry has left the heap
        state = person.state
        if state.pending:
            self._results.mature(person, now_ms)
        due = self._journeys.due(person, due_ms, now_ms, effects) if state.inside else []
        checked = state.check_ms == due_ms
        if checked:
            moment = self._check(person, due_ms, now_ms, effects)
            due += self._journeys.ask(moment, effects)
        if due:
            self._decide(due, effects)
        if checked and changed_materially(person.state, self._config, now_ms):
            effects.append(self._portraits.of(person, now_ms))

    def _check(self, person: Person, due_ms: int, now_ms: int, effects: list[Effect]) -> Moment:
        state = person.state
        if self._insight.check(person, now_ms, effects):
            state.check_ms = _next(due_ms, now_ms)
        else:
            state.check_ms = 0  # lost, until active again
        self._forget(state, now_ms)
        cause = f"check:{person.user_id}:{due_ms}"
        return Moment(now_ms, person, DAILY_CHECK, due_ms, cause)


def _next(phase_ms: int, now_ms: int) -> int:
    """The next moment at that time of the day."""
    return now_ms + 1 + (phase_ms - now_ms - 1) % DAY_MS
