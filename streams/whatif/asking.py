"""What the change would have decided at each decision of the log, and what became of it.

People's reactions are those of history: they answered what they got. So the value of the change is
not replayed but estimated from logged decisions (`estimate`): at each of them the changed step is
asked in the same moment, of the same person, with choosers that learned what the log could teach.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from streams.contract.decisions import Decision
from streams.contract.journeys import HOLD, NOTHING
from streams.engine import chance
from streams.engine.choosers import Choosers
from streams.engine.content.library import Shelf
from streams.engine.deciding import Decisions
from streams.engine.engine import Engine
from streams.engine.journeys.compiled import CompiledStep, Journey
from streams.engine.journeys.journey import Due, Proposal
from streams.engine.journeys.proposals import Proposer
from streams.engine.journeys.view import at
from streams.engine.journeys.vocabulary import Vocabulary
from streams.engine.outcome import Effect
from streams.engine.policy.budget import POLICY_ACCOUNT
from streams.engine.policy.purse import Purse
from streams.engine.policy.stage import SAFETY_KEY, PolicyStage, mark_of
from streams.engine.profile.hours import local_day
from streams.engine.results import NOT_DRAWN
from streams.engine.state import Pending
from streams.whatif.change import Change

CHANGED: Final = " (changed)"  # an arm of the same id that would send something else

Shares = dict[str, float]


class Sample(Struct, gc=False):
    """One decision: what was done, with which probabilities, and what the change would have done.
    Whatever sends nothing (the arm, the control groups, refusals) is NOTHING."""

    person: int
    at_ms: int
    action: str
    logged: Shares
    target: Shares
    features: tuple[float, ...]
    reward: float = 0.0


class Step:
    """The decisions of one step. `left_out`: why others are not among them. `unit` of rewards: fen,
    `reached` (the goal: 0 or 1) where the goal has no value, empty where there is no goal."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.left_out: Counter[str] = Counter()
        self.floors: tuple[float, float] = (0.0, 0.0)
        self.unit = ""
        self.waiting: dict[tuple[str, int, str, int], deque[Sample]] = {}

    @property
    def open(self) -> int:
        """Decisions whose result the log does not know: not yet, or no more of people who were
        erased or found to be somebody else meanwhile."""
        return sum(map(len, self.waiting.values()))


class Asking:
    """Of all partitions together."""

    def __init__(self, change: Change) -> None:
        self.change = change
        self.steps: dict[tuple[str, str], Step] = {}
        self._people: dict[str, int] = {}
        self._asked: dict[str, tuple[Shares, frozenset[str]]] = {}

    def attach(self, engine: Engine) -> None:
        """Look on at one partition's fold of the log as it was."""
        desk = Desk(engine, self)
        engine.policy.observe = desk.observe
        engine.results.observe = desk.closed

    def step(self, journey: str, step: str) -> Step:
        found = self.steps.get((journey, step))
        if found is None:
            found = self.steps[journey, step] = Step()
        return found

    def asked(self, due: Due, target: Shares) -> None:
        sends = frozenset(arm.arm for arm in due.arms if arm.kind is not None)
        self._asked[due.decision_id] = (target, sends)

    def note(self, said: Iterable[tuple[int, Effect]]) -> None:
        """The decisions that were made after all."""
        if not self._asked:
            return
        for _, effect in said:
            if isinstance(effect, Decision):
                asked = self._asked.pop(effect.decision_id, None)
                if asked is not None:
                    self._sample(effect, *asked)
        self._asked.clear()

    def closed(self, user_id: str, pending: Pending, value_fen: int, spent_fen: int) -> None:
        step = self.steps.get((pending.journey, pending.step))
        if step is None:
            return
        key = (user_id, pending.decided_ms, pending.arm, pending.mark)
        waiting = step.waiting.get(key)
        if not waiting:
            return
        sample = waiting.popleft()
        if not waiting:
            del step.waiting[key]
        reached = float(bool(pending.reached))
        sample.reward = float(value_fen - spent_fen) if step.unit == "fen" else reached
        step.samples.append(sample)

    def _sample(self, decision: Decision, target: Shares, sends: frozenset[str]) -> None:
        step = self.step(decision.journey, decision.step)
        logged = _collapsed({one.arm: one.propensity for one in decision.candidates}, sends)
        drawn = any(one.arm == HOLD for one in decision.candidates)
        if decision.outcome == "SHADOWED":
            step.left_out["shadow"] += 1
            return
        if decision.outcome in NOT_DRAWN and not drawn:
            step.left_out["refused"] += 1
            return
        sample = Sample(
            self._people.setdefault(decision.user_id, len(self._people)),
            decision.decided_at_ms,
            decision.arm if decision.arm in sends else NOTHING,
            logged,
            target,
            decision.features,
        )
        mark = mark_of(decision.trigger_id) if decision.trigger_id else 0
        key = (decision.user_id, decision.decided_at_ms, decision.arm, mark)
        step.waiting.setdefault(key, deque()).append(sample)


class Desk:
    """The changed steps beside one engine: its people and models, the change's rules. What choosers
    have learned is what the log's decisions taught; money is that of the log."""

    def __init__(self, engine: Engine, asking: Asking) -> None:
        change, config = asking.change, engine.config
        self._engine = engine
        self._asking = asking
        self._choosers = Choosers({}, engine.prices.of)
        zone = (change.policy or config.policy).quiet.zone
        vocabulary = Vocabulary(engine.insight, zone)
        self._journeys = {spec.id: Journey(spec, vocabulary) for spec in change.journeys}
        self._policy = engine.policy
        if change.policy is not None:
            seed = chance.key_of(config.seed)
            self._policy = PolicyStage(
                replace(config, policy=change.policy), seed,
                Decisions(seed, config.tenant, {}), {}, {},
                choose=self._choosers.choose, budget=engine.money.purse,
            )  # fmt: skip
        self._proposer: Proposer | None = None
        if change.content is not None:
            self._proposer = Proposer(
                engine.insight, Shelf(change.content), self._policy.personalised,
                brand=config.brand, zone=zone,
            )  # fmt: skip

    def observe(self, dues: Sequence[Due]) -> None:
        for due in dues:
            if not due.features:
                continue  # no step that decides
            journey = self._journey(due)
            if journey is None:
                continue
            step = next((one for one in journey.steps if one.id == due.step), None)
            if step is None or step.kind != "decide":
                self._asking.step(due.journey.name, due.step).left_out["gone"] += 1
                continue
            target = self._target(journey, step, due)
            since_ms = self._asking.change.since_ms
            if since_ms is not None and due.moment.now_ms < since_ms:
                continue
            if len(dues) > 1:
                # Which of several goes out depends on all of them.
                self._asking.step(due.journey.name, due.step).left_out["shared"] += 1
                continue
            found = self._asking.step(due.journey.name, due.step)
            found.floors = (due.floor, step.floor)
            found.unit = self._unit(due)
            self._asking.asked(due, target)

    def closed(self, user_id: str, pending: Pending, value_fen: int, spent_fen: int) -> None:
        self._asking.closed(user_id, pending, value_fen, spent_fen)
        self._choosers.learn_from(pending, value_fen=value_fen, cost_fen=spent_fen)

    def _journey(self, due: Due) -> Journey | None:
        """The changed journey; of others only what the policy and content make of them differs."""
        found = self._journeys.get(due.journey.name)
        if found is not None or not self._asking.change.concerns_all:
            return found
        return self._engine.book.version(due.journey.name, due.journey.version)

    def _unit(self, due: Due) -> str:
        running = self._engine.book.version(due.journey.name, due.journey.version)
        if running is None or running.reward is None:
            return ""
        return "reached" if running.reward.value is None else "fen"

    def _target(self, journey: Journey, step: CompiledStep, due: Due) -> Shares:
        moment, instance = due.moment, due.instance
        view = at(moment, instance)
        if not journey.guard(view):
            return {NOTHING: 1.0}
        if self._proposer is None:
            asked = self._engine.journeys.probe(journey, step, moment, instance)
        else:
            asked = self._proposer.due(journey, step, view)
        asked.decision_id = due.decision_id
        asked.features = due.features
        if self._policy is not self._engine.policy:
            self._policy.load(SAFETY_KEY, self._engine.policy.row(SAFETY_KEY))
        drawn = self._policy.probe(asked, choose=self._choosers.choose, budget=self._purse(asked))
        theirs = {arm.arm: _sent(arm) for arm in due.arms}
        sends = {arm.arm: _sent(arm) for arm in asked.arms if arm.kind is not None}
        shares = _collapsed(drawn.propensities, sends)
        return {
            arm if arm == NOTHING or theirs.get(arm, sends[arm]) == sends[arm] else arm + CHANGED: p
            for arm, p in shares.items()
        }

    def _purse(self, due: Due) -> Purse:
        """What the log's purse had, to be asked and not changed."""
        if all(not arm.cost_fen for arm in due.arms):
            return self._engine.money.purse
        accounts = (due.journey.name, POLICY_ACCOUNT)
        zone = self._policy.terms.policy.quiet.zone
        day = local_day(zone, due.moment.now_ms)
        return Known(self._engine.money.copy_of(accounts, day))


class Known:
    """A purse that lets through what is charged to accounts the log did not have."""

    def __init__(self, purse: Purse) -> None:
        self._purse = purse

    def can_spend(self, accounts: Sequence[str], day: int, fen: int) -> bool:
        return all(self._one(account, day, fen) for account in accounts)

    def refusal(
        self, accounts: Sequence[str], day: int, fen: int
    ) -> tuple[str, Mapping[str, float]]:
        return self._purse.refusal(
            [account for account in accounts if not self._one(account, day, fen)], day, fen
        )

    def spend(self, accounts: Sequence[str], day: int, fen: int, now_ms: int) -> None:
        raise NotImplementedError("who only asks spends nothing")

    def _one(self, account: str, day: int, fen: int) -> bool:
        try:
            return self._purse.can_spend([account], day, fen)
        except LookupError:
            return True


def _collapsed(shares: Mapping[str, float], sends: Iterable[str]) -> Shares:
    """The arms that send by themselves, all else together."""
    found = {arm: shares[arm] for arm in sorted(sends) if shares.get(arm)}
    found[NOTHING] = max(0.0, 1.0 - sum(found.values()))
    return found


def _sent(arm: Proposal) -> tuple[Any, ...]:
    return arm.kind, arm.template_id, arm.coupon, arm.ad_id, arm.messages, arm.content, arm.channels
