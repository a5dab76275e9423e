"""Control groups: of everything, and of each journey. Drawn by a keyed hash of the person's anchor, so a
person stays in a group through merges and returns, and the propensity is exact.

The anchor of a person is that of the alias they were first seen with.
"""

from streams.engine.chance import fraction, number
from streams.engine.config import Config
from streams.engine.journeys.journey import Journey
from streams.engine.policy.case import Case
from streams.engine.state import UserState
from streams.engine.store import Person


def anchor_of(person: Person, seed: bytes) -> int:
    return anchor(person.state, person.alias, seed)


def anchor(state: UserState, alias: str, seed: bytes) -> int:
    return state.anchor or number(seed, "anchor", alias)


def in_global_holdout(person: Person, config: Config, seed: bytes) -> bool:
    share = config.policy.global_holdout
    return share > 0.0 and _draw(person, seed, "global") < share


def global_holdout(case: Case) -> str:
    held = in_global_holdout(case.moment.person, case.config, case.seed)
    return "HOLDOUT_GLOBAL" if held else ""


def journey_holdout(case: Case) -> str:
    journey = case.journey
    if journey.holdout <= 0.0:
        return ""
    drawn = _draw(case.moment.person, case.seed, "journey", journey.name)
    return "HOLDOUT_JOURNEY" if drawn < journey.holdout else ""


def send_propensity(config: Config, journey: Journey) -> float:
    """The probability of the arm `send`; the arm `hold` has the rest."""
    return (1.0 - config.policy.global_holdout) * (1.0 - journey.holdout)


def _draw(person: Person, seed: bytes, *group: str) -> float:
    return fraction(seed, "holdout", *group, str(anchor_of(person, seed)))
