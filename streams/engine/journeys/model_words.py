"""The words of conditions that models answer; vocabulary.py has all others."""

from streams.engine.insight import SCORES, Insight
from streams.engine.journeys.view import View
from streams.engine.models.doing import NAMES as ACTIONS
from streams.engine.models.growth import GrowthModel
from streams.engine.models.intent import IntentModel
from streams.engine.models.segments import SegmentModel
from streams.engine.models.sentiment import SentimentModel
from streams.expressions.scope import Value


class ModelWords:
    def __init__(self, insight: Insight) -> None:
        self.insight = insight
        self.profile: dict[str, Value] = {
            "segment": Value("text", lambda view: SegmentModel.segment(view.state)),
            "cluster": Value("text", self._cluster),
            "mood": Value("number", lambda view: SentimentModel.mood(view.state, view.now_ms)),
            "wants": Value("text", lambda view: IntentModel.intent(view.state, view.now_ms)),
            "suspected": Value("boolean", self._suspected),
            "invited_by": Value("boolean", lambda view: GrowthModel.invited_by(view.state)),
            "invited": Value("number", lambda view: GrowthModel.invited(view.state)),
            "invited_converted": Value(
                "number", lambda view: GrowthModel.invited_converted(view.state)
            ),
        }
        self.brand: dict[str, Value] = {"mood": Value("number", self._brand_mood)}

    def score(self, name: str) -> Value:
        if name not in SCORES:
            raise ValueError(f"no score {name!r}; there is: {', '.join(SCORES)}")
        return Value(
            "number", lambda view: self.insight.score(name, view.moment.person, view.now_ms)
        )

    def interest(self, category: str) -> Value:
        return Value(
            "number", lambda view: self.insight.interest(view.state, category, view.now_ms)
        )

    def next(self, action: str) -> Value:
        if action not in ACTIONS:
            raise ValueError(f"no action {action!r}; there is: {', '.join(ACTIONS)}")
        return Value(
            "number", lambda view: self.insight.next_action(view.state, action, view.now_ms)
        )

    def uplift(self, journey: str) -> Value:
        """Of the journey's message on the person, in probability of its goal."""

        def read(view: View) -> float:
            fixed = self.insight.fixed.get("uplift:" + journey)
            if fixed is not None:
                return fixed
            category = str(view.entry.get("category", ""))
            return self.insight.uplift(view.state, journey, category, view.now_ms)

        return Value("number", read)

    def _brand_mood(self, view: View) -> float:
        return self.insight.model(SentimentModel).brand(view.moment.brand)

    def _cluster(self, view: View) -> str:
        return self.insight.model(SegmentModel).cluster(view.state)

    def _suspected(self, view: View) -> bool:
        return bool(self.insight.suspicion(view.moment.person, view.now_ms))
