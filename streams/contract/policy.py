"""What a deployment allows, whatever its journeys want: the structure of `deploy/policy.toml`.

Every length of time may be said in words (`gap = "4h"`) or in milliseconds (`gap_ms`); the words
are turned into milliseconds at once, so that equal policies are equal values. What is absent is not
limited, and 0 means never.
"""

from typing import Annotated, Final, Literal, get_args

from msgspec import Meta, Struct, field
from msgspec.structs import force_setattr

from streams.contract.triggers import Channel, Purpose
from streams.expressions.durations import duration_ms

SPEC: Final = "policy/1"
DAY_MS: Final = 86_400_000
MOST_SENDS: Final = 64  # of one person that are remembered, hence the greatest cap
UNLIMITED: Final = 1_000_000  # what an absent `max` is
NEVER: Final = "never"  # the `ttl` of what does not expire
DAYS_IN_MONTH: Final = "days in month"

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
LengthMs = Annotated[int, Meta(ge=0, le=3_660 * DAY_MS)]
Fen = Annotated[int, Meta(ge=0, le=1_000_000_000_000)]
Minute = Annotated[int, Meta(ge=0, le=1_439)]
Words = Annotated[str, Meta(max_length=32, description="30m, 7d")]
Date = Annotated[str, Meta(pattern=r"^(|\d{4}-\d\d-\d\d)$", description="2026-11-22")]
EventType = Annotated[str, Meta(pattern=r"^[a-z_]+\.[a-z_]+$", max_length=64)]
Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Hours = Annotated[str, Meta(pattern=r"^(|([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)$")]
Calendar = Literal["calendar day", "calendar week", "calendar month"]
CALENDARS: Final[tuple[str, ...]] = get_args(Calendar)


def _take(part: Struct, words: str, number: str) -> None:
    """Turn a length of time in words into its milliseconds."""
    text = getattr(part, words)
    if not text:
        return
    try:
        force_setattr(part, number, duration_ms(text))
    except ValueError as error:
        raise ValueError(f"{words} = {text!r}: {error}") from error
    force_setattr(part, words, "")


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file: an unknown key is an error, for it would be ignored in silence. What is
    published is written out in full: the defaults of a later version change nothing."""


class Cap(Part, frozen=True):
    """At most `max` triggers of `purpose`; channel `*` counts over all channels.

    `per` is a rolling window (`24h`, `7d`) or a unit of the calendar in the person's zone
    (`calendar day`, `calendar week` from Monday, `calendar month`). Rolling windows are found in
    `window_ms`, for which `per` is then empty.
    """

    purpose: Literal["marketing", "service", "*"] = "marketing"
    channel: Channel | Literal["*"] = "*"
    most: Annotated[int, Meta(ge=0, le=UNLIMITED)] = field(name="max", default=UNLIMITED)
    window_ms: LengthMs = 0
    per: Words = ""

    def __post_init__(self) -> None:
        if not 0 <= self.most <= MOST_SENDS and self.most != UNLIMITED:
            raise ValueError(
                f"a cap of {self.most}: 0 (never) to {MOST_SENDS} is possible, for so many sends "
                "of a person are remembered; leave `max` out for no limit"
            )
        if self.per and self.window_ms:
            raise ValueError(f"a cap per {self.per!r} and per window_ms: say one of them")
        if self.per.startswith("calendar"):
            if self.per not in CALENDARS:
                raise ValueError(f"a cap per {self.per!r}: say one of {', '.join(CALENDARS)}")
        elif self.per:
            _take(self, "per", "window_ms")
        elif not self.window_ms:
            force_setattr(self, "window_ms", 7 * DAY_MS)
        if not self.per and self.window_ms <= 0:
            raise ValueError("a cap in a window of no length: write e.g. per = '7d'")

    @property
    def limits(self) -> bool:
        return self.most != UNLIMITED


class QuietHours(Part, frozen=True):
    """Local minutes of the day, in the person's zone (`zone` where theirs is not known); `jitter`
    spreads the release after the end.

    `hours` says both in words: `22:00-08:00`; equal ends are no quiet hours. On `holidays` (local
    dates) marketing is sent as usual, deferred to the next day that is none, or silent.
    """

    from_minute: Minute = 22 * 60
    to_minute: Minute = 8 * 60
    zone: str = "Asia/Shanghai"
    jitter_ms: LengthMs = 900_000
    hours: Hours = ""
    jitter: Words = ""
    holidays: tuple[Date, ...] = ()
    on_holiday: Literal["send", "defer", "silent"] = "send"

    def __post_init__(self) -> None:
        if self.hours:
            start, end = self.hours.split("-")
            force_setattr(self, "from_minute", _minute(start))
            force_setattr(self, "to_minute", _minute(end))
            force_setattr(self, "hours", "")
        _take(self, "jitter", "jitter_ms")


class Entitlement(Part, frozen=True, kw_only=True):
    """A right to send that WeChat grants, with the day it was checked and where it is written.

    An event of `grant_on` grants `units` for `ttl`: it refills, or with `adds` adds to what is
    there. Without `grant_on` everybody has `units` in each unit of the calendar `per` (or as many
    as the month has days). A channel for which no rule in force names the purpose needs none.
    """

    channel: Channel
    grant_on: tuple[EventType, ...] = ()
    units: Annotated[int, Meta(ge=0, le=MOST_SENDS)] | Literal["days in month"] = 1
    ttl: Words = ""
    ttl_ms: LengthMs = 0  # 0: does not expire
    per: Calendar | Literal[""] = ""
    adds: bool = False
    per_template: bool = False
    purposes: tuple[Purpose, ...] = ("marketing", "service")
    revoke_on: tuple[Code, ...] = ()  # the provider's codes of a failed send
    revoke_events: tuple[EventType, ...] = ()
    needs: Literal["", "staff_confirm"] = ""
    shadow_price: Share = 0.05  # share of response for which the last unit is kept for later
    since: Date = ""  # in force from this day on, of the policy's zone
    until: Date = ""  # and before this one
    checked: Date = ""
    source: str = ""

    def __post_init__(self) -> None:
        if self.ttl == NEVER:
            force_setattr(self, "ttl", "")
            force_setattr(self, "ttl_ms", 0)
        _take(self, "ttl", "ttl_ms")
        where = f"entitlement of {self.channel}"
        if bool(self.grant_on) == bool(self.per):
            raise ValueError(f"{where}: say either grant_on (events) or per (calendar)")
        if self.units == DAYS_IN_MONTH and self.per != "calendar month":
            raise ValueError(f"{where}: units = 'days in month' needs per = 'calendar month'")
        if self.per and (self.per_template or self.adds or self.ttl_ms):
            raise ValueError(f"{where}: per a calendar unit, without per_template, adds and ttl")


# What WeChat allows; `deploy/policy.toml` says the same with its sources. The rules change: a
# deployment's file is what counts.
WECHAT: Final = (
    Entitlement(channel="official_account", per="calendar month", units=4, purposes=("marketing",)),
    Entitlement(
        channel="mini_programme",
        grant_on=("subscription.credit_granted",),
        adds=True,
        per_template=True,
        revoke_on=("43101", "refused"),
        revoke_events=("subscription.credit_refused", "subscription.revoked"),
    ),
    Entitlement(
        channel="customer_service",
        grant_on=("message.received",),
        units=5,
        ttl="48h",
        revoke_on=("45015", "45047"),
    ),
    Entitlement(
        channel="customer_service",
        grant_on=("user.followed", "qr.scanned", "menu.clicked"),
        units=3,
        ttl="1m",
        revoke_on=("45015", "45047"),
    ),
    Entitlement(
        channel="wecom", per="calendar month", units="days in month", needs="staff_confirm"
    ),
)


class Pause(Part, frozen=True, kw_only=True):
    """Marketing pauses when, of at least `least` sends within `per`, a greater share than `above`
    was followed by what is counted: unfollows, or failures (with one of `codes`, where named)."""

    rate_of: Literal["unfollow", "error"]
    above: Share
    per: Words = ""
    per_ms: LengthMs = DAY_MS
    least: Annotated[int, Meta(ge=1, le=1_000_000)] = 200
    codes: tuple[Code, ...] = ()

    def __post_init__(self) -> None:
        _take(self, "per", "per_ms")
        if not 60_000 <= self.per_ms <= 7 * DAY_MS:
            raise ValueError("pause_if: per is a minute (1m) to a week (7d)")


class Safety(Part, frozen=True):
    """A pause ends with a `resume` of the operators, who thereby arm the rules anew."""

    pause_if: tuple[Pause, ...] = ()
    rearm: Literal["on_resume"] = "on_resume"


class Control(Part, frozen=True):
    """The global control group: another `salt` draws another one, and so does each period of
    `rotate`; within a period nobody changes sides. 0: one group for ever."""

    salt: Annotated[str, Meta(max_length=64)] = ""
    rotate: Words = ""
    rotate_ms: LengthMs = 0

    def __post_init__(self) -> None:
        _take(self, "rotate", "rotate_ms")
        if 0 < self.rotate_ms < DAY_MS:
            raise ValueError("control: rotate is a day (1d) or longer")


class Personalisation(Part, frozen=True):
    """PIPL article 24: who withdraws consent for `purpose`, or refuses one of `refusals`, gets the
    variant that is the same for everybody."""

    purpose: Annotated[str, Meta(max_length=24)] = "personalisation"
    refusals: tuple[str, ...] = ("personalisation",)
    by_default: bool = True  # whether it is allowed before the person said anything


class Policy(Part, frozen=True):
    """`gap`: least time between two marketing triggers of one person. `daily_budget_fen` and
    `total_budget_fen` are of the whole deployment; a total of 0 is no limit."""

    caps: tuple[Cap, ...] = field(
        name="cap", default=(Cap(most=1, window_ms=DAY_MS), Cap(most=3, window_ms=7 * DAY_MS))
    )
    gap_ms: LengthMs = 4 * 3_600_000
    quiet: QuietHours = QuietHours()
    global_holdout: Share = 0.05
    daily_budget_fen: Fen = 2_000_000
    default_consent: bool = False  # whether marketing may be sent before a consent event was seen
    total_budget_fen: Fen = 0
    pacing: Literal["none", "even", "demand"] = "none"
    control: Control = Control()
    quiet_service: QuietHours | None = None  # for purpose `service`, which has none by itself
    entitlements: tuple[Entitlement, ...] = field(name="entitlement", default=WECHAT)
    safety: Safety = Safety()
    personalisation: Personalisation = Personalisation()
    gap: Words = ""
    title: str = ""
    version: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    spec: Literal["policy/1"] = SPEC

    def __post_init__(self) -> None:
        _take(self, "gap", "gap_ms")
