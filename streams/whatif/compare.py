"""What differs between a log as it was and the same log with a change: counted while both run.

Memory holds counters, and for people what they got: no records.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from streams.contract.decisions import Decision
from streams.contract.policy import DAY_MS
from streams.contract.triggers import Trigger
from streams.engine.outcome import Effect

CHINA_MS: Final = 8 * 3_600_000
HELD: Final = ("HOLDOUT_GLOBAL", "HOLDOUT_JOURNEY")
OLD, NEW = 0, 1

Pair = list[int]  # as it was, with the change


class What(NamedTuple):
    """What people get: of which journey, of which kind, and which coupon or template."""

    journey: str
    kind: str
    name: str


class Why(NamedTuple):
    """The first time a person got it on one side and not on the other. `outcomes`: of the decision
    there; `before`: where it was not made, the outcome of the journey's latest one before."""

    at_ms: int
    decision_id: str
    outcomes: tuple[str, str]
    before: tuple[str, str]


# (side, partition, user id, journey) -> outcome of the latest decision, empty where there is none.
Look = Callable[[int, int, str, str], str]


class Comparison:
    def __init__(self, look: Look) -> None:
        self._look = look
        self.triggers: dict[str, dict[str, Pair]] = {
            name: {} for name in ("journey", "kind", "channel", "arm")
        }
        self.outcomes: dict[str, dict[str, Pair]] = {}
        self.spend_fen: dict[str, Pair] = {}
        self.days: dict[int, list[Pair]] = {}  # triggers, fen
        self.spend_by_day: tuple[Counter[tuple[str, int]], Counter[tuple[str, int]]] = (
            Counter(),
            Counter(),
        )
        self.held: dict[str, tuple[set[str], set[str]]] = {}
        self.got: dict[What, dict[str, Pair]] = {}
        self.why: dict[tuple[What, str], Why] = {}
        self.decisions: Counter[str] = Counter()

    def step(self, was: Iterable[tuple[int, Effect]], would: Iterable[tuple[int, Effect]]) -> None:
        """What both sides said to the same record."""
        decided = self._count(was, OLD), self._count(would, NEW)
        ids = dict.fromkeys((*decided[OLD], *decided[NEW]))
        for decision_id in ids:
            old, new = (side.get(decision_id) for side in decided)
            if old is None:
                self.decisions["only_new"] += 1
            elif new is None:
                self.decisions["only_old"] += 1
            else:
                self.decisions["same" if _same(old[0], new[0]) else "changed"] += 1
            sent = [told is not None and told[1] is not None for told in (old, new)]
            if any(sent):
                self._compare(old, new)

    def _count(self, said: Iterable[tuple[int, Effect]], side: int) -> "Decided":
        found: Decided = {}
        triggers: dict[str, Trigger] = {}
        for partition, effect in said:
            if isinstance(effect, Decision):
                found[effect.decision_id] = (effect, None, partition)
                _add(self.outcomes.setdefault(effect.journey, {}), effect.outcome, side)
                if effect.outcome in HELD:
                    groups = self.held.setdefault(effect.journey, (set(), set()))
                    groups[side].add(effect.user_id)
            elif isinstance(effect, Trigger):
                triggers[effect.decision_id] = effect
                self._trigger(effect, side)
        for decision_id, trigger in triggers.items():
            decision, _, partition = found[decision_id]
            found[decision_id] = (decision, trigger, partition)
        return found

    def _trigger(self, trigger: Trigger, side: int) -> None:
        arm = f"{trigger.campaign}/{trigger.experiment.arm}"
        fen = 0 if trigger.coupon is None else trigger.coupon.cost_fen
        names = (trigger.campaign, trigger.kind, trigger.channel, arm)
        for counts, name in zip(self.triggers.values(), names, strict=True):
            _add(counts, name, side)
        day = (trigger.created_at_ms + CHINA_MS) // DAY_MS
        counted = self.days.setdefault(day, [[0, 0], [0, 0]])
        counted[0][side] += 1
        counted[1][side] += fen
        if fen:
            _add(self.spend_fen, trigger.campaign, side, fen)
            self.spend_by_day[side][trigger.campaign, day] += fen
        _add(self.got.setdefault(what_of(trigger), {}), trigger.user_id, side)

    def _compare(self, old: "Told | None", new: "Told | None") -> None:
        """Note why, where one side sent what the other did not."""
        sent = [
            None if told is None or told[1] is None else what_of(told[1]) for told in (old, new)
        ]
        if sent[OLD] == sent[NEW]:
            return
        told = old or new
        assert told is not None
        decision, _, partition = told
        for what in sent:
            if what is None or (what, decision.user_id) in self.why:
                continue
            person = (partition, decision.user_id, decision.journey)
            self.why[what, decision.user_id] = Why(
                decision.decided_at_ms,
                decision.decision_id,
                ("" if old is None else old[0].outcome, "" if new is None else new[0].outcome),
                (
                    self._look(OLD, *person) if old is None else "",
                    self._look(NEW, *person) if new is None else "",
                ),
            )

    @property
    def same(self) -> bool:
        return not (
            self.decisions["changed"] or self.decisions["only_old"] or self.decisions["only_new"]
        )


Told = tuple[Decision, Trigger | None, int]  # the last: on which partition
Decided = dict[str, Told]


def what_of(trigger: Trigger) -> What:
    name = ""
    if trigger.coupon is not None:
        name = trigger.coupon.sku
    elif trigger.message is not None:
        name = trigger.message.template_id
    elif trigger.ad_id:
        name = trigger.ad_id
    return What(trigger.campaign, trigger.kind, name)


def total(counts: Mapping[str, Pair]) -> Pair:
    return [sum(pair[side] for pair in counts.values()) for side in (OLD, NEW)]


def _add(counts: dict[str, Pair], name: str, side: int, more: int = 1) -> None:
    pair = counts.get(name)
    if pair is None:
        pair = counts[name] = [0, 0]
    pair[side] += more


def _same(one: Decision, other: Decision) -> bool:
    return _said(one) == _said(other)


def _said(decision: Decision) -> tuple[Any, ...]:
    return (
        decision.outcome, decision.arm, decision.channel, decision.cost_fen,
        decision.trigger_id, decision.propensity,
    )  # fmt: skip
