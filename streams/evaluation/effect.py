"""What came of a journey: rates of each arm, and what it changed against its control groups.

The effect is that of being meant to get the journey (intention to treat): everybody for whom the
control groups were drawn and who is in none of them, whatever was refused them later, against those
held out. Each person counts once, by their first decision in the journey. Beside it stands last
touch, which credits a goal to the message before it and so counts what would have come anyway.

Limits: the share held out is taken to be the same throughout, so a journey that changes it should
draw its group anew (`salt`, under another id). People of the global control group get nothing from
any journey, so where it is large beside the journey's own, the effect is in part that of all. The
arms of a `decide` step are not compared with each other: choosers give them to different people.

Sources: Newcombe, Interval estimation for the difference between independent proportions
(Statistics in Medicine 1998), method 10; Welch, The generalization of "Student's" problem
(Biometrika 1947), with Satterthwaite's degrees of freedom; the delta method for ratios.
"""

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import Final, NamedTuple

from msgspec import Struct

from streams.contract.journeys import HOLD
from streams.contract.reports import ArmTally, JourneyReport
from streams.evaluation.lift import Z_95

LEAST_PEOPLE: Final = 30  # in each group, for an interval of a share
LEAST_REACHED: Final = 10  # goals in each group, for one of money, whose spread few do not show
LEVEL: Final = 0.95


class Measured(Struct, frozen=True):
    """An estimate within [low, high] with 95 %."""

    value: float
    low: float
    high: float


class TooFew(Struct, frozen=True):
    """No interval is given for so few: people in the smaller group, goals in the poorer one, or
    coupons redeemed."""

    not_enough: int
    of: str = "people"  # people | goals | redeemed


Figure = Measured | TooFew


class ArmResult(Struct, frozen=True):
    """Sums of one arm, and rates where there is something to divide by. `settled`: decisions whose
    goal window has ended, which `reached`, `value_fen` and `spent_fen` are sums over."""

    arm: str
    decided: int
    sent: int
    delivered: int
    opened: int
    clicked: int
    redeemed: int
    failed: int
    settled: int
    reached: int
    value_fen: int
    spent_fen: int
    credited: int
    credited_fen: int
    reads: int
    dwell_ms: int
    open_rate: float | None  # of those delivered
    click_rate: float | None  # of those delivered (CTR)
    redemption_rate: float | None  # of those delivered
    conversion: float | None  # of those settled
    cost_per_conversion_fen: float | None
    return_on_cost: float | None  # value over cost, whatever would have come anyway


class Group(Struct, frozen=True):
    """One of the two groups compared: people, how many reached the goal, and the share."""

    people: int
    reached: int
    share: float | None


class Effect(Struct, frozen=True):
    """What the journey changed. `conversion` is a difference of shares, `value_fen` one of means
    per person; `extra` and `extra_fen` are the same over all treated people. `return_on_cost`:
    value gained for what the coupons cost (ROI). Values are net: amounts paid have discounts taken
    off already, so nothing is subtracted again."""

    treated: Group
    held_out: Group
    conversion: Figure
    value_fen: Figure
    extra: Figure
    extra_fen: Figure
    return_on_cost: Figure | None  # None where nothing was spent


class LastTouch(Struct, frozen=True):
    """Messages within whose window a goal was reached, each goal credited to the person's latest
    message. It is no effect."""

    sent: int
    credited: int
    credited_fen: int
    spent_fen: int
    return_on_cost: float | None


class Segment(Struct, frozen=True):
    """The effect among those who were at this stage before their first decision."""

    lifecycle: str
    treated: Group
    held_out: Group
    conversion: Figure


class Result(Struct, frozen=True):
    journey: str
    title: str
    version: int
    goal: list[str]
    window_ms: int
    at_ms: int
    arms: list[ArmResult]
    effect: Effect
    last_touch: LastTouch
    segments: list[Segment]
    outcomes: dict[str, int]


class Sums(NamedTuple):
    """Of one group: people, goals, value and cost with their squares and products."""

    people: int = 0
    reached: int = 0
    value: float = 0.0
    value_squares: float = 0.0
    cost: float = 0.0
    cost_squares: float = 0.0
    products: float = 0.0


def results(reports: Iterable[JourneyReport]) -> list[Result]:
    """One for each journey, by id, of the latest report of every partition."""
    latest: dict[tuple[str, int], JourneyReport] = {}
    for report in reports:
        key = report.journey, report.partition
        if key not in latest or latest[key].at_ms <= report.at_ms:
            latest[key] = report
    journeys: dict[str, list[JourneyReport]] = {}
    for (journey, _), report in sorted(latest.items()):
        journeys.setdefault(journey, []).append(report)
    return [_result(parts) for parts in journeys.values()]


def tallies(parts: Iterable[JourneyReport]) -> dict[str, ArmTally]:
    """The arms of one journey, added up over partitions."""
    arms: dict[str, ArmTally] = {}
    for part in parts:
        for name, tally in part.arms.items():
            _add(arms.setdefault(name, ArmTally()), tally)
    return arms


def effect(treated: Sums, held_out: Sums) -> Effect:
    shares = difference_of_shares(
        treated.reached, treated.people, held_out.reached, held_out.people
    )
    means = difference_of_means(treated, held_out)
    return Effect(
        treated=_group(treated.people, treated.reached),
        held_out=_group(held_out.people, held_out.reached),
        conversion=shares,
        value_fen=means,
        extra=_times(shares, treated.people),
        extra_fen=_times(means, treated.people),
        return_on_cost=return_on_cost(treated, held_out) if treated.cost else None,
    )


def difference_of_shares(reached: int, people: int, held_reached: int, held: int) -> Figure:
    """The first share less the second (Newcombe's hybrid of two Wilson intervals)."""
    if min(people, held) < LEAST_PEOPLE:
        return TooFew(min(people, held))
    low, share, high = wilson(reached, people)
    held_low, held_share, held_high = wilson(held_reached, held)
    found = share - held_share
    return Measured(
        value=found,
        low=found - sqrt((share - low) ** 2 + (held_high - held_share) ** 2),
        high=found + sqrt((high - share) ** 2 + (held_share - held_low) ** 2),
    )


def difference_of_means(treated: Sums, held_out: Sums) -> Figure:
    """Value per treated person less value per person held out."""
    poor = _too_few(treated, held_out)
    if poor is not None:
        return poor
    mean, variance = _mean(treated.value, treated.value_squares, treated.people)
    held_mean, held_variance = _mean(held_out.value, held_out.value_squares, held_out.people)
    quantile = _quantile(variance, treated.people, held_variance, held_out.people)
    half = quantile * sqrt(variance + held_variance)
    return Measured(mean - held_mean, mean - held_mean - half, mean - held_mean + half)


def return_on_cost(treated: Sums, held_out: Sums) -> Figure:
    """Value gained per person over cost per person: a ratio of means, by the delta method.

    Those held out cost nothing, so cost and value are correlated among the treated alone.
    """
    poor = _too_few(treated, held_out)
    if poor is not None:
        return poor
    redeemed = treated.cost**2 / treated.cost_squares if treated.cost else 0.0  # of equal cost
    if redeemed < LEAST_REACHED:
        return TooFew(int(redeemed), "redeemed")
    people = treated.people
    mean, variance = _mean(treated.value, treated.value_squares, people)
    cost, cost_variance = _mean(treated.cost, treated.cost_squares, people)
    held_mean, held_variance = _mean(held_out.value, held_out.value_squares, held_out.people)
    covariance = (treated.products / people - mean * cost) / (people - 1)
    ratio = (mean - held_mean) / cost
    error = variance - 2 * ratio * covariance + ratio * ratio * cost_variance
    quantile = _quantile(variance, people, held_variance, held_out.people)
    half = quantile * sqrt(max(0.0, error + held_variance)) / cost
    return Measured(ratio, ratio - half, ratio + half)


def wilson(reached: int, people: int) -> tuple[float, float, float]:
    """Low, share and high of a share of `people` > 0; stays within [0, 1]."""
    share, squared = reached / people, Z_95 * Z_95
    middle = (share + squared / (2 * people)) / (1 + squared / people)
    half = Z_95 * sqrt(share * (1 - share) / people + squared / (4 * people * people))
    half /= 1 + squared / people
    return max(0.0, middle - half), share, min(1.0, middle + half)


def _result(parts: Sequence[JourneyReport]) -> Result:
    """Of one journey, from the latest report of each partition."""
    newest = max(parts, key=lambda part: part.version)
    arms = tallies(parts)
    outcomes: dict[str, int] = {}
    stages: dict[str, list[int]] = {}
    for part in parts:
        for code, count in part.outcomes.items():
            outcomes[code] = outcomes.get(code, 0) + count
        for stage, counts in part.by_lifecycle.items():
            sums = stages.setdefault(stage, [0, 0, 0, 0])
            stages[stage] = [one + other for one, other in zip(sums, counts, strict=True)]
    treated = ArmTally()
    for name, tally in arms.items():
        if name != HOLD:
            _add(treated, tally)
    return Result(
        journey=newest.journey,
        title=newest.title,
        version=newest.version,
        goal=newest.goal,
        window_ms=newest.window_ms,
        at_ms=max(part.at_ms for part in parts),
        arms=[_arm(name, arms[name]) for name in sorted(arms, key=lambda it: (it == HOLD, it))],
        effect=effect(_sums(treated), _sums(arms.get(HOLD, ArmTally()))),
        last_touch=LastTouch(
            sent=treated.sent,
            credited=treated.credited,
            credited_fen=treated.credited_fen,
            spent_fen=treated.spent_fen,
            return_on_cost=_over(treated.credited_fen, treated.spent_fen),
        ),
        segments=[_segment(stage, counts) for stage, counts in sorted(stages.items())],
        outcomes=dict(sorted(outcomes.items(), key=lambda pair: (-pair[1], pair[0]))),
    )


def _add(into: ArmTally, tally: ArmTally) -> None:
    for name in ArmTally.__struct_fields__:
        setattr(into, name, getattr(into, name) + getattr(tally, name))


def _sums(tally: ArmTally) -> Sums:
    return Sums(
        people=tally.first_settled,
        reached=tally.first_reached,
        value=tally.first_value_fen,
        value_squares=tally.first_value_squares,
        cost=tally.first_spent_fen,
        cost_squares=tally.first_spent_squares,
        products=tally.first_products,
    )


def _arm(name: str, tally: ArmTally) -> ArmResult:
    return ArmResult(
        arm=name,
        decided=tally.decided,
        sent=tally.sent,
        delivered=tally.delivered,
        opened=tally.opened,
        clicked=tally.clicked,
        redeemed=tally.redeemed,
        failed=tally.failed,
        settled=tally.settled,
        reached=tally.reached,
        value_fen=tally.value_fen,
        spent_fen=tally.spent_fen,
        credited=tally.credited,
        credited_fen=tally.credited_fen,
        reads=tally.reads,
        dwell_ms=tally.dwell_ms,
        open_rate=_over(tally.opened, tally.delivered),
        click_rate=_over(tally.clicked, tally.delivered),
        redemption_rate=_over(tally.redeemed, tally.delivered),
        conversion=_over(tally.reached, tally.settled),
        cost_per_conversion_fen=_over(tally.spent_fen, tally.reached),
        return_on_cost=_over(tally.value_fen, tally.spent_fen),
    )


def _segment(stage: str, counts: Sequence[int]) -> Segment:
    people, reached, held, held_reached = counts
    return Segment(
        lifecycle=stage,
        treated=_group(people, reached),
        held_out=_group(held, held_reached),
        conversion=difference_of_shares(reached, people, held_reached, held),
    )


def _group(people: int, reached: int) -> Group:
    return Group(people, reached, _over(reached, people))


def _too_few(treated: Sums, held_out: Sums) -> TooFew | None:
    if min(treated.people, held_out.people) < LEAST_PEOPLE:
        return TooFew(min(treated.people, held_out.people))
    if min(treated.reached, held_out.reached) < LEAST_REACHED:
        return TooFew(min(treated.reached, held_out.reached), "goals")
    return None


def _mean(total: float, squares: float, people: int) -> tuple[float, float]:
    """The mean, and the variance of its estimate."""
    mean = total / people
    return mean, max(0.0, squares / people - mean * mean) / (people - 1)


def _quantile(variance: float, people: int, held_variance: float, held: int) -> float:
    """Student's, with the degrees of freedom of a difference of means."""
    from scipy.special import stdtrit  # noqa: PLC0415 - scipy takes half a second to import

    weight = variance**2 / (people - 1) + held_variance**2 / (held - 1)
    freedom = (variance + held_variance) ** 2 / weight if weight else people + held - 2.0
    return float(stdtrit(freedom, (1 + LEVEL) / 2))


def _times(figure: Figure, people: int) -> Figure:
    if isinstance(figure, TooFew):
        return figure
    return Measured(figure.value * people, figure.low * people, figure.high * people)


def _over(value: float, by: float) -> float | None:
    return value / by if by else None
