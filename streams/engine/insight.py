"""The models stage: what is learned from a moment, and what journeys and profiles may ask of it."""

from collections.abc import Mapping
from math import inf

from streams.contract.events import HARD_CHURN
from streams.contract.triggers import Contribution
from streams.engine.config import Config
from streams.engine.models.churn import ChurnModel
from streams.engine.models.interest import InterestModel
from streams.engine.moment import Moment
from streams.engine.profile.interests import Population
from streams.engine.state import UserState
from streams.fold import Row

TOP = 3  # contributions in an explanation


class Insight:
    def __init__(self, config: Config) -> None:
        self._churn = ChurnModel(config.churn)
        self._interest = InterestModel()
        # What an inline test of a journey takes for granted: `churn`, `interest:<category>`.
        self.fixed: Mapping[str, float] = {}

    def learn(self, moment: Moment) -> None:
        """Signs of interest, of the category met or of each thing ordered; the end of the
        relation."""
        weight = moment.weight
        if weight <= 0.0:
            if moment.type in HARD_CHURN:
                self._churn.hard(moment.person.state.churn, moment.now_ms)
            return
        assert weight < inf, "non-finite numbers end at the cleaning"
        interests, time_ms = moment.person.state.interests, moment.time_ms
        if moment.category:
            self._interest.observe(interests, moment.category, weight, time_ms)
        for category in moment.ordered:
            self._interest.observe(interests, category, weight, time_ms)

    def check(self, state: UserState, now_ms: int) -> bool:
        """The daily check: learn what yesterday's prediction became, predict anew. False: the
        person is not watched any more."""
        return self._churn.check(state.activity, state.churn, now_ms) is not None

    def population(self, now_ms: int) -> Population:
        return self._interest.population(now_ms)

    def churn(self, state: UserState) -> float:
        """P(no activity within the horizon), as of the last daily check."""
        return self.fixed.get("churn", state.churn.probability)

    def interest(self, state: UserState, category: str, now_ms: int) -> float:
        """The score of one category."""
        fixed = self.fixed.get("interest:" + category)
        if fixed is not None:
            return fixed
        return state.interests.score(category, now_ms, self.population(now_ms))

    def why_interest(self, state: UserState, now_ms: int) -> list[Contribution]:
        found = state.interests.top_scores(now_ms, self.population(now_ms), TOP)
        return [Contribution(f"interest:{name}", score, score) for name, score in found]

    def why_churn(self, state: UserState, now_ms: int) -> list[Contribution]:
        found = self._churn.explain(state.activity, now_ms)
        return [Contribution(*part) for part in found if part[0] != "intercept"][:TOP]

    def changed_rows(self) -> list[Row]:
        return [
            Row(*row) for model in (self._churn, self._interest) for row in model.changed_rows()
        ]

    def load(self, key: bytes, row: bytes) -> None:
        model = self._churn if key.startswith(b"m:churn/") else self._interest
        model.load_row(key, row)

    def metrics(self) -> dict[str, float]:
        found = {f"model.churn.{name}": value for name, value in self._churn.metrics().items()}
        for name, value in self._interest.metrics().items():
            found[f"model.interest.{name}"] = value
        return found
