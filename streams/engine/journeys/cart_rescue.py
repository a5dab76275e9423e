"""购物车挽回: something lies in the cart, and half an hour later nothing has been ordered."""

from streams.contract.triggers import Kind, Message, Purpose
from streams.engine.config import Config
from streams.engine.insight import Insight
from streams.engine.journeys.journey import Proposal, Step
from streams.engine.moment import Moment
from streams.engine.state import Waiting


class CartRescue:
    name = "cart_rescue"
    version = 1
    kind: Kind = "message"
    purpose: Purpose = "marketing"
    on: tuple[str, ...] = ("cart.added",)
    exits: tuple[str, ...] = ("order.created", "order.paid", "cart.removed")

    def __init__(self, config: Config, insight: Insight) -> None:
        self._settings = settings = config.cart_rescue
        self.enabled = settings.enabled
        self.priority = settings.priority
        self.holdout = settings.holdout
        self.cooldown_ms = settings.cooldown_ms
        self.expires_ms = settings.expires_ms
        self.steps: tuple[Step, ...] = (Step("remind", settings.wait_ms),)

    def enter(self, moment: Moment) -> bool:
        """Enough value, and no order since: events may arrive out of order."""
        value_fen = moment.price_fen * moment.quantity
        ordered_ms = moment.person.state.activity.last_order_ms
        return value_fen >= self._settings.least_value_fen and ordered_ms < moment.time_ms

    def leave(self, moment: Moment, waiting: Waiting) -> bool:
        if moment.time_ms < waiting.event_ms:
            return False
        return moment.type != "cart.removed" or moment.item_id == waiting.item_id

    def propose(self, moment: Moment, waiting: Waiting | None) -> Proposal:
        assert waiting is not None, "the reminder waits"
        params = {"item_id": waiting.item_id}
        if waiting.category:
            params["category"] = waiting.category
        if waiting.value_fen:
            params["value_fen"] = str(waiting.value_fen)
        return Proposal(
            reason="CART_ABANDONED",
            category=waiting.category,
            message=Message(self._settings.template_id, params),
        )
