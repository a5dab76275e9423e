"""Histories that try to break a rule: people who change their minds, clocks that jump, mail and
commands that come late, folds that start again from their rows, policies that bite.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.contract.journeys import JourneySpec
from streams.contract.policy import (
    WECHAT,
    Cap,
    Control,
    Entitlement,
    Pause,
    Policy,
    QuietHours,
    Safety,
)
from streams.contract.records import Control as Command
from streams.contract.records import Record
from streams.contract.topics import MAIL
from streams.engine.config import Config
from streams.engine.fold import EngineFold
from streams.engine.state import decode_user
from streams.fold import Output
from streams.simulation.policy_checker import Partition, check_policy
from tests.engine.journeys import journey, library
from tests.engine.world import DAY_MS, HOUR_MS, MINUTE_MS, World
from tests.simulation.journeys import CONTENT, NUDGE, OFFER, SERVICE, SHADOW

SPECS = tuple(journey(text) for text in (NUDGE, OFFER, SERVICE, SHADOW))
PEOPLE = ("ann", "bob", "cyd", "dan")
ZONES = ("Asia/Shanghai", "Europe/London", "America/New_York", "Australia/Lord_Howe", "no zone")
NEWS: dict[str, list[dict[str, Any]]] = {
    "user.followed": [{}],
    "user.unfollowed": [{}],
    "contact.added": [{}],
    "contact.removed_by_customer": [{}],
    "contact.removed_by_staff": [{}],
    "consent.granted": [{}, {"purpose": "*"}, {"channel": "wecom"}],
    "consent.withdrawn": [
        {},
        {"channel": "official_account"},
        {"purpose": "personalisation"},
        {"purpose": "*"},
    ],
    "user.attributes_given": [{"attributes": {"zone": zone}} for zone in ZONES],
    "feedback.not_interested": [
        {"item_id": "i1"},
        {"category": "c2"},
        {"campaign": "nudge"},
        {"campaign": "coupon"},
        {"campaign": "personalisation"},
        {},
    ],
    "identity.linked": [{"other": other} for other in PEOPLE],
    "user.erasure_requested": [{}],
    "message.received": [{}],
    "subscription.credit_granted": [{"template_id": "nudge"}, {"template_id": "order"}, {}],
    "subscription.credit_refused": [{"template_id": "nudge"}, {}],
    "push.failed": [
        {"trigger_id": "0badcafe", "code": "43101", "channel": "mini_programme"},
        {"trigger_id": "0badcafe", "code": "45015", "channel": "customer_service"},
    ],
    "cart.added": [{"item_id": "i1"}, {"item_id": "i2", "category": "c2", "price_fen": 900}],
    "product.viewed": [{"item_id": "i1", "category": "c1"}, {"item_id": "i2", "category": "c2"}],
    "order.paid": [{"order_id": "o", "amount_fen": 900}],
}
COMMON = ("cart.added", "product.viewed", "message.received", "subscription.credit_granted")
DEEDS = ("publish", "policy", "pause", "resume", "restart", "jump", "again")
MIGRATE = ("pin", "restart", "exit")
MOST_ROUNDS = 3  # of 1 000 letters: an engine that is broken on purpose may never fall silent


class Happening(NamedTuple):
    alias: str
    kind: str  # an event's type, or one of DEEDS
    variant: int
    late: int  # minutes
    wait: int  # minutes until the next
    delivers: bool  # whether what is on its way arrives


happenings = st.lists(
    st.builds(
        Happening,
        st.sampled_from(PEOPLE),
        st.sampled_from((*NEWS, *COMMON * 6, *DEEDS)),
        st.integers(0, 5),
        st.sampled_from((0, 0, 0, 0, 1, 30, 700)),
        st.sampled_from((0, 0, 1, 6, 31, 45, 400, 1_441)),
        st.booleans(),
    ),
    min_size=8,
    max_size=40,
)
CAPS = (
    (Cap(most=2, window_ms=DAY_MS), Cap(channel="mini_programme", most=1, per="2d")),
    (Cap(most=2, per="calendar day"), Cap(purpose="*", most=4, per="calendar week")),
    (Cap(purpose="service", most=3, per="calendar day"), Cap(most=9, per="calendar month")),
)
QUIET = (
    QuietHours(),
    QuietHours(60, 400, "Europe/London", jitter_ms=0),
    QuietHours(1_200, 600, jitter_ms=2 * HOUR_MS),
    QuietHours(30, 119, "Europe/London", jitter_ms=HOUR_MS),
    QuietHours(holidays=("2026-10-02", "2026-10-03", "2026-10-25"), on_holiday="defer"),
    QuietHours(holidays=("2026-10-02", "2026-10-25"), on_holiday="silent"),
)
EACH_DAY = Entitlement(channel="official_account", per="calendar day", units=1)
WINDOW = Entitlement(channel="wecom", grant_on=("message.received",), units=2, ttl="12h")
RIGHTS = (WECHAT, (*WECHAT[1:], EACH_DAY, WINDOW), (EACH_DAY, WECHAT[1]), ())
POLICIES = st.builds(
    Policy,
    caps=st.sampled_from(CAPS),
    gap_ms=st.sampled_from((0, HOUR_MS, 5 * HOUR_MS)),
    quiet=st.sampled_from(QUIET),
    quiet_service=st.sampled_from((None, QuietHours(0, 360))),
    global_holdout=st.sampled_from((0.0, 0.15)),
    control=st.sampled_from((Control(), Control(salt="a", rotate="2d"))),
    daily_budget_fen=st.sampled_from((6_000, 40_000)),
    total_budget_fen=st.sampled_from((0, 9_000)),
    pacing=st.sampled_from(("none", "even")),
    default_consent=st.booleans(),
    entitlements=st.sampled_from(RIGHTS),
    safety=st.sampled_from((Safety(), Safety((Pause(rate_of="unfollow", above=0.3, least=2),)))),
)
configs = st.builds(
    lambda policy, partitions, seed: Config(
        policy=policy,
        partitions=partitions,
        seed=seed,
        journeys=SPECS,
        content=library(CONTENT),
        timers_per_record=2,
    ),
    POLICIES,
    st.integers(1, 3),
    st.sampled_from("abcdefgh"),
)


class Storm(World):
    """A world in which commands reach the partitions at different times and folds start again."""

    def __init__(self, config: Config, start_ms: int = 0) -> None:
        self.emitted: list[dict[str, list[Output]]] = [{} for _ in range(config.partitions)]
        self.rows_of: list[dict[bytes, bytes]] = [{} for _ in range(config.partitions)]
        self._late: list[list[Command]] = [[] for _ in range(config.partitions)]
        super().__init__(config)
        self.now_ms += start_ms

    def feed(self, partition: int, record: Record) -> None:
        if isinstance(record, Command) and partition:
            self._late[partition].append(record)
            return
        self._fold(partition, record)

    def _fold(self, partition: int, record: Record) -> None:
        before = len(self.outputs)
        super().feed(partition, record)
        for output in self.outputs[before:]:
            self.emitted[partition].setdefault(output.topic, []).append(output)

    def arrive(self, most: int) -> None:
        """Commands and mail that are on their way."""
        for partition, late in enumerate(self._late):
            for command in late[:most]:
                self._fold(partition, replace(command, at_ms=self.now_ms))
            del late[:most]
        self.deliver(most)

    def commit(self, partition: int) -> None:
        rows = self.rows_of[partition]
        for key, value in self.folds[partition].changed_rows():
            if value is None:
                rows.pop(key, None)
            else:
                rows[key] = value

    def restart(self, partition: int) -> None:
        """A new fold goes on from the rows."""
        self.commit(partition)
        fold = EngineFold(partition, users_in_memory=2)
        for key, value in sorted(self.rows_of[partition].items()):
            fold.load_row(key, value)
        self.folds[partition] = fold

    def again(self, partition: int) -> None:
        """The latest record is delivered once more."""
        raw = self.logs[partition][-1]
        self.logs[partition].append(raw)
        for output in self.folds[partition].handle(raw):
            self.outputs.append(output)
            self.emitted[partition].setdefault(output.topic, []).append(output)
            assert output.topic != MAIL

    def dumped(self) -> list[Partition]:
        found = []
        for partition, log in enumerate(self.logs):
            self.commit(partition)
            rows = self.rows_of[partition]
            found.append(
                Partition(
                    [Output("log", b"", raw) for raw in log],
                    {"reports": [], **self.emitted[partition]},
                    rows,
                    self.folds[partition].counters(),
                    inside(rows),
                )
            )
        return found

    def checked(self) -> list[str]:
        return check_policy(self.dumped())


def inside(rows: dict[bytes, bytes]) -> int:
    """How many instances of journeys are open, by the rows of people."""
    return sum(len(decode_user(row).inside) for key, row in rows.items() if key[:2] == b"u:")


def told(config: Config, history: Sequence[Happening], days: int) -> Storm:
    """The world after the history; everybody follows and most of them allow messages."""
    world = Storm(config, days * DAY_MS)
    for alias in PEOPLE:
        world.see(alias, "user.followed")
        if alias != "dan":
            world.see(alias, "consent.granted")
    for number, one in enumerate(history):
        if one.kind in DEEDS:
            _do(world, one, number)
        else:
            news = NEWS[one.kind]
            world.see(
                one.alias,
                one.kind,
                news[one.variant % len(news)],
                time_ms=world.now_ms - one.late * MINUTE_MS,
                id=f"event-{number // 2}" if number % 9 == 8 else None,
                backfill=number % 13 == 12,
            )
        if one.delivers:
            world.arrive(2)
        world.wait(one.wait * MINUTE_MS)
    world.arrive(1_000)
    for _ in range(MOST_ROUNDS):
        if not world.deliver():
            break
    return world


def _do(world: Storm, one: Happening, number: int) -> None:
    partition = one.variant % world.config.partitions
    if one.kind == "publish":
        world.publish(_republished(one.variant, number))
    elif one.kind == "policy":
        policy = world.config.policy
        changed = replace(policy, version=number + 2, **TIGHTER[one.variant % len(TIGHTER)])
        world.command("policy", "policy", plain(changed), changed.version)
    elif one.kind in ("pause", "resume"):
        world.command(one.kind, ("*", "nudge", "offer")[one.variant % 3])
    elif one.kind == "restart":
        world.restart(partition)
    elif one.kind == "jump":  # nothing was heard for so long
        world.now_ms += (HOUR_MS, 9 * HOUR_MS, 3 * DAY_MS)[one.variant % 3]
    else:
        world.again(partition)


TIGHTER: tuple[dict[str, Any], ...] = (
    {"caps": CAPS[1], "gap_ms": 3 * HOUR_MS},
    {"caps": (Cap(most=0, window_ms=DAY_MS),)},
    {"quiet": QUIET[2], "daily_budget_fen": 1_500},
    {"entitlements": (EACH_DAY, *WECHAT[1:3])},
)


def _republished(variant: int, number: int) -> JourneySpec:
    text = (NUDGE, OFFER)[variant % 2]
    status = ("live", "live", "shadow", "live", "paused", "live")[variant]
    return journey(text, version=number + 2, migrate=MIGRATE[variant % 3], status=status)


def plain(part: Policy | JourneySpec) -> Any:
    """What is published of it."""
    found = msgspec.to_builtins(part)
    found.pop("test", None)
    return found
