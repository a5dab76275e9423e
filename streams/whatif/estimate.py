"""The value of a decision as it was and with the change, estimated off-policy from the log.

Refuses to rank where the log says too little about the change: see `evaluation.off_policy`.
"""

from collections.abc import Mapping
from math import ceil
from typing import Final

import numpy as np
from msgspec import Struct, field

from streams.contract.journeys import NOTHING
from streams.contract.policy import DAY_MS
from streams.evaluation import off_policy
from streams.evaluation.off_policy import FLOOR, Estimate, Logged, NotRankable
from streams.evaluation.reward_model import reward_model
from streams.whatif.asking import Asking, Sample, Step

WAS: Final = "as it was"
WOULD: Final = "with the change"
FOLDS: Final = 5
LEAST_PEOPLE: Final = 2


class Value(Struct):
    """Per decision, within [low, high] with 95 %, people as the units."""

    value: float
    low: float
    high: float


class Estimated(Struct):
    """By one estimator: both policies, and the paired difference new less old."""

    was: Value
    would: Value
    difference: Value


class StepEstimate(Struct):
    """`refused`: why nothing is said, with `help`; then `estimates` is empty. `left_out`: gone (the
    step), shared (several journeys at one moment), refused (before the control groups), shadow.
    `unit` of values: fen, or `reached`, the share of decisions after which the goal was reached.
    """

    journey: str
    step: str
    unit: str
    decisions: int = 0
    people: int = 0
    open: int = 0
    left_out: dict[str, int] = {}
    arms: dict[str, list[float]] = {}  # share of decisions: as it was, with the change
    effective_sample_size: float = 0.0
    effective_people: float = 0.0
    unsupported: float = 0.0
    estimates: dict[str, Estimated] = field(default_factory=dict)  # snips, dr
    refused: str = ""
    help: str = ""


def estimates(asking: Asking) -> list[StepEstimate]:
    """One for each step that decides, by journey and step."""
    return [_estimated(*name, step) for name, step in sorted(asking.steps.items())]


def _estimated(journey: str, name: str, step: Step) -> StepEstimate:
    samples = step.samples
    people = len({sample.person for sample in samples})
    made = StepEstimate(
        journey,
        name,
        step.unit,
        len(samples),
        people,
        step.open,
        dict(sorted(step.left_out.items())),
    )
    if people < LEAST_PEOPLE:
        made.refused = f"the log knows the results of decisions about {people} people only"
        made.help = "wait until the goal's window of more decisions has ended"
        return made
    if not step.unit:
        made.refused = "the journey has no goal, so nothing tells what a decision was worth"
        made.help = "add a [goal] to its file"
        return made
    columns = _columns(samples)
    was, would = _logged(samples, columns)
    made.arms = {
        arm: [float(was.target[:, place].mean()), float(would.target[:, place].mean())]
        for place, arm in enumerate(columns)
    }
    found = off_policy.estimate(would, off_policy.snips)
    made.effective_sample_size = found.effective_sample_size
    made.effective_people = found.effective_people
    made.unsupported = found.unsupported
    pair = {WAS: was, WOULD: would}
    try:
        for estimator, of in (("snips", off_policy.snips), ("dr", off_policy.doubly_robust)):
            made.estimates[estimator] = _read(off_policy.rank(pair, FLOOR, of))
    except NotRankable as error:
        made.estimates = {}
        made.refused = str(error).removeprefix(f"{WOULD}: ")
        made.help = _help(found, samples, step, was, would, columns)
    return made


def _read(ranking: off_policy.Ranking) -> Estimated:
    difference = ranking.differences[0]
    value, low, high = difference.value, difference.low, difference.high
    if difference.better == WAS:
        value, low, high = -value, -high, -low
    was, would = (
        Value(found.value, found.low, found.high)
        for found in (ranking.estimates[WAS], ranking.estimates[WOULD])
    )
    return Estimated(was, would, Value(value + 0.0, low + 0.0, high + 0.0))


def _columns(samples: list[Sample]) -> list[str]:
    arms = {
        arm for sample in samples for shares in (sample.logged, sample.target) for arm in shares
    }
    return [NOTHING, *sorted(arms - {NOTHING})]


def _logged(samples: list[Sample], columns: list[str]) -> tuple[Logged, Logged]:
    place = {arm: number for number, arm in enumerate(columns)}
    shape = (len(samples), len(columns))
    was, would = np.zeros(shape), np.zeros(shape)
    for row, sample in enumerate(samples):
        _fill(was[row], sample.logged, place)
        _fill(would[row], sample.target, place)
    action = np.array([place[sample.action] for sample in samples], dtype=np.int64)
    reward = np.array([sample.reward for sample in samples])
    person = np.array([sample.person for sample in samples], dtype=np.int64)
    features = np.array([sample.features for sample in samples])
    q_hat = reward_model(
        features, reward, action, actions=len(columns), person=person,
        folds=min(FOLDS, len(np.unique(person))),
    )  # fmt: skip
    logged = Logged(
        reward=reward,
        action=action,
        propensity=was[np.arange(len(samples)), action],
        target=was,
        q_hat=q_hat,
        person=person,
        eligible=was > 0,
    )
    return logged, logged._replace(target=would)


def _fill(row: np.ndarray, shares: Mapping[str, float], place: Mapping[str, int]) -> None:
    for arm, share in shares.items():
        row[place[arm]] = share


def _help(
    found: Estimate, samples: list[Sample], step: Step, was: Logged, would: Logged,
    columns: list[str],
) -> str:  # fmt: skip
    """What would let the log say more."""
    if found.unsupported > FLOOR.unsupported:
        missing = np.where(was.target > 0, 0.0, would.target).mean(axis=0)
        arm = columns[int(np.argmax(missing))]
        return (
            f"most of it is {arm!r} where the log never could; put the arm beside the others with "
            "explore_floor above 0, or keep the change nearer to what is in force"
        )
    if found.effective_people < FLOOR.effective_people:
        days = (max(one.at_ms for one in samples) - min(one.at_ms for one in samples)) / DAY_MS
        wanted = FLOOR.effective_people / max(found.effective_people, 1.0) - 1.0
        more = max(1, ceil(max(days, 1.0) * wanted))
        return f"wait about {more} more days, or raise explore_floor above {step.floors[0]:g}"
    return f"raise explore_floor above {step.floors[0]:g}, or change less at once"
