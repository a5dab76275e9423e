"""How likely somebody who was invited is to become a customer.

First a shrunken rate: the inviter's own successes among settled invitations, drawn towards the rate
of the channel, which is drawn towards everybody's. How strongly is found online: each strength of a
short list predicts every outcome before it is learned, and the one with the least log-loss so far
decides. Then a logistic regression corrects the rate by what else is known of the invitation; it
begins as the identity.
Only invitations whose window has passed are learned, whichever way they went: successes are known
early, so whoever learns them at once believes too much.
Source: Efron, Morris, Stein's estimation rule and its competitors (JASA 1973), for the shrinkage.
"""

from collections.abc import Sequence
from math import log, log1p

from msgspec import Struct

from streams.learning import rows
from streams.learning.logistic import OnlineLogistic, bounded, sigmoid
from streams.learning.validation import Validation

STRENGTHS = (2.0, 5.0, 12.0, 30.0, 80.0, 200.0)  # of the channel's rate, in invitations
CHANNEL_STRENGTH = 20.0  # of everybody's rate against a channel's
PRIOR = (1.0, 4.0)  # successes and invitations before the first
FADING = 0.998  # of a strength's loss at each outcome: the last five hundred count
LEAST, MOST = 1e-4, 1.0 - 1e-4
RATE, START = 0.05, 4.0  # of the logistic regression
MOST_COUNT = 1_000_000


class ConversionRow(Struct, array_like=True):
    settled: list[float]  # by channel
    succeeded: list[float]
    losses: list[float]  # by strength
    unshared: list[list[float]]
    logistic: bytes
    validation: Validation


class InviteConversion:
    """`channels`: how many ways there are to be invited; `features`: names of what else is known
    of an invitation."""

    def __init__(self, channels: int, features: Sequence[str] = ()) -> None:
        self.channels = channels
        self.names = ("rate", "evidence", *features)
        self.settled = [0.0] * channels
        self.succeeded = [0.0] * channels
        self.validation = Validation.empty()
        self._losses = [0.0] * len(STRENGTHS)
        self._unshared = [[0.0, 0.0] for _ in range(channels)]
        self._logistic = OnlineLogistic(rate=RATE, start=START)
        self._logistic.begin(self.names, [1.0, *[0.0] * (len(self.names) - 1)])

    def rate(self, channel: int, settled: int = 0, succeeded: int = 0) -> float:
        """The shrunken rate: of an inviter with so many settled invitations and successes."""
        return self._shrunken(channel, settled, succeeded, self.strength)

    @property
    def strength(self) -> float:
        """How many invitations of one's own count as much as the channel's rate."""
        return STRENGTHS[self._losses.index(min(self._losses))]

    def probability(
        self, channel: int, settled: int = 0, succeeded: int = 0, extra: Sequence[float] = ()
    ) -> float:
        """P(converts), within (0, 1)."""
        x = self._vector(channel, settled, succeeded, extra)
        return _between(sigmoid(self._logistic.logit(x)))

    def learn(
        self,
        channel: int,
        settled: int,
        succeeded: int,
        converted: bool,
        extra: Sequence[float] = (),
    ) -> float:
        """An invitation's window has passed. What is given is of the time of the invitation.
        Returns the probability before learning."""
        x = self._vector(channel, settled, succeeded, extra)
        for place, strength in enumerate(STRENGTHS):
            guess = self._shrunken(channel, settled, succeeded, strength)
            loss = -log(guess if converted else 1.0 - guess)
            self._losses[place] = FADING * self._losses[place] + loss
        probability = _between(self._logistic.learn(x, converted))
        self.validation.add(probability, converted)
        unshared = self._unshared[channel]
        unshared[0] += 1.0
        unshared[1] += converted
        self.settled[channel] += 1.0
        self.succeeded[channel] += converted
        return probability

    def contributions(
        self, channel: int, settled: int, succeeded: int, extra: Sequence[float] = ()
    ) -> list[tuple[str, float, float]]:
        """(feature, value, contribution), which add up to the log-odds."""
        x = self._vector(channel, settled, succeeded, extra)
        weights = self._logistic.weights
        found = [
            (name, value, weight * value)
            for name, value, weight in zip(self.names, x, weights, strict=True)
        ]
        return [*found, ("intercept", 1.0, self._logistic.intercept)]

    def share(self) -> list[list[float]] | None:
        """By channel, what was settled and what succeeded here since the last call."""
        found, self._unshared = self._unshared, [[0.0, 0.0] for _ in range(self.channels)]
        return found if any(settled for settled, _ in found) else None

    def absorb(self, delta: Sequence[Sequence[float]]) -> None:
        """What other partitions settled."""
        for channel, (settled, succeeded) in enumerate(delta):
            self.settled[channel] += settled
            self.succeeded[channel] += succeeded

    def to_row(self) -> bytes:
        return rows.pack(
            ConversionRow(
                self.settled,
                self.succeeded,
                self._losses,
                self._unshared,
                self._logistic.to_row(),
                self.validation,
            )
        )

    def from_row(self, row: bytes) -> None:
        """Raises ValueError for a newer schema or other features."""
        state = rows.unpack(row, ConversionRow)
        self.settled, self.succeeded = state.settled, state.succeeded
        self._losses, self._unshared = state.losses, state.unshared
        self._logistic.from_row(state.logistic)
        self.validation = state.validation

    def _vector(
        self, channel: int, settled: int, succeeded: int, extra: Sequence[float]
    ) -> list[float]:
        rate = self.rate(channel, settled, succeeded)
        evidence = log1p(min(max(settled, 0), MOST_COUNT))
        return [log(rate / (1.0 - rate)), evidence / 5.0, *map(bounded, extra)]

    def _shrunken(self, channel: int, settled: int, succeeded: int, strength: float) -> float:
        settled = min(max(settled, 0), MOST_COUNT)
        succeeded = min(max(succeeded, 0), settled)
        everybody = (sum(self.succeeded) + PRIOR[0]) / (sum(self.settled) + PRIOR[1])
        own = self.succeeded[channel] + CHANNEL_STRENGTH * everybody
        channels = own / (self.settled[channel] + CHANNEL_STRENGTH)
        return _between((succeeded + strength * channels) / (settled + strength))


def _between(probability: float) -> float:
    return min(max(probability, LEAST), MOST)
