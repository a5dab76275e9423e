"""How a person stands with each journey: when they entered it, how it ended, when they may again.

Only so many standings are remembered; the one that moved longest ago goes first.
"""

from typing import Final

from streams.contract.decisions import OUTCOMES
from streams.engine.journeys.compiled import Journey
from streams.engine.state import MOST_ENTRIES, MOST_RECENT, Instance, Standing, UserState

MOST_STANDINGS: Final = 24
NUMBERS: Final = {code: number for number, code in enumerate(OUTCOMES)}


def standing_name(journey: Journey, key: str) -> str:
    return f"{journey.name}#{key}" if journey.spec.entry.reentry.by == "key" else journey.name


def blocked_until(state: UserState, journey: Journey, key: str, now_ms: int) -> int:
    """When the person may enter again; 0 where they may now."""
    reentry = journey.spec.entry.reentry
    for instance in state.inside:
        if instance.journey == journey.name and (not reentry.concurrent or instance.key == key):
            return max(instance.due_ms, now_ms + 1)
    standing = state.standings.get(standing_name(journey, key))
    if standing is None:
        return 0
    free_ms = standing.rests_s * 1000
    if standing.entered:
        free_ms = max(free_ms, standing.entered[-1] * 1000 + journey.cooldown_ms)
    if reentry.max:
        within = [
            second * 1000 for second in standing.entered if now_ms - second * 1000 < journey.per_ms
        ]
        if len(within) >= reentry.max:
            free_ms = max(free_ms, within[-reentry.max] + journey.per_ms)
    return free_ms if free_ms > now_ms else 0


def count_entry(state: UserState, journey: Journey, key: str, now_ms: int) -> None:
    name = standing_name(journey, key)
    standing = state.standings.get(name)
    if standing is None:
        _make_room(state)
        standing = state.standings[name] = Standing()
    standing.entered.append(now_ms // 1000)
    most = max(1, min(journey.spec.entry.reentry.max, MOST_ENTRIES))
    del standing.entered[:-most]


def stand(state: UserState, journey: str, outcome: str, now_ms: int) -> None:
    standing = state.standings.get(journey)
    if standing is None:
        _make_room(state)
        standing = state.standings[journey] = Standing()
    standing.outcome = NUMBERS[outcome]
    standing.decided_s = now_ms // 1000


def _make_room(state: UserState) -> None:
    """The standing that moved longest ago goes."""
    standings = state.standings
    if len(standings) >= MOST_STANDINGS:
        del standings[min(standings, key=lambda name: (_moved(standings[name]), name))]


def _moved(standing: Standing) -> int:
    return max(standing.decided_s, standing.entered[-1] if standing.entered else 0)


def uncount_entry(state: UserState, journey: Journey, instance: Instance, now_ms: int) -> None:
    """Nothing came of the instance: it does not count as an entry, but the person rests."""
    standing = state.standings.get(standing_name(journey, instance.key))
    if standing is not None:
        entered = instance.entered_ms // 1000
        standing.entered[:] = [second for second in standing.entered if second != entered]
        standing.rests_s = (now_ms + min(journey.retry_ms, journey.cooldown_ms)) // 1000


def remember(state: UserState, kind: str, time_ms: int) -> None:
    """Late events find their place; a list in order needs no more."""
    seconds = state.recent.setdefault(kind, [])
    second = time_ms // 1000
    if seconds and second < seconds[-1]:
        seconds.append(second)
        seconds.sort()
    else:
        seconds.append(second)
    del seconds[:-MOST_RECENT]
