"""The models stage: what is learned from a moment, and what journeys and profiles may ask of it.

Churn and interest are asked by everybody, so they are known here by name; all others stand in
`MODELS` and keep to `models/model.py`.
"""

from collections.abc import Callable, Mapping
from math import inf
from typing import Final, TypeVar

from streams.contract.events import HARD_CHURN
from streams.contract.profiles import Profile
from streams.contract.records import Mail
from streams.contract.triggers import Contribution
from streams.engine.config import Config
from streams.engine.features import features
from streams.engine.models.abuse import AbuseModel
from streams.engine.models.churn import COMMON, ChurnModel
from streams.engine.models.churn_letters import ChurnLetters
from streams.engine.models.demand import DemandModel
from streams.engine.models.growth import GrowthModel
from streams.engine.models.intent import IntentModel
from streams.engine.models.interest import InterestModel
from streams.engine.models.letters import Post
from streams.engine.models.model import Model, Surroundings, gate_moved
from streams.engine.models.next_action import NextActionModel
from streams.engine.models.purchase import PurchaseModel
from streams.engine.models.recommend import RecommendModel
from streams.engine.models.segments import SegmentModel
from streams.engine.models.sentiment import SentimentModel
from streams.engine.models.share_links import ShareModel
from streams.engine.models.uplift import UpliftModel
from streams.engine.moment import Moment
from streams.engine.outcome import Effect
from streams.engine.profile.interests import Population
from streams.engine.state import NEVER_MS, Counts, Pending, UserState
from streams.engine.store import Person
from streams.fold import Row
from streams.learning.drift import Event

# In the order they are asked.
MODELS: tuple[type[Model], ...] = (
    NextActionModel,
    PurchaseModel,
    SegmentModel,
    GrowthModel,
    ShareModel,
    AbuseModel,
    UpliftModel,
    RecommendModel,
    SentimentModel,
    IntentModel,
    DemandModel,
)

# What conditions may ask as score(...).
SCORES: Final = ("churn", "purchase", "invite_conversion", "abuse")

M = TypeVar("M", bound=Model)
Scorer = Callable[[Person, int], float]
TOP = 3  # contributions in an explanation
CHURN: Final = "churn"
# What one partition learned is told to the others: soon where much happens, and at last.
SHARE_SOON_MS: Final = 60_000
SHARE_INPUTS: Final = 256
SHARE_AT_LAST_MS: Final = 3_600_000


class Insight:
    """Without `around` nobody learns anything: for who only compiles journeys."""

    def __init__(self, config: Config, around: Surroundings | None = None) -> None:
        self._churn = ChurnModel(config.churn)
        self._interest = InterestModel()
        # What an inline test of a journey takes for granted: `churn`, `interest:<category>`.
        self.fixed: Mapping[str, float] = {}
        self._around = around
        # Whether no message of ours changes what comes of a score: set by the engine.
        self.untouched: Callable[[Person, int], bool] = _everybody
        if around is not None and around.partitions > 1:
            self._churn.begin_sharing()
        self._models = () if around is None else tuple(kind(around) for kind in MODELS)
        self._named: dict[str, Model] = {model.NAME: model for model in self._models}
        self._listeners: dict[str, list[Callable[[Moment], list[Effect]]]] = {}
        for model in self._models:
            for kind in sorted(model.LISTENS):
                self._listeners.setdefault(kind, []).append(model.learn)
        self._scorers: dict[str, Scorer] = {
            "churn": lambda person, now_ms: self.churn(person.state, now_ms),
            "purchase": lambda person, now_ms: self.model(PurchaseModel).probability(
                person.state, now_ms
            ),
            "invite_conversion": lambda person, now_ms: self.model(GrowthModel).invite_conversion(
                person.state
            ),
            "abuse": lambda person, now_ms: (
                self.model(AbuseModel).suspected(person, now_ms).probability
            ),
        }
        self._post = None if around is None else self._letters(around)
        self._settling = [m for m in self._models if type(m).settle is not Model.settle]
        self._checkers = [model for model in self._models if model.CHECKS]

    def learn(self, moment: Moment, effects: list[Effect]) -> None:
        """An event, to all models that listen to its type."""
        self._signs(moment)
        for learn in self._listeners.get(moment.type, ()):
            effects += learn(moment)

    def settle(self, clock: Counts) -> list[Effect]:
        """At the end of each record: periods that ended, and what the other partitions should
        know."""
        now_ms = clock.now_ms
        effects: list[Effect] = []
        for model in self._settling:
            if model.due_ms <= now_ms:
                effects += model.settle(now_ms)
        around = self._around
        if around is None or around.partitions == 1:
            return effects
        since_ms, inputs = now_ms - clock.shared_ms, clock.counts["input"]
        busy = since_ms >= SHARE_SOON_MS and inputs - clock.shared_inputs >= SHARE_INPUTS
        if busy or since_ms >= SHARE_AT_LAST_MS:
            clock.shared_ms, clock.shared_inputs = now_ms, inputs
            effects += self._share(around)
        return effects

    def next_due_ms(self) -> int:
        due_ms = NEVER_MS
        for model in self._settling:
            due_ms = min(due_ms, model.due_ms)
        return due_ms

    def receive(self, mail: Mail, now_ms: int) -> list[Effect]:
        """A letter between models of one name, or what all of another partition learned; what is
        malformed is counted. Raises NewerLetterError."""
        return [] if self._post is None else self._post.deliver(mail.body, now_ms)

    def forget(self, person: Person, now_ms: int) -> list[Effect]:
        """The person is erased: what models know them by goes."""
        return [effect for model in self._models for effect in model.forget(person, now_ms)]

    def forgotten(self, alias: str, now_ms: int) -> list[Effect]:
        """An alias that had become part of a person who is erased."""
        return [effect for model in self._models for effect in model.forgotten(alias, now_ms)]

    def merging(self, person: Person, other: UserState, now_ms: int) -> list[Effect]:
        """Another turns out to be this person, and their states are about to become one."""
        return [effect for model in self._models for effect in model.merging(person, other, now_ms)]

    def _letters(self, around: Surroundings) -> Post:
        def refused(name: str) -> None:
            around.counted("letter." + name)

        return Post((ChurnLetters(around, self._churn), *self._models), refused)

    def _share(self, around: Surroundings) -> list[Effect]:
        learned = None if self._post is None else self._post.learned()
        if learned is None:
            return []
        others = [to for to in range(around.partitions) if to != around.partition]
        return [around.letter(to, learned) for to in others]

    def _told_of(self, moved: Event, now_ms: int) -> list[Effect]:
        """The gate of the churn model moved."""
        if self._around is None or moved.before == "warming":
            return []
        skill = self._churn.metrics()["skill"]
        return [gate_moved(self._around, CHURN, moved, skill, now_ms)]

    def model(self, kind: type[M]) -> M:
        """The model of this kind. Raises LookupError where nobody learns."""
        found = self._named.get(kind.NAME)
        if not isinstance(found, kind):
            raise LookupError(f"no model {kind.NAME!r} learns here")
        return found

    def _model(self, name: str) -> Model:
        model = self._named.get(name)
        if model is None:
            raise ValueError(f"no model {name!r} here: it is of a newer version")
        return model

    def _signs(self, moment: Moment) -> None:
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

    def check(self, person: Person, now_ms: int, effects: list[Effect]) -> bool:
        """The daily check: learn what yesterday's prediction became, predict anew. False: the
        person is not watched any more."""
        state = person.state
        untouched = self.untouched(person, now_ms)
        watched = self._churn.check(state.activity, state.churn, now_ms, untouched=untouched)
        for moved in self._churn.moved:
            effects += self._told_of(moved, now_ms)
        self._churn.moved.clear()
        for model in self._checkers:
            effects += model.check(person, now_ms)
        return watched is not None

    def population(self, now_ms: int) -> Population:
        return self._interest.population(now_ms)

    def suspicion(self, person: Person, now_ms: int) -> str:
        """Why the person gets no coupon now; empty: nothing is held against them."""
        model = self._named.get(AbuseModel.NAME)
        return model.reason(person, now_ms) if isinstance(model, AbuseModel) else ""

    def closed(self, pending: Pending, reached: bool) -> None:
        """What came of a decision is known."""
        model = self._named.get(UpliftModel.NAME)
        if isinstance(model, UpliftModel):
            model.closed(pending, reached=reached)

    def uplift(self, state: UserState, journey: str, category: str, now_ms: int) -> float:
        """How much likelier the person reaches the journey's goal with its message than without;
        0 where that is not known."""
        model = self._named.get(UpliftModel.NAME)
        if not isinstance(model, UpliftModel):
            return 0.0
        effect = model.estimate(journey, features(state, self, category, now_ms))
        return 0.0 if effect is None else effect.mean

    def complete(self, profile: Profile, person: Person, now_ms: int) -> None:
        """What models know of the person, put into the profile."""
        if not self._models:
            return
        state = person.state
        profile.purchase_score = round(self.score("purchase", person, now_ms), 4)
        profile.next_action = self.model(NextActionModel).likeliest(state, now_ms)[0]
        profile.segment = SegmentModel.segment(state)
        profile.cluster = self.model(SegmentModel).cluster(state)
        profile.mood = round(SentimentModel.mood(state, now_ms), 4)
        profile.suspected = list(self.model(AbuseModel).reasons(person, now_ms))
        profile.invited = GrowthModel.invited(state)

    def score(self, name: str, person: Person, now_ms: int) -> float:
        """A probability in [0, 1] by its name, one of SCORES. Raises KeyError for another."""
        fixed = self.fixed.get(name)
        return self._scorers[name](person, now_ms) if fixed is None else fixed

    def churn(self, state: UserState, now_ms: int) -> float:
        """P(no activity within the horizon), as of now."""
        fixed = self.fixed.get("churn")
        return self._churn.score(state.activity, state.churn, now_ms) if fixed is None else fixed

    def next_action(self, state: UserState, action: str, now_ms: int) -> float:
        """P(the next thing the person does is this)."""
        fixed = self.fixed.get("next:" + action)
        if fixed is None:
            return self.model(NextActionModel).probability(state, action, now_ms)
        return fixed

    def interest(self, state: UserState, category: str, now_ms: int) -> float:
        """The score of one category."""
        fixed = self.fixed.get("interest:" + category)
        if fixed is not None:
            return fixed
        return state.interests.score(category, now_ms, self.population(now_ms))

    def why(self, name: str, person: Person, now_ms: int) -> list[Contribution]:
        """What a score is made of: log-odds, largest first, which add up with the rest."""
        state = person.state
        if name == "churn":
            return self.why_churn(state, now_ms)
        if name == "interest":
            return self.why_interest(state, now_ms)
        if name == "purchase":
            return _largest(self.model(PurchaseModel).why(state, now_ms))
        if name == "invite_conversion":
            return _largest(self.model(GrowthModel).why_invite_conversion(state))
        if name == "abuse":
            return _largest(self.model(AbuseModel).suspected(person, now_ms).why)
        return []

    def why_interest(self, state: UserState, now_ms: int) -> list[Contribution]:
        found = state.interests.top_scores(now_ms, self.population(now_ms), TOP)
        return [Contribution(f"interest:{name}", score, score) for name, score in found]

    def why_churn(self, state: UserState, now_ms: int) -> list[Contribution]:
        found = self._churn.explain(state.activity, now_ms)
        return [Contribution(*part) for part in found if part[0] not in COMMON][:TOP]

    def changed_rows(self) -> list[Row]:
        rows = [*self._churn.changed_rows(), *self._interest.changed_rows()]
        found = [Row(*row) for row in rows]
        for model in self._models:
            found += [Row(*row) for row in model.changed_rows()]
        return found

    def load(self, key: bytes, row: bytes) -> None:
        name = key[2:].partition(b"/")[0].decode()
        if name == CHURN:
            self._churn.load_row(key, row)
        elif name == "interest":
            self._interest.load_row(key, row)
        else:
            self._model(name).load_row(key, row)

    def metrics(self) -> dict[str, float]:
        found = {f"model.churn.{name}": value for name, value in self._churn.metrics().items()}
        for name, value in self._interest.metrics().items():
            found[f"model.interest.{name}"] = value
        for model in self._models:
            for name, value in model.metrics().items():
                found[f"model.{model.NAME}.{name}"] = value
        return found


def _everybody(person: Person, now_ms: int) -> bool:
    return True


def _largest(parts: list[Contribution]) -> list[Contribution]:
    parts.sort(key=lambda part: (-abs(part.contribution), part.feature))
    return parts[:TOP]
