"""Control groups: of everything, and of each journey. Drawn by a keyed hash of the person's
anchor, so a person stays in a group through merges and returns, and the propensity is exact.

The anchor of a person is that of the alias they were first seen with. The global group may be drawn
anew for each period of the policy's `rotate`; within one nobody changes sides.
"""

from streams.contract.policy import Policy
from streams.engine.chance import fraction, number
from streams.engine.state import UserState
from streams.engine.store import Person


def anchor(state: UserState, alias: str, seed: bytes) -> int:
    return state.anchor or number(seed, "anchor", alias)


def in_global_holdout(person: Person, policy: Policy, seed: bytes, now_ms: int) -> bool:
    share, control = policy.global_holdout, policy.control
    if share <= 0.0:
        return False
    group = ["global"]
    if control.salt:
        group.append(control.salt)
    if control.rotate_ms:
        group.append(f"period {now_ms // control.rotate_ms}")
    return _draw(person, seed, *group) < share


def in_journey_holdout(
    person: Person, journey: str, share: float, seed: bytes, salt: str = ""
) -> bool:
    """Journeys of one salt share their group; without one each has its own."""
    if share <= 0.0:
        return False
    return _draw(person, seed, *(("salt", salt) if salt else ("journey", journey))) < share


def _draw(person: Person, seed: bytes, *group: str) -> float:
    return fraction(seed, "holdout", *group, str(anchor(person.state, person.alias, seed)))
