"""What a what-if found, as plain values: what `--json` writes and the terminal shows.

Pairs are [as it was, with the change]. The same input and change give the same bytes.
"""

from typing import Any, Final

from msgspec import Struct, field

from streams.contract.policy import Policy
from streams.engine.money import account_of
from streams.engine.policy.budget import POLICY_ACCOUNT
from streams.summary import DAY_MS, day_of
from streams.whatif.compare import CHINA_MS, NEW, OLD, Pair, What, total
from streams.whatif.estimate import StepEstimate, estimates
from streams.whatif.run import Ran
from streams.whatif.sides import Side

CAVEAT: Final = (
    "人们的反应是历史上的：他们没有看到新的消息。触达、花费和拦截是重放出来的，效果只能估计。",
    "People's reactions are those of history: they did not see the new messages. Triggers, spend "
    "and gates are replayed; effects are not, they are estimated.",
)


class Example(Struct):
    """Somebody who gets something on one side only, and what was decided on both the first time.
    `before`: where a side had nothing to decide, its latest outcome in that journey."""

    user_id: str
    at: str
    decision_id: str
    outcomes: tuple[str, str]
    before: tuple[str, str]


class People(Struct):
    """Who gets `name` (a coupon, template or ad; empty for content) of a journey."""

    journey: str
    kind: str
    name: str
    reached: Pair
    newly: int
    no_longer: int
    examples_newly: list[Example]
    examples_no_longer: list[Example]


class Money(Struct):
    """Of the whole policy, or of a journey that has a budget. Limits of 0 are none."""

    account: str
    daily_limit_fen: Pair
    total_limit_fen: Pair
    spent_fen: Pair
    greatest_day_fen: Pair


class Day(Struct):
    day: str
    triggers: Pair
    spend_fen: Pair


class Report(Struct, kw_only=True):
    changes: list[str]
    notes: list[str]
    caveat: tuple[str, str] = CAVEAT
    records: int
    partitions: list[int]
    first: str
    last: str
    since: str
    same: bool
    decisions: dict[str, int]  # same | changed | only_old | only_new
    triggers: Pair
    spend_fen: Pair
    by: dict[str, dict[str, Pair]]  # triggers by journey, kind, channel, arm
    spend_by_journey: dict[str, Pair]
    outcomes: dict[str, dict[str, Pair]]  # decisions by journey and outcome
    people_reached: dict[str, int]  # was, would, newly, no_longer: by anything
    people: list[People]
    control_groups: dict[str, Pair]  # people, by journey
    money: list[Money]
    days: list[Day]
    estimates: list[StepEstimate] = field(default_factory=list)


def report(ran: Ran, *, examples: int = 5) -> Report:
    """`examples`: most people named of each kind."""
    found, change = ran.comparison, ran.change
    return Report(
        changes=list(change.texts),
        notes=list(change.notes),
        records=ran.records,
        partitions=sorted(ran.was.folds),
        first=day_of(ran.first_ms),
        last=day_of(ran.last_ms),
        since="" if change.since_ms is None else day_of(change.since_ms),
        same=found.same,
        decisions={
            name: found.decisions[name] for name in ("same", "changed", "only_old", "only_new")
        },
        triggers=total(found.triggers["journey"]),
        spend_fen=total(found.spend_fen),
        by={name: _sorted(counts) for name, counts in found.triggers.items()},
        spend_by_journey=_sorted(found.spend_fen),
        outcomes={name: _sorted(found.outcomes[name]) for name in sorted(found.outcomes)},
        people_reached=_reached(ran),
        people=[_people(ran, what, examples) for what in sorted(found.got)],
        control_groups={
            name: [len(group) for group in groups] for name, groups in sorted(found.held.items())
        },
        money=_money(ran),
        days=[
            Day(day_of(day * DAY_MS - CHINA_MS), *counted)
            for day, counted in sorted(found.days.items())
        ],
        estimates=estimates(ran.asking),
    )


def _sorted(counts: dict[str, Pair]) -> dict[str, Pair]:
    """Largest first, ties by name."""
    return dict(sorted(counts.items(), key=lambda item: (-max(item[1]), item[0])))


def _reached(ran: Ran) -> dict[str, int]:
    people: dict[str, Pair] = {}
    for got in ran.comparison.got.values():
        for user_id, pair in got.items():
            known = people.setdefault(user_id, [0, 0])
            known[OLD] += pair[OLD]
            known[NEW] += pair[NEW]
    pairs = people.values()
    return {
        "was": sum(pair[OLD] > 0 for pair in pairs),
        "would": sum(pair[NEW] > 0 for pair in pairs),
        "newly": sum(not pair[OLD] for pair in pairs),
        "no_longer": sum(not pair[NEW] for pair in pairs),
    }


def _people(ran: Ran, what: What, examples: int) -> People:
    got = ran.comparison.got[what]
    newly = [user_id for user_id, pair in got.items() if not pair[OLD]]
    no_longer = [user_id for user_id, pair in got.items() if not pair[NEW]]
    return People(
        *what,
        [sum(pair[side] > 0 for pair in got.values()) for side in (OLD, NEW)],
        len(newly),
        len(no_longer),
        _examples(ran, what, newly, examples),
        _examples(ran, what, no_longer, examples),
    )


def _examples(ran: Ran, what: What, user_ids: list[str], most: int) -> list[Example]:
    why = ran.comparison.why
    known = sorted((why[what, user_id].at_ms, user_id) for user_id in user_ids)
    found = []
    for at_ms, user_id in known[:most]:
        one = why[what, user_id]
        found.append(Example(user_id, day_of(at_ms), one.decision_id, one.outcomes, one.before))
    return found


def _money(ran: Ran) -> list[Money]:
    sides = (ran.was, ran.would)
    spent = [dict(days) for days in ran.comparison.spend_by_day]
    policies = [_policy(side) for side in sides]
    limits: dict[str, list[tuple[int, int]]] = {
        POLICY_ACCOUNT: [(one.daily_budget_fen, one.total_budget_fen) for one in policies]
    }
    names = dict.fromkeys(journey.name for side in sides for journey in _book(side))
    for name in sorted(names):
        pair = [_limits(side, name) for side in sides]
        if any(daily or whole for daily, whole in pair):
            limits[name] = pair
    found = []
    for account, pair in limits.items():
        by_day: list[dict[int, int]] = [{}, {}]
        for side, days in enumerate(spent):
            for (journey, day), fen in days.items():
                if account in (POLICY_ACCOUNT, journey):
                    by_day[side][day] = by_day[side].get(day, 0) + fen
        found.append(
            Money(
                account,
                [daily for daily, _ in pair],
                [whole for _, whole in pair],
                [sum(days.values()) for days in by_day],
                [max(days.values(), default=0) for days in by_day],
            )
        )
    return found


def _policy(side: Side) -> Policy:
    return next(iter(side.folds.values())).engine.policy.terms.policy


def _book(side: Side) -> Any:
    return next(iter(side.folds.values())).engine.book


def _limits(side: Side, name: str) -> tuple[int, int]:
    journey = _book(side).newest(name)
    account = None if journey is None else account_of(journey.spec, "UTC")
    return (0, 0) if account is None else (account.daily_fen, account.total_fen)
