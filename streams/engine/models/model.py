"""What every model of the list in insight.py is asked and told, in this order.

A model is one file and one line in that list. It listens to the types of events it names and to
nobody's daily check but those it wants; so what does not concern it costs nothing. It changes the
person's state only in its own field at the end of `UserState` (a structure of its own stands in a
module that does not import state.py, as `ChurnState` does), keeps what is shared by people in
rows of its own, and returns effects as values: insights, and letters to its like in other
partitions, which arrive exactly once.

What is learned in one partition reaches the others as deltas: `share` gives what was learned here
since the last call, as sums that add up in any order; each other partition is told to `absorb` it.
With one partition nobody asks. How letters stand on the log, and which are refused: letters.py.
"""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from streams.contract.insights import Alert, AlertKind
from streams.contract.records import Mail
from streams.engine import chance
from streams.engine.config import Config
from streams.engine.moment import Moment
from streams.engine.outcome import Effect
from streams.engine.profile.activity import day_of
from streams.engine.state import NEVER_MS, UserState
from streams.engine.store import Person
from streams.learning.drift import Event

Body = dict[str, Any]  # JSON; bytes go as base64


def _nobody(user_id: str) -> None:
    """Nobody is known."""


def _uncounted(name: str) -> None:
    """Nobody counts."""


class Surroundings(NamedTuple):
    """What a model may reach. Letters go through `Model.letter`."""

    config: Config
    seed: bytes
    partition: int
    partitions: int
    letter: Callable[[int, Body], Mail]
    changed: Callable[[Person], None]  # tell the store that a person other than the moment's did
    # For `receive`: a person of this partition, and whom a user id stands for now, maybe elsewhere.
    find: Callable[[str], Person | None] = _nobody
    stands_for: Callable[[str], str] = str
    counted: Callable[[str], None] = _uncounted  # one more of this name, in the partition's books
    # Of the policy in force, as days since the epoch.
    holidays: Callable[[], frozenset[int]] = frozenset


class Model:
    """The base of all: does nothing. Override what the model needs."""

    NAME: ClassVar[str]  # its rows are m:<NAME>/...
    LISTENS: ClassVar[frozenset[str]] = frozenset()  # event types given to `learn`
    CHECKS: ClassVar[bool] = False  # whether daily checks are given to `check`
    # Version of the letters it writes, one more whenever an older release would misread them; it
    # reads those up to this one.
    LETTERS: ClassVar[int] = 1
    due_ms: int = NEVER_MS  # when `settle` wants to be called, in the log's time

    def __init__(self, around: Surroundings) -> None:
        self.around = around

    def learn(self, moment: Moment) -> list[Effect]:
        """An event, after profile and interests took it over and before journeys look at it.
        Backfilled ones (`moment.backfill`) teach, and never alert."""
        return []

    def check(self, person: Person, now_ms: int) -> list[Effect]:
        """The daily check of a person who is watched."""
        return []

    def settle(self, now_ms: int) -> list[Effect]:
        """At the first record from `due_ms` on: close periods, tell, set a later `due_ms`."""
        return []

    def letter(self, to: int, body: Body) -> Mail:
        """Mail to the model of this name in partition `to`: `receive` gets the body there."""
        return self.around.letter(to, addressed(type(self), body))

    def read(self, letter: Body) -> Any:
        """A letter as `receive` is given it: typed, whole and within bounds. Changes nothing;
        raises ValueError where it is none."""
        raise ValueError(f"the {self.NAME} model gets no letters")

    def receive(self, letter: Any, now_ms: int) -> list[Effect]:
        """A letter of this model in another partition, as read."""
        return []

    def share(self) -> Body | None:
        """What was learned here since the last call; None: nothing."""
        return None

    def read_delta(self, delta: Body) -> Any:
        """What another partition's `share` gave, as `read` does it."""
        raise ValueError(f"the {self.NAME} model shares nothing")

    def absorb(self, delta: Any, now_ms: int) -> None:
        """What another partition learned, as read."""

    def forget(self, person: Person, now_ms: int) -> list[Effect]:
        """The person is erased: what rows hold by their id goes."""
        return []

    def forgotten(self, alias: str, now_ms: int) -> list[Effect]:
        """An alias that had become part of a person who is erased: what rows hold by it goes."""
        return []

    def merging(self, person: Person, other: UserState, now_ms: int) -> list[Effect]:
        """Another turns out to be this person, and their states are about to become one."""
        return []

    def changed_rows(self) -> list[tuple[bytes, bytes | None]]:
        """Rows changed since the last call, each once; None deletes one. At most 16 KB each."""
        return []

    def load_row(self, key: bytes, row: bytes) -> None:
        """Take over an earlier state. Raises ValueError for an unknown key or a newer schema."""
        raise ValueError(f"the {self.NAME} model has no row {key!r}")

    def metrics(self) -> dict[str, float]:
        """Finite numbers by name; shown as model.<NAME>.<name>."""
        return {}


def addressed(model: type[Model], body: Body) -> Body:
    """A letter to the model of this kind, as it stands in the mail."""
    return {"model": model.NAME, "version": model.LETTERS, "letter": body}


def alert(
    around: Surroundings,
    kind: AlertKind,
    name: str,
    now_ms: int,
    *,
    level: float,
    reference: float,
    detail: str,
) -> Alert:
    """Something a person should look at. The same one with the same detail has one id on one
    day."""
    told = (kind, name, detail, str(around.partition), str(day_of(now_ms)))
    return Alert(
        alert_id=chance.identifier(around.seed, "alert", *told),
        at_ms=now_ms,
        partition=around.partition,
        kind=kind,
        name=name,
        level=round(level, 4),
        reference=round(reference, 4),
        detail=detail,
        tenant=around.config.tenant,
    )


def gate_moved(around: Surroundings, model: str, moved: Event, skill: float, now_ms: int) -> Alert:
    """The gate took a model out of service, or let it back."""
    detail = f"{moved.before} -> {moved.after}: {moved.reason}"
    return alert(around, "model_gate", model, now_ms, level=skill, reference=0.0, detail=detail)
