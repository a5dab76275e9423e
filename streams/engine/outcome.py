"""What folding one record led to: its fate and, seldom, effects. Effects are values; the shell
acts.
"""

from typing import NamedTuple

from streams.contract.dead_letters import DeadLetter
from streams.contract.decisions import Decision
from streams.contract.insights import InsightRecord
from streams.contract.profiles import Profile
from streams.contract.records import Mail
from streams.contract.reports import Applied, JourneyReport
from streams.contract.triggers import Trigger


class Tombstone(NamedTuple):
    """Nothing of this user id may be read any more."""

    user_id: str


Effect = (
    Trigger
    | Decision
    | Profile
    | Tombstone
    | DeadLetter
    | Mail
    | Applied
    | JourneyReport
    | InsightRecord
)

FATES = ("applied", "duplicate", "late", "dead_lettered", "erased", "redelivered")


class Outcome(NamedTuple):
    """`fate` is one of FATES, `forwarded` for an event that belongs to another partition, or empty
    for a record that is no input. `effects` stand in the order in which they came about."""

    fate: str
    effects: tuple[Effect, ...] = ()

    @property
    def triggers(self) -> list[Trigger]:
        return [effect for effect in self.effects if type(effect) is Trigger]

    @property
    def decisions(self) -> list[Decision]:
        return [effect for effect in self.effects if type(effect) is Decision]

    @property
    def profiles(self) -> list[Profile | Tombstone]:
        return [effect for effect in self.effects if isinstance(effect, Profile | Tombstone)]

    @property
    def dead_letters(self) -> list[DeadLetter]:
        return [effect for effect in self.effects if type(effect) is DeadLetter]

    @property
    def insights(self) -> list[InsightRecord]:
        return [effect for effect in self.effects if isinstance(effect, InsightRecord)]

    @property
    def mail(self) -> list[Mail]:
        return [effect for effect in self.effects if type(effect) is Mail]


SILENT = {fate: Outcome(fate) for fate in (*FATES, "forwarded", "")}
