"""Which of the channels that passed is used: the journey's order, or what the person answers.

A person's own use of the channels, shrunk towards how often all people answer in them, less the
price of the unit it would cost: what is scarce is kept where something free is nearly as good. Ties
go to the order of CHANNELS. The choice is no draw: it is the same for the same state.
"""

from typing import Final

from msgspec import Struct, field

from streams.engine.entitlements import Right
from streams.engine.profile.channels import CHANNELS, PLACES
from streams.engine.state import UserState

STRENGTH: Final = 8.0  # what all people did weighs like so many uses of one person
PRIOR_ANSWERS: Final = 1.0  # of PRIOR_DELIVERED, before anything was seen
PRIOR_DELIVERED: Final = 20.0
MOST_COUNTED: Final = 65_536  # then all are halved, so what is recent weighs more
STAFF_PRICE: Final = 0.05  # somebody has to confirm it: what goes out by itself is preferred
ANSWERS: Final = frozenset({"push.opened", "push.clicked", "coupon.redeemed", "order.paid"})


class Responses(Struct, array_like=True):
    """Of all people of this partition, by the place of the channel."""

    delivered: list[int] = field(default_factory=lambda: [0] * len(CHANNELS))
    answered: list[int] = field(default_factory=lambda: [0] * len(CHANNELS))

    def note(self, channel: str, kind: str) -> bool:
        """A delivery, or the first answer to it; False where it is neither."""
        place = PLACES.get(channel)
        counts = self.delivered if kind == "push.delivered" else self.answered
        if place is None or (kind not in ANSWERS and counts is self.answered):
            return False
        counts[place] += 1
        if counts[place] >= MOST_COUNTED:
            self.delivered = [count >> 1 for count in self.delivered]
            self.answered = [count >> 1 for count in self.answered]
        return True

    def rate(self, channel: str) -> float:
        place = PLACES[channel]
        answered = self.answered[place] + PRIOR_ANSWERS
        return min(1.0, answered / (self.delivered[place] + PRIOR_DELIVERED))


def best(
    channels: list[str], rights: dict[str, Right], state: UserState, responses: Responses
) -> str:
    if len(channels) == 1:
        return channels[0]
    rates = [responses.rate(channel) for channel in channels]
    uses = [state.channels[PLACES[channel]] for channel in channels]
    rate_sum, use_sum = sum(rates), sum(uses) + STRENGTH
    found, most = "", float("-inf")
    for channel, rate, used in zip(channels, rates, uses, strict=True):
        right = rights[channel]
        price = right.price + (STAFF_PRICE if right.needs else 0.0)
        worth = (used + STRENGTH * rate / rate_sum) / use_sum - price
        if worth > most or (worth == most and PLACES[channel] < PLACES[found]):
            found, most = channel, worth
    return found
