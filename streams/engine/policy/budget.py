"""The day's budget of this partition: its equal share of the deployment's. A day is one of the
quiet hours' zone. Money counts as spent when the trigger is emitted.
"""

from streams.engine.config import Config
from streams.engine.policy.case import Case
from streams.engine.profile.hours import local_day
from streams.engine.state import Budget


def budget(case: Case) -> str:
    cost_fen = case.cost_fen
    if not cost_fen:
        return ""
    spent_fen = spent_today_fen(case.budget, case.config, case.now_ms)
    if spent_fen + cost_fen <= share_fen(case.config):
        return ""
    case.seen["spent_fen"] = float(spent_fen)
    case.seen["share_fen"] = float(share_fen(case.config))
    return "BUDGET_DAY"


def spend(state: Budget, config: Config, cost_fen: int, now_ms: int) -> None:
    spent_fen = spent_today_fen(state, config, now_ms)
    state.day = budget_day(config, now_ms)
    state.spent_fen = spent_fen + cost_fen


def share_fen(config: Config) -> int:
    return config.policy.daily_budget_fen // config.partitions


def budget_day(config: Config, now_ms: int) -> int:
    return local_day(config.policy.quiet.zone, now_ms)


def spent_today_fen(state: Budget, config: Config, now_ms: int) -> int:
    return state.spent_fen if state.day == budget_day(config, now_ms) else 0
