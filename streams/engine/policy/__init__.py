"""The policy: gates in a fixed order, each with its own reason codes. The first that fails names
the outcome, so explanations are stable. What depends on sends made stands after the control
groups: people in them and people outside are comparable up to there.
"""

from typing import Final

from streams.engine.policy.abuse import abuse
from streams.engine.policy.address import address
from streams.engine.policy.budget import budget, person_budget
from streams.engine.policy.caps import cap, gap
from streams.engine.policy.consent import consent
from streams.engine.policy.entitlement import entitlement
from streams.engine.policy.holdout import global_holdout, journey_holdout
from streams.engine.policy.quiet import quiet
from streams.engine.policy.safety import safety
from streams.engine.policy.suppression import suppression

COMPARABLE: Final = (safety, consent, suppression, abuse, address)
GROUPS: Final = (global_holdout, journey_holdout)
STATEFUL: Final = (entitlement, cap, gap, quiet, person_budget, budget)
GATES: Final = (*COMPARABLE, *GROUPS, *STATEFUL)
