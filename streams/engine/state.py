"""The rows of a partition's state and their codec: msgpack arrays behind a version byte.

    u:<user id>     due time (8 bytes, big-endian), version, packed UserState  some 300 to 800 bytes
    a:<alias>       AliasState: only for aliases that were linked or erased
    s:<topic>/<epoch>/<partition>   the offset up to which a source is folded
    c:counts        Counts: the log's time and what was counted
    p:              what the policy has learned of channels, and its safety rules
    j:<id>/<version>, j:<id>        journeys as published, and pauses: journeys/book.py
    r:<journey>, l:<journey>/<step> what came of a journey, what a chooser learned: results.py
    q:<journey>     what money counts for: pricing.py
    B: b: K: k:     purses and, on partition 0, the coordinator's books: budget/
    g:genesis, g:policy, g:content  the genesis record, and what was published since
    m:              models

A fold refuses rows of another version: it must not write over what it cannot read.
"""

from typing import Any, Final, TypeVar, get_args

import msgspec
from msgspec import Struct, field

from streams.contract.triggers import Channel, Purpose
from streams.engine.models.abuse_state import Watched
from streams.engine.models.churn import ChurnState
from streams.engine.models.doing import Doing
from streams.engine.models.growth_state import Grown
from streams.engine.models.said_state import Asked, Mood
from streams.engine.models.segment_state import Segmented
from streams.engine.packing import pack, unpack
from streams.engine.profile.activity import Activity
from streams.engine.profile.interests import Interests
from streams.learning.delayed import Awaited

VERSION: Final = 3
PLAIN: Final = 2  # of 0.2.0: people were not packed, and had fewer fields
READABLE: Final = (PLAIN, VERSION)  # fields are only ever added, at the end
NEVER_MS: Final = 2**63 - 1
DUE_BYTES: Final = 8
VERSION_BYTE: Final = VERSION.to_bytes(1, "big")

MOST_ENTRIES: Final = 16  # of one person into one journey that are remembered
MOST_RECENT: Final = 8  # events of one type whose times are remembered

CHANNELS: Final[tuple[str, ...]] = get_args(Channel)
PURPOSES: Final[tuple[str, ...]] = get_args(Purpose)
WAYS: Final = 8  # at least as many as there are channels

UNKNOWN, YES, NO = 0, 1, 2  # a relation: not heard of, begun, ended by the person


class Consented(Struct, array_like=True, gc=False):
    """What the person said about one purpose and channel, each possibly `*`."""

    purpose: str
    channel: str
    granted: bool
    time_ms: int
    version: str = ""


class Sent(Struct, array_like=True, gc=False):
    """A trigger we emitted: released `delay_ms` after it was created. `way` is purpose and channel
    in one small number, see `way_of`; `mark` tells it in an answer."""

    created_ms: int
    delay_ms: int
    way: int
    journey: str
    mark: int
    cost_fen: int = 0
    template: str = ""  # whose subscription credit was used, where one was

    @property
    def purpose(self) -> str:
        return PURPOSES[self.way // WAYS]

    @property
    def channel(self) -> str:
        return CHANNELS[self.way % WAYS]


def way_of(purpose: str, channel: str) -> int:
    return PURPOSES.index(purpose) * WAYS + CHANNELS.index(channel)


class Grant(Struct, array_like=True, gc=False):
    """Units to send by a channel, told apart by `span`: the milliseconds a grant lives (0: it does
    not expire), or -1, -2, -3 for what everybody has in each calendar day, week or month. `count`
    is what is left of it; of a calendar's unit what was used."""

    channel: int  # place in profile.channels.CHANNELS
    span: int
    count: int
    until_ms: int = 0  # 0: does not expire
    revoked_ms: int = 0  # what was granted before counts no more
    template: str = ""


class Instance(Struct, array_like=True, gc=False):
    """A journey the person is in, before its step number `step`. `key` tells instances of one
    journey apart; `entry` holds what later steps ask of the entry event."""

    journey: str
    version: int
    step: int
    due_ms: int  # when the step is due; of a wait for an event, its deadline
    entered_ms: int
    event_ms: int
    cause_event_id: str
    source: str
    key: str = ""
    entry: dict[str, Any] = {}
    arms: dict[str, str] = {}  # step -> the arm that was drawn
    marks: dict[str, int] = {}  # step -> the mark of its trigger


class Pending(Struct, array_like=True, gc=False):
    """A decision whose result is not known yet: matured, and learned from, at `until_ms`."""

    journey: str
    version: int
    step: str
    arm: str  # `hold` for the control groups; empty where no arm was drawn
    decided_ms: int
    until_ms: int
    first: bool  # the person's first decision in this journey: what effects are measured on
    propensity: float = 1.0
    mark: int = 0  # of the trigger, 0 where none went out
    answers: int = 0  # bits: what came back, see results.py
    cost_fen: int = 0  # of the coupon once it is redeemed
    value_fen: int = 0  # of the goal so far
    reached: int = 0  # how often the goal was reached
    features: tuple[float, ...] = ()
    entry: dict[str, Any] = {}
    lifecycle: int = 0  # when it was decided: later it would show what the decision did
    shown: str = ""  # the category of a content trigger
    treating: float = 0.0  # probability that something was to be sent; 0 or 1: no draw


class Standing(Struct, array_like=True, gc=False):
    """How the person stands with one journey, or with one key of it. `outcome` is the number of the
    last decision's outcome in decisions.OUTCOMES."""

    entered: list[int] = []  # seconds of the latest entries
    outcome: int = 0
    decided_s: int = 0
    measured: bool = False  # the person's first decision in this journey has been made
    rests_s: int = 0  # until when an entry that led to nothing keeps the person out


class Attribute(Struct, array_like=True, gc=False):
    value: str
    provenance: str
    time_ms: int


class UserState(Struct, array_like=True, gc=False):
    """One person. Times are in milliseconds, 0 means never."""

    first_seen_ms: int
    check_ms: int = 0  # the next daily check
    anchor: int = 0  # whom the control groups know the person as; 0: by the alias
    events: int = 0  # applied ones
    fingerprints: bytes = b""  # of the latest events, eight bytes each, newest last
    forgotten: bytes = b""  # the latest fingerprint, by its second, that had to go
    activity: Activity = field(default_factory=Activity)
    interests: Interests = field(default_factory=Interests)
    tags: dict[str, int] = {}
    churn: ChurnState = field(default_factory=ChurnState)
    hours: bytearray = field(default_factory=lambda: bytearray(24))  # activity by local hour
    channels: bytearray = field(default_factory=lambda: bytearray(6))  # activity by channel
    followed: int = UNKNOWN  # the official account
    followed_ms: int = 0
    contact: int = UNKNOWN  # in WeCom
    contact_ms: int = 0
    grants: list[Grant] = []  # what entitles us to write to the person
    mini_ms: int = 0  # latest use of the mini-programme
    order_mark: int = 0  # of the order last counted
    lifecycle: int = 0  # as last published, index of LIFECYCLES
    published_ms: int = 0
    published_churn: float = 0.0
    consents: list[Consented] = []
    refused: list[str] = []
    sends: list[Sent] = []
    inside: list[Instance] = []
    pending: list[Pending] = []
    standings: dict[str, Standing] = {}  # by journey; `journey#key` where it has instance keys
    recent: dict[str, list[int]] = {}  # type -> seconds of the latest events that journeys ask for
    attributes: dict[str, Attribute] = {}
    doing: Doing | None = None  # the latest actions
    purchase: Awaited | None = None  # a prediction on record
    segmented: Segmented | None = None
    grown: Grown | None = None  # who brought the person, and whom the person brought
    abuse: Watched | None = None  # how fast, with what, and what is held against the person
    visited: bytes = b""  # the last few items met, see models/visited.py
    mood: Mood | None = None  # of what the person said lately
    asked: Asked | None = None  # what the person wants of customer service


class AliasState(Struct, array_like=True, gc=False):
    """`forward`: the user id this alias belongs to now; `linked`: aliases that forward to this
    one."""

    generation: int = 0
    erased_ms: int = 0
    forward: str = ""
    anchor: int = 0
    linked: list[str] = []


class Counts(Struct, array_like=True):
    now_ms: int = 0
    mail_sequence: int = 0
    counts: dict[str, int] = {}
    shared_ms: int = 0  # when what models learned was last told to the other partitions,
    shared_inputs: int = 0  # and how many inputs there had been


_encoder = msgspec.msgpack.Encoder()
_user_decoder = msgspec.msgpack.Decoder(UserState)
T = TypeVar("T")


def encode_user(state: UserState, due_ms: int) -> bytes:
    return due_ms.to_bytes(DUE_BYTES, "big") + VERSION_BYTE + pack(_encoder.encode(state))


def decode_user(row: bytes) -> UserState:
    body = memoryview(row)[DUE_BYTES + 1 :]
    return _user_decoder.decode(body if row[DUE_BYTES] == PLAIN else unpack(body))


def check_user_version(key: bytes, row: bytes) -> None:
    if len(row) <= DUE_BYTES or row[DUE_BYTES] not in READABLE:
        raise ValueError(_other(key, row[DUE_BYTES : DUE_BYTES + 1]))


def encode_row(state: Any) -> bytes:
    return VERSION_BYTE + _encoder.encode(state)


def decode_row(key: bytes, row: bytes, what: type[T]) -> T:
    if not row or row[0] not in READABLE:
        raise ValueError(_other(key, row[:1]))
    return msgspec.msgpack.decode(memoryview(row)[1:], type=what)


def _other(key: bytes, version: bytes) -> str:
    kind = key[:2].decode("ascii", "replace")
    found = version[0] if version else 0
    remedy = "run the engine version that wrote it, or a newer one"
    if found < READABLE[0]:
        remedy = "it is of an older release: fold the log anew with `streams replay --log`"
    return f"row of kind {kind!r} has version {found}, this engine reads {VERSION}: {remedy}"
