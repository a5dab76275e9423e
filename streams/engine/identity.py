"""One person behind several aliases, and people who want to be forgotten: what happens to their
state.

`people.py` knows who forwards to whom; here states move, merge and end.
"""

from typing import Any

from streams.contract.partitioning import base_alias
from streams.contract.records import Mail
from streams.engine.control_groups import anchor
from streams.engine.insight import Insight
from streams.engine.journeys.stage import JourneyStage
from streams.engine.moment import Moment
from streams.engine.outcome import Effect, Tombstone
from streams.engine.people import People
from streams.engine.profile.merging import merge
from streams.engine.profile.portrait import Portraits
from streams.engine.results import merge as merge_results
from streams.engine.state import NEVER_MS, UserState
from streams.engine.store import Person, Store
from streams.engine.timers import Timers

LINKED = "identity.linked"
ERASURE = "user.erasure_requested"


class Identity:
    def __init__(
        self,
        seed: bytes,
        store: Store,
        people: People,
        *,
        insight: Insight,
        journeys: JourneyStage,
        timers: Timers,
        portraits: Portraits,
    ) -> None:
        self._seed = seed
        self._store = store
        self._people = people
        self._insight = insight
        self._journeys = journeys
        self._timers = timers
        self._portraits = portraits

    def new_state(self, user_id: str, time_ms: int) -> UserState:
        """Of a person not met before, or not since an erasure: the control groups stay."""
        alias = base_alias(user_id)
        kept = self._people.anchor_of(alias) if self._people.knows(alias) else 0
        return UserState(first_seen_ms=time_ms, anchor=kept)

    def erase(
        self, moment: Moment | None, user_id: str, erased_ms: int, now_ms: int
    ) -> list[Effect]:
        """Leaves of the person the alias's generation and the time; `moment` is None where the
        person has no state."""
        effects: list[Effect] = []
        alias = base_alias(user_id)
        kept = self._people.anchor_of(alias)
        if moment is not None:
            kept = moment.person.state.anchor
            self._journeys.erase(moment, effects)
            self._store.delete(moment.person)
            effects.append(Tombstone(user_id))
        gone: list[str] = []
        effects += self._people.erase(alias, erased_ms, kept, gone)
        for other in gone[1:]:
            effects += self._insight.forgotten(other, now_ms)
        return effects

    def link(self, person: Person, other: str, time_ms: int, now_ms: int) -> list[Effect]:
        """`other` becomes an alias of the person."""
        people = self._people
        user_id = people.follow(other, [])
        alias = base_alias(user_id)
        if alias == person.alias or not people.may_link(person.alias, alias, time_ms):
            return []
        if not people.is_here(user_id):
            return [people.ask(alias, person.user_id, time_ms, [])]
        people.point(alias, person.user_id)
        theirs = self._store.get(user_id)
        if theirs is None:
            people.own(person.alias, alias)
            return []
        effects = self._absorb(person, alias, theirs.state, now_ms)
        self._store.delete(theirs)
        effects.append(Tombstone(user_id))
        return effects

    def move(self, mail: Mail, now_ms: int) -> list[Effect]:
        """Another partition asks for one of our people, or says that they are forgotten."""
        body: dict[str, Any] = mail.body
        if not mail.user_id:
            return self._forget(mail.alias, body["erased_ms"], now_ms)
        people, path, time_ms = self._people, list(body["path"]), body["time_ms"]
        user_id = people.follow(mail.alias, path)
        alias = base_alias(user_id)
        to = mail.user_id
        if people.is_here(to):
            to = people.follow(to, [])
        if alias == base_alias(to):
            return []
        if not people.is_here(user_id):
            # A request that has come round does not go round again.
            return [] if alias in path else [people.ask(alias, to, time_ms, path)]
        if people.is_here(to):
            person = self._store.get(to)
            return [] if person is None else self.link(person, alias, time_ms, now_ms)
        if people.erased_ms(alias) >= time_ms:
            return []
        return self._hand_over(user_id, to, time_ms)

    def adopt(self, mail: Mail, now_ms: int) -> list[Effect]:
        """A state we asked for, or that follows a person who moved on."""
        body: dict[str, Any] = mail.body
        people, path, other = self._people, list(body["path"]), body["from"]
        user_id = people.follow(mail.user_id, path)
        if not people.is_here(user_id):
            return [people.pass_on(user_id, {**body, "path": path})]
        alias, state = base_alias(user_id), People.unpack(body)
        erased_ms = people.erased_ms(alias)
        if erased_ms >= body["time_ms"]:
            effects: list[Effect] = []
            if state is not None:  # it arrives after the erasure: whoever knows of it forgets it
                key = b"u:" + other.encode()
                late = Person(other, key, state, NEVER_MS)
                effects += self._insight.forget(late, now_ms)
            return [*effects, people.sever(other, erased_ms)]
        person = self._store.get(user_id)
        if state is None:
            people.own(alias, other)
            return []
        if person is None:
            person = self._store.create(user_id, self.new_state(user_id, state.first_seen_ms + 1))
        effects = self._absorb(person, other, state, now_ms)
        effects.append(self._portraits.of(person, now_ms))
        return effects

    def _absorb(self, person: Person, alias: str, state: UserState, now_ms: int) -> list[Effect]:
        effects = self._insight.merging(person, state, now_ms)
        if state.first_seen_ms < person.state.first_seen_ms:
            person.state.anchor = anchor(state, alias, self._seed)
        merge(person.state, state)
        moment = Moment(now_ms, person, LINKED, now_ms, "")
        self._journeys.merge(moment, state, effects)
        merge_results(person.state, state)
        self._people.own(person.alias, alias)
        if not person.state.check_ms and state.check_ms:
            self._timers.watch(person, now_ms)
        self._store.touch(person)
        self._timers.schedule(person)
        return effects

    def _hand_over(self, user_id: str, to: str, time_ms: int) -> list[Effect]:
        people, alias = self._people, base_alias(user_id)
        theirs = self._store.get(user_id)
        state = None if theirs is None else theirs.state
        if state is not None:
            state.anchor = anchor(state, alias, self._seed)
        people.point(alias, to)
        effects: list[Effect] = [people.hand_over(alias, state, to, time_ms)]
        if theirs is not None:
            self._store.delete(theirs)
            effects.append(Tombstone(user_id))
        return effects

    def _forget(self, alias: str, erased_ms: int, now_ms: int) -> list[Effect]:
        """The person this alias forwarded to was erased: so is the alias."""
        if not self._people.forwards(alias):
            return []
        gone: list[str] = []
        effects: list[Effect] = list(self._people.erase(alias, erased_ms, 0, gone))
        for other in gone:
            effects += self._insight.forgotten(other, now_ms)
        return effects
