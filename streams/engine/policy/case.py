"""One proposal before the gates, with what the gates find out on the way."""

from msgspec import Struct, field

from streams.engine.config import Config
from streams.engine.journeys.journey import Due, Journey
from streams.engine.moment import Moment
from streams.engine.state import Budget, UserState


class Case(Struct, gc=False):
    """`channels`: those still possible, the preferred one first. `release_ms`: when it would go
    out."""

    moment: Moment
    due: Due
    config: Config
    seed: bytes
    budget: Budget
    release_ms: int = 0
    channels: list[str] = []
    next_eligible_ms: int = 0
    seen: dict[str, float] = field(default_factory=dict)

    @property
    def state(self) -> UserState:
        return self.moment.person.state

    @property
    def journey(self) -> Journey:
        return self.due.journey

    @property
    def now_ms(self) -> int:
        return self.moment.now_ms

    @property
    def is_marketing(self) -> bool:
        return self.due.journey.purpose == "marketing"

    @property
    def cost_fen(self) -> int:
        coupon = self.due.proposal.coupon
        return 0 if coupon is None else coupon.cost_fen
