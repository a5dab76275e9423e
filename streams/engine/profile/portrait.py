"""The published 用户画像, and when it is worth publishing again."""

from collections.abc import Callable
from functools import lru_cache
from itertools import compress

from streams.contract.policy import DAY_MS
from streams.contract.profiles import Interest, Profile
from streams.engine.config import Config
from streams.engine.insight import Insight
from streams.engine.profile import consent
from streams.engine.profile.channels import CHANNELS
from streams.engine.profile.hours import best_hours
from streams.engine.profile.interests import Interests, Population
from streams.engine.profile.lifecycle import LIFECYCLES, lifecycle
from streams.engine.state import NO, Attribute, UserState
from streams.engine.store import Person

MOST_INTERESTS = 5
PLACES = range(len(CHANNELS))
CHURN_STEP = 0.05  # smaller moves of the churn score are not worth a record of their own


class Portraits:
    """`is_held` tells whether a person is in the global control group of the policy in force."""

    def __init__(
        self, config: Config, insight: Insight, is_held: Callable[[Person, int], bool]
    ) -> None:
        self._config = config
        self._insight = insight
        self._is_held = is_held

    def of(self, person: Person, now_ms: int) -> Profile:
        """The profile as others see it; notes in the state that it was published."""
        config, state = self._config, person.state
        state.published_ms = now_ms
        churn = self._insight.churn(state, now_ms)
        state.lifecycle = lifecycle(state, config, now_ms, churn)
        state.published_churn = churn
        held = self._is_held(person, now_ms)
        population = self._insight.population(now_ms)
        profile = _portrait(person, config, now_ms, population, churn=churn, holdout=held)
        self._insight.complete(profile, person, now_ms)
        return profile


def _portrait(
    person: Person,
    config: Config,
    now_ms: int,
    population: Population,
    *,
    churn: float,
    holdout: bool,
) -> Profile:
    state, activity = person.state, person.state.activity
    last_ms = activity.last_ms or state.first_seen_ms
    return Profile(
        user_id=person.user_id,
        updated_at_ms=now_ms,
        first_seen_ms=state.first_seen_ms,
        last_active_ms=last_ms,
        lifecycle=LIFECYCLES[state.lifecycle],
        events=state.events,
        active_days=activity.days,
        activity=round(activity.decayed(now_ms)[1], 4),
        recency_days=round(max(0, now_ms - last_ms) / DAY_MS, 4),
        orders=activity.orders,
        spend_fen=activity.spend_fen,
        mean_rating=round(activity.stars / activity.ratings, 2) if activity.ratings else 0.0,
        interests=_best(state.interests, now_ms, population),
        tags=_tags(state.tags),
        attributes=_attributes(state.attributes),
        channels=_shares(state.channels),
        active_hours=best_hours(state.hours),
        churn_score=round(churn, 6),
        horizon_days=config.churn.horizon_days,
        churn_scored_at_ms=now_ms if state.churn.checked_ms else 0,
        consent=consent.statements(state) if state.consents else [],
        followed=state.followed != NO,
        holdout=holdout,
        tenant=config.tenant,
    )


def changed_materially(state: UserState, config: Config, now_ms: int) -> bool:
    """Whether the daily check should publish: active since, another stage, or another churn
    score."""
    return (
        state.activity.last_ms > state.published_ms
        or abs(state.churn.probability - state.published_churn) >= CHURN_STEP
        or lifecycle(state, config, now_ms, state.churn.probability) != state.lifecycle
    )


def _best(interests: Interests, now_ms: int, population: Population) -> list[Interest]:
    found = interests.own_scores(now_ms, population, MOST_INTERESTS)
    return [Interest(name, round(score, 4)) for name, score in found if score > 0.0]


def _attributes(found: dict[str, Attribute]) -> dict[str, str]:
    return {name: told.value for name, told in found.items()} if found else {}


def _tags(counts: dict[str, int]) -> list[Interest]:
    """Ties in the order in which the tags were met."""
    if not counts:
        return []
    total = sum(counts.values())
    found = sorted(counts, key=counts.__getitem__, reverse=True)[:MOST_INTERESTS]
    return [Interest(tag, _share(counts[tag], total)) for tag in found]


def _shares(counts: bytearray) -> list[Interest]:
    total = sum(counts)
    found = sorted(compress(PLACES, counts), key=counts.__getitem__, reverse=True)
    return [Interest(CHANNELS[place], _share(counts[place], total)) for place in found]


@lru_cache(maxsize=65_536)
def _share(part: int, whole: int) -> float:
    """Small counts make few different shares, and rounding is slow."""
    return round(part / whole, 4)
