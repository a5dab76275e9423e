"""Growth 裂变增长: who brings whom, and what becomes of it.

Somebody came by another person where the event says so (`invited_by`), or where they opened what
another had shared on the day they were first seen (share_links.py). The first one counts, nobody
brings themselves, and whoever has ordered before was not brought. The invited may order within
`OPEN_MS`: only that converts, and only the inviter is credited, one level up and no further.

Inviter and invited may live in different partitions, so they write to each other, also within one:
the outcome does not depend on how many partitions there are. Each knows the other for as long as
the invitation is open: so whoever is erased is taken out of the other's row.
"""

from typing import Final
from zlib import crc32

import msgspec
from msgspec import Struct

from streams.contract.events import HARD_CHURN
from streams.contract.partitioning import base_alias, partition_of
from streams.contract.policy import DAY_MS
from streams.contract.triggers import Contribution
from streams.engine.models.growth_letters import (
    Answer,
    Brought,
    Converted,
    Gone,
    GrowthLetter,
    Invited,
    Left,
    Settled,
)
from streams.engine.models.growth_state import MOST_OPEN, OPEN_MS, Grown, Invitation
from streams.engine.models.letters import Amount, check_size
from streams.engine.models.model import Body, Model, Surroundings
from streams.engine.moment import Moment
from streams.engine.outcome import Effect
from streams.engine.profile.activity import ORDERS, day_of
from streams.engine.state import UserState
from streams.engine.store import Person
from streams.learning import rows
from streams.learning.growth.conversion import InviteConversion
from streams.learning.growth.generations import Generations
from streams.learning.growth.groups import Groups, Influence

CHANNELS: Final = ("follow", "group", "share")
FOLLOW, GROUP, SHARE = range(len(CHANNELS))
FOLLOWED, JOINED, ENTERED = "user.followed", "group.member_joined", "group.entered"

CONVERSION: Final = b"m:growth/conversion"
GENERATIONS: Final = b"m:growth/generations"
GROUPS: Final = b"m:growth/groups"
MOST_HOPS: Final = 4  # of a letter to somebody who has become another person elsewhere


class Learned(Struct):
    """By channel, how many invitations were settled and how many of them succeeded."""

    conversion: list[tuple[Amount, Amount]]

    def __post_init__(self) -> None:
        check_size("channels", len(self.conversion), len(CHANNELS))
        if any(succeeded > settled for settled, succeeded in self.conversion):
            raise ValueError("more invitations succeeded than were settled")


class GrowthModel(Model):
    NAME = "growth"
    LISTENS = HARD_CHURN | ORDERS | {FOLLOWED, JOINED, ENTERED}
    CHECKS = True

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._conversion = InviteConversion(len(CHANNELS))
        self._generations = Generations()
        self._groups = Groups()
        self._changed: dict[bytes, None] = {}

    # What journeys and profiles ask.

    @staticmethod
    def invited(state: UserState) -> int:
        """How many people came by this one."""
        return state.grown.invited if state.grown is not None else 0

    @staticmethod
    def invited_converted(state: UserState) -> int:
        """How many of them ordered within 14 days: what a reward may follow."""
        return state.grown.converted if state.grown is not None else 0

    @staticmethod
    def invited_by(state: UserState) -> bool:
        """Whether somebody brought this person."""
        return state.grown is not None and state.grown.invited_by

    def invite_conversion(self, state: UserState) -> float:
        """P(orders within 14 days of the invitation); 0 where no invitation is open."""
        open_ = state.grown.open if state.grown is not None else None
        if open_ is None:
            return 0.0
        if open_.converted:
            return 1.0
        return self._conversion.probability(open_.channel, open_.settled, open_.succeeded)

    def why_invite_conversion(self, state: UserState) -> list[Contribution]:
        """What adds up to the log-odds of `invite_conversion`."""
        open_ = state.grown.open if state.grown is not None else None
        if open_ is None:
            return []
        found = self._conversion.contributions(open_.channel, open_.settled, open_.succeeded)
        return [Contribution(*part) for part in found]

    def influences(self, now_ms: int) -> list[Influence]:
        """Groups by the customers they brought, as far as their members live here."""
        return self._groups.influences(now_ms)

    @property
    def generations(self) -> Generations:
        return self._generations

    # Learning.

    def learn(self, moment: Moment) -> list[Effect]:
        kind, person = moment.type, moment.person
        if kind in ORDERS:
            return self._ordered(person, moment.time_ms)
        if kind in HARD_CHURN:
            return self._settle(person)
        effects: list[Effect] = []
        if kind in (JOINED, ENTERED) and moment.data.group_id:
            self._group(moment)
        if kind in (FOLLOWED, JOINED) and moment.data.invited_by:
            channel = FOLLOW if kind == FOLLOWED else GROUP
            if channel == FOLLOW or is_new(person.state, moment.time_ms):
                group = moment.data.group_id if kind == JOINED else ""
                effects += self._begin(
                    person, moment.data.invited_by, channel, moment.time_ms, group
                )
        return effects

    def check(self, person: Person, now_ms: int) -> list[Effect]:
        state = person.state
        first_ms = state.first_seen_ms
        if first_ms <= now_ms < first_ms + DAY_MS:  # checks come daily: each newcomer once
            self._generations.joined(day_of(first_ms))
            self._changed[GENERATIONS] = None
        open_ = state.grown.open if state.grown is not None else None
        if open_ is None:
            return []
        # Whoever is not watched any more is settled now, for there is no later check.
        watched_ms = state.activity.last_ms + self.around.config.churn.watch_days * DAY_MS
        over = now_ms >= min(open_.at_ms + OPEN_MS, watched_ms)
        return self._settle(person) if over else []

    def read(self, letter: Body) -> GrowthLetter:
        found: GrowthLetter = msgspec.convert(letter, GrowthLetter)
        return found

    def receive(self, letter: GrowthLetter, now_ms: int) -> list[Effect]:
        letter.to = self.around.stands_for(letter.to)
        if partition_of(letter.to, self.around.partitions) != self.around.partition:
            letter.hops += 1
            on = letter.hops < MOST_HOPS
            return self._tell(letter.to, msgspec.to_builtins(letter)) if on else []
        match letter:
            case Invited():
                return self._invited(letter)
            case Answer():
                self._answered(letter)
            case Converted():
                self._converted(letter)
            case Settled():
                self._settled(letter)
            case Gone():
                self._gone(letter)
            case Left():
                self._left(letter)
            case Brought():
                return self._brought(letter)
        return []

    def share(self) -> Body | None:
        delta = self._conversion.share()
        if delta is None:
            return None
        self._changed[CONVERSION] = None
        return {"conversion": delta}

    def read_delta(self, delta: Body) -> Learned:
        return msgspec.convert(delta, Learned)

    def absorb(self, delta: Learned, now_ms: int) -> None:
        self._conversion.absorb(delta.conversion)
        self._changed[CONVERSION] = None

    def forget(self, person: Person, now_ms: int) -> list[Effect]:
        """Those who know the person by id are told; what is left are numbers."""
        grown = person.state.grown
        if grown is None:
            return []
        effects: list[Effect] = []
        for invited in grown.waiting:
            effects += self._tell(invited, {"said": "left"})
        if grown.open is not None:
            effects += self._tell(grown.open.inviter, {"said": "gone", "of": grown.open.invited})
        return effects

    def merging(self, person: Person, other: UserState, now_ms: int) -> list[Effect]:
        """Of two open invitations one counts, and not more than MOST_OPEN wait: who knows the
        person by one that does not is told."""
        ours, theirs = person.state.grown, other.grown
        if ours is None or theirs is None:
            return []
        effects: list[Effect] = []
        if ours.open is not None and theirs.open is not None:
            body = {"said": "gone", "of": theirs.open.invited}
            effects += self._tell(theirs.open.inviter, body)
        for invited in [*ours.waiting, *theirs.waiting][MOST_OPEN:]:
            effects += self._tell(invited, {"said": "left"})
        return effects

    # The invited person's side.

    def _begin(
        self, person: Person, inviter: str, channel: int, at_ms: int, group: str = ""
    ) -> list[Effect]:
        """The person came by another."""
        state, inviter = person.state, self.around.stands_for(inviter)
        grown = state.grown
        same = base_alias(inviter) == person.alias
        if same or state.activity.orders:
            return []
        if grown is not None and (grown.invited_by or inviter in grown.waiting):
            return []  # by now, or the other way round
        grown = state.grown = grown or Grown()
        grown.invited_by = True
        mark = crc32(group.encode()) if group else 0
        grown.open = Invitation(inviter, person.user_id, channel, at_ms, group=mark)
        self.around.changed(person)
        return self._tell(inviter, {"said": "invited", "of": person.user_id, "at_ms": at_ms})

    def _ordered(self, person: Person, time_ms: int) -> list[Effect]:
        """An order in time converts."""
        grown = person.state.grown
        open_ = grown.open if grown is not None else None
        if open_ is None or open_.converted or not 0 <= time_ms - open_.at_ms < OPEN_MS:
            return []
        open_.converted = True
        if open_.group:
            self._groups.converted(open_.group, time_ms)
            self._changed[GROUPS] = None
        body = {"said": "converted", "of": open_.invited, "at_ms": open_.at_ms}
        return self._tell(open_.inviter, body)

    def _settle(self, person: Person) -> list[Effect]:
        """The window is over, or the person has left: learn what became of it."""
        grown = person.state.grown
        open_ = grown.open if grown is not None else None
        if grown is None or open_ is None:
            return []
        grown.open = None
        self._conversion.learn(open_.channel, open_.settled, open_.succeeded, open_.converted)
        self._changed[CONVERSION] = None
        body = {"said": "settled", "of": open_.invited, "converted": open_.converted}
        return self._tell(open_.inviter, body)

    def _answered(self, letter: Answer) -> None:
        person = self.around.find(letter.to)
        grown = person.state.grown if person is not None else None
        if person is None or grown is None or grown.open is None:
            return
        if letter.known:
            grown.open.settled, grown.open.succeeded = letter.settled, letter.succeeded
        else:
            grown.open = None
        self.around.changed(person)

    def _left(self, letter: Left) -> None:
        """Nothing is learned of this invitation."""
        person = self.around.find(letter.to)
        if person is not None and person.state.grown is not None:
            person.state.grown.open = None
            self.around.changed(person)

    def _brought(self, letter: Brought) -> list[Effect]:
        person = self.around.find(letter.to)
        if person is None:
            return []
        return self._begin(person, letter.of, SHARE, letter.at_ms)

    # The inviter's side.

    def _invited(self, letter: Invited) -> list[Effect]:
        person = self.around.find(letter.to)
        grown = person.state.grown if person is not None else None
        known = person is not None and (grown is None or len(grown.waiting) < MOST_OPEN)
        answer = {"said": "answer", "known": known, "settled": 0, "succeeded": 0}
        if person is not None:
            grown = person.state.grown = grown or Grown()
            grown.invited += 1
            if known:
                grown.waiting = [*grown.waiting, letter.of]
            answer |= {"settled": grown.settled, "succeeded": grown.succeeded}
            self._generations.brought(*_age(person, letter.at_ms))
            self._changed[GENERATIONS] = None
            self.around.changed(person)
        return self._tell(letter.of, answer)

    def _converted(self, letter: Converted) -> None:
        person = self._inviter(letter)
        if person is not None and person.state.grown is not None:
            person.state.grown.converted += 1
            self._generations.converted(*_age(person, letter.at_ms))
            self._changed[GENERATIONS] = None

    def _settled(self, letter: Settled) -> None:
        person = self._inviter(letter)
        if person is not None and person.state.grown is not None:
            grown = person.state.grown
            grown.settled += 1
            grown.succeeded += letter.converted
            grown.waiting = [one for one in grown.waiting if one != letter.of]

    def _gone(self, letter: Gone) -> None:
        person = self._inviter(letter)
        if person is not None and person.state.grown is not None:
            grown = person.state.grown
            grown.waiting = [one for one in grown.waiting if one != letter.of]

    def _inviter(self, letter: Converted | Settled | Gone) -> Person | None:
        """Who waits for news of the person that the letter is of."""
        person = self.around.find(letter.to)
        grown = person.state.grown if person is not None else None
        if person is None or grown is None or letter.of not in grown.waiting:
            return None
        self.around.changed(person)
        return person

    # Groups.

    def _group(self, moment: Moment) -> None:
        name = moment.data.group_id
        add = self._groups.joined if moment.type == JOINED else self._groups.active
        add(crc32(name.encode()), name, moment.time_ms)
        self._changed[GROUPS] = None

    # Letters.

    def _tell(self, user_id: str, body: Body) -> list[Effect]:
        """To whoever that user id stands for now, wherever they live."""
        user_id = self.around.stands_for(user_id)
        to = partition_of(user_id, self.around.partitions)
        return [self.letter(to, {**body, "to": user_id})]

    # Rows.

    def changed_rows(self) -> list[tuple[bytes, bytes | None]]:
        changed, self._changed = self._changed, {}
        return [(key, self._row(key)) for key in changed]

    def load_row(self, key: bytes, row: bytes) -> None:
        if key == CONVERSION:
            self._conversion.from_row(row)
        elif key == GENERATIONS:
            self._generations = rows.unpack(row, Generations)
        elif key == GROUPS:
            self._groups = rows.unpack(row, Groups)
        else:
            super().load_row(key, row)

    def metrics(self) -> dict[str, float]:
        """`coefficient`: people brought per newcomer within 14 days of joining."""
        conversion, today = self._conversion, self._generations.latest
        return {
            **conversion.validation.metrics(),
            "settled": sum(conversion.settled),
            "succeeded": sum(conversion.succeeded),
            "coefficient": self._generations.coefficient(today),
            "customers_per_newcomer": self._generations.customers(today),
            "groups": float(len(self._groups.groups)),
        }

    def _row(self, key: bytes) -> bytes:
        if key == CONVERSION:
            return self._conversion.to_row()
        if key == GENERATIONS:
            return rows.pack(self._generations)
        return rows.pack(self._groups)


def is_new(state: UserState, time_ms: int) -> bool:
    return time_ms - state.first_seen_ms < DAY_MS


def _age(person: Person, at_ms: int) -> tuple[int, float]:
    """The day a person was first seen, and the days from then on."""
    first_ms = person.state.first_seen_ms
    return day_of(first_ms), max(at_ms - first_ms, 0) / DAY_MS
