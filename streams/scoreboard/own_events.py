"""How good churn scores are on a user's own events: progressive validation with the label's delay.

A file of events goes through the engine as a replay does. Every horizon everybody who is watched is
asked for: the score of that moment, against what happened until the horizon had passed. So nothing
is learned from what it is judged by, and no two cases of one person overlap. Scores whose horizon
does not end within the file are dropped.
"""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from streams.contract.policy import DAY_MS
from streams.engine.config import Config
from streams.evaluation.scores import auc, brier, equal_mass_error, log_loss
from streams.event_file import Clock, FileError, read_lines
from streams.outputs import Outputs
from streams.replay import TRIAL_KEY, Replay
from streams.scoreboard.board import RESAMPLES, Score
from streams.scoreboard.measured import Forecasts, measured
from streams.scoreboard.peers import btyd

TASK: Final = "churn"
MOST_LINES: Final = 4_096  # read at once
LEAST_CASES: Final = 20
MOST_FITTED: Final = 5_000  # histories a peer is fitted to
NO_TIME_MS: Final = 0


class Case(NamedTuple):
    """A person at a snapshot, in days where it says so."""

    user_id: str
    t_ms: int
    score: float
    active_days: int
    span_days: float  # from the first to the last activity
    silence_days: float


class Judged(NamedTuple):
    case: Case
    churned: bool


def evaluate_churn(
    path: Path, config: Config | None = None, *, resamples: int = RESAMPLES
) -> list[Score]:
    """AUC, Brier score, log-loss and calibration error, beside recency, frequency and BG/NBD.

    Args:
        path: events as `streams replay` takes them; `.gz` and `-` are possible.
        config: the horizon is its `churn.horizon_days`.
        resamples: of people, for the intervals.

    Raises:
        FileError: the file cannot be read, or is too short to say anything.
    """
    config = Config() if config is None else config
    days = config.churn.horizon_days
    with tempfile.TemporaryDirectory() as folder:
        replay = Replay(config, key=TRIAL_KEY, outputs=Outputs(Path(folder)))
        judged = list(_judged(path, replay, days * DAY_MS))
        replay.close()
    churned = sum(case.churned for case in judged)
    if len(judged) < LEAST_CASES or not 0 < churned < len(judged):
        raise FileError(
            f"{path}: {len(judged)} scores whose {days} days have passed within the file, "
            f"{churned} of them churned; at least {LEAST_CASES} with both outcomes are needed: "
            "give events of more days or people, or a shorter churn.horizon_days"
        )
    return _scores(path.name, judged, days, resamples)


def _judged(path: Path, replay: Replay, horizon_ms: int) -> Iterator[Judged]:
    """Every score of a snapshot, when its horizon has passed."""
    due_ms, given = NO_TIME_MS, list[Case]()
    lines: list[bytes] = []
    for at_ms, line in Clock().stamped(read_lines(path)):
        due_ms = due_ms or at_ms + horizon_ms
        if at_ms >= due_ms or len(lines) >= MOST_LINES:
            replay.feed(lines)
            lines = []
        while at_ms >= due_ms:
            replay.drain(due_ms)
            yield from _answers(given, replay)
            given = list(_snapshot(replay, due_ms))
            due_ms += horizon_ms
        lines.append(line)
    if due_ms == NO_TIME_MS:
        raise FileError(f"{path}: has no events; give a file of events, one JSON object per line")


def _snapshot(replay: Replay, now_ms: int) -> Iterator[Case]:
    for fold in replay.folds:
        for scored in fold.churn_scores(now_ms):
            person = fold.engine.store.get(scored.user_id)
            assert person is not None, "churn_scores is of people in the store"
            activity = person.state.activity
            yield Case(
                user_id=scored.user_id,
                t_ms=now_ms,
                score=scored.churn_score,
                active_days=activity.days,
                span_days=max(activity.last_ms - activity.first_ms, 0) / DAY_MS,
                silence_days=max(now_ms - activity.last_ms, 0) / DAY_MS,
            )


def _answers(given: list[Case], replay: Replay) -> Iterator[Judged]:
    """Who was erased or became one with somebody else has no answer."""
    for case in given:
        for fold in replay.folds:
            person = fold.engine.store.get(case.user_id)
            if person is not None:
                state = person.state
                ended = state.churn.left_ms > case.t_ms
                yield Judged(case, ended or state.activity.last_ms <= case.t_ms)


def _scores(data: str, judged: list[Judged], days: int, resamples: int) -> list[Score]:
    cases, labels = [each.case for each in judged], [each.churned for each in judged]
    known = btyd.Histories(
        repeats=np.array([max(case.active_days - 1.0, 0.0) for case in cases]),
        last=np.array([case.span_days for case in cases]),
        age=np.array([case.span_days + case.silence_days for case in cases]),
    )
    # The peer is fitted to the first histories, as one would who starts today.
    fit = btyd.fitted(btyd.Histories(*(values[:MOST_FITTED] for values in known)))
    silent = (1.0 - fit.any(known, float(days))).tolist()
    ranks: Forecasts = {
        "recency": [case.silence_days for case in cases],
        "frequency": [-float(case.active_days) for case in cases],
        "BG/NBD E[X]": (-fit.expected(known, float(days))).tolist(),
    }
    share = sum(labels) / len(labels)
    probabilities: Forecasts = {"BG/NBD P(none)": silent, "base rate": [share] * len(labels)}
    ours, people = [case.score for case in cases], [case.user_id for case in cases]
    measure = partial(measured, TASK, data, ours, labels, people, bars={}, resamples=resamples)
    return [
        measure("auc", auc, ranks),
        measure("brier", brier, probabilities),
        measure("log_loss", log_loss, probabilities),
        measure("ece_10", equal_mass_error, probabilities),
    ]
