"""How an arm is chosen at a `decide` step: fixed, by weights, or learned from what came of it.

Each chooser gives the propensities of the arms a person is eligible for; the caller draws one of
them with a keyed hash and writes both down. A new chooser is a file here and a line below.

One row holds a chooser's state. Its key should name journey, step and chooser: `linear_thompson`
and `linucb` read each other's rows, the others only their own.
"""

from collections.abc import Callable
from typing import Final

from streams.engine.choices.choice import Chooser, Step
from streams.engine.choices.linear import LinearThompson, LinUCB
from streams.engine.choices.split import Fixed, Split
from streams.engine.choices.thompson import Thompson

CHOOSERS: Final[dict[str, Callable[[Step], Chooser]]] = {
    "fixed": Fixed,
    "split": Split,
    "thompson": Thompson,
    "linear_thompson": LinearThompson,
    "linucb": LinUCB,
}
