"""Decision records: their ids and their counts. Nothing is decided without one."""

from typing import Any, Protocol

from streams.contract.decisions import OUTCOMES, Decision
from streams.engine import chance
from streams.engine.moment import Moment


class Named(Protocol):
    """A journey, compiled or as the policy sees it."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int: ...


class Decisions:
    def __init__(self, seed: bytes, tenant: str, counts: dict[str, int]) -> None:
        self.seed = seed
        self._tenant = tenant
        self._counts = counts

    def count(self, name: str) -> None:
        self._counts[name] = self._counts.get(name, 0) + 1

    def identify(
        self, journey: str, step: str, *, user_id: str, source: str, cause: str, due_ms: int
    ) -> str:
        """Fixed by the cause, the journey, the step and its due time; never by log offsets."""
        return chance.identifier(
            self.seed, "decision", user_id, source, cause, journey, step, str(due_ms)
        )

    def at_event(
        self, moment: Moment, journey: Named, step: str, outcome: str, **more: Any
    ) -> Decision:
        """A decision at the moment itself: about an entry."""
        decision_id = self.identify(
            journey.name,
            step,
            user_id=moment.person.user_id,
            source=moment.source,
            cause=moment.cause_event_id,
            due_ms=moment.time_ms,
        )
        return self.record(
            moment, journey, step, outcome, decision_id, moment.cause_event_id, **more
        )

    def record(
        self,
        moment: Moment,
        journey: Named,
        step: str,
        outcome: str,
        decision_id: str,
        cause_event_id: str,
        **more: Any,
    ) -> Decision:
        assert outcome in OUTCOMES
        self.count("outcome." + outcome)
        return Decision(
            decision_id=decision_id,
            user_id=moment.person.user_id,
            journey=journey.name,
            journey_version=journey.version,
            step=step,
            outcome=outcome,
            decided_at_ms=moment.now_ms,
            cause_event_id=cause_event_id,
            tenant=self._tenant,
            **more,
        )
