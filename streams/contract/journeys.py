"""A journey (旅程) as a marketer writes it: the structure of `deploy/journeys/*.toml`.

Times are texts of the condition language (`30m`, `6h`, `7d`), conditions are its expressions. Steps
run in the order of the text; each is exactly one of STEP_KINDS. What the texts mean is checked by
`streams journey lint`; here only their shape is.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

from streams.contract.policy import Cap
from streams.contract.triggers import Channel, Kind, Purpose

SPEC: Final = "journey/1"
STEP_KINDS: Final = ("wait", "until", "wait_for", "if", "split", "decide", "send", "goto")
NOTHING: Final = "nothing"  # the arm that sends nothing: a decision not to send is a decision
HOLD: Final = "hold"  # the arm of the control groups
END: Final = "exit"  # where `goto`, `then` and `else` name no step but the end

Slug = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,47}$", description="lower snake case")]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Duration = Annotated[str, Meta(pattern=r"^(\d+(\.\d+)?(ms|s|m|h|d|w))+$", description="30m, 7d")]
Condition = Annotated[str, Meta(max_length=2_000, description="of the condition language")]
Fen = Annotated[int, Meta(ge=0, le=10_000_000_000)]
Status = Literal["draft", "shadow", "live", "paused", "retired"]


class Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A table of the file: an unknown key is an error, for it would be ignored in silence."""


class Reentry(Part, frozen=True):
    """How often the same person may enter, or `by = "key"` with the same key. `max` 0 is unlimited;
    with `concurrent` several instances of different keys may run side by side. An entry that led to
    nothing, because a gate refused all of it, does not count: after `retry` the person may enter
    again."""

    max: Annotated[int, Meta(ge=0, le=16)] = 0
    per: Duration = "30d"
    cooldown: Duration = "24h"
    retry: Duration = "20h"
    concurrent: bool = False
    by: Literal["person", "key"] = "person"


class Entry(Part, frozen=True):
    """`on`: event types, or `daily.check` for the person's daily check. `key`: a path whose value
    tells instances apart (`data.cart_id`). `guard` is asked again before every send. An event
    older than `late` at its arrival does not enter."""

    on: str | list[str]
    where: Condition = ""
    key: str = ""
    reentry: Reentry = Reentry()
    late: Duration = "6h"
    guard: Condition = ""


class Exit(Part, frozen=True):
    """Ends the journey at once, in the middle of a wait too; after `after` in any case.

    Of the terms that `and` joins in `where`, an event is asked those whose fields its type has.
    """

    on: list[str] = []
    where: Condition = ""
    after: Duration = "30d"


class Goal(Part, frozen=True):
    """What the journey is for: an event within `window` of a decision. `value`: what it is worth in
    fen, an expression over `data.` and `entry.`; without one it counts only."""

    on: str | list[str]
    where: Condition = ""
    window: Duration = "72h"
    value: Condition = ""


class Holdout(Part, frozen=True):
    """The journey's control group. `everyone`: honour the global one too. Another `salt` draws
    another group."""

    everyone: bool = field(name="global", default=True)
    share: Share = 0.0
    salt: str = ""


class PersonBudget(Part, frozen=True):
    fen: Fen
    per: Duration = "30d"


class Budget(Part, frozen=True):
    """0: no limit of this journey's own. `exhausted`: what happens to a step that costs money when
    there is none: its coupon is dropped, the step is skipped, or the journey ends."""

    total_fen: Fen = 0
    daily_fen: Fen = 0
    person: PersonBudget | None = None
    pacing: Literal["none", "even", "demand"] = "none"
    exhausted: Literal["drop_coupon", "skip", "exit"] = "skip"


class Limits(Part, frozen=True):
    """On top of the policy: may only tighten it."""

    caps: list[Cap] = []


class WaitFor(Part, frozen=True):
    on: str | list[str]
    within: Duration
    where: Condition = ""


class Send(Part, frozen=True):
    """What goes out. `channel`: `auto` is learned, a list is an order of preference.

    `template` and `coupon` name entries of the content library; `show` is what a content trigger
    shows: `entry` (the item of the entry event), `interest` (the person's strongest interest),
    `recommended` (the article or item of the library that suits the person best) or an article's
    or item's id.
    """

    channel: Literal["auto"] | list[Channel] = "auto"
    template: str = ""
    coupon: str = ""
    show: str = ""
    ad: str = ""

    @property
    def kind(self) -> Kind:
        if self.coupon:
            return "coupon"
        if self.ad:
            return "ad"
        return "content" if self.show else "message"


class Arm(Send, frozen=True):
    """One of the alternatives of a `decide` step. `when`: who may get it."""

    id: Slug = NOTHING
    weight: Annotated[float, Meta(ge=0.0, le=1_000_000.0)] = 1.0
    when: Condition = ""

    @property
    def sends(self) -> bool:
        return bool(self.template or self.coupon or self.show or self.ad)


class Step(Part, frozen=True):
    """Exactly one of STEP_KINDS, with what belongs to it.

    `wait = "30m"` · `until = "20:00"` (the person's zone; `best` is their most active hour) ·
    `wait_for = {on, where, within}` with `then` and `else` · `if = "..."` with `then` and `else` ·
    `split = {step = weight}` · `decide = "thompson"` with `[[step.arm]]` · `send = {...}` ·
    `goto = "step"`. `expire`: so long after its moment a send is pointless. `on_fail`: where to go
    when the policy refuses it.
    """

    id: Slug
    wait: Duration = ""
    until: Annotated[str, Meta(pattern=r"^(|best|([01]\d|2[0-3]):[0-5]\d)$")] = ""
    wait_for: WaitFor | None = None
    condition: Condition = field(name="if", default="")
    split: dict[Slug, Annotated[float, Meta(gt=0.0, le=1_000_000.0)]] = {}
    decide: Literal["", "fixed", "split", "thompson", "linear_thompson", "linucb"] = ""
    arms: list[Arm] = field(name="arm", default_factory=list)
    send: Send | None = None
    goto: str = ""
    then: str = ""
    otherwise: str = field(name="else", default="")
    explore_floor: Share = 0.05
    expire: Duration = "24h"
    on_fail: str = ""

    @property
    def kinds(self) -> list[str]:
        """Which of STEP_KINDS it is: one, in a right file."""
        found = {
            "wait": self.wait,
            "until": self.until,
            "wait_for": self.wait_for,
            "if": self.condition,
            "split": self.split,
            "decide": self.decide,
            "send": self.send,
        }
        kinds = [kind for kind, said in found.items() if said]
        return kinds or (["goto"] if self.goto else [])


class Given(Part, frozen=True):
    """What an inline test takes for granted about its person.

    `entitlement`: channel -> units. `score`: by model; `interest`: by category. `orders`: paid, one
    a day, the last 30 days ago. `sent`: how long ago other marketing messages went out. `holdout`:
    whose control group the person is in. `arm`: step -> the arm that is drawn.
    """

    consent: list[str] = field(default_factory=lambda: ["marketing"])
    entitlement: dict[str, int] = {}
    attributes: dict[str, str] = {}
    score: dict[str, float] = {}
    interest: dict[str, float] = {}
    orders: Annotated[int, Meta(ge=0, le=100)] = 0
    arm: dict[str, str] = {}
    reach: list[Channel] = field(default_factory=lambda: ["official_account", "mini_programme"])
    sent: list[Duration] = []
    holdout: Literal["", "global", "journey"] = ""


class Test(Part, frozen=True):
    """`events`: `+10m order.paid {order_id='o1', amount_fen=8000}`; `expect`: `+30m SENT
    channel=mini_programme`, `no SENT`, in order; a time left out is any."""

    name: str
    events: list[str]
    expect: list[str]
    clock: str = "2026-11-23T10:00:00+08:00"
    given: Given = Given()


class JourneySpec(Part, frozen=True, kw_only=True):
    """The file. `version` is immutable once published; `migrate` says what becomes of people
    inside when a newer one comes: `pin` lets them finish on theirs, `restart` puts them before the
    new version's first step, `exit` ends theirs."""

    spec: Literal["journey/1"] = SPEC
    id: Slug
    version: Annotated[int, Meta(ge=1, le=1_000_000)]
    title: str
    owner: str = ""
    status: Status = "draft"
    purpose: Purpose = "marketing"
    priority: Annotated[int, Meta(ge=0, le=1_000)] = 50  # the lowest wins at one moment
    migrate: Literal["pin", "restart", "exit"] = "pin"
    reason: str = ""  # a reason code for explanations; the id in capitals where empty
    entry: Entry
    exit: Exit = Exit()
    goal: Goal | None = None
    holdout: Holdout = Holdout()
    budget: Budget = Budget()
    limits: Limits = Limits()
    steps: list[Step] = field(name="step")
    tests: list[Test] = field(name="test", default_factory=list)

    @property
    def enabled(self) -> bool:
        """Whether people may enter."""
        return self.status in ("live", "shadow")


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
