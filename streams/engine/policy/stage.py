"""The policy stage: every proposal meets the gates; of those that pass, one is emitted."""

from streams.contract.decisions import Decision
from streams.contract.triggers import Experiment, Explanation, Trigger
from streams.engine import chance
from streams.engine.config import Config
from streams.engine.deciding import Decisions
from streams.engine.journeys.journey import Due
from streams.engine.moment import Moment
from streams.engine.outcome import Effect
from streams.engine.policy import GATES
from streams.engine.policy.budget import spend
from streams.engine.policy.caps import forget_old
from streams.engine.policy.case import Case
from streams.engine.policy.holdout import send_propensity
from streams.engine.profile.consent import deciding
from streams.engine.state import Budget, Sent

BUDGET_KEY = b"p:budget"
HOLDOUTS = ("HOLDOUT_GLOBAL", "HOLDOUT_JOURNEY")


class PolicyStage:
    def __init__(
        self,
        config: Config,
        seed: bytes,
        decisions: Decisions,
        counts: dict[str, int],
        changed: dict[bytes, None],
    ) -> None:
        self._config = config
        self._seed = seed
        self._decisions = decisions
        self._counts = counts
        self._changed = changed
        self.budget = Budget()

    def decide(self, proposed: list[tuple[Moment, Due]], effects: list[Effect]) -> None:
        """Proposals of one person at one moment: the lowest priority number that passes wins."""
        passed: list[Case] = []
        for moment, due in sorted(proposed, key=_rank):
            case = Case(moment, due, self._config, self._seed, self.budget)
            outcome = _first_failing(case)
            if outcome:
                effects.append(self._refused(case, outcome))
            else:
                passed.append(case)
        if passed:
            self._emit(passed[0], effects)
        for case in passed[1:]:
            effects.append(self._refused(case, "LOST_ARBITRATION"))

    def _refused(self, case: Case, outcome: str) -> Decision:
        due, journey = case.due, case.journey
        arm, propensity = "", 1.0
        if outcome in HOLDOUTS:
            # The control group is in the journey like everybody else, only without the message.
            case.state.addressed[journey.name] = case.now_ms
            arm, propensity = "hold", 1.0 - send_propensity(self._config, journey)
        return self._decisions.record(
            case.moment,
            journey,
            due.step,
            outcome,
            due.decision_id,
            due.cause_event_id,
            arm=arm,
            propensity=propensity,
            channel=case.channels[0] if arm else "",
            cost_fen=case.cost_fen,
            score=due.proposal.score,
            next_eligible_at_ms=case.next_eligible_ms,
            seen=case.seen,
            explanation=_explanation(due) if arm else None,
        )

    def _emit(self, case: Case, effects: list[Effect]) -> None:
        due, journey, now_ms = case.due, case.journey, case.now_ms
        trigger = self._trigger(case)
        self._note_sent(case, trigger)
        name = "trigger." + journey.kind
        self._counts[name] = self._counts.get(name, 0) + 1
        decision = self._decisions.record(
            case.moment,
            journey,
            due.step,
            "SENT" if case.release_ms == now_ms else "QUIET_DEFERRED",
            due.decision_id,
            due.cause_event_id,
            arm=trigger.experiment.arm,
            propensity=trigger.experiment.propensity,
            trigger_id=trigger.trigger_id,
            channel=trigger.channel,
            cost_fen=case.cost_fen,
            score=due.proposal.score,
            explanation=trigger.explanation,
        )
        effects.append(trigger)
        effects.append(decision)

    def _trigger(self, case: Case) -> Trigger:
        due, journey, moment = case.due, case.journey, case.moment
        channel = case.channels[0]
        said = deciding(case.state, journey.purpose, channel)
        propensity = send_propensity(self._config, journey)
        return Trigger(
            trigger_id=chance.identifier(self._seed, "trigger", due.decision_id),
            kind=journey.kind,
            user_id=moment.person.user_id,
            channel=channel,  # type: ignore[arg-type]
            purpose=journey.purpose,
            created_at_ms=case.now_ms,
            not_before_ms=case.release_ms,
            expires_at_ms=case.now_ms + journey.expires_ms,
            campaign=journey.name,
            campaign_version=journey.version,
            decision_id=due.decision_id,
            cause_event_id=due.cause_event_id,
            experiment=Experiment("send", propensity, holdout=False),
            explanation=_explanation(due),
            tenant=self._config.tenant,
            brand=moment.brand or self._config.brand,
            consent_version=said.version if said is not None else "",
            coupon=due.proposal.coupon,
            message=due.proposal.message,
            content=due.proposal.content,
        )

    def _note_sent(self, case: Case, trigger: Trigger) -> None:
        state, now_ms = case.state, case.now_ms
        forget_old(state, self._config.policy, now_ms)
        state.sends.append(
            Sent(
                now_ms,
                case.release_ms - now_ms,
                trigger.purpose,
                trigger.channel,
                trigger.campaign,
                mark_of(trigger.trigger_id),
            )
        )
        state.addressed[trigger.campaign] = now_ms
        if trigger.channel == "mini_programme" and state.credits:
            state.credits -= 1
        if case.cost_fen:
            spend(self.budget, self._config, case.cost_fen, now_ms)
            self._changed[BUDGET_KEY] = None


def mark_of(trigger_id: str) -> int:
    """32 bits by which an answer finds the person's send; 0 for what is no id of ours."""
    try:
        return int(trigger_id[:8], 16)
    except ValueError:
        return 0


def _first_failing(case: Case) -> str:
    for gate in GATES:
        outcome = gate(case)
        if outcome:
            return outcome
    return ""


def _explanation(due: Due) -> Explanation:
    proposal = due.proposal
    return Explanation(proposal.reason, proposal.score, proposal.top)


def _rank(proposed: tuple[Moment, Due]) -> tuple[int, str, str]:
    due = proposed[1]
    return due.journey.priority, due.journey.name, due.decision_id
