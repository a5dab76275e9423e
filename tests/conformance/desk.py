"""The policy stage by itself: people, what is due for them, a clock, and a purse of any depth."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from streams.contract.decisions import Decision
from streams.contract.events import TYPES
from streams.contract.policy import Policy
from streams.contract.triggers import Channel, Coupon, Message, Trigger
from streams.engine.config import Config
from streams.engine.deciding import Decisions
from streams.engine.journeys.journey import Due, Proposal, Rules, Settled
from streams.engine.moment import Moment
from streams.engine.outcome import Effect
from streams.engine.policy.stage import PolicyStage
from streams.engine.profile import attributes, consent
from streams.engine.profile.channels import RELATIONS, relate
from streams.engine.state import NEVER_MS, Instance, UserState
from streams.engine.store import Person

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
NOON_MS = 1_790_784_000_000 + 12 * HOUR_MS  # 2026-10-01 12:00 in Shanghai

# Nobody is held out, nothing is limited: a test about one gate says what that gate needs.
OPEN = Policy(global_holdout=0.0, default_consent=True, caps=(), gap_ms=0, entitlements=())
RULES = Rules("cart", 1, "marketing", 50, False, True, 0.0, "", (), 0, 0, False, "skip")
REMIND = Proposal(arm="remind", kind="message", message=Message("cart_v1", {}))
NOTHING = Proposal()


def coupon(cost_fen: int = 1_000, arm: str = "coupon", **more: Any) -> Proposal:
    return Proposal(arm=arm, kind="coupon", coupon=Coupon("TEN", cost_fen, cost_fen), **more)


class Wallet:
    """So much for each day and account."""

    def __init__(self, fen: int = 10**12) -> None:
        self.fen = fen
        self.spent: dict[tuple[str, int], int] = {}
        self.asked = 0

    def can_spend(self, accounts: Sequence[str], day: int, fen: int) -> bool:
        return all(self.spent.get((name, day), 0) + fen <= self.fen for name in accounts)

    def refusal(
        self, accounts: Sequence[str], day: int, fen: int
    ) -> tuple[str, Mapping[str, float]]:
        assert not self.can_spend(accounts, day, fen)
        self.asked += 1
        return "BUDGET_DAY", {"cost_fen": float(fen)}

    def spend(self, accounts: Sequence[str], day: int, fen: int, now_ms: int) -> None:
        assert self.can_spend(accounts, day, fen)
        assert now_ms > 0
        for name in accounts:
            self.spent[name, day] = self.spent.get((name, day), 0) + fen


def even(due: Due, passing: Sequence[int]) -> list[float]:
    assert due.arms
    return [1.0 / len(passing)] * len(passing)


class Desk:
    def __init__(self, policy: Policy = OPEN, *, choose: Any = even, fen: int = 10**12) -> None:
        self.config = Config(partitions=1, policy=policy)
        self.now_ms = NOON_MS
        self.wallet = Wallet(fen)
        self.counts: dict[str, int] = {}
        self.changed: dict[bytes, None] = {}
        self.stage = PolicyStage(
            self.config,
            b"seed",
            Decisions(b"seed", "default", self.counts),
            self.counts,
            self.changed,
            choose=choose,
            budget=self.wallet,
        )
        self.people: dict[str, Person] = {}
        self.triggers: list[Trigger] = []
        self.decisions: list[Decision] = []
        self.settled: list[Settled] = []
        self._number = 0

    def person(self, name: str = "ann", *, follows: bool = True) -> Person:
        found = self.people.get(name)
        if found is None:
            state = UserState(first_seen_ms=self.now_ms)
            found = self.people[name] = Person(name, b"u:" + name.encode(), state, NEVER_MS)
            if follows:
                self.hear("user.followed", who=name)
        return found

    def hear(
        self,
        kind: str,
        data: Mapping[str, Any] | None = None,
        *,
        who: str = "ann",
        time_ms: int | None = None,
    ) -> None:
        """What the profile and the policy take from an event."""
        person = self.people.get(who) or self.person(who, follows=False)
        time_ms = self.now_ms if time_ms is None else time_ms
        content: Any = msgspec.convert(dict(data or {}), TYPES[kind])
        moment = Moment(self.now_ms, person, kind, time_ms, "event", data=content)
        if kind in RELATIONS:
            relate(person.state, moment)
        if kind in ("consent.granted", "consent.withdrawn"):
            granted = kind == "consent.granted"
            consent.record(person.state, content, granted=granted, time_ms=time_ms)
        if kind == "user.attributes_given":
            attributes.record(person.state, content, time_ms)
        if kind in self.stage.listens:
            self.stage.heard(moment)

    def due(self, *arms: Proposal, who: str = "ann", expires_ms: int = DAY_MS, **rules: Any) -> Due:
        self._number += 1
        now_ms, cause = self.now_ms, f"event-{self._number}"
        forced, chooser = rules.pop("forced", ""), rules.pop("chooser", "split")
        decision_id = f"decision-{self._number}"
        journey = RULES._replace(**rules)
        return Due(
            moment=Moment(now_ms, self.person(who), "timer", now_ms, cause),
            journey=journey,
            step="offer",
            decision_id=decision_id,
            cause_event_id=cause,
            arms=list(arms or (REMIND,)),
            chooser=chooser,
            floor=0.0,
            expires_ms=expires_ms,
            reason="CART",
            score=0.5,
            top=[],
            instance=Instance(journey.name, 1, 0, now_ms, now_ms, now_ms, cause, "test"),
            features=(1.0, 0.5),
            forced=forced,
        )

    def decide(self, *dues: Due) -> list[Settled]:
        effects: list[Effect] = []
        settled = self.stage.decide(list(dues), effects)
        self.triggers += [one for one in effects if isinstance(one, Trigger)]
        self.decisions += [one for one in effects if isinstance(one, Decision)]
        self.settled += settled
        return settled

    def ask(self, *arms: Proposal, **more: Any) -> str:
        """The outcome of one due step."""
        return self.decide(self.due(*arms, **more))[0].outcome

    def wait(self, ms: int) -> None:
        self.now_ms += ms

    def at(self, local: str) -> None:
        """Set the clock to a time with its offset."""
        self.now_ms = int(datetime.fromisoformat(local).timestamp() * 1000)

    @property
    def decision(self) -> Decision:
        return self.decisions[-1]

    @property
    def channels(self) -> list[Channel]:
        return [trigger.channel for trigger in self.triggers]
