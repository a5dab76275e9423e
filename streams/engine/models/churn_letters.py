"""What the churn models of partitions tell each other."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from streams.engine.models.churn import CALIBRATION, PRESENCE, WEIGHTS, ChurnModel
from streams.engine.models.churn_features import NAMES
from streams.engine.models.letters import Amount, check_size, check_weights
from streams.engine.models.model import Body, Model, Surroundings
from streams.learning.calibration import CalibrationDelta
from streams.learning.logistic import LogisticDelta
from streams.learning.presence import RATES

KEYS: Final = {
    "weights": WEIGHTS.decode(),
    "presence": PRESENCE.decode(),
    "calibration": CALIBRATION.decode(),
}


class Learned(Struct, rename=KEYS):
    """`presence`: how many posteriors, and their sums by rate."""

    weights: LogisticDelta | None = None
    presence: list[Amount] | None = None
    calibration: CalibrationDelta | None = None

    def __post_init__(self) -> None:
        if self.weights is not None:
            check_weights(self.weights, len(NAMES))
        if self.presence is not None:
            check_size("sums of presence", len(self.presence), 1 + len(RATES))
        told = self.calibration
        if told is not None:
            sums = (told.pairs, told.information_slope, told.information_shift)
            if min(*sums, told.given, told.ended) < 0.0:
                raise ValueError("less than nothing was learned")


class ChurnLetters(Model):
    """Speaks for the churn model, which everybody asks and which is none of the list."""

    NAME = "churn"

    def __init__(self, around: Surroundings, churn: ChurnModel) -> None:
        super().__init__(around)
        self._churn = churn

    def share(self) -> Body | None:
        return self._churn.share()

    def read_delta(self, delta: Body) -> Body:
        msgspec.convert(delta, Learned)
        return delta

    def absorb(self, delta: Any, now_ms: int) -> None:
        self._churn.absorb(delta)
