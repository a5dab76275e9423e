"""Control groups: of everything, and of each journey. Drawn by a keyed hash of the person's
anchor, so a person stays in a group through merges and returns, and the propensity is exact.

The anchor of a person is that of the alias they were first seen with.
"""

from streams.engine.chance import fraction, number
from streams.engine.config import Config
from streams.engine.state import UserState
from streams.engine.store import Person


def anchor(state: UserState, alias: str, seed: bytes) -> int:
    return state.anchor or number(seed, "anchor", alias)


def in_global_holdout(person: Person, config: Config, seed: bytes) -> bool:
    """Drawn once for as long as the person is in memory and their anchor stays."""
    if person.held is None:
        share = config.policy.global_holdout
        person.held = share > 0.0 and _draw(person, seed, "global") < share
    return person.held


def in_journey_holdout(person: Person, journey: str, share: float, seed: bytes) -> bool:
    return share > 0.0 and _draw(person, seed, "journey", journey) < share


def _draw(person: Person, seed: bytes, *group: str) -> float:
    return fraction(seed, "holdout", *group, str(anchor(person.state, person.alias, seed)))
