"""The demo: synthetic people and the engine in a closed loop, then what came of it, measured.

Hour by hour the population's events go through the replay, and the triggers that come out go back
to the population, which answers them. The events are kept: `streams replay` on them gives the same.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import msgspec
import orjson

from streams.contract.journeys import JourneySpec
from streams.contract.policy import DAY_MS
from streams.contract.topics import PROFILES, TRIGGERS
from streams.contract.triggers import Trigger
from streams.engine.config import Config
from streams.engine.fold import ChurnScored
from streams.evaluation import churn, interest
from streams.evaluation.effect import tallies
from streams.faults import UserFault
from streams.fold import Output
from streams.intake import Intake
from streams.journey_files.picture import picture
from streams.outputs import Outputs
from streams.replay import DEFAULT_BATCH, Replay, finish
from streams.report.choose import choose
from streams.report.page import Picture, render
from streams.simulation.population import Population
from streams.simulation.run import START_MS
from streams.simulation.scenarios import SCENARIOS
from streams.summary import Summary, journey_reports, write_summary
from streams.why_snapshot import STATE_FILE

HOURS_PER_DAY = 24

_TRIGGER_TOPICS = frozenset(TRIGGERS.values())


class Progress(NamedTuple):
    """After each simulated day."""

    day: int
    days: int
    events: int
    triggers: int


class Demo:
    """One closed-loop run into a folder. Raises UserFault for arguments that make no run."""

    def __init__(
        self,
        *,
        scenario: str,
        users: int,
        days: int,
        seed: str,
        out: Path,
        key: bytes,
        config: Config | None = None,
        batch: int = DEFAULT_BATCH,
    ) -> None:
        if scenario not in SCENARIOS:
            raise UserFault(f"no scenario {scenario!r}; there are: {', '.join(SCENARIOS)}")
        if users < 1 or days < 1:
            raise UserFault(f"{users} users over {days} days make no run; give at least 1 of each")
        self.users, self.days, self.seed, self.scenario = users, days, seed, scenario
        self._out = out
        config = SCENARIOS[scenario].config if config is None else config
        intake = Intake(key=key, tenant=config.tenant, partitions=config.partitions)
        self.population = Population(users, scenario, seed, START_MS, intake.alias_of)
        self._watcher = Watcher()
        self._replay = Replay(
            config, key=key, outputs=Outputs(out, watch=self._watcher), batch=batch, keep_rows=True
        )
        self._config = config
        self._scored: list[ChurnScored] = []

    def run(self, progress: Callable[[Progress], None] = lambda _: None) -> Summary:
        """Simulate, measure, write summary.json and report.html."""
        started = perf_counter()
        self._loop(progress)
        self._replay.close()
        self._replay.save(self._out / STATE_FILE)
        wall_seconds = perf_counter() - started
        summary = finish(self._replay)
        summary |= {
            "scenario": self.scenario,
            "users": self.users,
            "days": self.days,
            "seed": self.seed,
            "wall_seconds": round(wall_seconds, 2),
            **self._churn(),
            **self._interest(),
        }
        write_summary(self._out, summary)
        chosen = choose(self._out, self.native_ids)
        page = render(summary, chosen, self._picture(summary))
        (self._out / "report.html").write_text(page, "utf-8")
        return summary

    def _picture(self, summary: Summary) -> Picture | None:
        """Of the journeys with results the one whose choice has the most to it."""
        told = {one["journey"] for one in summary["effects"]}
        specs = [spec for spec in self._config.journeys if spec.id in told]
        if not specs:
            return None
        shown = max(specs, key=_choices)
        reports = [one for one in journey_reports(self._out) if one.journey == shown.id]
        return Picture(shown.id, picture(shown, tallies(reports)))

    def native_ids(self, user_id: str) -> Sequence[str]:
        """The subjects under which a user's events were written."""
        person = self.population.person(user_id)
        own = [] if person is None else [subject for subject, _ in person.ids]
        return [*own, f"user:{user_id}"]

    def _loop(self, progress: Callable[[Progress], None]) -> None:
        population, replay, watcher = self.population, self._replay, self._watcher
        emitted = 0
        with (self._out / "events.ndjson").open("wb", buffering=1 << 20) as file:
            for hour in range(self.days * HOURS_PER_DAY):
                raws = [
                    event if isinstance(event, bytes) else orjson.dumps(event)
                    for event in population.hour(hour)
                ]
                file.writelines(raw + b"\n" for raw in raws)
                replay.feed(raws)
                triggers = watcher.take_triggers()
                emitted += len(triggers)
                population.receive(triggers)
                if (hour + 1) % HOURS_PER_DAY == 0:
                    day = (hour + 1) // HOURS_PER_DAY
                    self._sample_scores(day)
                    progress(Progress(day, self.days, replay.events_in, emitted))

    def _sample_scores(self, day: int) -> None:
        """Everybody's score once a horizon. Published profiles would not do: they come when the
        score moves, which is when it is hardest to be right."""
        now_ms = START_MS + day * DAY_MS
        days_in = (now_ms - self._judged_from_ms) // DAY_MS
        if days_in >= 1 and (days_in - 1) % self._config.churn.horizon_days == 0:
            for fold in self._replay.folds:
                self._scored += fold.churn_scores(now_ms)

    @property
    def _end_ms(self) -> int:
        return START_MS + self.days * DAY_MS

    @property
    def _judged_from_ms(self) -> int:
        """The second half of the run; earlier in a short one, for a horizon must still fit."""
        fits_ms = self._end_ms - (self._config.churn.horizon_days + 2) * DAY_MS
        return max(START_MS, min(START_MS + self.days * DAY_MS // 2, fits_ms))

    def _history(self, user_id: str) -> churn.History | None:
        person = self.population.person(user_id)
        if person is None:
            return None
        return churn.History(
            person=person.index,
            activity_ms=sorted(person.activity_ms),
            unfollowed_ms=person.left_ms if person.left_how == "unfollow" else 0,
            erased_ms=person.erased_ms,
        )

    def _churn(self) -> Summary:
        horizon_days = self._config.churn.horizon_days
        found = churn.cases(
            self._scored,
            self._history,
            lambda user_id, t_ms, last_ms: self.population.churn_oracle(
                user_id, t_ms, last_ms, horizon_days
            ),
            from_ms=self._judged_from_ms,
            to_ms=self._end_ms,
            horizon_days=horizon_days,
        )
        report = churn.report(found)
        if not 0 < report.churned < report.cases:
            return {"churn_auc": None, "churn_auc_best": None, "churn_cases": report.cases}
        return {
            "churn_auc": report.churn_auc,
            "churn_auc_best": report.churn_auc_best,
            "churn_auc_gap": [report.gap_low, report.gap, report.gap_high],
            "churn_log_loss": report.log_loss,
            "churn_log_loss_best": report.log_loss_best,
            "churn_brier": report.brier,
            "churn_calibration_error": report.calibration_error,
            "churn_cases": report.cases,
            "churned": report.churned,
            "churn_reliability": [
                [row.mean_score, row.share, row.count] for row in report.reliability
            ],
        }

    def _interest(self) -> Summary:
        people = self.population.people
        ranked = [
            interest.Ranked(at_ms, person.index, categories)
            for user_id, at_ms, categories in self._watcher.ranked
            if (person := self.population.person(user_id)) is not None
        ]
        visits = [
            interest.Seen(at_ms, person.index, category)
            for person in people
            for at_ms, category in person.visits
        ]
        report = interest.report(ranked, visits, from_ms=self._judged_from_ms)
        return {
            "interest_hit_at_3": report.hit,
            "interest_hit_at_3_popularity": report.hit_popularity,
            "interest_hit_at_3_last_seen": report.hit_last_seen,
            "interest_cases": report.cases,
        }


class Watcher:
    """What the demo needs of the outputs while they are written."""

    def __init__(self) -> None:
        self.ranked: list[tuple[str, int, tuple[str, ...]]] = []
        self._triggers: list[Trigger] = []
        self._trigger = msgspec.json.Decoder(Trigger)
        self._profile = msgspec.json.Decoder(_Ranked)
        self._last_ranking: dict[str, tuple[str, ...]] = {}

    def __call__(self, output: Output) -> None:
        topic, _, value = output
        if value is None:
            return
        if topic in _TRIGGER_TOPICS:
            self._triggers.append(self._trigger.decode(value))
        elif topic == PROFILES:
            self._note(self._profile.decode(value))

    def take_triggers(self) -> list[Trigger]:
        taken, self._triggers = self._triggers, []
        return taken

    def _note(self, profile: "_Ranked") -> None:
        user_id = profile.user_id
        ranking = tuple(category for category, _ in profile.interests)
        if self._last_ranking.get(user_id) != ranking:
            self._last_ranking[user_id] = ranking
            self.ranked.append((user_id, profile.updated_at_ms, ranking))


def _choices(spec: JourneySpec) -> tuple[int, int, str]:
    arms = [arm for step in spec.steps for arm in step.arms]
    return len({arm.kind for arm in arms if arm.sends}), len(arms), spec.id


class _Ranked(msgspec.Struct):
    """The part of a profile that is measured."""

    user_id: str
    updated_at_ms: int = 0
    interests: list[tuple[str, float]] = []
