"""A crowd of synthetic users whose truth is known, as a source of raw events hour by hour.

Everything is drawn by keys (seed, person, day, visit): what happens to one person does not depend
on the others, on the grouping of calls or on the process. A trigger changes only what it causes, so
a run with triggers and one without can be compared person by person.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from heapq import heapify, heappop, heappush
from math import exp
from random import Random
from typing import Any

import msgspec

from streams.contract.triggers import Trigger
from streams.simulation.chance import keyed, mixed, uniform
from streams.simulation.hazard import (
    ANNOYANCE_HALF_LIFE_DAYS,
    DAY_MS,
    DISAPPOINTMENT_HALF_LIFE_DAYS,
    UNFOLLOW_SHARE,
    Standing,
    daily_hazard,
    daily_rate,
    remaining,
)
from streams.simulation.hours import HABITS, HOUR_MS, Hours
from streams.simulation.life import Life, Planned, Reply
from streams.simulation.person import Person
from streams.simulation.responses import answers
from streams.simulation.scenarios import scenario_named
from streams.simulation.transport import Envelope, Transport
from streams.simulation.truth import Truth, churn_probability

AliasOf = Callable[[str, str], str]  # (subject, source) -> the user id the engine knows
Due = tuple[int, int, int, str, Any]  # time, person, number, what, with what

VISITS_MOST = 12  # a day
WITHDRAWS = 0.0006  # a day: takes back the consent to marketing
ERASES = 0.0003  # a day: asks to be forgotten
NOBODY = -1
# What the day's bits are drawn for; visits have numbers from DRAWS_PER_DAY - VISITS_MOST on.
_LEAVES, _HOW, _WHEN, _VISITS, _PRIVACY = range(5)
_DRAWS_PER_DAY = 32


class Population:
    """Ask for the hours in order; between two of them tell it the triggers that were emitted.

    `start_ms` is the start of hour 0. `alias_of` is needed for `receive` and for questions by user
    id. Raises ValueError for an unknown scenario, no users, or hours out of order.
    """

    def __init__(
        self,
        users: int,
        scenario: str,
        seed: str,
        start_ms: int,
        alias_of: AliasOf | None = None,
    ) -> None:
        if users < 1:
            raise ValueError(f"a population of {users} users is not possible; give at least 1")
        self.scenario = scenario_named(scenario)
        self.start_ms = start_ms
        self._hour = 0
        hours = {habit: Hours(self.scenario.hours, habit) for habit in HABITS}
        self.people = [Person(i, self.scenario, seed, start_ms, hours) for i in range(users)]
        self._aliases = [
            [alias_of(subject, source) for subject, source in person.ids] if alias_of else []
            for person in self.people
        ]
        self._by_alias = {
            alias: person
            for person, aliases in zip(self.people, self._aliases, strict=True)
            for alias in aliases
        }
        self._due: dict[int, list[Due]] = {}
        self._scheduled = 0
        self._transport = Transport(start_ms)
        self._life = Life(
            self.scenario,
            seed=seed,
            start_ms=start_ms,
            people=self.people,
            transport=self._transport,
            schedule=self._schedule,
        )

    def hour(self, h: int) -> list[Envelope | bytes]:
        """The raw events that arrive in hour `h`, in order of arrival; what is broken is bytes."""
        if h != self._hour:
            raise ValueError(f"hour {h} was asked for, {self._hour} is next; ask for them in order")
        if h % 24 == 0:
            for person in self.people:
                self._plan(person, h // 24)
        due = self._due.setdefault(h, [])
        heapify(due)
        while due:
            at_ms, index, _, what, details = heappop(due)
            self._life.act(self.people[index], at_ms, what, details)
        del self._due[h]
        self._hour = h + 1
        return self._transport.arrivals(h)

    def receive(self, triggers: Iterable[Trigger | Mapping[str, Any]]) -> None:
        """Let people answer these triggers in the hours to come. Those of strangers only fail."""
        if not self._by_alias:
            raise ValueError("the population knows no user ids; construct it with alias_of")
        from_ms = self.start_ms + self._hour * HOUR_MS
        for given in triggers:
            trigger = given if isinstance(given, Trigger) else msgspec.convert(given, Trigger)
            person = self.person(trigger.user_id)
            key = keyed("answer", person.key if person else "", trigger.trigger_id)
            index = person.index if person else NOBODY
            plan = answers(trigger, person, Random(key), from_ms)
            for number, answer in enumerate(plan):
                reply = Reply(trigger, answer, mixed(key, number + 1))
                self._schedule(answer.at_ms, index, "answer", reply)

    def person(self, user_id: str) -> Person | None:
        """Who that is; a user id is an alias, perhaps with a dot and what the engine added."""
        return self._by_alias.get(user_id) or self._by_alias.get(user_id.partition(".")[0])

    def activity_ms(self, user_id: str) -> "array[int]":
        """When the person was active, as far as the events could be accepted; not sorted."""
        person = self.person(user_id)
        return person.activity_ms if person else array("q")

    def churn_oracle(
        self, user_id: str, t_ms: int, last_active_ms: int, horizon_days: int = 7
    ) -> float:
        """The forecast of truth.churn_probability. Raises ValueError for a stranger."""
        person = self.person(user_id)
        if person is None:
            raise ValueError(f"nobody here has the user id {user_id!r}")
        return churn_probability(
            self.truth_of(person),
            t_ms=t_ms,
            last_active_ms=last_active_ms,
            horizon_days=horizon_days,
        )

    def truth(self) -> Iterator[Truth]:
        """One row per user, in order."""
        return map(self.truth_of, self.people)

    def truth_of(self, person: Person) -> Truth:
        names = (category.name for category in self.scenario.categories)
        return Truth(
            user=person.index,
            ids=person.ids,
            user_ids=self._aliases[person.index],
            segment=person.segment.name,
            rhythm=person.rhythm.name,
            response=person.response,
            interests={
                name: round(share, 4) for name, share in zip(names, person.interests, strict=True)
            },
            nature=person.nature,
            hours=person.hours.weights,
            start_ms=self.start_ms,
            joined_ms=person.joined_ms,
            left_ms=person.left_ms,
            left_how=person.left_how,
            erased_ms=person.erased_ms,
            revived=person.revived,
            converted_ms=person.converted_ms,
            orders=person.orders,
            spend_fen=person.spend_fen,
            marketing_consent=person.consents,
            disappointments=person.disappointments,
            annoyances=person.annoyances,
            activity_ms=person.activity_ms.tolist(),
            visits=person.visits,
        )

    def _plan(self, person: Person, day: int) -> None:
        """Decide at the grid's midnight what the person's local day will bring."""
        nature, key, first = person.nature, person.key, day * _DRAWS_PER_DAY
        if person.left_day is not None or day < nature.joined_day:
            return
        begin_ms = self.start_ms + day * DAY_MS + nature.shift_ms
        bits = mixed(key, first + _WHEN)
        if day == nature.joined_day:
            at_ms = begin_ms + person.hours.time_ms(bits)
            self._schedule(at_ms, person.index, "join", Planned(day, 0, bits))
            return
        standing = self._standing(person, self.start_ms + day * DAY_MS)
        if uniform(mixed(key, first + _LEAVES)) < daily_hazard(nature, day, standing):
            if uniform(mixed(key, first + _HOW)) < UNFOLLOW_SHARE:
                at_ms = begin_ms + person.hours.time_ms(bits)
                self._schedule(at_ms, person.index, "unfollow", Planned(day, 0, bits))
                person.leave(day, at_ms, "unfollow")
            else:
                person.leave(day, begin_ms, "silent")
            return
        visits = _poisson(daily_rate(nature, day, standing), uniform(mixed(key, first + _VISITS)))
        for number in range(visits):
            bits = mixed(key, first + _DRAWS_PER_DAY - 1 - number)
            at_ms = begin_ms + person.hours.time_ms(bits)
            privacy = _privacy(uniform(mixed(key, first + _PRIVACY))) if number == 0 else ""
            self._schedule(at_ms, person.index, "visit", Planned(day, number, bits, privacy))

    def _standing(self, person: Person, at_ms: int) -> Standing:
        """How the past counts; truth.py sees the same from a row."""
        return Standing(
            remaining(person.disappointments, at_ms, DISAPPOINTMENT_HALF_LIFE_DAYS),
            remaining(person.annoyances, at_ms, ANNOYANCE_HALF_LIFE_DAYS),
            0 < person.converted_ms <= at_ms,
        )

    def _schedule(self, at_ms: int, index: int, what: str, details: Any) -> None:
        hour = max((at_ms - self.start_ms) // HOUR_MS, self._hour)
        self._scheduled += 1
        entry = (at_ms, index, self._scheduled, what, details)
        if hour == self._hour and hour in self._due:
            heappush(self._due[hour], entry)
        else:
            self._due.setdefault(hour, []).append(entry)


def _poisson(mean: float, lot: float) -> int:
    """The quantile of a Poisson distribution, at most VISITS_MOST."""
    number, probability = 0, exp(-mean)
    cumulative = probability
    while lot >= cumulative and number < VISITS_MOST:
        number += 1
        probability *= mean / number
        cumulative += probability
    return number


def _privacy(lot: float) -> str:
    if lot < ERASES:
        return "erase"
    return "withdraw" if lot < ERASES + WITHDRAWS else ""
