"""流失预警券: the daily check finds that the person is likely to stay away."""

from streams.contract.triggers import Coupon, Kind, Purpose
from streams.engine.config import Config
from streams.engine.insight import Insight
from streams.engine.journeys.journey import Proposal, Step
from streams.engine.moment import DAILY_CHECK, Moment
from streams.engine.state import Waiting


class ChurnCoupon:
    name = "churn_coupon"
    version = 1
    kind: Kind = "coupon"
    purpose: Purpose = "marketing"
    on: tuple[str, ...] = (DAILY_CHECK,)
    exits: tuple[str, ...] = ()
    steps: tuple[Step, ...] = (Step("offer", 0),)

    def __init__(self, config: Config, insight: Insight) -> None:
        self._settings = settings = config.churn_coupon
        self._insight = insight
        self.enabled = settings.enabled
        self.priority = settings.priority
        self.holdout = settings.holdout
        self.cooldown_ms = settings.cooldown_ms
        self.expires_ms = settings.expires_ms

    def enter(self, moment: Moment) -> bool:
        state = moment.person.state
        moment.score = state.churn.probability
        enough = state.activity.orders >= self._settings.least_orders
        return enough and moment.score >= self._settings.threshold

    def leave(self, moment: Moment, waiting: Waiting) -> bool:
        return False

    def propose(self, moment: Moment, waiting: Waiting | None) -> Proposal:
        settings = self._settings
        return Proposal(
            reason="CHURN_RISK",
            score=moment.score,
            top=self._insight.why_churn(moment.person.state, moment.now_ms),
            coupon=Coupon(settings.sku, settings.face_value_fen, settings.cost_fen),
        )
