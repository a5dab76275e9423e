"""The power of the policy checker over a broken engine: each gate is taken out or made wrong, and
what goes out then is found in the first histories.
"""

import random
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import islice
from typing import Any

import pytest
from msgspec.structs import replace

from streams.contract.journeys import Limits
from streams.contract.policy import WECHAT, Cap, Entitlement, Policy
from streams.engine import entitlements
from streams.engine.budget.purse import Purse
from streams.engine.config import Config
from streams.engine.engine import Engine
from streams.engine.journeys.book import Book
from streams.engine.journeys.stage import JourneyStage
from streams.engine.policy import caps, stage
from streams.engine.policy.case import Case, Option
from streams.engine.profile import attributes
from tests.engine.journeys import library
from tests.engine.world import DAY_MS, HOUR_MS
from tests.simulation.histories import (
    CAPS,
    COMMON,
    CONTENT,
    DEEDS,
    NEWS,
    PEOPLE,
    SPECS,
    Happening,
    told,
)

Patch = pytest.MonkeyPatch
CONSENT = import_module("streams.engine.policy.consent")  # the package has a function of the name
MOST = 40  # histories until the fault must be found

POLICY = Policy(
    caps=(Cap(most=2, window_ms=DAY_MS),),
    gap_ms=HOUR_MS,
    global_holdout=0.1,
    daily_budget_fen=2_500,
    default_consent=True,
)
JOURNEYS = tuple(
    replace(spec, entry=replace(spec.entry, late="30d"), holdout=replace(spec.holdout, share=0.0))
    for spec in SPECS
)
WINDOW = Entitlement(channel="official_account", grant_on=("message.received",), units=1, ttl="12h")


def config_of(seed: int, **changes: Any) -> Config:
    changes = {"caps": CAPS[seed % 2], "journeys": JOURNEYS, **changes}
    journeys = changes.pop("journeys")
    return Config(
        policy=replace(POLICY, **changes),
        partitions=1 + seed % 2,
        seed=str(seed),
        journeys=journeys,
        content=library(CONTENT),
        timers_per_record=2,
    )


def happenings(seed: int) -> list[Happening]:
    chance = random.Random(seed)
    kinds = (*NEWS, *COMMON * 6, *DEEDS)
    return [
        Happening(
            chance.choice(PEOPLE),
            chance.choice(kinds),
            chance.randrange(6),
            chance.choice((0, 0, 0, 1, 30)),
            chance.choice((0, 1, 6, 31, 45, 400)),
            chance.random() < 0.5,
        )
        for _ in range(40)
    ]


def faults(most: int = MOST, **changes: Any) -> Iterator[str]:
    """What is wrong with the histories that this engine leads to."""
    for seed in range(most):
        yield from told(config_of(seed, **changes), happenings(seed), (0, 23)[seed % 2]).checked()


def without(patch: Patch, name: str, gate: Callable[[Case, Option], str]) -> None:
    """The engine with another gate in the place of the one of that name."""
    for group in ("COMPARABLE", "GROUPS", "STATEFUL"):
        gates = getattr(stage, group)
        patch.setattr(stage, group, tuple(gate if one.__name__ == name else one for one in gates))


def open_gate(_case: Case, _option: Option) -> str:
    return ""


def no_cap(case: Case, _option: Option) -> str:
    caps.release(case)
    return ""


def any_consent(case: Case, option: Option) -> str:
    option.channels = list(CONSENT.AUTO)
    if option.proposal.messages:
        option.channels = list(option.proposal.messages)
    return ""


def released_at_once(case: Case) -> int:
    case.release_ms = case.now_ms
    return case.now_ms


def no_cap_of_the_calendar(patch: Patch) -> None:
    patch.setattr(caps, "_of_calendar", lambda *_: ([], []))


def no_cap_that_rolls(patch: Patch) -> None:
    patch.setattr(caps, "_of_window", lambda *_: ([], []))


def no_quiet_hours(patch: Patch) -> None:
    patch.setattr(caps, "release", released_at_once)


def one_zone_for_all(patch: Patch) -> None:
    patch.setattr(attributes, "zone", lambda state, default: default)


def free_units(patch: Patch) -> None:
    patch.setattr(entitlements.Entitlements, "right", lambda *_: entitlements.FREE)


def units_for_ever(patch: Patch) -> None:
    patch.setattr(entitlements.Entitlements, "use", lambda *_: None)


def money_for_ever(patch: Patch) -> None:
    patch.setattr(Purse, "available_fen", lambda *_: 10**9)


def money_not_counted(patch: Patch) -> None:
    patch.setattr(Purse, "spend", lambda *_: None)


def no_pause(patch: Patch) -> None:
    patch.setattr(Book, "is_paused", lambda *_: False)


def another_group_each_time(patch: Patch) -> None:
    patch.setattr(
        "streams.engine.policy.holdout.in_global_holdout",
        lambda person, policy, seed, now_ms: bool(now_ms // 60_000 % 2),
    )


def erasures_that_leave_the_journeys(patch: Patch) -> None:
    patch.setattr(JourneyStage, "erase", lambda *_: None)


def chances_that_are_half(patch: Patch) -> None:
    patch.setattr(stage, "hold_propensity", lambda *_: 0.5)


def shadows_that_send(patch: Patch) -> None:
    compiled = Engine.__init__

    def build(self: Engine, config: Config, **more: Any) -> None:
        compiled(self, config, **more)
        for journey in self.book:
            journey.rules = journey.rules._replace(shadow=False)

    patch.setattr(Engine, "__init__", build)


def decisions_that_are_not_told(patch: Patch) -> None:
    """Of timeouts there is no word."""
    told_of = JourneyStage._note

    def note(self: JourneyStage, *args: Any, **more: Any) -> None:
        if "TIMED_OUT" in args:
            self._decisions.count("journey.due")
            return
        told_of(self, *args, **more)

    patch.setattr(JourneyStage, "_note", note)


LATER = {"caps": (Cap(most=60, window_ms=DAY_MS),), "gap_ms": 0, "entitlements": ()}
RICH = {**LATER, "daily_budget_fen": 10**8}
UNLIMITED = tuple(
    replace(spec, budget=replace(spec.budget, total_fen=0, daily_fen=0), limits=Limits())
    for spec in JOURNEYS
)
POOR = tuple(
    replace(spec, budget=replace(spec.budget, total_fen=800, daily_fen=0)) for spec in JOURNEYS
)
BROKEN: dict[str, tuple[Callable[[Patch], None], dict[str, Any], str]] = {
    "a cap of the calendar": (no_cap_of_the_calendar, {}, "within one calendar day, the cap is"),
    "a cap that rolls": (no_cap_that_rolls, {"caps": CAPS[0]}, "ms, the cap is"),
    "the gap": (lambda p: without(p, "gap", open_gate), {}, "ms apart from another, the gap is"),
    "quiet hours": (no_quiet_hours, {"caps": ()}, "released in the quiet hours of"),
    "the person's zone": (one_zone_for_all, LATER, "released in the quiet hours of"),
    "consent": (lambda p: without(p, "consent", any_consent), LATER, "was withdrawn"),
    "those who left": (
        lambda p: without(p, "suppression", open_gate),
        LATER,
        "marketing after user.unfollowed",
    ),
    "those who said no": (
        lambda p: without(p, "suppression", open_gate),
        LATER,
        "not interested in",
    ),
    "entitlements": (free_units, {**LATER, "entitlements": WECHAT}, "no unit to send by"),
    "units that are used": (
        units_for_ever,
        {**LATER, "entitlements": (WINDOW,)},
        "no unit to send by official_account is left",
    ),
    "the day's money": (money_for_ever, LATER, "fen were spent, the budget is 2500"),
    "the journey's money": (
        money_for_ever,
        {**RICH, "total_budget_fen": 10**8, "journeys": POOR},
        "account offer",
    ),
    "money that is told": (money_not_counted, LATER, "fen were spent, "),
    "money of a person": (
        lambda p: without(p, "person_budget", open_gate),
        {**RICH, "journeys": UNLIMITED},
        "fen for this person within 2d, 1800 are allowed",
    ),
    "control groups": (another_group_each_time, LATER, "the control group ('everyone'"),
    "chances": (chances_that_are_half, LATER, "the control groups have a propensity of 0.5"),
    "pauses": (no_pause, LATER, "its journey is paused"),
    "shadows": (shadows_that_send, RICH, "is shadow: nothing of it may go out"),
    "erasures": (erasures_that_leave_the_journeys, LATER, "was erased, "),
    "decisions": (decisions_that_are_not_told, LATER, "journey.due is"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_engine_is_found_out_that_disregards(name: str, monkeypatch: Patch) -> None:
    broken, changes, words = BROKEN[name]
    broken(monkeypatch)
    told_of = list(islice((one for one in faults(**changes) if words in one), 1))
    assert told_of, f"{MOST} histories without {words!r}"


def test_these_histories_are_right_where_no_gate_is_broken() -> None:
    for changes in ({}, LATER, {**RICH, "journeys": UNLIMITED}):
        assert list(islice(faults(6, **changes), 3)) == []
