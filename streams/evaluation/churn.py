"""How good the churn scores were, against what happened and against the best possible forecast.

A case is one published score of one user: at `t_ms` the engine said how probable churn within the
horizon is. Churn means an unfollow within it, or no activity. Cases of one user do not overlap: one
score per horizon and user. The best forecast comes from the simulation, for the very same cases.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import NamedTuple, Protocol

from streams.evaluation.scores import (
    Bin,
    auc,
    brier,
    calibration_error,
    log_loss,
    ordered_auc,
    reliability,
)

DAY_MS = 86_400_000
RESAMPLES = 400


class Scored(Protocol):
    """What a published profile says; contract.profiles.Profile has it."""

    @property
    def user_id(self) -> str: ...
    @property
    def churn_score(self) -> float: ...
    @property
    def churn_scored_at_ms(self) -> int: ...
    @property
    def last_active_ms(self) -> int: ...


class History(NamedTuple):
    """What really happened to the person behind a user id; times 0 where it never did."""

    person: int
    activity_ms: Sequence[int]  # sorted
    unfollowed_ms: int = 0
    erased_ms: int = 0
    approached_ms: Sequence[int] = ()  # when triggers reached the person, sorted


class Case(NamedTuple):
    person: int
    user_id: str
    t_ms: int
    last_active_ms: int
    score: float
    best: float
    churned: bool


class ChurnReport(NamedTuple):
    """`gap` is best minus ours, within [gap_low, gap_high] with 95 % (resampled by person)."""

    cases: int
    churned: int
    churn_auc: float
    churn_auc_best: float
    gap: float
    gap_low: float
    gap_high: float
    log_loss: float
    log_loss_best: float
    brier: float
    brier_best: float
    calibration_error: float
    calibration_error_best: float
    reliability: list[Bin]


def cases(
    profiles: Iterable[Scored],
    history: Callable[[str], History | None],
    oracle: Callable[[str, int, int], float],
    *,
    from_ms: int,
    to_ms: int,
    horizon_days: int = 7,
    approached: bool = True,
) -> list[Case]:
    """Scores of profiles, in order of emission, as cases with their outcome.

    Args:
        history: who is behind a user id and what they did; None where nobody is.
        oracle: (user id, t_ms, last_active_ms) -> the best forecast.
        from_ms, to_ms: the scores are from this time on and their horizons end by that time.
        approached: whether cases count in which a trigger reached the person within the horizon: it
            may have changed the outcome, which neither forecast is about.
    """
    horizon_ms = horizon_days * DAY_MS
    scored_until: dict[int, int] = {}  # person -> t_ms of the latest case
    found: list[Case] = []
    for profile in profiles:
        t_ms = profile.churn_scored_at_ms
        if not from_ms <= t_ms <= to_ms - horizon_ms:
            continue
        person = history(profile.user_id)
        if person is None or t_ms < scored_until.get(person.person, 0):
            continue
        if 0 < person.unfollowed_ms <= t_ms or 0 < person.erased_ms <= t_ms + horizon_ms:
            continue
        if not approached and _any_within(person.approached_ms, t_ms, t_ms + horizon_ms):
            continue
        scored_until[person.person] = t_ms + horizon_ms
        last_active_ms = profile.last_active_ms
        if last_active_ms > t_ms:  # the row was published again after later activity
            last_active_ms = _latest(person.activity_ms, t_ms) or t_ms
        found.append(
            Case(
                person=person.person,
                user_id=profile.user_id,
                t_ms=t_ms,
                last_active_ms=last_active_ms,
                score=profile.churn_score,
                best=oracle(profile.user_id, t_ms, last_active_ms),
                churned=churned(person, t_ms, horizon_ms),
            )
        )
    return found


def churned(person: History, t_ms: int, horizon_ms: int) -> bool:
    """Whether the person unfollowed within the horizon after `t_ms`, or was not active in it."""
    if t_ms < person.unfollowed_ms <= t_ms + horizon_ms:
        return True
    return not _any_within(person.activity_ms, t_ms, t_ms + horizon_ms)


def report(cases: Sequence[Case], resamples: int = RESAMPLES) -> ChurnReport:
    """The measures of all cases together."""
    scores = [case.score for case in cases]
    best = [case.best for case in cases]
    labels = [case.churned for case in cases]
    ours, theirs = auc(scores, labels), auc(best, labels)
    low, high = _gap_interval(cases, scores, best, labels, resamples)
    return ChurnReport(
        cases=len(cases),
        churned=sum(labels),
        churn_auc=ours,
        churn_auc_best=theirs,
        gap=theirs - ours,
        gap_low=low,
        gap_high=high,
        log_loss=log_loss(scores, labels),
        log_loss_best=log_loss(best, labels),
        brier=brier(scores, labels),
        brier_best=brier(best, labels),
        calibration_error=calibration_error(scores, labels),
        calibration_error_best=calibration_error(best, labels),
        reliability=reliability(scores, labels),
    )


def _gap_interval(
    cases: Sequence[Case],
    scores: Sequence[float],
    best: Sequence[float],
    labels: Sequence[bool],
    resamples: int,
) -> tuple[float, float]:
    """Percentile bootstrap over persons, for the cases of one person are alike."""
    people = sorted({case.person for case in cases})
    if not people or resamples < 1:
        return 0.0, 0.0
    by_ours = sorted(range(len(cases)), key=scores.__getitem__)
    by_best = sorted(range(len(cases)), key=best.__getitem__)
    rng = Random(len(cases))
    gaps = []
    for _ in range(resamples):
        times: dict[int, int] = {}
        for person in rng.choices(people, k=len(people)):
            times[person] = times.get(person, 0) + 1
        weights = [times.get(case.person, 0) for case in cases]
        gaps.append(
            ordered_auc(by_best, best, labels, weights)
            - ordered_auc(by_ours, scores, labels, weights)
        )
    gaps.sort()
    return gaps[int(0.025 * (resamples - 1))], gaps[int(0.975 * (resamples - 1))]


def _any_within(times_ms: Sequence[int], after_ms: int, until_ms: int) -> bool:
    i = bisect_right(times_ms, after_ms)
    return i < len(times_ms) and times_ms[i] <= until_ms


def _latest(times_ms: Sequence[int], at_ms: int) -> int:
    i = bisect_right(times_ms, at_ms)
    return times_ms[i - 1] if i else 0
