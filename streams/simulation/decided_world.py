"""People at a journey's `decide` step, decided on by the real engine: a world to measure it in.

The engine knows of a person what events tell: what they did in the four weeks before, the event
they enter by, answers and orders. The four kinds and what they do at each arm are those of
offers.py, so the true mean of every arm for every person is known, and with it the value of any
policy and the effect of any journey. Kinds differ in how often they order, look, get messages and
open them (HISTORY); counts are Poisson, so kinds overlap and nobody can be sure of one.

Nothing lasts: an answer comes within the goal's window and is of one decision alone. But a message
drives some to unfollow (UNFOLLOWS), who are then in neither group at a later entry.
"""

import tomllib
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from math import exp, factorial
from random import Random
from typing import Any, Final, NamedTuple

import msgspec

from streams.contract.content import Library
from streams.contract.decisions import Decision
from streams.contract.events import TYPES
from streams.contract.journeys import HOLD, NOTHING, JourneySpec
from streams.contract.policy import Policy
from streams.contract.records import Genesis, Observed, Origin, Tick
from streams.contract.reports import JourneyReport, Report
from streams.contract.topics import DECISIONS, REPORTS
from streams.engine.config import Config
from streams.engine.fold import EngineFold
from streams.fold import Output
from streams.simulation import offers
from streams.simulation.chance import keyed
from streams.simulation.offers import ARMS, KINDS, SHARES

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
START_MS: Final = 1_790_784_000_000  # 2026-10-01 00:00 in Shanghai
BEFORE_MS: Final = 26 * HOUR_MS  # so long before they enter people are heard of: one daily check
WINDOW_MS: Final = 8 * HOUR_MS  # of the goal
FROM_HOUR, TO_HOUR = 9.0, 21.5  # when people enter: never in the quiet hours
AGAIN: Final = 0.25  # share of people who enter a second time, when the first is settled
AGAIN_MS: Final = 24 * HOUR_MS + 1
REPORT_MS: Final = 2 * HOUR_MS  # after the last window reports are out

# What is heard of a person of the last four weeks: mean number of each by kind.
HISTORY: Final = {
    "order.paid": (2.5, 0.5, 0.1, 1.2),
    "product.viewed": (1.0, 3.0, 0.3, 0.8),
    "push.delivered": (0.7, 0.5, 1.5, 2.5),
    "push.opened": (0.8, 1.5, 0.1, 0.1),
}
IN_TEA: Final = (0.5, 0.7, 0.4, 0.4)  # of the views, by kind; the others are of other things
OPENS: Final = (0.4, 0.6, 0.05, 0.1)  # a message, by kind
UNFOLLOWS: Final = (0.01, 0.005, 0.02, 0.08)  # after a message, by kind
ANSWER_HOURS: Final = (0.2, 6.0)  # after the decision

STEP: Final = "offer"
JOURNEY: Final = """
id = "offers"
version = 1
title = "购物车优惠"
status = "live"
[entry]
on = "cart.added"
reentry = { cooldown = "20h" }
[goal]
on = "order.paid"
window = "8h"
value = "data.amount_fen"
[[step]]
id = "offer"
decide = "split"
arm = [
  { id = "nothing" },
  { id = "remind", template = "reminder" },
  { id = "coupon10", coupon = "TEN" },
  { id = "coupon20", coupon = "TWENTY" },
]
"""
CONTENT: Final = """
spec = "content/1"
coupons = [
  { sku = "TEN", title = "十元", face_value_fen = 1000, cost_fen = 1000, valid_ms = 86400000 },
  { sku = "TWENTY", title = "二十元", face_value_fen = 2000, cost_fen = 2000, valid_ms = 86400000 },
]
[[templates]]
id = "reminder"
kind = "message"
purpose = "marketing"
channels = ["official_account"]
[[templates.variants]]
id = "a"
text = "您选的商品还在购物车里"
fields = { thing1 = { type = "thing", text = "购物车提醒" } }
"""


class Setting(NamedTuple):
    """How a run is set up. `journey` changes top-level tables of JOURNEY; `floor` is the
    exploration's; `news` is a second journey whose messages make caps refuse some treated people;
    `consenting` is the share of people who may be addressed at all, `known` of those of whom more
    was heard before than that they follow."""

    people: int = 1_000
    days: int = 4  # over which they enter
    chooser: str = "split"
    floor: float = 0.05
    holdout: float = 0.15  # the journey's, beside the global one
    everyone: float = 0.1  # held out of everything
    journey: dict[str, Any] | None = None
    coupon_when: str = ""
    news: float = 0.0  # share of people who are sent something else shortly before they enter
    consenting: float = 1.0
    known: float = 1.0
    daily_budget_fen: int = 1_000_000_000


class Person(NamedTuple):
    """`history`: number of events of each type of HISTORY. `entries`: times; `answers`: for each
    the draws of offers.Person, the same whatever arm is decided."""

    number: int
    kind: int
    history: tuple[int, ...]
    entries: tuple[int, ...]
    answers: tuple[tuple[float, float, float], ...]
    chance: int  # of all that is not an order


class Passed(NamedTuple):
    """A decision of the step and what came of it. `odds`: of each arm for people not held out,
    what is not sent for lack of an arm counted as `nothing`; empty where no group was drawn."""

    person: Person
    decision: Decision
    arm: int  # as it reached the person
    first: bool  # the person's first decision for which the control groups were drawn
    odds: tuple[float, ...]
    eligible: tuple[bool, ...]
    value_fen: int
    cost_fen: int

    @property
    def held(self) -> bool:
        return self.decision.arm == HOLD


class Run(NamedTuple):
    passed: list[Passed]
    reports: list[JourneyReport]  # the last of each journey
    rows: dict[bytes, bytes]  # the engine's state at the end
    records: int


def people(seed: int, setting: Setting) -> Iterator[Person]:
    chance = Random(keyed("decided", seed))
    for number in range(setting.people):
        kind = chance.choices(range(len(KINDS)), SHARES)[0]
        known = chance.random() < setting.known
        history = tuple(_poisson(chance, known * means[kind]) for means in HISTORY.values())
        enters_ms = START_MS + chance.randrange(2, 2 + setting.days) * DAY_MS
        enters_ms += int(chance.uniform(FROM_HOUR, TO_HOUR) * HOUR_MS)
        again_ms = enters_ms + AGAIN_MS if chance.random() < AGAIN else 0
        entries = (enters_ms, again_ms) if again_ms else (enters_ms,)
        draws = [(chance.random(), chance.random(), chance.gauss(0.0, 1.0)) for _ in range(2)]
        answers = tuple(draws[: len(entries)])
        yield Person(number, kind, history, entries, answers, chance.getrandbits(64))


def run(seed: int, setting: Setting) -> Run:
    """One history of the whole population, folded by one partition's engine."""
    return _World(seed, setting).run()


def best_guess(person: Person) -> int:
    """The arm of whoever knows all laws but not the kind: nobody can do better from events."""
    weights = list(SHARES)
    for count, means in zip(person.history, HISTORY.values(), strict=True):
        for kind, mean in enumerate(means):
            weights[kind] *= exp(-mean) * mean**count / factorial(count)
    nets = [
        sum(weight * offers.true_net(kind, arm) for kind, weight in enumerate(weights))
        for arm in range(len(ARMS))
    ]
    return nets.index(max(nets))


def offer_step() -> dict[str, Any]:
    """The step as plain values, for journeys with more steps before it."""
    step: dict[str, Any] = tomllib.loads(JOURNEY)["step"][0]
    return step


def config(seed: int, setting: Setting) -> Config:
    return Config(
        partitions=1,
        seed=f"decided {seed}",
        policy=Policy(
            global_holdout=setting.everyone,
            default_consent=True,
            daily_budget_fen=setting.daily_budget_fen,
        ),
        journeys=_journeys(setting),
        content=msgspec.convert(tomllib.loads(CONTENT), Library),
        users_in_memory=setting.people,
    )


def _journeys(setting: Setting) -> tuple[JourneySpec, ...]:
    plain = tomllib.loads(JOURNEY) | (setting.journey or {})
    plain["holdout"] = {"share": setting.holdout}
    steps: list[dict[str, Any]] = list(plain["step"])
    plain["step"] = steps
    offer = {**steps[-1], "arm": [dict(arm) for arm in steps[-1]["arm"]]}
    steps[-1] = offer
    offer |= {"decide": setting.chooser, "explore_floor": setting.floor}
    for arm in offer["arm"]:
        if "coupon" in arm and setting.coupon_when:
            arm["when"] = setting.coupon_when
    found = [msgspec.convert(plain, JourneySpec)]
    if setting.news:
        news = {
            "id": "news",
            "version": 1,
            "title": "上新",
            "status": "live",
            "entry": {"on": "article.read"},
            "step": [{"id": "tell", "send": {"template": "reminder"}}],
        }
        found.append(msgspec.convert(news, JourneySpec))
    return tuple(found)


class _World:
    def __init__(self, seed: int, setting: Setting) -> None:
        self._setting = setting
        self._fold = EngineFold(0)
        self._crowd = list(people(seed, setting))
        self._queue: list[tuple[int, int, int, str, dict[str, Any]]] = []
        self._number = 0
        self._records = 0
        self._passed: list[Passed] = []
        self._reports: dict[str, JourneyReport] = {}
        self._seen = [0] * len(self._crowd)  # entries so far
        self._measured = [False] * len(self._crowd)
        plain = msgspec.to_builtins(config(seed, setting))
        self._fold.handle_record(Genesis(START_MS, 0, 1, f"decided {seed}", plain))

    def run(self) -> Run:
        queue = self._queue
        for person in self._crowd:
            self._plan(person)
        heapify(queue)
        now_ms = START_MS
        while queue:
            now_ms, _, number, kind, data = heappop(queue)
            self._wait(now_ms)
            self._see(now_ms, now_ms, number, kind, data)
        self._wait(now_ms + WINDOW_MS + REPORT_MS)
        rows = {row.key: row.value for row in self._fold.changed_rows() if row.value is not None}
        return Run(self._passed, list(self._reports.values()), rows, self._records)

    def _plan(self, person: Person) -> None:
        chance = Random(person.chance)
        begun_ms = person.entries[0] - BEFORE_MS
        self._put(begun_ms, person.number, "heard", {})
        if chance.random() >= self._setting.consenting:
            self._put(begun_ms + 1, person.number, "consent.withdrawn", {"purpose": "marketing"})
        for entry_ms in person.entries:
            if chance.random() < self._setting.news:
                read = {"article_id": "a1", "category": "tea"}
                self._put(entry_ms - HOUR_MS, person.number, "article.read", read)
            cart = {"item_id": "pot", "category": "tea", "price_fen": 6_000}
            self._put(entry_ms, person.number, "cart.added", cart)

    def _heard(self, now_ms: int, person: Person) -> None:
        """What is known of a person from before: a backfill, in the order it happened."""
        chance = Random(person.chance + 1)
        times = []
        for kind, count in zip(HISTORY, person.history, strict=True):
            times += [
                (now_ms - int(chance.uniform(0.0, 28.0) * DAY_MS), kind) for _ in range(count)
            ]
        self._see(now_ms, now_ms - 40 * DAY_MS, person.number, "user.followed", {})
        for place, (time_ms, kind) in enumerate(sorted(times)):
            self._see(now_ms, time_ms, person.number, kind, _past(kind, place, person, chance))

    def _see(self, now_ms: int, time_ms: int, number: int, kind: str, data: dict[str, Any]) -> None:
        if kind == "heard":
            self._heard(now_ms, self._crowd[number])
            return
        self._records += 1
        event = Observed(
            at_ms=now_ms,
            origin=Origin("events", 0, 0, self._records),
            id=f"e{self._records}",
            source="world",
            type=kind,
            alias=f"p{number}",
            time_ms=time_ms,
            data=msgspec.convert(data, TYPES[kind]),
            backfill=time_ms != now_ms,
        )
        self._take(now_ms, self._fold.handle_record(event))

    def _wait(self, until_ms: int) -> None:
        """Timers fire when they are due."""
        while True:
            due_ms = self._fold.next_due_ms()
            if due_ms is None or due_ms > until_ms:
                return
            now_ms = max(due_ms, self._fold.now_ms)
            self._take(now_ms, self._fold.handle_record(Tick(at_ms=now_ms)))

    def _take(self, now_ms: int, outputs: Any) -> None:
        for output in outputs:
            if output.topic == REPORTS:
                report = msgspec.json.decode(output.value, type=Report)
                if isinstance(report, JourneyReport):
                    self._reports[report.journey] = report
            elif output.topic == DECISIONS:
                self._decided(now_ms, output)

    def _decided(self, now_ms: int, output: Output) -> None:
        decision = _decisions.decode(output.value or b"")
        if decision.step != STEP or not decision.candidates or decision.journey != "offers":
            return
        person = self._crowd[int(decision.user_id[1:])]
        entry = self._seen[person.number]
        self._seen[person.number] += 1
        sent = bool(decision.trigger_id)
        arm = ARMS.index(decision.arm) if sent else 0
        value_fen, cost_fen = self._answer(now_ms, person, entry, arm, decision)
        odds, eligible = _odds(decision)
        first = bool(odds) and not self._measured[person.number]
        self._measured[person.number] |= first
        self._passed.append(
            Passed(person, decision, arm, first, odds, eligible, value_fen, cost_fen)
        )

    def _answer(
        self, now_ms: int, person: Person, entry: int, arm: int, decision: Decision
    ) -> tuple[int, int]:
        """What comes of it: by the law of the person's kind and the arm that reached them."""
        chance = Random(person.chance + 2 + entry)
        at_ms = now_ms + int(chance.uniform(*ANSWER_HOURS) * HOUR_MS)
        number, sent = person.number, decision.trigger_id
        if sent:
            opened = chance.random() < OPENS[person.kind]
            told = {"trigger_id": sent, "channel": decision.channel}
            self._put(at_ms - 2, number, "push.opened" if opened else "push.delivered", told)
            if chance.random() < UNFOLLOWS[person.kind]:
                self._put(now_ms + WINDOW_MS, number, "user.unfollowed", {})
        answer = offers.answer(offers.Person(person.kind, (), person.answers[entry]), arm)
        value_fen, cost_fen = round(answer.value_fen), round(answer.cost_fen)
        if cost_fen:
            self._put(at_ms - 1, number, "coupon.used", {"coupon_id": "c", "trigger_id": sent})
        if value_fen:
            order = {"order_id": f"o{number}-{entry}", "amount_fen": value_fen}
            self._put(at_ms, number, "order.paid", order)
        return value_fen, cost_fen

    def _put(self, at_ms: int, number: int, kind: str, data: dict[str, Any]) -> None:
        self._number += 1
        heappush(self._queue, (at_ms, self._number, number, kind, data))


_decisions: Final = msgspec.json.Decoder(Decision)


def _odds(decision: Decision) -> tuple[tuple[float, ...], tuple[bool, ...]]:
    """Of people not held out, and which arms the gates left; empty where no group was drawn."""
    found = {candidate.arm: candidate.propensity for candidate in decision.candidates}
    hold = found.pop(HOLD, 0.0)
    if not hold:
        return (), ()
    found[NOTHING] = found.get(NOTHING, 0.0) + found.pop("", 0.0)
    odds = tuple(found.get(arm, 0.0) / (1.0 - hold) for arm in ARMS)
    return odds, tuple(share > 0.0 for share in odds)


def _past(kind: str, place: int, person: Person, chance: Random) -> dict[str, Any]:
    if kind == "order.paid":
        amount = offers.ORDER_FEN * offers.ORDER_FACTOR[person.kind] * chance.uniform(0.6, 1.4)
        return {"order_id": f"h{person.number}-{place}", "amount_fen": round(amount)}
    if kind == "product.viewed":
        tea = chance.random() < IN_TEA[person.kind]
        return {"item_id": "pot" if tea else "rug", "category": "tea" if tea else "home"}
    return {"trigger_id": f"h{place}", "channel": "official_account"}


def _poisson(chance: Random, mean: float) -> int:
    """Knuth's: fine for small means."""
    bar, count, product = exp(-mean), 0, chance.random()
    while product > bar:
        count += 1
        product *= chance.random()
    return count
