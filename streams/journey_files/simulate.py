"""A journey among synthetic people: who would enter, what would go out, what would come of it.

Small on purpose: it shows whether a journey does what it should before anybody is in it, and in
which order of magnitude. The population's people answer as the simulation says, not as real ones.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

import orjson
from msgspec import Struct
from msgspec.structs import replace

from streams.contract.content import Library
from streams.contract.decisions import Decision
from streams.contract.journeys import HOLD, JourneySpec
from streams.contract.policy import DAY_MS, Policy
from streams.contract.records import Origin, Record, Tick
from streams.contract.reports import ArmTally, JourneyReport
from streams.contract.topics import EVENTS
from streams.contract.triggers import Trigger
from streams.engine.config import Config
from streams.engine.engine import Engine
from streams.engine.state import NEVER_MS
from streams.engine.store import Store
from streams.event_file import Clock
from streams.intake import Intake
from streams.simulation.population import Population
from streams.simulation.run import HOURS_PER_DAY, START_MS
from streams.simulation.scenarios import SCENARIOS

KEY: Final = b"streams-trial-alias-key"
USERS: Final = 150
DAYS: Final = 10
WEEK: Final = 7  # days of the quick run that goes with a check
# Journeys that are about another kind of business than the first scenario.
SCENARIO_OF: Final = {"form.opened": "education", "form.submitted": "education"}
NOT_REFUSED: Final = frozenset(
    {
        *("SENT", "QUIET_DEFERRED", "AWAITING_STAFF", "CHOSE_NOTHING", "SHADOWED", "ENTERED"),
        *("EXITED", "COMPLETED", "BRANCHED", "EVENT_CAME", "TIMED_OUT", "RESTARTED"),
    }
)


class SimulationResult(Struct, frozen=True):
    """`matched`: entry conditions met; `entered`: of these. `sent`: by arm, then channel.
    `refused`: what did not go out, by outcome. `goal`: of each arm, first decisions whose window
    has ended and how many of them reached the goal; `hold` is the control group. `spent_fen`: of
    coupons that were redeemed, `promised_fen`: of all that went out."""

    journey: str
    scenario: str
    users: int
    days: int
    events: int
    matched: int
    entered: int
    inside: int
    sent: dict[str, dict[str, int]]
    refused: dict[str, int]
    goal: dict[str, tuple[int, int]]
    promised_fen: int
    spent_fen: int

    @property
    def sends(self) -> int:
        return sum(n for channels in self.sent.values() for n in channels.values())

    def rate(self, *, held_out: bool) -> tuple[int, float]:
        """(decisions, share that reached the goal), of the control group or of everybody else."""
        pairs = [pair for arm, pair in self.goal.items() if (arm == HOLD) == held_out]
        decided, reached = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
        return decided, reached / decided if decided else 0.0


def simulate(
    spec: JourneySpec,
    users: int = USERS,
    days: int = DAYS,
    *,
    library: Library,
    policy: Policy,
    scenario: str = "",
    seed: str = "1",
) -> SimulationResult:
    """The journey alone among so many people. Raises ValueError for an unknown scenario."""
    scenario = scenario or scenario_of(spec)
    if scenario not in SCENARIOS:
        raise ValueError(f"there is no scenario {scenario!r}; choose one of {', '.join(SCENARIOS)}")
    config = replace(
        SCENARIOS[scenario].config,
        partitions=1,
        policy=policy,
        content=library,
        journeys=(replace(spec, status="live", tests=[]),),
    )
    run = _Run(config, users, days, scenario, seed)
    for hour in range(days * HOURS_PER_DAY):
        run.hour(hour)
    run.until(START_MS + days * DAY_MS)
    return run.result(spec, scenario, users, days)


def scenario_of(spec: JourneySpec) -> str:
    """The story whose people meet what the journey is entered by."""
    for kind in (spec.entry.on,) if isinstance(spec.entry.on, str) else spec.entry.on:
        if kind in SCENARIO_OF:
            return SCENARIO_OF[kind]
    for story in SCENARIOS.values():
        if any(one.id == spec.id for one in story.config.journeys):
            return story.name
    return next(iter(SCENARIOS))


class _Run:
    def __init__(self, config: Config, users: int, days: int, scenario: str, seed: str) -> None:
        self._intake = Intake(key=KEY, tenant=config.tenant, partitions=1)
        self._people = Population(users, scenario, seed, START_MS, self._intake.alias_of)
        self._store = Store()
        self._store.limit(config.users_in_memory)
        self._engine = Engine(config, partition=0, store=self._store)
        self._engine.publishing.begin(config.policy, START_MS)
        self._clock = Clock(START_MS)
        self._offset = 0
        self._triggers: list[Trigger] = []
        self._sent: dict[str, Counter[str]] = {}
        self._outcomes: Counter[str] = Counter()
        self._promised_fen = 0
        self._arms: dict[str, ArmTally] = {}

    def hour(self, hour: int) -> None:
        raws = (
            event if isinstance(event, bytes) else orjson.dumps(event)
            for event in self._people.hour(hour)
        )
        for at_ms, raw in self._clock.stamped(raws):
            self.until(at_ms)
            _, record = self._intake.take(raw, Origin(EVENTS, 0, 0, self._offset), at_ms)
            self._offset += 1
            self._handle(record)
        taken, self._triggers = self._triggers, []
        self._people.receive(taken)

    def until(self, to_ms: int) -> None:
        """Fire what is due."""
        while (due_ms := min(self._store.soonest_ms(), self._engine.next_due_ms())) <= to_ms:
            self._handle(Tick(at_ms=max(due_ms, self._engine.ledger.clock.now_ms)))

    def result(self, spec: JourneySpec, scenario: str, users: int, days: int) -> SimulationResult:
        engine = self._engine
        for report in engine.results.reports(NEVER_MS):
            self._arms = report.arms
        inside = (self._store.get(user_id) for user_id in self._store)
        counts = engine.ledger.counts
        refused = {code: n for code, n in self._outcomes.most_common() if code not in NOT_REFUSED}
        return SimulationResult(
            journey=spec.id,
            scenario=scenario,
            users=users,
            days=days,
            events=self._offset,
            matched=counts.get("journey.matched", 0),
            entered=self._outcomes["ENTERED"],
            inside=sum(bool(person and person.state.inside) for person in inside),
            sent={arm: dict(channels.most_common()) for arm, channels in self._sent.items()},
            refused=refused,
            goal={
                arm: (tally.first_settled, tally.first_reached)
                for arm, tally in self._arms.items()
                if tally.first_settled
            },
            promised_fen=self._promised_fen,
            spent_fen=sum(tally.spent_fen for tally in self._arms.values()),
        )

    def _handle(self, record: Record) -> None:
        outcome = self._engine.handle(record)
        if not outcome.effects:
            return
        for effect in outcome.effects:
            if isinstance(effect, JourneyReport):
                self._arms = effect.arms
        triggers = outcome.triggers
        self._triggers += triggers
        self._count(outcome.decisions, triggers)

    def _count(self, decisions: Iterable[Decision], triggers: Iterable[Trigger]) -> None:
        sent = {trigger.decision_id: trigger for trigger in triggers}
        for decision in decisions:
            self._outcomes[decision.outcome] += 1
            trigger = sent.get(decision.decision_id)
            if trigger is not None:
                self._sent.setdefault(decision.arm, Counter())[trigger.channel] += 1
                self._promised_fen += decision.cost_fen
