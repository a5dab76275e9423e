"""兴趣内容: the interest in a category has risen over the threshold."""

from streams.contract.triggers import Content, Kind, Purpose
from streams.engine.config import Config
from streams.engine.insight import Insight
from streams.engine.journeys.journey import Proposal, Step
from streams.engine.moment import Moment
from streams.engine.state import Waiting

MOST_LIT = 3


class InterestContent:
    """The state remembers which categories have risen: they rise again only after they have fallen,
    which the daily check finds out."""

    name = "interest_content"
    version = 1
    kind: Kind = "content"
    purpose: Purpose = "marketing"
    on: tuple[str, ...] = ("product.viewed", "article.read")
    exits: tuple[str, ...] = ()
    steps: tuple[Step, ...] = (Step("show", 0),)

    def __init__(self, config: Config, insight: Insight) -> None:
        self._settings = settings = config.interest_content
        self._insight = insight
        self.enabled = settings.enabled
        self.priority = settings.priority
        self.holdout = settings.holdout
        self.cooldown_ms = settings.cooldown_ms
        self.expires_ms = settings.expires_ms

    def enter(self, moment: Moment) -> bool:
        category, state = moment.category, moment.person.state
        if not category or category in state.lit:
            return False
        score = self._insight.interest(state, category, moment.now_ms)
        if score < self._settings.threshold:
            return False
        state.lit.append(category)
        if len(state.lit) > MOST_LIT:
            del state.lit[0]
        moment.score = score
        return True

    def leave(self, moment: Moment, waiting: Waiting) -> bool:
        return False

    def propose(self, moment: Moment, waiting: Waiting | None) -> Proposal:
        return Proposal(
            reason="INTEREST_ROSE",
            score=moment.score,
            top=self._insight.why_interest(moment.person.state, moment.now_ms),
            category=moment.category,
            content=Content(moment.category, moment.item_id),
        )
