"""The chance of abuse: named signs, each from 0 and at 1 where its rule holds, weighed to log-odds.

The weights begin with what the rules are worth by themselves and learn from what staff confirmed
and cleared, so the chance is calibrated as far as labels say anything. A contribution is weight
times sign; contributions and the intercept add up to the log-odds.
"""

from collections.abc import Hashable, Sequence
from typing import Any, Final

from river.base import Classifier

from streams.learning.logistic import OnlineLogistic, sigmoid

REASONS: Final = (
    "coupon_velocity",  # more coupons claimed in a minute, ten, an hour or a day than people do
    "event_velocity",  # more events than people make
    "ring_device",  # one device behind many who live on coupons
    "ring_address",  # one address, likewise
    "machine_rhythm",  # gaps as even as a clock's, by day and by night
    "refund_abuse",  # coupons are used and the orders refunded
    "invite_farm",  # the invited claim and do nothing else
    "anomaly",  # unlike others; never enough by itself
)
ANOMALY: Final = REASONS.index("anomaly")
MOST_SIGN: Final = 3.0
_START: Final = (4.0, 3.5, 4.5, 4.0, 3.5, 3.5, 4.0, 1.0)
_INTERCEPT: Final = -4.0  # some two in a hundred, before anything is known
_EASE: Final = 25.0  # of AdaGrad: a dozen labels move a weight, one does not


class Suspicion(Classifier):
    """P(abuse | signs). Behind river's protocol `x` maps REASONS to signs; others are ignored."""

    def __init__(self, rate: float = 0.3) -> None:
        self.rate = rate
        self._model = OnlineLogistic(rate=rate, start=_EASE)
        self._model.begin(REASONS, _START)
        self._model.intercept = _INTERCEPT

    def learn(self, signs: Sequence[float], *, abusive: bool) -> None:
        """What staff found out about somebody with these signs."""
        self._model.learn([_clipped(sign) for sign in signs], abusive)

    def logit(self, signs: Sequence[float]) -> float:
        return self._model.logit([_clipped(sign) for sign in signs])

    def probability(self, signs: Sequence[float]) -> float:
        return sigmoid(self.logit(signs))

    def contributions(self, signs: Sequence[float]) -> list[tuple[str, float, float]]:
        """(reason, sign, contribution), largest first, with the intercept: they add up to the
        log-odds."""
        weights = self._model.weights
        found = [
            (reason, _clipped(sign), weight * _clipped(sign))
            for reason, sign, weight in zip(REASONS, signs, weights, strict=True)
            if sign
        ]
        found.append(("intercept", 1.0, self._model.intercept))
        return sorted(found, key=lambda part: (-part[2], part[0]))

    @property
    def labels(self) -> int:
        return self._model.examples

    def learn_one(self, x: dict[Hashable, Any], y: bool | str | int) -> None:
        self.learn([x.get(reason, 0.0) for reason in REASONS], abusive=bool(y))

    def predict_proba_one(
        self, x: dict[Hashable, Any], **kwargs: Any
    ) -> dict[bool | str | int, float]:
        probability = self.probability([x.get(reason, 0.0) for reason in REASONS])
        return {False: 1.0 - probability, True: probability}

    def to_row(self) -> bytes:
        return self._model.to_row()

    def from_row(self, row: bytes) -> None:
        """Raises ValueError for a row of other reasons or a newer schema."""
        self._model.from_row(row)


def _clipped(sign: float) -> float:
    """NaN counts as 0."""
    return min(max(sign, 0.0), MOST_SIGN) if sign == sign else 0.0  # noqa: PLR0124 (NaN)
