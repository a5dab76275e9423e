"""Who may be addressed personally (PIPL art. 24)."""

from typing import Final

from streams.contract.policy import Personalisation
from streams.engine.profile.consent import allows
from streams.engine.state import UserState

DEFAULT: Final = Personalisation()


def personalised(state: UserState, rules: Personalisation = DEFAULT) -> bool:
    """Whether the person may get what was chosen or worded for them: they neither withdrew that
    consent nor refused it."""
    if state.refused and any(refusal in state.refused for refusal in rules.refusals):
        return False
    return allows(state, rules.purpose, "*", by_default=rules.by_default)
